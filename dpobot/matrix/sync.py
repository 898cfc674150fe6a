"""One /sync: keys first, then every event since the caller's token, whole and in order.

The answer is read piece by piece and not by nio, whose parser gives the whole of it up for one bad piece.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from dpobot import log
from dpobot.errors import Rejected, Unavailable
from dpobot.matrix import events
from dpobot.matrix.api import Invite, Received, SyncBatch
from dpobot.matrix.decryption import Decryption, Withheld
from dpobot.matrix.directory import Directory
from dpobot.matrix.hardening import Machine, fingerprint
from dpobot.matrix.http import Http, path
from dpobot.matrix.rooms import Rooms
from dpobot.matrix.upkeep import Upkeep
from dpobot.model.ids import RoomId, UserId

_PAGES = 100
_PAGE_EVENTS = 100
_NOTHING: Mapping[str, Any] = {"types": [], "limit": 0}
_FILTER = json.dumps(
    {
        "presence": _NOTHING,
        "account_data": _NOTHING,
        "room": {
            "account_data": _NOTHING,
            "ephemeral": _NOTHING,
            "state": {"types": ["m.room.member", "m.room.encryption"], "lazy_load_members": True},
            "timeline": {"limit": 50, "lazy_load_members": True},
        },
    }
)
# No rooms, no account data: to-device messages, changed device lists and the counts of our keys come all the same.
_KEYS_FILTER = json.dumps({"presence": _NOTHING, "account_data": _NOTHING, "room": {"rooms": []}})
_DRAINS = 500  # answers of at most 100 to-device messages each: against a flood without end
_REMEMBERED = 1000  # sessions that came while standing by: an event waits seconds for its key, not days
_log = log.get(__name__)


class Sync:
    """Turns /sync answers into batches and feeds the keys that they bring to the machine."""

    def __init__(
        self,
        http: Http,
        machine: Machine,
        directory: Directory,
        rooms: Rooms,
        upkeep: Upkeep,
        decryption: Decryption,
        withheld: Withheld,
    ) -> None:
        self._http = http
        self._me = UserId(machine.user_id)
        self._machine = machine
        self._directory = directory
        self._rooms = rooms
        self._upkeep = upkeep
        self._decryption = decryption
        self._withheld = withheld
        self._started = False
        self._confirmed: str | None = None  # the token whose to-device messages `_handled` holds
        self._handled: dict[str, str | None] = {}
        self._kept: str | None = None  # the token of `keep_keys`
        self._brought: deque[str] = deque(maxlen=_REMEMBERED)

    async def batch(self, since: str | None, timeout_ms: int) -> SyncBatch:
        """Return what happened after ``since``; the first one of a session does not wait (own keys may be missing)."""
        wait = timeout_ms if self._started else 0
        params = {"filter": _FILTER, "timeout": str(wait)} | ({"since": since} if since else {})
        raw = await self._http.call("GET", path("sync"), params=params, seconds=wait / 1000 + 60)
        token = raw.get("next_batch")
        if not isinstance(token, str):
            raise Unavailable("bad_answer")
        sessions = self._keys(since, raw) | set(self._brought)
        rooms = _part(raw, "rooms")
        timeline = [event for room in _entries(rooms, "join") for event in await self._timeline(since, *room)]
        # We were in these rooms while the events were sent: what was asked before leaving still counts.
        timeline += [event for room in _entries(rooms, "leave") for event in await self._timeline(None, *room)]
        self._upkeep.note(raw)
        await self._upkeep.run()
        self._started = True
        self._brought.clear()
        return SyncBatch(
            next_batch=token,
            events=tuple(timeline),
            invites=tuple(self._invites(rooms)),
            new_sessions=frozenset(sessions),
            left=frozenset(room for room, _ in _entries(rooms, "leave")),
        )

    async def keep_keys(self) -> None:
        """Take in all room keys that wait for this device, and see to its own keys on the server.

        What a token confirms the homeserver deletes, for this device alone: these answers have a token of their own. It
        returns only after one without messages, so that nothing unread is left that `batch`, with the token of another
        device, could confirm. Raises `Unavailable`.
        """
        for _ in range(_DRAINS):
            params = {"filter": _KEYS_FILTER, "timeout": "0", "set_presence": "offline"}
            since = self._kept
            raw = await self._http.call("GET", path("sync"), params=params | ({"since": since} if since else {}))
            token = raw.get("next_batch")
            if not isinstance(token, str):
                raise Unavailable("bad_answer")
            self._brought.extend(self._keys(since, raw))
            self._kept = token
            self._upkeep.note(raw)
            await self._upkeep.run()
            if not _list(_part(raw, "to_device").get("events")):
                return
        raise Unavailable("to_device_flood")

    def _keys(self, since: str | None, raw: Mapping[str, Any]) -> set[str]:
        if since is None:
            self._directory.forget()  # an initial /sync does not tell who has changed
        lists = _part(raw, "device_lists")
        self._directory.changed(lists.get("changed"))
        self._directory.changed(lists.get("left"))
        if since != self._confirmed:
            self._confirmed, self._handled = since, {}
        sessions = set()
        for message in _list(_part(raw, "to_device").get("events")):
            sessions |= self._to_device(message)
        return sessions

    def _to_device(self, message: object) -> set[str]:
        try:
            message = events.wholesome(message)
        except events.Malformed:
            return set()
        if not isinstance(message, dict) or not isinstance(message.get("content"), dict):
            return set()
        name = fingerprint(message)
        if name not in self._handled:  # a /sync repeated after a failure brings the same messages again
            if message.get("type") == "m.room_key.withheld":
                self._withheld.note(message)
            self._handled[name] = self._machine.receive(message) if message.get("type") == "m.room.encrypted" else None
        session = self._handled[name]
        return {session} if session else set()

    async def _timeline(self, since: str | None, room_id: RoomId, joined: Mapping[str, Any]) -> list[Received]:
        timeline = _part(joined, "timeline")
        raw = _list(timeline.get("events"))
        limited = timeline.get("limited") is True
        start = timeline.get("prev_batch")
        if limited and since and isinstance(start, str):
            raw = await self._missed(room_id, since, start) + raw
        state = _list(_part(joined, "state").get("events"))
        if limited or any(_is_member(event) for event in [*state, *raw]):
            self._rooms.members_changed(room_id)
        found: dict[str, Received] = {}
        for piece in raw:
            event = events.received(room_id, piece)
            if event is not None:
                found.setdefault(event.event_id, self._decryption.open(event) if event.encrypted else event)
        return list(found.values())

    async def _missed(self, room_id: RoomId, since: str, start: str) -> list[Any]:
        """Return the raw events between ``since`` and ``start``, oldest first. Raises `Unavailable`."""
        missed: list[Any] = []
        params = {"dir": "b", "to": since, "limit": str(_PAGE_EVENTS)}
        try:
            for _ in range(_PAGES):
                page = await self._http.call("GET", path("rooms", room_id, "messages"), params=params | {"from": start})
                chunk, end = _list(page.get("chunk")), page.get("end")
                missed += chunk
                if not isinstance(end, str) or end == start:
                    break
                start = end
            else:
                _log.error("backfill_cut", room=room_id, event_count=len(missed))
        except Rejected as error:
            _log.warning("backfill_refused", room=room_id, reason_code=error.code)
        return missed[::-1]

    def _invites(self, rooms: Mapping[str, Any]) -> Iterator[Invite]:
        for room_id, room in _entries(rooms, "invite"):
            invite = events.invite(room_id, self._me, _part(room, "invite_state").get("events"))
            if invite is not None:
                yield invite


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _entries(rooms: Mapping[str, Any], membership: str) -> Iterator[tuple[RoomId, Mapping[str, Any]]]:
    for room_id, room in _part(rooms, membership).items():
        if isinstance(room, dict):
            yield RoomId(room_id), room


def _is_member(event: object) -> bool:
    return isinstance(event, dict) and event.get("type") == "m.room.member"
