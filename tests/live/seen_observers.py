"""Who looks at what a person sent, how each of them can look, and what they see."""

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dpobot.errors import Rejected
from tests.live.federation import join_across, timeline
from tests.live.http import Client, Json
from tests.live.seen_life import SHARED, Life, Mark

_AT_ONCE = 4


class Sight(StrEnum):
    """What somebody sees of something."""

    SEEN = "seen"
    EMPTY = "empty"  # that there was something, and whose
    GONE = "gone"


@dataclass(frozen=True)
class Observer:
    """Somebody who looks: ``rooms`` are names of `Life.rooms` that they could ever look into."""

    name: str
    client: Client
    rooms: tuple[str, ...]
    by: str = "client"  # or admin, or event


Seen = dict[tuple[str, Mark], Sight]  # observer's name and mark -> what they see


async def observers(life: Life, admin: Client, when: str) -> list[Observer]:
    """Return everybody who looks; whoever is new to the rooms joins them now. ``when``: "before" or "after"."""
    home = f"home {when}"
    directs, across = ("direct", "direct encrypted"), ("across", "across encrypted")
    fresh = secrets.token_hex(4)
    late = await life.federation.at_home(f"late-{fresh}")
    far = await life.federation.far_away(f"late-{fresh}")
    for newcomer, rooms in ((late, SHARED), (far, SHARED)):
        for room in rooms:
            await _let_in(life, newcomer, room)
    await join_across(far, life.rooms[home], life.federation.home)
    await late.member(life.rooms[home], "join")
    everywhere = (*SHARED, home, *directs, *across, "sole", "address")
    return [
        Observer("member", life.bob, (*SHARED, home, *directs, "address")),
        Observer("joined later", late, (*SHARED, home, "address")),
        Observer("visitor", await life.federation.guest(), ("public", "address")),
        Observer("member elsewhere", life.rita, (*SHARED, *across)),
        Observer("joined later elsewhere", far, SHARED),
        Observer("first of a new server", far, (home,)),
        Observer("admin", admin, everywhere, "admin"),
        Observer("admin, one event", admin, everywhere, "event"),
    ]


async def _let_in(life: Life, newcomer: Client, name: str) -> None:
    room = life.rooms[name]
    if name != "public":
        await life.bob.member(room, "invite", user_id=newcomer.user_id)
    if _elsewhere(life, newcomer):
        await join_across(newcomer, room, life.federation.home)
    else:
        await newcomer.member(room, "join")


def _elsewhere(life: Life, client: Client) -> bool:
    return not client.user_id.endswith(f":{life.federation.home.server_name}")


