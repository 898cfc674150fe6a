"""What somebody may read in a room of the homeserver in memory, and the room's story."""

from typing import TYPE_CHECKING

from dpobot.homeserver.api import EventPage, StoryPage
from dpobot.model.ids import UserId

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeRoom


def visible_events(room: "FakeRoom", user: UserId, start: str | None, limit: int) -> EventPage:
    """Return a page of what somebody may read."""
    return EventPage((), None)


def story(room: "FakeRoom", user: UserId, start: str | None, limit: int) -> StoryPage:
    """Return a page of the room's story."""
    return StoryPage((), None)
