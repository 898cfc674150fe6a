"""What staff decide about a case: change, audit row and a new card, in the one transaction of the caller.

``actor`` is a member of staff. Everything raises `Conflict` if the case has changed since it was read, and
StaffRefusal("case_over", reference, state) if it is over; in a state that doesn't fit,
StaffRefusal("wrong_state", reference, state, action).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dpobot.audit import trail
from dpobot.audit.trail import Detail
from dpobot.cases import service, transitions
from dpobot.cases.approval import Approved, approval_plan, approve, plan_hash, refuse_unapprovable
from dpobot.cases.deadlines import LONGEST_EXTENSION
from dpobot.cases.rules import Rules
from dpobot.cases.service import Conflict
from dpobot.errors import StaffRefusal
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Ground, Kind
from dpobot.store import cases, erasures, jobs, reminders, staff_threads
from dpobot.store.database import Tx

__all__ = [
    "Approved",
    "approval_plan",
    "approve",
    "assign",
    "claim",
    "close",
    "extend",
    "hold",
    "pause",
    "plan_hash",
    "refuse",
    "refuse_over",
    "refuse_unapprovable",
    "release",
    "resume",
    "verify",
]

_CLOSABLE = frozenset(
    {CaseState.CONFIRMING, CaseState.REVIEW, CaseState.PAUSED, CaseState.APPROVED, CaseState.DELIVERED}
)


async def claim(tx: Tx, now: datetime, case: Case, actor: UserId) -> Case:
    """Take a case on; again by oneself it changes nothing.

    Raises StaffRefusal("claimed", by, reference) if somebody else has it.
    """
    newest = await cases.lock(tx, case.id)  # of two at once the second is told who was first
    refuse_over(newest)
    if newest.assignee == actor:
        return newest
    if newest.assignee is not None:
        raise StaffRefusal("claimed", by=newest.assignee, reference=newest.reference)
    return await _change(tx, now, newest, actor, "case.claimed", {"assignee": actor})


async def assign(tx: Tx, now: datetime, case: Case, actor: UserId, to: UserId | None) -> Case:
    """Give a case to somebody, whoever has it; None: to nobody.

    The trail names who got it as the actor of a row of its own (``case.assigned_to``): an actor can be forgotten.
    """
    newest = await _as_read(tx, case)
    refuse_over(newest)
    if newest.assignee == to:
        return newest
    action = "case.unassigned" if to is None else "case.assigned"
    changed = await _change(tx, now, newest, actor, action, {"assignee": to})
    if to is not None:
        await trail.record(tx, now, to, "case.assigned_to", case.id)
    return changed


async def refuse(tx: Tx, now: datetime, case: Case, actor: UserId, ground: Ground) -> Case:
    """Refuse a request on a ground of the fixed list; what its job has left behind goes (Art. 12(4) GDPR).

    Raises StaffRefusal("erasure_begun", reference) if the person's data is being erased.
    """
    newest = await _as_read(tx, case)
    if await service.has_begun(tx, case.id):
        raise StaffRefusal("erasure_begun", reference=newest.reference)
    _refuse_move(newest, CaseState.REFUSED)
    values = {"outcome": ground.value, "answered_at": newest.answered_at or now}
    detail: Detail = {"ground": ground.value}
    changed = await service.move(tx, now, newest, CaseState.REFUSED, actor, "case.refused", detail, values=values)
    await service.stop_work(tx, now, newest)
    return changed


async def extend(tx: Tx, now: datetime, case: Case, actor: UserId, months: int, rules: Rules) -> Case:
    """Extend the time for the answer by 1 or 2 months, once, within the first month (Art. 12(3) GDPR).

    Raises StaffRefusal ``extended_already``, ``extend_too_late``, ``extend_months``, each with ``reference``.
    """
    newest = await _as_read(tx, case)
    refuse_over(newest)
    if newest.state is CaseState.DELIVERED:
        raise _wrong_state(newest, "extend")
    if not 1 <= months <= LONGEST_EXTENSION:
        raise StaffRefusal("extend_months", reference=newest.reference)
    if newest.extended_months:
        raise StaffRefusal("extended_already", reference=newest.reference)
    if now > newest.due_at and newest.state is not CaseState.PAUSED:
        raise StaffRefusal("extend_too_late", reference=newest.reference)
    due_at = rules.extended(newest.received_at, months, await _days_paused(tx, newest))
    await reminders.due_moved(tx, newest.id)
    values = {"extended_months": months, "due_at": due_at}
    return await _change(tx, now, newest, actor, "case.extended", values, {"months": months})


async def pause(tx: Tx, now: datetime, case: Case, actor: UserId) -> Case:
    """Wait for the person: the time for the answer stands still until they write, or until `resume`."""
    newest = await _as_read(tx, case)
    _refuse_move(newest, CaseState.PAUSED)
    return await service.move(tx, now, newest, CaseState.PAUSED, actor, "case.paused")


async def resume(tx: Tx, now: datetime, case: Case, actor: str, rules: Rules) -> Case:
    """Go on with a paused case; it is due later by the days of the pause. ``actor`` may be the person."""
    newest = await _as_read(tx, case)
    refuse_over(newest)
    if newest.state is not CaseState.PAUSED:
        raise _wrong_state(newest, "resume")
    return await service.resume(tx, now, newest, actor, rules)


async def verify(tx: Tx, now: datetime, case: Case, actor: UserId) -> Case:
    """Note that staff have established who the person is; again it changes nothing.

    An erasure that waited because its device is new waits no longer.
    """
    newest = await _as_read(tx, case)
    refuse_over(newest)
    if newest.verified_at is not None:
        return newest
    verified = await _change(tx, now, newest, actor, "case.verified", {"verified_at": now})
    waiting = await erasures.get(tx, case.id) if newest.kind is Kind.ERASURE else None
    if waiting is not None and waiting.survey_after is not None and waiting.plan is None:
        await erasures.change(tx, case.id, survey_after=None)
        await service.want_survey(tx, now, verified, now)
    return verified


async def hold(tx: Tx, now: datetime, case: Case, actor: UserId) -> Case:
    """Put a legal hold on a case, open or closed: nothing of its person is erased; again it changes nothing."""
    return await _hold(tx, now, case, actor, hold=True)


async def release(tx: Tx, now: datetime, case: Case, actor: UserId) -> Case:
    """End a case's legal hold; without one it changes nothing."""
    return await _hold(tx, now, case, actor, hold=False)


