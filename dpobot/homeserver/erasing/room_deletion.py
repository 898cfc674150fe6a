"""The deletion of a room with all its events from this server (Synapse admin API, "Delete Room API", version 2)."""

import contextlib
from typing import Any

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.category import object_of, records_of
from dpobot.homeserver.http import Http, Pause
from dpobot.homeserver.rooms import ROOM
from dpobot.model.ids import RoomId

DELETE = "DELETE /_synapse/admin/v2/rooms/{room}"
STATUS = "GET /_synapse/admin/v2/rooms/delete_status/{deletion}"
STATUSES = "GET /_synapse/admin/v2/rooms/{room}/delete_status"
ENDPOINTS = (ROOM, DELETE, STATUS, STATUSES)

_POLLS = 20
_POLL_SECONDS = 0.1
_ATTEMPTS = 3
_PAUSE_SECONDS = 1.0
_RUNNING = frozenset({"active", "scheduled", "shutting_down", "purging"})


class _Failed(Exception):
    """One attempt failed."""


async def deleted(http: Http, room_id: RoomId, pause: Pause) -> bool:
    """Begin the deletion of a room, or follow the one under way; True once the room is gone.

    Raises `Rejected` ``deletion_failed`` if Synapse gives up again and again. Once may be chance: what it still writes
    of the room in the background can meet the deletion (seen with 1.163: "FOREIGN KEY constraint failed").
    """
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(_Failed):
            return await _attempt(http, room_id, pause)
        await pause(_PAUSE_SECONDS)
    raise Rejected("deletion_failed")


async def _attempt(http: Http, room_id: RoomId, pause: Pause) -> bool:
    if await _running(http, room_id):
        return False
    try:
        await http.call(ROOM, path={"room": room_id})
    except Gone:
        return True
    try:
        # not blocked: nobody is banned from a room of that name, the room is only no longer here
        answer = await http.call(DELETE, path={"room": room_id}, body={"purge": True, "block": False})
    except Rejected:
        if await _running(http, room_id):  # begun by an attempt whose answer was lost
            return False
        raise
    deletion = answer.get("delete_id")
    if not isinstance(deletion, str) or not deletion:
        raise Unavailable("bad_answer")  # if it has begun it goes on, and is found at the next attempt
    return await _followed(http, deletion, pause)


async def _running(http: Http, room_id: RoomId) -> bool:
    try:
        results = records_of((await http.call(STATUSES, path={"room": room_id})).get("results"))
    except Gone:
        return False
    return any(result.get("status") in _RUNNING for result in results)


async def _followed(http: Http, deletion: str, pause: Pause) -> bool:
    for _ in range(_POLLS):
        status: Any = object_of(await http.call(STATUS, path={"deletion": deletion})).get("status")
        if status == "complete":
            return True
        if status == "failed":
            raise _Failed
        await pause(_POLL_SECONDS)
    return False
