"""Settings that clients keep on the server for a single room."""

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Subject, entries, object_of
from dpobot.text.language import translatable

_ACCOUNT_DATA = "GET /_synapse/admin/v1/users/{user}/accountdata"


async def _ask(subject: Subject) -> Found:
    held = object_of((await subject.ask(_ACCOUNT_DATA)).get("account_data"))
    return Found(
        tuple(
            {"room_id": room, "type": type_, "content": content}
            for room, types in entries(held.get("rooms", {}))
            for type_, content in entries(types)
        )
    )


CATEGORY = Category(
    name="room_account_data",
    title=translatable("Settings for single rooms"),
    purpose="Kept for the person's clients (Art. 6(1)(b)).",
    endpoints=(_ACCOUNT_DATA,),
    fields={"room_id": PLAIN, "type": PLAIN, "content": WHOLE},
    ask=_ask,
)
