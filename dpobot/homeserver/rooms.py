"""Every room that a person was ever in, found from three sources because each alone misses some (homeserver.md 1.5).

1. The memberships that the admin API lists: miss rooms that the server itself has left.
2. The person's own ``/sync`` with ``include_leave``: misses forgotten rooms.
3. The rooms without any local member: only those can be missing now; each is asked for an event of the person.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.api import Rooms, RoomSeen
from dpobot.homeserver.category import Params, Subject, entries, following, object_of, records_of
from dpobot.model.ids import RoomId

MEMBERSHIPS = "GET /_synapse/admin/v1/users/{user}/memberships"
SYNC = "GET /_matrix/client/v3/sync"
JOINED_EVER = "GET /_synapse/admin/v1/users/{user}/cumulative_joined_room_count"
ALL_ROOMS = "GET /_synapse/admin/v1/rooms"
ROOM = "GET /_synapse/admin/v1/rooms/{room}"
MESSAGES = "GET /_synapse/admin/v1/rooms/{room}/messages"
ENDPOINTS = (MEMBERSHIPS, SYNC, JOINED_EVER, ALL_ROOMS, ROOM, MESSAGES)

_AT_ONCE = 8
_PAGE = 500
_SECTIONS = {"join": "join", "leave": "leave", "invite": "invite", "knock": "knock"}
_NAMING = ["m.room.create", "m.room.name", "m.room.encryption", "m.room.canonical_alias", "m.room.join_rules"]
_FILTER = {
    "presence": {"not_types": ["*"]},
    "account_data": {"not_types": ["*"]},
    "room": {
        "include_leave": True,
        "timeline": {"limit": 1},
        "state": {"types": _NAMING},
        "ephemeral": {"not_types": ["*"]},
        "account_data": {"not_types": ["*"]},
    },
}

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Naming:
    """What may be told of a room, as far as it is known."""

    name: str | None = None
    encrypted: bool | None = None
    alias: str | None = None
    join_rule: str | None = None


_UNTOLD = _Naming()


@dataclass
class _Search:
    """What is known so far: room ID to membership, and what the sync said of names (``synced``: it was granted)."""

    synced: bool = False
    memberships: dict[str, str] = field(default_factory=dict)
    details: dict[str, _Naming] = field(default_factory=dict)


async def find_rooms(subject: Subject) -> Rooms:
    """Return every room that the person ever joined, was invited to or knocked at, sorted by ID.

    The third source is only asked while rooms are missing by the server's own count, because it costs a request a room.
    """
    search = _Search()
    listed = entries((await subject.ask(MEMBERSHIPS)).get("memberships"))
    search.memberships.update((room, str(membership)) for room, membership in listed)
    await _look_through_sync(subject, search)
    ever = await joined_ever(subject)
    joined = 0 if ever is None else await _known_joined(subject, search, ever)
    if ever is None or joined < ever:
        await _look_through_abandoned(subject, search, joined, ever)
    return Rooms(await _described(subject, search), ever)


async def joined_ever(subject: Subject) -> int | None:
    """Return how many rooms the server counts as ever joined, or None if it is too old to say (Synapse 1.122)."""
    try:
        answer = await subject.ask(JOINED_EVER, params={"from_ts": 0})
    except Rejected as error:
        if error.code == "M_UNRECOGNIZED":
            return None
        raise
    count = answer.get("cumulative_joined_room_count")
    if not isinstance(count, int):
        raise Unavailable("bad_answer")
    return count


async def _look_through_sync(subject: Subject, search: _Search) -> None:
    try:
        async with subject.acting() as person:
            params: Params = {"filter": json.dumps(_FILTER), "set_presence": "offline", "timeout": 0}
            answer = await person.ask(SYNC, params=params)
    except Rejected:
        return  # locked, remote, delegated: the third source finds what this one would have
    search.synced = True
    rooms = object_of(answer.get("rooms", {}))
    synced = {
        room: (membership, content)
        for section, membership in _SECTIONS.items()
        for room, content in entries(rooms.get(section, {}))
    }
    for room, membership in search.memberships.items():
        if room not in synced and membership in {"leave", "ban"}:
            search.memberships[room] = "forgotten"
    for room, (membership, content) in synced.items():
        search.memberships.setdefault(room, membership)
        search.details[room] = _naming(content)


def _naming(content: Any) -> _Naming:
    """Return what a room's part of a sync says of it; None where that can't be told."""
    events = {str(event.get("type")): event.get("content") for event in _state_of(content)}
    # without the create event the state is only a part (a declined invitation): silence then means nothing
    complete = "m.room.create" in events
    return _Naming(
        _text(events.get("m.room.name"), "name"),
        True if "m.room.encryption" in events else (False if complete else None),
        _text(events.get("m.room.canonical_alias"), "alias"),
        _text(events.get("m.room.join_rules"), "join_rule"),
    )


def _text(content: Any, key: str) -> str | None:
    value = content.get(key) if isinstance(content, Mapping) else None
    return value if isinstance(value, str) and value else None


def _state_of(content: Any) -> Iterable[Mapping[str, Any]]:
    for section in ("state", "timeline"):
        events = object_of(object_of(content).get(section, {})).get("events", [])
        yield from (event for event in records_of(events) if event.get("type") in _NAMING)


async def _known_joined(subject: Subject, search: _Search, ever: int) -> int:
    """Return how many known rooms were joined: a membership of ``leave`` alone may be a declined invitation."""
    certain = sum(1 for membership in search.memberships.values() if membership == "join")
    if certain >= ever:
        return certain
    unsure = [room for room, membership in search.memberships.items() if membership != "join"]
    return certain + sum(await gathered(lambda room: _has_joined(subject, room), unsure))


async def _has_joined(subject: Subject, room: str) -> bool:
    """Tell whether the person's own membership events in a room hold a join."""
    start: dict[str, str] = {}
    chosen = json.dumps({"senders": [subject.user], "types": ["m.room.member"]})
    while True:
        params: Params = {"dir": "f", "limit": 1000, "filter": chosen, **start}
        answer = await subject.ask(MESSAGES, room=room, params=params)
        for event in records_of(answer.get("chunk")):
            content = event.get("content")
            mine = event.get("state_key") == subject.user and event.get("sender") == subject.user
            if mine and isinstance(content, Mapping) and content.get("membership") == "join":
                return True
        end = following(answer, "end", str)
        if end is None or end == start.get("from"):
            return False
        start = {"from": end}


