"""Escalation: overdue cases are told to all staff, in the main time line, every day until they are answered."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.cases import queries
from dpobot.jobs import due
from dpobot.jobs.parts import Parts
from dpobot.jobs.staff_line import Staffing, StaffLine
from dpobot.jobs.staff_reminders import RUNNING
from dpobot.model.ids import UserId
from dpobot.model.records import Case, Reply
from dpobot.store import bot_state, reminders
from dpobot.store.database import Tx

_MANY = 10  # up to so many have a line each; more are told together
_TOLD_TOGETHER = "overdue.told"  # the day on which they were


class Overdue:
    """Tells all staff, from the hour of the digest on, at most once a day about each case."""

    def __init__(self, parts: Parts, line: StaffLine, staffing: Staffing) -> None:
        self._database = parts.database
        self._line = line
        self._staffing = staffing

    async def once(self, now: datetime) -> int:
        """Say what is to be said now; return how many lines that were. Raises what `Staffing` does."""
        if not due.is_time(now, self._line.config.digest_hour, self._line.zone):
            return 0
        if not await self._database.read(lambda tx: self._wanted(tx, now)):
            return 0
        staff = tuple(sorted(await self._staffing()))
        return await self._database.write(lambda tx: self._tell(tx, now, staff))

    async def _wanted(self, tx: Tx, now: datetime) -> Sequence[Case]:
        """Return what is overdue and has not been told today, one more than have a line each at most."""
        today = due.day_of(now, self._line.zone).isoformat()
        if await self._line.room(tx) is None or await bot_state.get(tx, _TOLD_TOGETHER) == today:
            return []
        late = await reminders.due(tx, RUNNING, None, now, None, _MANY + 1)
        if len(late) > _MANY:
            return late
        return await reminders.due(tx, RUNNING, None, now, f"overdue{today}", _MANY)

    async def _tell(self, tx: Tx, now: datetime, staff: tuple[UserId, ...]) -> int:
        late = await self._wanted(tx, now)
        today = due.day_of(now, self._line.zone).isoformat()
        if len(late) > _MANY:
            await self._together(tx, now, late[:_MANY], staff, today)
            await bot_state.set(tx, _TOLD_TOGETHER, today)
            return 1
        return sum([await self._one(tx, now, case, staff, today) for case in late])

    async def _one(self, tx: Tx, now: datetime, case: Case, staff: tuple[UserId, ...], today: str) -> bool:
        room_id = await self._line.room(tx)
        if room_id is None or not await reminders.note(tx, case.id, f"overdue{today}", now):
            return False
        reply = Reply("staff/remind_overdue", self._values(case, now), mentions=staff)
        await self._line.say(tx, now, room_id, reply, case.id, case.due_at, today)
        return True

    async def _together(
        self, tx: Tx, now: datetime, first: Sequence[Case], staff: tuple[UserId, ...], today: str
    ) -> None:
        room_id = await self._line.room(tx)
        if room_id is None:
            return
        counts = await queries.counts(tx, now)
        values = {"count": counts.overdue, "cases": [self._values(case, now) for case in first]}
        await self._line.say(tx, now, room_id, Reply("staff/remind_overdue_many", values, mentions=staff), today)

    def _values(self, case: Case, now: datetime) -> dict[str, object]:
        return {
            "reference": case.reference,
            "kind": case.kind.value,
            "assignee": case.assignee,
            "due_at": case.due_at,
            "days": -due.days_until(now, case.due_at, self._line.zone),
        }
