"""Accounts at identity providers that the account is linked to."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject, records_of
from dpobot.text.language import translatable

_ACCOUNT = "GET /_synapse/admin/v2/users/{user}"


async def _ask(subject: Subject) -> Found:
    return Found(records_of((await subject.ask(_ACCOUNT)).get("external_ids")))


CATEGORY = Category(
    name="sso_links",
    title=translatable("Links to single sign-on accounts"),
    purpose="Needed to log in through another provider (Art. 6(1)(b)).",
    endpoints=(_ACCOUNT,),
    fields={"auth_provider": PLAIN, "external_id": PLAIN},
    ask=_ask,
)
