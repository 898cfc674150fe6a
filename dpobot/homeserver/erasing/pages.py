"""A person's own events of a room, page by page, judged by `redactable`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from dpobot.homeserver.changes import Depth, OwnEvents
from dpobot.homeserver.erasing.redactable import Fate, fate, goes
from dpobot.homeserver.events import own_events
from dpobot.homeserver.http import Http
from dpobot.model.ids import RoomId, UserId

PAGE = 1000  # the most that Synapse gives at once

Event = Mapping[str, Any]


async def pages(http: Http, room_id: RoomId, user: UserId) -> AsyncIterator[Sequence[Event]]:
    """Yield all of the person's events of a room, oldest first; nothing for an unknown room."""
    start: str | None = None
    while True:
        page = await own_events(http, room_id, user, start, PAGE)
        yield page.events
        if page.next is None:
            return
        start = page.next


async def going(http: Http, room_id: RoomId, user: UserId, depth: Depth) -> list[Event]:
    """Return the person's events of a room that this depth redacts and that are not redacted yet, oldest first."""
    return [event async for page in pages(http, room_id, user) for event in page if goes(event, user, depth)]


async def counted(http: Http, room_id: RoomId, user: UserId) -> OwnEvents:
    """Return how many of the person's events in a room still hold content."""
    counts = dict.fromkeys(Fate, 0)
    async for page in pages(http, room_id, user):
        for event in page:
            counts[fate(event, user)] += 1
    return OwnEvents(counts[Fate.MESSAGE], counts[Fate.STATE], counts[Fate.KEPT])