async def close(tx: Tx, now: datetime, case: Case, actor: UserId) -> Case:
    """Close a case that has been answered. Raises StaffRefusal("unanswered", reference) if it hasn't."""
    newest = await _as_read(tx, case)
    refuse_over(newest)
    if newest.state not in _CLOSABLE or await _at_work(tx, newest):
        raise _wrong_state(newest, "close")
    if newest.answered_at is None:
        raise StaffRefusal("unanswered", reference=newest.reference)
    return await service.move(tx, now, newest, CaseState.CLOSED, actor, "case.closed")


def refuse_over(case: Case) -> None:
    """Raise StaffRefusal("case_over", reference, state) for a case that is closed, refused or withdrawn."""
    if case.state in transitions.OVER:
        raise StaffRefusal("case_over", reference=case.reference, state=case.state.value)


def _refuse_move(case: Case, to: CaseState) -> None:
    refuse_over(case)
    if not transitions.allowed(case.state, to):
        raise _wrong_state(case, "pause" if to is CaseState.PAUSED else "refuse")


def _wrong_state(case: Case, action: str) -> StaffRefusal:
    return StaffRefusal("wrong_state", reference=case.reference, state=case.state.value, action=action)


async def _as_read(tx: Tx, case: Case) -> Case:
    """Return the case locked, and as the caller has read it. Raises `Conflict`."""
    newest = await cases.lock(tx, case.id)
    if newest.version != case.version:
        raise Conflict("the case has changed")
    return newest


async def _change(
    tx: Tx,
    now: datetime,
    case: Case,
    actor: str,
    action: str,
    values: Mapping[str, Any],
    detail: Detail | None = None,
) -> Case:
    if not await cases.update(tx, case, {"updated_at": now, **values}):
        raise Conflict("the case has changed")
    await staff_threads.touch(tx, case.id)
    await trail.record(tx, now, actor, action, case.id, detail)
    return await cases.get(tx, case.id)


async def _hold(tx: Tx, now: datetime, case: Case, actor: UserId, *, hold: bool) -> Case:
    newest = await _as_read(tx, case)
    if newest.expired_at is not None:
        raise StaffRefusal("case_over", reference=newest.reference, state=newest.state.value)
    if newest.legal_hold is hold:
        return newest
    action = "case.legal_hold" if hold else "case.legal_hold_released"
    return await _change(tx, now, newest, actor, action, {"legal_hold": hold})


async def _at_work(tx: Tx, case: Case) -> bool:
    """Say whether a case ends by itself: its job has not ended, or its account is suspended until `lift`."""
    if case.kind is Kind.RESTRICTION and case.state is CaseState.DELIVERED:
        return service.job_of(case) is not None
    name = service.job_of(case)
    return case.state is CaseState.APPROVED and name is not None and await jobs.active(tx, case.id, name)


async def _days_paused(tx: Tx, case: Case) -> int:
    """Return for how many days a case has waited for the person so far; a pause that lasts is not among them."""
    rows = await trail.of_case(tx, case.id)
    return sum(int(row.detail["days"]) for row in rows if row.action == "case.resumed")
