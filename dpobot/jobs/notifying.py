"""The job `notify`: tells other homeservers of an erasure that is over here (privacy notice 2.3.1.1).

One server after the other: who answers for it, a direct message with them, one message in it. Who does not come into
the room is waited for; nobody is told twice. The case stays closed all the while.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dpobot.cases import notices as ledger
from dpobot.cases import queries
from dpobot.delivery.messages import key
from dpobot.delivery.rooms import find_or_open, is_safe, look
from dpobot.engine.api import Cancelled, JobRun, Postponed, StepResult
from dpobot.engine.outcome import stable
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.parts import Parts
from dpobot.model.ids import RoomId, UserId
from dpobot.model.notices import LANGUAGE, NOTICE, ErasureNotice, NoticeState
from dpobot.model.records import Case, Reply
from dpobot.store import erasures, notices, staff_rooms
from dpobot.store.database import Tx
from dpobot.store.notices import NoticeRow

PATIENCE = timedelta(days=14)  # so long a contact may take to come into the room
TROUBLE = timedelta(days=3)  # so long a server may be away
WAITS = "notices_wait"
PER_HOUR = "notices_per_hour"
_AN_HOUR = timedelta(hours=1)
_AT_ONCE = 20
_SOON = 30.0  # seconds until a first look whether somebody has come, and whether a server is back
_SELDOM = 6 * 3600.0


class Notify:
    """Tells the servers of one case that staff have let be told."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._contacts = parts.contacts

    async def __call__(self, run: JobRun) -> None:
        """Carry the job out: as long as any server waits it is postponed."""
        case, notice = await self._parts.database.read(lambda tx: _look_out(tx, run.job.case_id))
        while rows := await self._parts.database.read(lambda tx: self._due(tx, case.id)):
            for row in rows:
                name = f"{row.id}:{row.attempts}"
                await run.steps.step(name, lambda row=row: self._one(case, notice, row))  # type: ignore[misc] # bound per turn
        await self._wait(case)
        await run.steps.step("told", lambda: self._told(case))

    async def _due(self, tx: Tx, case_id: int) -> list[NoticeRow]:
        return await notices.due(tx, case_id, self._parts.clock.now(), _AT_ONCE)

    async def _wait(self, case: Case) -> None:
        """Raise `Postponed` if somebody is still to be told, later."""
        later = await self._parts.database.read(lambda tx: notices.next_at(tx, case.id))
        if later is not None:
            raise Postponed(WAITS, max(1.0, (later - self._parts.clock.now()).total_seconds()))

    async def _told(self, case: Case) -> StepResult:
        now = self._parts.clock.now()
        await self._parts.database.write(lambda tx: ledger.told(tx, now, case))
        return {}

    async def _one(self, case: Case, notice: ErasureNotice, row: NoticeRow) -> StepResult:
        """Take one server a step further; what may work later is tried again later, and not for ever."""
        try:
            if row.contact is None:
                return await self._find(row)
            if row.room_id is None:
                return await self._invite(row, UserId(row.contact))
            return await self._talk(case, notice, row, UserId(row.contact), row.room_id)
        except Unavailable as trouble:
            since, most = (row.invited_at, PATIENCE) if row.invited_at else (row.approved_at or row.created_at, TROUBLE)
            if self._parts.clock.now() - since > most:
                return await self._became(row, NoticeState.FAILED, trouble.code)
            return await self._later(row, trouble.code, trouble.retry_after)
        except Rejected as refusal:
            if refusal.status == 401:  # says something of our token, nothing of them
                raise Unavailable(refusal.code) from refusal
            return await self._became(row, NoticeState.FAILED, refusal.code)

    async def _find(self, row: NoticeRow) -> StepResult:
        """Ask the server who answers for it. Raises `Unavailable`."""
        try:
            best = (await self._contacts(row.server)).best()
        except Rejected as refusal:
            return await self._became(row, NoticeState.NO_CONTACT, refusal.code)
        if best is None:
            return await self._became(row, NoticeState.NO_CONTACT, "nobody")
        if best.user_id is None:
            return await self._became(row, NoticeState.EMAIL, None, contact=best.email, role=best.role)
        return await self._change(row, contact=best.user_id, role=best.role)

    async def _invite(self, row: NoticeRow, contact: UserId) -> StepResult:
        """Find the direct message with the contact, or open one."""
        never = await self._parts.database.read(staff_rooms.ever)
        room_id = await find_or_open(self._parts.matrix, contact, never=never)
        return await self._change(row, room_id=room_id, invited_at=self._parts.clock.now())

    async def _talk(
        self, case: Case, notice: ErasureNotice, row: NoticeRow, contact: UserId, room_id: RoomId
    ) -> StepResult:
        """Send the notice if the contact is there; wait if they can still come."""
        facts = await look(self._parts.matrix, room_id)
        if facts is None or contact not in facts.joined | facts.invited:
            return await self._became(row, NoticeState.FAILED, "declined")
        if contact in facts.invited:
            return await self._still_invited(row, room_id)
        if not is_safe(facts, contact, self._parts.matrix.user_id):
            return await self._became(row, NoticeState.FAILED, "room_not_safe")
        await self._in_turn()
        return await self._send(case, notice, row, room_id)

    async def _still_invited(self, row: NoticeRow, room_id: RoomId) -> StepResult:
        since = row.invited_at or row.created_at
        if self._parts.clock.now() - since <= PATIENCE:
            return await self._later(row, "invited", None)
        await self._parts.matrix.leave(room_id)
        return await self._became(row, NoticeState.FAILED, "not_joined")

    async def _in_turn(self) -> None:
        """Raise `Postponed` if as many servers as may be were told within the last hour, in all cases."""
        now = self._parts.clock.now()
        told = await self._parts.database.read(lambda tx: notices.sent_since(tx, now - _AN_HOUR))
        most = self._parts.config.notices.per_hour
        if len(told) >= most:
            raise Postponed(PER_HOUR, max(1.0, (told[-most] + _AN_HOUR - now).total_seconds()))

    async def _send(self, case: Case, notice: ErasureNotice, row: NoticeRow, room_id: RoomId) -> StepResult:
        reply = Reply("federation/notice", values_of(notice))
        content = {**self._parts.renderer.message(reply, LANGUAGE), NOTICE: notice.to_content()}
        both = frozenset({UserId(row.contact or ""), self._parts.matrix.user_id})
        txn_id = key("erasure_notice", row.id, row.invited_at)
        event_id = await self._parts.matrix.send(room_id, content, txn_id=txn_id, only=both)
        return await self._became(row, NoticeState.SENT, None, event_id=event_id, sent_at=self._parts.clock.now())

    async def _later(self, row: NoticeRow, code: str, retry_after: float | None) -> StepResult:
        seconds = retry_after or min(_SOON * 2.0 ** min(row.attempts, 20), _SELDOM)
        later = self._parts.clock.now() + timedelta(seconds=seconds)
        return await self._change(row, not_before=later, error=stable(code, "unavailable"))

    async def _change(self, row: NoticeRow, **values: Any) -> StepResult:
        """Change the row; its next step has another name, because the attempt has another number."""
        await self._parts.database.write(
            lambda tx: notices.change(tx, row.id, attempts=row.attempts + 1, **values),
        )
        return {}

    async def _became(self, row: NoticeRow, to: NoticeState, error: str | None, **values: Any) -> StepResult:
        now, code = self._parts.clock.now(), None if error is None else stable(error, "unknown")
        values = {**values, "attempts": row.attempts + 1}
        await self._parts.database.write(lambda tx: ledger.became(tx, now, row, to, error=code, **values))
        return {"state": to.value}


def values_of(notice: ErasureNotice) -> Mapping[str, Any]:
    """Return what the words of a notice are made of (``templates/federation/notice.html``)."""
    return {
        "reference": notice.reference,
        "user_id": notice.user_id,
        "erased_at": notice.erased_at,
        "requested": [each.value for each in notice.requested],
    }


async def _look_out(tx: Tx, case_id: int) -> tuple[Case, ErasureNotice]:
    case, known = await queries.by_id(tx, case_id), await erasures.get(tx, case_id)
    if case is None or known is None or known.erased_at is None or case.expired_at is not None:
        raise Cancelled
    return case, ledger.notice_of(case, known)
