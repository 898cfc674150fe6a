"""An exceptional erasure (notice 2.1.3.1): one room, or a person's state in one; the account is left alone."""

from collections.abc import Mapping
from datetime import datetime

from dpobot.audit import trail
from dpobot.engine.api import JobRun, StepResult
from dpobot.homeserver.changes import Depth
from dpobot.jobs.erasing import ERASED, STOPPED
from dpobot.jobs.erasing_rooms import ErasingRooms
from dpobot.jobs.parts import Parts
from dpobot.model.erasure import ErasureOptions, ErasureRoom, Fate
from dpobot.model.ids import RoomId
from dpobot.model.records import Case
from dpobot.store import erasure_rooms, erasures
from dpobot.store.database import Tx

_SCOPE_ROOM = "room"


class Exceptional:
    """Deletes the room, or redacts the state, that a case's plan names."""

    def __init__(self, parts: Parts, run: JobRun, case: Case) -> None:
        self._parts = parts
        self._steps = run.steps
        self._case = case
        self._rooms = ErasingRooms(parts, run.steps, case, ErasureOptions())

    async def all(self, exception: Mapping[str, str]) -> None:
        """Do it; what the server refuses is noted, as in any erasure."""
        room_id, whole = RoomId(exception["room_id"]), exception["scope"] == _SCOPE_ROOM
        await self._steps.step("counted", lambda: self._count(room_id, whole=whole))
        if whole:
            await self._rooms.purge_named()
        else:
            await self._rooms.redact(0, (), Depth.STATE)
        rooms = await self._parts.database.read(lambda tx: erasure_rooms.counts(tx, self._case.id))
        await self._steps.step(STOPPED if rooms.get("failed") else ERASED, self._end)

    async def _count(self, room_id: RoomId, *, whole: bool) -> StepResult:
        events = await self._parts.changes.own_counts(room_id, self._case.person)
        room = ErasureRoom(room_id, "unknown", Fate.PURGE if whole else Fate.REDACT, events.state)
        counts = {"rooms": 1} if whole else {"state": events.state}
        await self._parts.database.write(lambda tx: self._note(tx, room, counts))
        return {"events": events.state}

    async def _note(self, tx: Tx, room: ErasureRoom, counts: Mapping[str, int]) -> None:
        await erasure_rooms.add_all(tx, self._case.id, [room])
        known = await erasures.get(tx, self._case.id)
        if known is not None and not known.counts:  # an earlier job may have counted, and redacted some since
            await erasures.change(tx, self._case.id, counts=counts)

    async def _end(self) -> StepResult:
        now = self._parts.clock.now()
        await self._parts.database.write(lambda tx: self._note_end(tx, now))
        return {}

    async def _note_end(self, tx: Tx, now: datetime) -> None:
        rooms = await erasure_rooms.counts(tx, self._case.id)
        if not rooms.get("failed"):
            await erasures.change(tx, self._case.id, erased_at=now)
            await trail.record(tx, now, "bot", "erasure.erased", self._case.id)
