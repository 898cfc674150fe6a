"""Services that notifications are sent to: push gateways of applications, and e-mail."""

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Subject, records_of
from dpobot.text.language import translatable

_PUSHERS = "GET /_synapse/admin/v1/users/{user}/pushers"


async def _ask(subject: Subject) -> Found:
    return Found(records_of((await subject.ask(_PUSHERS)).get("pushers")))


CATEGORY = Category(
    name="pushers",
    title=translatable("Push notification targets"),
    purpose="Needed to notify the person's devices; a web push target's shared secret stays out (Art. 6(1)(b)).",
    endpoints=(_PUSHERS,),
    fields={
        **dict.fromkeys(
            (
                "app_display_name",
                "app_id",
                "device_display_name",
                "device_id",
                "enabled",
                "kind",
                "lang",
                "profile_tag",
                "pushkey",
            ),
            PLAIN,
        ),
        "data": {
            **dict.fromkeys(("url", "format", "brand", "endpoint", "events_only"), PLAIN),
            "default_payload": WHOLE,
        },
    },
    ask=_ask,
)