async def _look_through_abandoned(subject: Subject, search: _Search, joined: int, ever: int | None) -> None:
    """Ask each room without local members for a single event of the person; ends early once the count is reached."""
    start = 0
    while True:
        params: Params = {"from": start, "limit": _PAGE, "order_by": "joined_local_members", "dir": "b"}
        answer = await subject.ask(ALL_ROOMS, params=params)
        page = records_of(answer.get("rooms"))
        empty = [str(room.get("room_id")) for room in page if room.get("joined_local_members") == 0]
        for batch in _batches([room for room in empty if room not in search.memberships]):
            if ever is not None and joined >= ever:
                return
            for room, found in zip(batch, await gathered(lambda room: _was_there(subject, room), batch), strict=True):
                if found:
                    search.memberships[room] = "forgotten" if search.synced else "unknown"
                    joined += await _has_joined(subject, room)
        later = following(answer, "next_batch", int)
        if len(empty) < len(page) or later is None or later <= start:
            return
        start = later


async def _was_there(subject: Subject, room: str) -> bool:
    params: Params = {"dir": "f", "limit": 1, "filter": json.dumps({"senders": [subject.user]})}
    answer = await subject.ask(MESSAGES, room=room, params=params)
    return bool(records_of(answer.get("chunk")))


def _batches(rooms: Sequence[str]) -> Iterable[Sequence[str]]:
    return (rooms[start : start + _AT_ONCE] for start in range(0, len(rooms), _AT_ONCE))


async def _described(subject: Subject, search: _Search) -> tuple[RoomSeen, ...]:
    """Return the rooms with what may be told of them.

    Name, address and join rule of a room that the person is not in are told as they last saw them, or not at all: what
    others made of it before they came or after they left is not theirs to read.
    """
    bare = [room for room in search.memberships if search.details.get(room, _UNTOLD).encrypted is None]
    for room, detail in zip(bare, await gathered(lambda room: _detail(subject, room), bare), strict=True):
        present = search.memberships[room] == "join"
        search.details[room] = detail if present else _Naming(encrypted=detail.encrypted)
    return tuple(
        _seen(room, membership, search.details[room]) for room, membership in sorted(search.memberships.items())
    )


def _seen(room: str, membership: str, told: _Naming) -> RoomSeen:
    return RoomSeen(RoomId(room), membership, told.name, told.encrypted, told.alias, told.join_rule)


async def _detail(subject: Subject, room: str) -> _Naming:
    try:
        answer = await subject.ask(ROOM, room=room)
    except Gone:
        return _UNTOLD  # invited from another server: only the invitation is known here
    return _Naming(
        _text(answer, "name"),
        answer.get("encryption") is not None,
        _text(answer, "canonical_alias"),
        _text(answer, "join_rules"),
    )


async def gathered(work: Callable[[Item], Awaitable[Result]], items: Sequence[Item]) -> list[Result]:
    """Return the results of ``work`` for all items, in their order, a few at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Item) -> Result:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as failures:
        # callers speak of single refusals; the first one tells what went wrong
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]
