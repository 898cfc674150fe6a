"""Who else is, or was, in a room, from its member events: also for rooms that the server has left."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from dpobot.errors import Gone
from dpobot.homeserver.category import Params, following, records_of
from dpobot.homeserver.changes import RoomPeople
from dpobot.homeserver.erasing.windows import STATE
from dpobot.homeserver.http import Http
from dpobot.homeserver.rooms import MESSAGES
from dpobot.model.ids import RoomId, UserId, server_of

ENDPOINTS = (MESSAGES, STATE)

Event = Mapping[str, Any]


async def people(http: Http, room_id: RoomId, user: UserId) -> RoomPeople:
    """Return who else is, or was, in a room.

    Where the server came late, what was before is unknown to it: whoever has left since then counts as having been
    there, because a room must never be taken for one that only the person was in.
    """
    now: dict[str, str] = {}
    ever: set[str] = set()
    whole = False
    async for event in _told(http, room_id):
        whole = whole or event.get("type") == "m.room.create"
        _note(event, now, ever)
    current = await _current(http, room_id)
    for event in current:
        _note(event, now, ever)
        if not whole and now.get(str(event.get("state_key"))) in {"leave", "ban"}:
            ever.add(str(event.get("state_key")))
    now.pop(user, None)
    ever.discard(user)
    servers = frozenset(server_of(UserId(other)) for other in ever) - {server_of(user)}
    return RoomPeople(sum(membership == "join" for membership in now.values()), len(ever), servers)


def _note(event: Event, now: dict[str, str], ever: set[str]) -> None:
    content, who = event.get("content"), event.get("state_key")
    if event.get("type") != "m.room.member" or not isinstance(content, Mapping) or not isinstance(who, str):
        return
    now[who] = str(content.get("membership"))
    if now[who] == "join":
        ever.add(who)


async def _told(http: Http, room_id: RoomId) -> AsyncIterator[Event]:
    """Yield the member events of the history that the server has, and the create event if it goes back that far."""
    params: Params = {"dir": "f", "limit": 1000, "filter": json.dumps({"types": ["m.room.member", "m.room.create"]})}
    start: str | None = None
    while True:
        answer = await http.call(
            MESSAGES, path={"room": room_id}, params=params if start is None else {**params, "from": start}
        )
        for event in records_of(answer.get("chunk")):
            yield event
        end = following(answer, "end", str)
        if end is None or end == start:
            return
        start = end


async def _current(http: Http, room_id: RoomId) -> tuple[Event, ...]:
    try:
        return records_of((await http.call(STATE, path={"room": room_id})).get("state"))
    except Gone:
        return ()  # a room that this server has never been in, or no longer has
