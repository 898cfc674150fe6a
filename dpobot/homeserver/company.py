"""Which servers, bridges and bots were in a room, and when (Art. 15(1)(c) GDPR: recipients by name).

The room's member events say it, page by page. Where the server came to a room later, or has thrown its beginning away,
these begin in the middle: the state at the first of them says who was there already. Both work for rooms that the
person or the whole server has left. Last, the state of today is looked at: others come and go while a server is away.
"""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver import puppet, services
from dpobot.homeserver.api import RoomCompany
from dpobot.homeserver.category import Params, Subject, following, records_of
from dpobot.homeserver.rooms import MESSAGES
from dpobot.homeserver.services import Bridges
from dpobot.homeserver.stays import Event, Stays, server_name
from dpobot.model.ids import RoomId, UserId, server_of

STATE = "GET /_synapse/admin/v1/rooms/{room}/state"
AROUND = "GET /_synapse/admin/v1/rooms/{room}/context/{event}"
ENDPOINTS = (MESSAGES, STATE, AROUND, services.ACCOUNT, puppet.WHOAMI)

_CREATE = "m.room.create"
_FILTER = json.dumps({"types": ["m.room.member", _CREATE, *services.BRIDGES]})
_PAGE = 1000


class _Room:
    """What is known of one room so far. ``whole``: from its beginning on, or from a full state of it."""

    def __init__(self, own: str) -> None:
        self.stays = Stays(own)
        self.bridges = Bridges()
        self.whole = False

    def note(self, events: Iterable[Event]) -> None:
        """Take in what happened, in the server's order."""
        for event in events:
            self.whole = self.whole or event.get("type") == _CREATE
            self.stays.note(event)
            self.bridges.note(event)


async def company(subject: Subject, room_id: RoomId) -> RoomCompany:
    """Return which servers and services were in a room, the person's own server included.

    Raises as `Homeserver` does. Servers are told from the first to the last moment of their users; whose is not told.
    """
    own = await _own_server(subject)
    room = _Room(own)
    begun = False
    async for events in _pages(subject, room_id):
        if not begun and events and events[0].get("type") != _CREATE:
            room.note(await _before(subject, room_id, str(events[0].get("event_id"))))
        begun = begun or bool(events)
        room.note(events)
    if not (room.whole and room.stays.alone):  # nobody can come or go unseen where all are on this server
        room.note(await _now(subject, room_id))
    found, all_asked = await services.machines(subject, _candidates(subject, room, own))
    return RoomCompany(
        tuple(room.stays.all()), services.named(room.bridges, room.stays.local(), found, own), room.whole, all_asked
    )


def _candidates(subject: Subject, room: _Room, own: str) -> list[str]:
    """Return whom to ask the server about: accounts that bridges speak of, then who is there, then who was."""
    bridges = sorted(user for user in room.bridges.accounts() if server_name(user) == own)
    there = sorted(room.stays.local(), key=lambda user: (not room.stays.is_in(user), user))
    return [user for user in (*bridges, *there) if user != subject.user]


async def _own_server(subject: Subject) -> str:
    user = (await subject.http.call(puppet.WHOAMI)).get("user_id")
    if not isinstance(user, str):
        raise Unavailable("bad_answer")
    return server_of(UserId(user))


async def _pages(subject: Subject, room_id: RoomId) -> AsyncIterator[tuple[Event, ...]]:
    start: dict[str, str] = {}
    while True:
        params: Params = {"dir": "f", "limit": _PAGE, "filter": _FILTER, **start}
        answer = await subject.http.call(MESSAGES, path={"room": room_id}, params=params)
        yield records_of(answer.get("chunk"))
        end = following(answer, "end", str)
        if end is None or end == start.get("from"):
            return
        start = {"from": end}


async def _before(subject: Subject, room_id: RoomId, event_id: str) -> tuple[Event, ...]:
    """Return the state at an event, which is the first one that the server has."""
    params: Params = {"limit": 0, "filter": _FILTER}
    return await _state(subject, AROUND, params, room=room_id, event=event_id)


async def _now(subject: Subject, room_id: RoomId) -> tuple[Event, ...]:
    return await _state(subject, STATE, {}, room=room_id)


async def _state(subject: Subject, endpoint: str, params: Params, **path: Any) -> tuple[Event, ...]:
    """Return a state's events; none where the server has it no longer, or it is too much to be handed out at once."""
    try:
        return records_of((await subject.http.call(endpoint, path=path, params=params)).get("state"))
    except Rejected as error:
        if error.status in (401, 403):
            raise
        return ()
