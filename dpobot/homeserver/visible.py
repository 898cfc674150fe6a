"""What a person may read in a room: as the server decides it for them, and what our own check needs to know.

A client reads a room backwards. For somebody who has left, Synapse begins that where they left; forwards it would also
give what was sent later. So the server is asked where the person's reading begins, and read forwards up to there.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.api import EventPage, StoryPage, Told
from dpobot.homeserver.category import Params, Record, Subject, following, records_of
from dpobot.homeserver.rooms import MESSAGES, ROOM
from dpobot.model.ids import RoomId

READ = "GET /_matrix/client/v3/rooms/{room}/messages"
VISIBLE_ENDPOINTS: tuple[str, ...] = (READ,)
STORY_ENDPOINTS = (MESSAGES, ROOM)

_PAGE_BYTES = 16 * 1024 * 1024  # as with own events: a page of many large events must not decide about our memory
_MEMBER, _VISIBILITY = "m.room.member", "m.room.history_visibility"

Ask = Callable[[Params], Awaitable[dict[str, Any]]]


async def visible_events(subject: Subject, room_id: RoomId, start: str | None, limit: int) -> EventPage:
    """Return a page of what the person may read, oldest first (Client-Server API, "GET /rooms/{roomId}/messages").

    A room that is closed to them has none: banned, forgotten, only invited to or knocked at, unless all the world may
    read it. Raises `Rejected` if the server doesn't let us act as the person.
    """
    async with subject.acting() as person:

        async def ask(params: Params) -> dict[str, Any]:
            return await person.ask(READ, room=room_id, params=params, max_bytes=_PAGE_BYTES)

        try:
            place, end = _split(start) if start is not None else (None, await _end_of(ask))
            # forwards without a beginning: from the room's first event on
            params = {"to": end} if place is None else {"to": end, "from": place}
            answer = await _paged(ask, params, limit)
        except Rejected as refusal:
            if refusal.status == 403 or isinstance(refusal, Gone):
                return EventPage((), None)
            if refusal.code == "M_UNKNOWN_TOKEN":
                raise Unavailable("acting_ended") from refusal  # an admin has ended all tokens: the next one is new
            raise
    place_after = following(answer, "end", str)
    done = place_after is None or place_after in (place, end)
    return EventPage(records_of(answer.get("chunk")), None if done else f"{place_after} {end}")


async def _end_of(ask: Ask) -> str:
    """Return where the person's own client begins to read backwards."""
    end = (await ask({"dir": "b", "limit": 1})).get("start")
    if not isinstance(end, str) or not end:
        raise Unavailable("bad_answer")
    return end


def _split(start: str) -> tuple[str, str]:
    place, _, end = start.partition(" ")
    return place, end


async def story(subject: Subject, room_id: RoomId, start: str | None, limit: int) -> StoryPage:
    """Return a page of the room's story, oldest first (Synapse admin API, "Room messages API"): all that it holds."""

    async def ask(params: Params) -> dict[str, Any]:
        return await subject.ask(MESSAGES, room=room_id, params=params, max_bytes=_PAGE_BYTES)

    answer = await _paged(ask, {} if start is None else {"from": start}, limit)
    end = following(answer, "end", str)
    told = tuple(_told(event, subject.user) for event in records_of(answer.get("chunk")))
    now = await _visibility_now(subject, room_id) if start is None else None
    return StoryPage(told, end if end != start else None, now)


async def _visibility_now(subject: Subject, room_id: RoomId) -> str | None:
    """Return what is in force now (Synapse admin API, "Room Details API")."""
    try:
        said = (await subject.ask(ROOM, room=room_id)).get("history_visibility")
    except Gone:
        return None
    return said if isinstance(said, str) else None


async def _paged(ask: Ask, params: Params, limit: int) -> dict[str, Any]:
    """Ask forwards, for less at a time where a page would be too large."""
    while True:
        try:
            return await ask({**params, "dir": "f", "limit": limit})
        except Rejected as error:
            if error.code != "answer_too_large" or limit <= 1:
                raise
            limit = max(limit // 4, 1)


def _told(event: Record, person: str) -> Told:
    event_id, type_, key = event.get("event_id"), event.get("type"), event.get("state_key")
    if not isinstance(event_id, str):
        raise Unavailable("bad_answer")
    if type_ == _VISIBILITY and key == "":
        name, otherwise = "history_visibility", "shared"
        return Told(event_id, visibility=_said(event, name) or otherwise, before=_said(_replaced(event), name))
    if type_ == _MEMBER and key == person:
        name, otherwise = "membership", "leave"
        return Told(event_id, membership=_said(event, name) or otherwise, before=_said(_replaced(event), name))
    return Told(event_id)


def _replaced(event: Record) -> Record:
    """Return the content that a state event replaced, in the form of an event."""
    unsigned = event.get("unsigned")
    return {"content": unsigned.get("prev_content")} if isinstance(unsigned, Mapping) else {}


def _said(event: Record, name: str) -> str | None:
    """Return what a state event sets, None if it sets nothing that can be read."""
    content = event.get("content")
    value = content.get(name) if isinstance(content, Mapping) else None
    return value if isinstance(value, str) and value else None
