"""Devices that are logged in, with their last address."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject, records_of
from dpobot.text.language import translatable

_DEVICES = "GET /_synapse/admin/v2/users/{user}/devices"


async def _ask(subject: Subject) -> Found:
    return Found(records_of((await subject.ask(_DEVICES)).get("devices")))


CATEGORY = Category(
    name="devices",
    title=translatable("Devices"),
    purpose="Needed to deliver messages to each device, and for the person to recognise a strange one (Art. 6(1)(b)).",
    endpoints=(_DEVICES,),
    fields=dict.fromkeys(
        ("device_id", "display_name", "last_seen_ip", "last_seen_user_agent", "last_seen_ts", "dehydrated"),
        PLAIN,
    ),
    ask=_ask,
)
