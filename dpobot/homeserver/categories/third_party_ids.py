"""E-mail addresses and telephone numbers that belong to the account."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject, records_of
from dpobot.text.language import translatable

_ACCOUNT = "GET /_synapse/admin/v2/users/{user}"


async def _ask(subject: Subject) -> Found:
    return Found(records_of((await subject.ask(_ACCOUNT)).get("threepids")))


CATEGORY = Category(
    name="third_party_ids",
    title=translatable("E-mail addresses and telephone numbers"),
    purpose="Given by the person to recover the account and, if they wish, to be found (Art. 6(1)(b)).",
    endpoints=(_ACCOUNT,),
    fields={"medium": PLAIN, "address": PLAIN, "validated_at": PLAIN, "added_at": PLAIN},
    ask=_ask,
)
