"""The ledger of an erasure: other servers that have copies, and what became of telling them.

Each is one transaction of the caller. The case is over by then and stays so: what others answer changes the ledger.
"""

from collections.abc import Sequence
from datetime import datetime

from dpobot.audit import trail
from dpobot.audit.trail import Detail
from dpobot.errors import StaffRefusal
from dpobot.model.ids import UserId
from dpobot.model.notices import (
    TO_BE_TOLD,
    ErasureAnswer,
    ErasureNotice,
    NoticeState,
    Requested,
    is_server_name,
)
from dpobot.model.records import Case
from dpobot.store import jobs, notices, staff_threads
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure
from dpobot.store.notices import JOB, NoticeRow

TOO_MANY = "too_many"  # why a server refuses that may be asked again later


async def found(tx: Tx, now: datetime, case: Case, erasure: Erasure) -> int:
    """Note the servers that have copies, if the person wanted them told; return how many those are.

    Called when the erasure is over: the plan knows them from before the account was gone.
    """
    survey = (erasure.plan or {}).get("survey", {})
    servers = [server for server in survey.get("servers", ()) if is_server_name(server)]
    if not erasure.options.tell or not servers:
        return 0
    count = await notices.add_all(tx, case.id, servers, now)
    if count:
        await _noted(tx, now, case.id, "bot", "notices.found", {"servers": count})
    return count


def notice_of(case: Case, erasure: Erasure) -> ErasureNotice:
    """Return what other servers are told of an erasure that is over: no more than they need to find their copies."""
    if erasure.erased_at is None:
        raise ValueError("nobody is told of an erasure that is not over")
    chosen = {Requested.REDACT: erasure.options.redact, Requested.MEDIA: erasure.options.media}
    requested = tuple(each for each in Requested if chosen.get(each, True))
    return ErasureNotice(case.reference, case.person, erasure.erased_at.date(), requested)


async def to_be_told(tx: Tx, case: Case) -> Sequence[NoticeRow]:
    """Return the servers that staff can have told now. Raises `StaffRefusal` ``no_notices``, ``notices_told``."""
    known = await notices.of_case(tx, case.id)
    waiting = [row for row in known if row.state in TO_BE_TOLD]
    if not waiting:
        raise StaffRefusal("notices_told" if known else "no_notices", reference=case.reference)
    return waiting


async def approve(tx: Tx, now: datetime, case: Case, actor: UserId) -> int:
    """Let the servers of an erasure be told, also those that could not be told before; return how many."""
    count = await notices.approve(tx, case.id, TO_BE_TOLD, now)
    await _noted(tx, now, case.id, actor, "notices.approved", {"servers": count})
    await jobs.want(tx, case_id=case.id, name=JOB, person=case.person, wake_at=now, now=now)
    return count


async def became(
    tx: Tx, now: datetime, row: NoticeRow, to: NoticeState, *, error: str | None = None, **values: object
) -> bool:
    """Note what became of telling one server; False if the row has moved on since it was read."""
    if not await notices.move(tx, row, to, error=error, **values):
        return False
    await _noted(tx, now, row.case_id, "bot", f"notice.{to.value}", {"server": row.server[:128], "code": error})
    return True


async def answered(tx: Tx, now: datetime, row: NoticeRow, answer: ErasureAnswer) -> bool:
    """Note what a server has answered; False for what is known, or can't follow on what it has said before."""
    later = answer.state is NoticeState.REFUSED and answer.reason == TOO_MANY
    to, error = (NoticeState.FAILED, TOO_MANY) if later else (answer.state, None)
    return await became(tx, now, row, to, error=error, answered_at=now)


async def told(tx: Tx, now: datetime, case: Case) -> None:
    """Note that all who were to be told have been tried, for the thread."""
    await _noted(tx, now, case.id, "bot", "notices.told", await notices.counts(tx, case.id))


async def _noted(tx: Tx, now: datetime, case_id: int, actor: str, action: str, detail: Detail) -> None:
    await trail.record(tx, now, actor, action, case_id, detail)
    await staff_threads.touch(tx, case_id)
