"""A person's own events of a room, page by page, judged by `redactable`."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from dpobot.errors import Gone
from dpobot.homeserver.changes import OwnEvents
from dpobot.homeserver.erasing.redactable import Fate, depends_on_version, fate
from dpobot.homeserver.events import own_events
from dpobot.homeserver.http import Http
from dpobot.homeserver.rooms import MESSAGES, ROOM
from dpobot.model.ids import RoomId, UserId

ENDPOINTS = (MESSAGES, ROOM)
PAGE = 1000  # the most that Synapse gives at once

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of events, oldest first, each with its fate. ``next`` is None at the end."""

    events: tuple[tuple[Event, Fate], ...]
    next: str | None


async def page(http: Http, room_id: RoomId, user: UserId, start: str | None) -> Page:
    """Return one page of the person's events of a room; nothing for an unknown room."""
    found = await own_events(http, room_id, user, start, PAGE)
    version = await _version(http, room_id) if any(depends_on_version(event) for event in found.events) else None
    return Page(tuple((event, fate(event, version)) for event in found.events), found.next)


async def judged(http: Http, room_id: RoomId, user: UserId) -> AsyncIterator[tuple[Event, Fate]]:
    """Yield all of the person's events of a room, oldest first, each with its fate."""
    start: str | None = None
    while True:
        found = await page(http, room_id, user, start)
        for one in found.events:
            yield one
        if found.next is None:
            return
        start = found.next


async def counted(http: Http, room_id: RoomId, user: UserId) -> OwnEvents:
    """Return how many of the person's events in a room still hold content."""
    counts = dict.fromkeys(Fate, 0)
    async for _, chosen in judged(http, room_id, user):
        counts[chosen] += 1
    return OwnEvents(counts[Fate.MESSAGE], counts[Fate.STATE], counts[Fate.KEPT])


async def _version(http: Http, room_id: RoomId) -> str | None:
    try:
        return str((await http.call(ROOM, path={"room": room_id})).get("version"))
    except Gone:
        return None
