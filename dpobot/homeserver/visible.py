"""What a person may read in a room: as the server decides it for them, and what our own check needs to know."""

from dpobot.homeserver.api import EventPage, StoryPage
from dpobot.homeserver.category import Subject
from dpobot.homeserver.rooms import MESSAGES
from dpobot.model.ids import RoomId

VISIBLE_ENDPOINTS: tuple[str, ...] = ("GET /_matrix/client/v3/rooms/{room}/messages",)
STORY_ENDPOINTS = (MESSAGES,)


async def visible_events(subject: Subject, room_id: RoomId, start: str | None, limit: int) -> EventPage:
    """Return a page of what the person may read."""
    return EventPage((), None)


async def story(subject: Subject, room_id: RoomId, start: str | None, limit: int) -> StoryPage:
    """Return a page of the room's story."""
    return StoryPage((), None)
