"""Settings that clients keep on the server, secret storage included (spec, "Client Config", "Secret storage")."""

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Subject, entries, object_of
from dpobot.text.language import translatable

_ACCOUNT_DATA = "GET /_synapse/admin/v1/users/{user}/accountdata"


async def _ask(subject: Subject) -> Found:
    held = object_of((await subject.ask(_ACCOUNT_DATA)).get("account_data"))
    return Found(tuple({"type": type_, "content": content} for type_, content in entries(held.get("global", {}))))


CATEGORY = Category(
    name="account_data",
    title=translatable("Account settings and secret storage"),
    purpose="Kept for the person's clients; secrets in it are encrypted, only they have the key (Art. 6(1)(b)).",
    endpoints=(_ACCOUNT_DATA,),
    fields={"type": PLAIN, "content": WHOLE},
    ask=_ask,
)
