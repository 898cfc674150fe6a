"""The account itself."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject
from dpobot.text.language import translatable

_ACCOUNT = "GET /_synapse/admin/v2/users/{user}"


async def _ask(subject: Subject) -> Found:
    return Found((await subject.ask(_ACCOUNT),))


CATEGORY = Category(
    name="account",
    title=translatable("Account"),
    purpose="Needed to provide the account; its state decides what it may do (Art. 6(1)(b)).",
    endpoints=(_ACCOUNT,),
    fields=dict.fromkeys(
        (
            "name",
            "displayname",
            "avatar_url",
            "creation_ts",
            "last_seen_ts",
            "admin",
            "user_type",
            "is_guest",
            "deactivated",
            "erased",
            "locked",
            "suspended",
            "shadow_banned",
            "approved",
            "appservice_id",
            "consent_version",
            "consent_ts",
            "consent_server_notice_sent",
        ),
        PLAIN,
    ),
    ask=_ask,
)
