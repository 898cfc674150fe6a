"""Which servers, bridges and bots were in a room, and when (Art. 15(1)(c) GDPR: recipients by name)."""

from dpobot.homeserver.api import RoomCompany
from dpobot.homeserver.category import Subject
from dpobot.homeserver.rooms import MESSAGES
from dpobot.model.ids import RoomId

ENDPOINTS = (MESSAGES,)


async def company(subject: Subject, room_id: RoomId) -> RoomCompany:
    """Return who was there."""
    return RoomCompany((), (), whole=False)
