"""Rooms that the person ever joined, left, was invited to, knocked at or was banned from."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.homeserver.rooms import ENDPOINTS, find_rooms
from dpobot.text.language import translatable


async def _ask(subject: Subject) -> Found:
    found = await find_rooms(subject)
    return Found(
        tuple(
            {
                "room_id": room.room_id,
                "membership": room.membership,
                "name": room.name,
                "encrypted": room.encrypted,
            }
            for room in found.rooms
        )
    )


CATEGORY = Category(
    name="rooms",
    title=translatable("Rooms and memberships"),
    purpose="Needed to deliver the conversations that the person takes part in (Art. 6(1)(b)).",
    endpoints=(*ENDPOINTS, *PUPPET),
    fields=dict.fromkeys(("room_id", "membership", "name", "encrypted"), PLAIN),
    ask=_ask,
    remote=True,
)
