"""What an erasure does in rooms: redact window by window, or delete. How far it is in each room is a row."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any

from dpobot.engine.api import Postponed, StepResult, Steps
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.changes import Depth, Redacted, RoomPeople
from dpobot.jobs.parts import Parts
from dpobot.jobs.progress import Tally
from dpobot.model.erasure import ErasureOptions, ErasureRoom, Fate
from dpobot.model.ids import RoomId
from dpobot.model.records import Case
from dpobot.store import erasure_rooms, staff_threads
from dpobot.store.database import Tx

_PAGE = 100  # rooms read at a time
_ASK_AGAIN = 2.0  # seconds until we look whether a room is gone
_SHOWN = 10  # so often at most, in the course of the whole, its card is drawn anew
_NOT_JOINED = "not_joined"
_JOINED = "join"


class ErasingRooms:
    """The rooms of one case."""

    def __init__(self, parts: Parts, steps: Steps, case: Case, options: ErasureOptions) -> None:
        self._parts = parts
        self._steps = steps
        self._case = case
        self._options = options
        self._tally = Tally(parts.clock.now())

    async def add(self, rooms: Sequence[ErasureRoom]) -> StepResult:
        """Note rooms in which there is something to do; those that are known stay as they are."""
        return {"count": await self._parts.database.write(lambda tx: erasure_rooms.add_all(tx, self._case.id, rooms))}

    async def redact(self, number: int, joined: Collection[RoomId], depth: Depth | None = None) -> int:
        """Go once through every room that is not deleted, and return how many events were redacted.

        The first round (``number`` 0) does what is new; later ones what the person is in. What fails is noted.
        """
        total = 0
        async for room in self._of(Fate.REDACT, "new" if number == 0 else None):
            if room.state == "new" or (room.state == "done" and room.room_id in joined):
                total += await self._one(number, room, depth or self._depth)
        return total

    async def purge(self) -> int:
        """Delete rooms that nobody else can miss; return how many. Raises `Postponed` while one is being deleted."""
        return await self._delete(Fate.PURGE)

    async def purge_named(self) -> int:
        """Delete rooms although others miss them: staff have weighed that. Raises `Postponed` as `purge` does."""
        return await self._delete(Fate.PURGE, weighed=True)

    async def delete_ours(self) -> int:
        """Delete the rooms in which the person has talked with the bot. Raises `Postponed` as `purge` does."""
        return await self._delete(Fate.OURS)

    @property
    def _depth(self) -> Depth:
        return Depth.ALL if self._options.redact else Depth.STATE

    async def _of(self, fate: Fate, state: str | None) -> AsyncIterator[ErasureRoom]:
        after: RoomId | None = None
        while True:
            page = await self._parts.database.read(
                lambda tx, after=after: erasure_rooms.of_case(  # type: ignore[misc] # bound per turn
                    tx, self._case.id, state=state, fate=fate, after=after, limit=_PAGE
                )
            )
            if not page:
                return
            for room in page:
                yield room
            after = page[-1].room_id

    # redaction

    async def _one(self, number: int, room: ErasureRoom, depth: Depth) -> int:
        """Redact one room's events and note how it went."""
        name = f"redact:{number}:{_short(room.room_id)}"
        try:
            count, refused = await self._windows(name, room, depth)
        except Rejected as refusal:
            count, refused = 0, _code(refusal)
        await self._steps.step(f"{name}:noted", lambda: self._note(room, refused), await self._progress())
        return count

    async def _windows(self, name: str, room: ErasureRoom, depth: Depth) -> tuple[int, str | None]:
        """Return how many events were redacted, and, if some can't be although the person is there, why."""
        total, start = 0, None
        refused: dict[str, int] = {}
        for window in range(1_000_000_000):
            result = await self._steps.step(
                f"{name}:{window}",
                lambda start=start: self._window(room, depth, start),  # type: ignore[misc] # bound per turn
            )
            total, start = total + result["count"], result["next"]
            if not result["left"]:  # what can't be reached in a room that was left is found by who looks afterwards
                _add(refused, result["refused"])
            if start is None:
                break
        return total, max(refused, key=lambda code: refused[code]) if refused else None

    async def _window(self, room: ErasureRoom, depth: Depth, start: str | None) -> StepResult:
        changes, person = self._parts.changes, self._case.person
        at_once = self._parts.config.erasure.redactions_at_once
        try:
            done, left = await changes.redact(room.room_id, person, depth, start, at_once), False
        except Rejected as refusal:
            if refusal.code != _NOT_JOINED:
                raise
            done, left = await changes.redact_left(room.room_id, person, depth), True
        return _noted(done, left)

    async def _note(self, room: ErasureRoom, error: str | None) -> StepResult:
        await self._parts.database.write(lambda tx: self._note_room(tx, room.room_id, error))
        return {} if error is None else {"failed": error}

    async def _note_room(self, tx: Tx, room_id: RoomId, error: str | None) -> None:
        if error is None:
            await erasure_rooms.done(tx, self._case.id, room_id)
        else:
            await erasure_rooms.failed(tx, self._case.id, room_id, error)
        counts = await erasure_rooms.counts(tx, self._case.id)
        over, total = sum(counts.values()) - counts.get("new", 0), sum(counts.values())
        if over * _SHOWN // total != (over - 1) * _SHOWN // total:
            await staff_threads.touch(tx, self._case.id)

    async def _progress(self) -> Mapping[str, Any]:
        """Return how far it is, in rooms."""
        counts = await self._parts.database.read(lambda tx: erasure_rooms.counts(tx, self._case.id))
        tally = self._tally
        tally.rooms_total = tally.steps_total = sum(counts.values())
        tally.rooms = tally.steps = tally.rooms_total - counts.get("new", 0)
        return tally.progress().to_json()

    # deletion

    async def _delete(self, fate: Fate, *, weighed: bool = False) -> int:
        total, wait = 0, None
        async for room in self._of(fate, "new"):
            name = f"delete:{_short(room.room_id)}"
            try:
                work = lambda room=room: self._deleted(room, weighed=weighed)  # noqa: E731 - bound per turn
                await self._steps.step(name, work, await self._progress())
                total += 1
            except Postponed as later:  # the others are begun meanwhile
                wait = later
        if wait is not None:
            raise wait
        return total

    async def _deleted(self, room: ErasureRoom, *, weighed: bool) -> StepResult:
        """Delete a room unless somebody has come into it: then it is theirs, too."""
        if room.fate is Fate.PURGE and not weighed and not await self._nobodys(room):
            await self._parts.database.write(lambda tx: erasure_rooms.redact_instead(tx, self._case.id, room.room_id))
            return {"kept": True}
        try:
            gone = await self._parts.changes.delete_room(room.room_id)
        except Rejected as refusal:
            return await self._note(room, _code(refusal))
        if not gone:
            raise Postponed("room_deletion", _ASK_AGAIN)
        return await self._note(room, None)

    async def _nobodys(self, room: ErasureRoom) -> bool:
        others: RoomPeople = await self._parts.changes.people(room.room_id, self._case.person)
        if others.ever == 0 or others.joined > 0:
            return others.ever == 0
        return self._options.direct and room.room_id in await self._parts.changes.direct_rooms(self._case.person)


def _noted(done: Redacted, left: bool) -> StepResult:
    return {"count": done.count, "refused": dict(done.refused), "next": done.next, "left": left}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for code, count in more.items():
        total[code] = total.get(code, 0) + count


def _code(refusal: Rejected) -> str:
    """Return the code of a refusal that is about the room. Raises `Unavailable` for one that is about our token."""
    if refusal.status == 401:
        raise Unavailable(refusal.code) from refusal
    return refusal.code


def _short(room_id: RoomId) -> str:
    """Return a name for a room that fits into that of a step."""
    return sha256(room_id.encode()).hexdigest()[:20]
