"""What staff are told in a case's thread before it is too late, and what has stopped by itself."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from dpobot.cases import safeguards, transitions
from dpobot.jobs import due
from dpobot.jobs.parts import Parts
from dpobot.jobs.staff_line import StaffLine
from dpobot.model.ids import RoomId
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState
from dpobot.store import alerts, bot_state, cases, reminders
from dpobot.store import safeguards as safeguard_rows
from dpobot.store.alerts import Alert
from dpobot.store.database import Tx

RUNNING = tuple(state for state in CaseState if state in transitions.UNANSWERED - {CaseState.PAUSED})  # whose time runs
_ALERTS_TOLD = "alerts.told"  # up to which number alerts that are about no case were told
_LATE = timedelta(days=30)  # so long a missed acknowledgement is still told
_AT_ONCE = 30  # lines of one sort at a time: nobody waits long for a transaction; the rest follows a minute later


class StaffReminders:
    """Reminds the assignee; where there is none, the line is there for everybody."""

    def __init__(self, parts: Parts, line: StaffLine) -> None:
        self._database = parts.database
        self._line = line

    async def once(self, now: datetime) -> int:
        """Say what is to be said now; return how many lines that were."""
        await self._database.write(lambda tx: alerts.settle(tx, now))
        parts = (self._due, self._unacknowledged, self._stopped, self._alerts)
        return sum([await self._one_sort(part, now) for part in parts])

    async def _one_sort(self, part: Callable[[Tx, datetime, RoomId], Awaitable[int]], now: datetime) -> int:
        async def write(tx: Tx) -> int:
            room_id = await self._line.room(tx)
            return 0 if room_id is None else await part(tx, now, room_id)

        return await self._database.write(write)

    def _windows(self, what: str, now: datetime) -> Sequence[due.Window]:
        return due.before(what, now, self._line.config.remind_days, self._line.zone)

    async def _due(self, tx: Tx, now: datetime, room_id: RoomId) -> int:
        count = 0
        for window in self._windows("due", now):
            for case in await reminders.due(tx, RUNNING, window.start, window.end, window.what, _AT_ONCE - count):
                days = due.days_until(now, case.due_at, self._line.zone)
                reply = _reply("staff/remind_due", case, days=days, due_at=case.due_at)
                count += await self._say(tx, now, room_id, case, reply, window.what)
        return count

    async def _unacknowledged(self, tx: Tx, now: datetime, room_id: RoomId) -> int:
        count, late = 0, due.Window("acknowledge_late", now - _LATE, now)
        for window in [late, *self._windows("acknowledge", now)]:
            waiting = await reminders.to_acknowledge(
                tx, RUNNING, window.start, window.end, window.what, _AT_ONCE - count
            )
            for case in waiting:
                by = case.acknowledge_by or now
                days = due.days_until(now, by, self._line.zone)
                reply = _reply("staff/remind_acknowledge", case, days=days, by=by, late=by < now)
                count += await self._say(tx, now, room_id, case, reply, window.what)
        return count

    async def _stopped(self, tx: Tx, now: datetime, room_id: RoomId) -> int:
        """Tell of jobs that a safeguard stopped or that gave up, in the thread of their case."""
        count = 0
        for alert in await reminders.alerts_untold(tx, _AT_ONCE):
            case = None if alert.case_id is None else await cases.by_id(tx, alert.case_id)
            if case is not None:
                reply = _reply("staff/remind_alert", case, code=alert.code, held=case.state is CaseState.HELD)
                count += await self._say(tx, now, room_id, case, reply, f"alert{alert.id}")
        return count

    async def _say(self, tx: Tx, now: datetime, room_id: RoomId, case: Case, reply: Reply, what: str) -> bool:
        if not await reminders.note(tx, case.id, what, now):
            return False
        once = (case.id, what, case.due_at)  # a due date that has moved is told of anew
        await self._line.say(tx, now, room_id, reply, *once, case_id=case.id)
        return True

    async def _alerts(self, tx: Tx, now: datetime, room_id: RoomId) -> int:
        """Tell of alerts about no case, in the main time line."""
        told = int(await bot_state.get(tx, _ALERTS_TOLD) or 0)
        new = [alert for alert in await _about_no_case(tx) if alert.id > told]
        for alert in new:
            about = await _about(tx, alert)
            values = {"reference": None, "code": alert.code, "held": False, "assignee": None, "about": about}
            await self._line.say(tx, now, room_id, Reply("staff/remind_alert", values), alert.id)
        if new:
            await bot_state.set(tx, _ALERTS_TOLD, str(new[-1].id))
        return len(new)


async def _about(tx: Tx, alert: Alert) -> dict[str, object] | None:
    """Return the safeguard that an alert is about: how it is, how it is to be, and from when; None if about none."""
    name = alert.key.split(":")[1] if alert.code == safeguards.LOOSENED else ""
    row = (await safeguard_rows.read(tx)).get(name)
    if row is None or row.wanted is None:
        return None
    return {"name": name, "old": row.value, "new": row.wanted, "from_when": row.counts_at}


async def _about_no_case(tx: Tx) -> Sequence[Alert]:
    return [alert for alert in await alerts.list_open(tx) if alert.case_id is None]


def _reply(template: str, case: Case, **values: object) -> Reply:
    mentions = () if case.assignee is None else (case.assignee,)
    known = {"reference": case.reference, "kind": case.kind.value, "assignee": case.assignee, "about": None}
    return Reply(template, known | values, mentions=mentions)
