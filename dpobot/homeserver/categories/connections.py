"""Network addresses and programs that the account was used from (kept ``user_ips_max_age``, 28 days by default)."""

from collections.abc import Iterator
from typing import Any

from dpobot.homeserver.category import PLAIN, Category, Found, Record, Subject, entries, object_of, records_of
from dpobot.text.language import translatable

_WHOIS = "GET /_synapse/admin/v1/whois/{user}"


async def _ask(subject: Subject) -> Found:
    return Found(tuple(_connections(await subject.ask(_WHOIS))))


def _connections(answer: Any) -> Iterator[Record]:
    for _, device in entries(answer.get("devices")):
        for session in records_of(object_of(device).get("sessions")):
            yield from records_of(session.get("connections"))


CATEGORY = Category(
    name="connections",
    title=translatable("Connections (network addresses)"),
    purpose="Kept for a short time to recognise abuse and theft of accounts (Art. 6(1)(f)).",
    endpoints=(_WHOIS,),
    fields={"ip": PLAIN, "user_agent": PLAIN, "last_seen": PLAIN},
    ask=_ask,
)
