"""Counting what a homeserver holds of a person, room by room: for the plan of an erasure, and when it begins."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dpobot.engine.api import StepResult, Steps
from dpobot.homeserver.changes import OwnEvents, RoomPeople
from dpobot.jobs.parts import Parts
from dpobot.jobs.private_media import Named
from dpobot.model.erasure import ErasureOptions, ErasureRoom, Fate
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.model.words import CaseState
from dpobot.store import cases, people
from dpobot.store.database import Tx

_BATCH = 8  # rooms in one step, asked about side by side
_MANY = 1000  # cases of one person: far beyond what the limits of one person allow
_LONGEST_NAME = 255  # of a step
_NEVER_IN = frozenset({"invite", "knock"})
_NOBODY = RoomPeople(0, 0, frozenset())


@dataclass(frozen=True, slots=True)
class CountedRoom:
    """A room, what becomes of it, and how many events of the person it holds.

    ``lonely``: a direct message that everybody else has left.
    """

    room_id: RoomId
    membership: str
    fate: Fate
    lonely: bool
    messages: int
    state: int
    kept: int

    def noted(self) -> list[Any]:
        """Return it as a step's result holds it."""
        counts = [self.messages, self.state, self.kept]
        return [self.room_id, self.membership, self.fate.value, self.lonely, *counts]

    @classmethod
    def of(cls, noted: list[Any]) -> "CountedRoom":
        """Return it as it was noted."""
        room_id, membership, fate, lonely, messages, state, kept = noted
        return cls(RoomId(room_id), membership, Fate(fate), lonely, messages, state, kept)

    def work(self, options: ErasureOptions) -> ErasureRoom:
        """Return it as the work that an erasure has with it."""
        events = self.state + (self.messages if options.redact or self.fate is not Fate.REDACT else 0)
        return ErasureRoom(self.room_id, self.membership, self.fate, events)


@dataclass(frozen=True, slots=True)
class Counted:
    """All rooms; ``servers``: other servers that were in shared ones; ``named``: the media that events there name."""

    rooms: tuple[CountedRoom, ...]
    servers: frozenset[str]
    named: Named

    def of(self, fate: Fate) -> list[CountedRoom]:
        """Return the rooms of one fate."""
        return [room for room in self.rooms if room.fate is fate]


@dataclass(frozen=True, slots=True)
class _Looked:
    room: CountedRoom
    servers: frozenset[str]
    media: frozenset[Mxc] | None


class Counting:
    """Counts in steps of some rooms, so that the count of a large account goes on where it stopped.

    ``round_`` keeps the steps of several counts in one job apart.
    """

    def __init__(self, parts: Parts, steps: Steps, person: UserId, options: ErasureOptions, *, round_: int = 0) -> None:
        self._parts = parts
        self._steps = steps
        self._person = person
        self._options = options
        self._round = round_
        self._name = f"rooms:{round_}"

    async def rooms(self, known: Collection[RoomId] = ()) -> Counted:
        """Count every room but those that are ``known`` when it begins."""
        found = await self._steps.step(self._name, lambda: self._find(known))
        wanted = [(RoomId(room_id), membership) for room_id, membership in found["rooms"]]
        ours, direct = frozenset(found["ours"]), frozenset(found["direct"])
        noted = [await self._batch(wanted[at : at + _BATCH], ours, direct) for at in range(0, len(wanted), _BATCH)]
        return Counted(
            tuple(CountedRoom.of(room) for batch in noted for room in batch["rooms"]),
            frozenset(server for batch in noted for server in batch["servers"]),
            Named.together(Named.of(batch["media"]) for batch in noted),
        )

    def joined(self) -> frozenset[RoomId]:
        """Return the rooms that the person was in when `rooms` began; before that, none."""
        found = self._steps.done(self._name) or {"joined": ()}
        return frozenset(found["joined"])

    async def _find(self, known: Collection[RoomId]) -> StepResult:
        """Return IDs: of the rooms to be counted, of those joined, of direct messages, of those that may be ours."""
        seen = await self._parts.homeserver.rooms(self._person)
        direct = await self._parts.changes.direct_rooms(self._person)
        with_us = await self._parts.matrix.direct_rooms(self._person)
        earlier = await self._parts.database.read(self._earlier)
        return {
            "rooms": [[room.room_id, room.membership] for room in seen.rooms if room.room_id not in known],
            "joined": [room.room_id for room in seen.rooms if room.membership == "join"],
            "direct": sorted(direct),
            "ours": sorted({*with_us, *earlier}),
        }

    async def _earlier(self, tx: Tx) -> frozenset[RoomId]:
        """Return where the person has talked with the bot so far."""
        person = await people.get(tx, self._person)
        rooms = {case.room_id for case in await cases.of_person(tx, self._person, tuple(CaseState), _MANY)}
        return frozenset(room for room in {*rooms, person.room_id if person else None} if room is not None)

    async def _batch(
        self, rooms: list[tuple[RoomId, str]], ours: Collection[RoomId], direct: Collection[RoomId]
    ) -> StepResult:
        name = f"count:{self._round}:{rooms[0][0]}"
        return await self._steps.step(name[:_LONGEST_NAME], lambda: self._count(rooms, ours, direct))

    async def _count(
        self, rooms: list[tuple[RoomId, str]], ours: Collection[RoomId], direct: Collection[RoomId]
    ) -> StepResult:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._look(room_id, membership, room_id in ours, room_id in direct))
                for room_id, membership in rooms
            ]
        looked = [task.result() for task in tasks]
        return {
            "rooms": [each.room.noted() for each in looked],
            "servers": sorted({server for each in looked for server in each.servers}),
            "media": _named(looked).noted(),
        }

    async def _look(self, room_id: RoomId, membership: str, ours: bool, direct: bool) -> _Looked:
        changes, person = self._parts.changes, self._person
        events = await changes.own_counts(room_id, person)
        outside = membership in _NEVER_IN and events == OwnEvents(0, 0, 0) and not ours
        people_ = _NOBODY if outside else await changes.people(room_id, person)
        lonely = direct and people_.ever > 0 and people_.joined == 0
        fate = self._fate(membership, events, people_, ours=ours, lonely=lonely)
        lonely = lonely and fate is not Fate.OURS
        room = CountedRoom(room_id, membership, fate, lonely, events.messages, events.state, events.kept)
        shared = fate is Fate.REDACT
        media = await changes.media_in(room_id, person) if shared or fate is Fate.PURGE else frozenset()
        return _Looked(room, people_.servers if shared else frozenset(), media)

    def _fate(self, membership: str, events: OwnEvents, others: RoomPeople, *, ours: bool, lonely: bool) -> Fate:
        if ours and others.ever <= 1:  # nobody but the bot: then it is the room in which they talk with it
            return Fate.OURS
        if others.ever > 0:
            return Fate.PURGE if lonely and self._options.direct else Fate.REDACT
        there = membership == "join" or events != OwnEvents(0, 0, 0)
        return Fate.PURGE if there else Fate.NOTHING


def _named(looked: list[_Looked]) -> Named:
    shared = [each.media for each in looked if each.room.fate is Fate.REDACT]
    deleted = [each.media or frozenset() for each in looked if each.room.fate is Fate.PURGE]
    return Named(
        frozenset(url for media in shared for url in media or ()),
        frozenset(url for media in deleted for url in media),
        None not in shared,
    )