async def look(life: Life, everybody: Iterable[Observer], when: str) -> Seen:
    """Let everybody look for every mark where they can."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(observer: Observer, room: str, marks: Sequence[Mark]) -> Seen:
        async with gate:
            return {(observer.name, mark): sight for mark, sight in (await _look(life, observer, room, marks)).items()}

    marks = _by_room(mark for mark in life.marks if mark.when in (None, when))
    tasks = [one(observer, room, marks[room]) for observer in everybody for room in observer.rooms]
    found: Seen = {}
    for part in await asyncio.gather(*tasks):
        found |= part
    return found


def _by_room(marks: Iterable[Mark]) -> Mapping[str, Sequence[Mark]]:
    rooms: defaultdict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        rooms[mark.room].append(mark)
    return rooms


async def _look(life: Life, observer: Observer, room: str, marks: Sequence[Mark]) -> dict[Mark, Sight]:
    room_id = life.rooms[room]
    if observer.by == "event":
        return {mark: await _fetched(observer.client, mark) for mark in marks if mark.event and not mark.url}
    shown = await (_administered if observer.by == "admin" else _shown)(observer.client, room_id)
    sights = {}
    for mark in marks:
        if mark.url is not None:
            sights[mark] = await _file(observer.client, mark)
        elif mark.what == "directory":
            if not _elsewhere(life, observer.client):  # another server shows what it was told some time ago
                sights[mark] = await _listed(life, observer, mark)
        elif mark.event is None:
            sights[mark] = _named(life, mark, shown)
        else:
            sights[mark] = _carried(mark, shown)
            if sights[mark] is not Sight.SEEN and observer.by == "client":
                sights[mark] = _carried(mark, [*shown, *await _insisted(observer.client, room_id, mark)])
    return sights


async def _insisted(client: Client, room: str, mark: Mark) -> list[Json]:
    assert mark.event is not None
    return [*await _asked(client, room, mark.event), *await _searched(client, room, mark.word)]


async def _shown(client: Client, room: str) -> list[Json]:
    """Return all that a client is shown of a room: the timeline, the state, the members."""
    return [
        *await _tried(timeline(client, room)),
        *await _tried(client.get("rooms", room, "state")),
        *await _tried(client.get("rooms", room, "members")),
    ]


async def _asked(client: Client, room: str, event: str) -> list[Json]:
    """Return what a client gets that asks for an event by its ID, or for what stands around it."""
    around = await _tried(client.get("rooms", room, "context", event, limit="0"))
    return [*await _tried(client.get("rooms", room, "event", event)), *around]


async def _searched(client: Client, room: str, word: str) -> list[Json]:
    """Return what a search for a word finds in a room (``POST /search``)."""
    body = {"search_term": word, "filter": {"rooms": [room]}}
    answer = await _tried(client.post("search", body={"search_categories": {"room_events": body}}))
    # the terms that were looked for come back, too: only the results count
    return [found["result"] for one in answer for found in one["search_categories"]["room_events"]["results"]]


async def _administered(client: Client, room: str) -> list[Json]:
    """Return all that an admin is told of a room, without looking at events by their ID."""
    page = await _tried(client.admin("GET", "v1", "rooms", room, "messages", dir="f", limit="1000"))
    state = await _tried(client.admin("GET", "v1", "rooms", room, "state"))
    return [*page, *state]


async def _listed(life: Life, observer: Observer, mark: Mark) -> Sight:
    """Look at the directory of rooms (``GET /publicRooms``); an admin looks at the room's details (admin API)."""
    if observer.by == "admin":
        told = await observer.client.admin("GET", "v1", "rooms", life.rooms[mark.room])
    else:
        told = await observer.client.get("publicRooms")
    if mark.word in json.dumps(told):
        return Sight.SEEN
    return Sight.EMPTY if life.rooms[mark.room] in json.dumps(told) else Sight.GONE


async def _fetched(client: Client, mark: Mark) -> Sight:
    """Return what an admin is told of one event (Synapse admin API, ``fetch_event``)."""
    assert mark.event is not None
    return _carried(mark, await _tried(client.admin("GET", "v1", "fetch_event", mark.event)))


async def _tried(asked: Any) -> list[Json]:
    """Return the events, or the one object, of an answer; nothing if the server refuses."""
    try:
        answer = await asked
    except Rejected:
        return []
    if isinstance(answer, list):
        return answer
    return [*answer.get("chunk", []), *answer.get("state", []), {**answer, "chunk": [], "state": []}]


def _carried(mark: Mark, shown: Sequence[Json]) -> Sight:
    if any(mark.word in json.dumps(event) for event in shown):
        return Sight.SEEN
    ids = {event.get("event_id") or event.get("event", {}).get("event_id") for event in shown}
    return Sight.EMPTY if mark.event in ids else Sight.GONE


def _named(life: Life, mark: Mark, shown: Sequence[Json]) -> Sight:
    if any(mark.word in json.dumps(event) for event in shown):
        return Sight.SEEN
    members = {event.get("state_key") for event in shown if event.get("type") == "m.room.member"}
    return Sight.EMPTY if life.alice.user_id in members else Sight.GONE


async def _file(client: Client, mark: Mark) -> Sight:
    assert mark.url is not None
    try:
        data = await client.download(mark.url)
    except Rejected:
        return Sight.GONE
    return Sight.SEEN if data == mark.word.encode() else Sight.GONE
