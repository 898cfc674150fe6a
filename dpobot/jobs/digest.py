"""The daily digest: how things stand, and the head of the audit chain, which so is kept outside the database, too."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dpobot.audit import chain
from dpobot.cases import deadlines, queries
from dpobot.jobs import due
from dpobot.jobs.parts import Parts
from dpobot.jobs.staff_line import StaffLine
from dpobot.jobs.staff_reminders import RUNNING
from dpobot.model.ids import RoomId
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState
from dpobot.store import alerts, audit_rows, bot_state, reminders
from dpobot.store.database import Tx

_DIGEST = "digest.day"  # of which day the last digest was
_SOON = timedelta(days=7)
_LISTED = 10  # of each sort; the count says how many there are


class Digest:
    """Posts one message a day into the main time line, from the configured hour on, also after a restart."""

    def __init__(self, parts: Parts, line: StaffLine) -> None:
        self._database = parts.database
        self._line = line

    async def once(self, now: datetime) -> int:
        """Post today's digest if it is time and nobody has; return how many messages that were."""
        if not due.is_time(now, self._line.config.digest_hour, self._line.zone):
            return 0
        return await self._database.write(lambda tx: self._post(tx, now))

    async def _post(self, tx: Tx, now: datetime) -> int:
        today = due.day_of(now, self._line.zone).isoformat()
        room_id = await self._line.room(tx)
        if room_id is None or await bot_state.get(tx, _DIGEST, lock=True) == today:
            return 0
        await bot_state.set(tx, _DIGEST, today)
        await self._say(tx, now, room_id, today)
        return 1

    async def _say(self, tx: Tx, now: datetime, room_id: RoomId, today: str) -> None:
        head = await audit_rows.head(tx, chain.GENESIS)
        values = {
            "now": now,
            "counts": await queries.counts(tx, now),
            "due": self._lines(await reminders.due(tx, RUNNING, now, now + _SOON, None, _LISTED), now),
            "overdue": self._lines(await reminders.due(tx, RUNNING, None, now, None, _LISTED), now),
            "held": self._lines(await reminders.due(tx, (CaseState.HELD,), None, None, None, _LISTED), now),
            "partial": self._lines(await reminders.due(tx, (CaseState.PARTIAL,), None, None, None, _LISTED), now),
            "alerts": await _open_alerts(tx),
            "breach": await _breach(tx, now),
            "head": {"rows": head.seq, "hash": head.hash},
        }
        await self._line.say(tx, now, room_id, Reply("staff/digest", values), today)

    def _lines(self, cases: Sequence[Case], now: datetime) -> list[dict[str, Any]]:
        zone = self._line.zone
        return [
            {
                "reference": case.reference,
                "kind": case.kind.value,
                "assignee": case.assignee,
                "due_at": case.due_at,
                "days": due.days_until(now, case.due_at, zone),
            }
            for case in cases
        ]


async def _open_alerts(tx: Tx) -> int:
    return len(await alerts.list_open(tx))


async def _breach(tx: Tx, now: datetime) -> dict[str, Any] | None:
    """Return since when deliveries are paused and by when the authority must know (Art. 33 GDPR), if they are."""
    paused = await bot_state.get(tx, bot_state.DELIVERIES_PAUSED)
    if paused is None:
        return None
    since = datetime.fromisoformat(paused)
    report_by = deadlines.breach_by(since)
    return {"since": since, "report_by": report_by, "late": report_by < now}
