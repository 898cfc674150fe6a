"""Whether the directory of rooms still shows a name, a topic or a picture that the person had given a room.

Synapse keeps a copy of them for the directory, for spaces and for previews, which follows no redaction. What the copy
says is asked of the admin API, and whose it is of the state that is in force: the copy is of that event, or older.
"""

from collections.abc import Mapping
from typing import Any

from dpobot.errors import Gone
from dpobot.homeserver.http import Http
from dpobot.homeserver.verifying.asking import STILL_THERE, Answer, left, listed
from dpobot.homeserver.verifying.content import Holding, holding
from dpobot.model.erasure import Residual
from dpobot.model.ids import RoomId, UserId

ROOM = "GET /_synapse/admin/v1/rooms/{room}"
STATE = "GET /_synapse/admin/v1/rooms/{room}/state"
ENDPOINTS = (ROOM, STATE)

CATEGORY = "state_in_directory"
KEPT = "directory_keeps_it"
SHOWN: Mapping[str, str] = {"m.room.name": "name", "m.room.topic": "topic", "m.room.avatar": "avatar"}


async def of_directory(http: Http, room_id: RoomId, user: UserId) -> list[Residual]:
    """Return how many of the three the directory shows of the person's; nothing for an unknown room."""
    try:
        shown = await http.call(ROOM, path={"room": room_id})
    except Gone as gone:
        if gone.code != "M_NOT_FOUND":  # a proxy's 404 says nothing of a room
            raise
        return []
    found: list[Residual] = []
    for kind, name in SHOWN.items():
        if shown.get(name):
            # a server that knows no `type` answers with all of the state
            state = await http.call(STATE, path={"room": room_id}, params={"type": kind})
            found += judged(_in_force(state, kind), user)
    return found


def judged(event: Mapping[str, Any] | None, user: UserId) -> list[Residual]:
    """Return what it means that the directory shows something, by the event that is in force.

    While that holds content, so does the directory, for the same reason. Without such an event, as in a room that the
    server has left, nobody can tell whose it was.
    """
    if event is None:
        return [Residual(CATEGORY, 0, KEPT)]
    return left(CATEGORY, event.get("sender") == user, KEPT if holding(event) is Holding.NOTHING else STILL_THERE)


def _in_force(state: Answer, kind: str) -> Mapping[str, Any] | None:
    events = [event for event in listed(state, "state") if isinstance(event, Mapping)]
    return next((event for event in events if event.get("type") == kind and event.get("state_key") == ""), None)
