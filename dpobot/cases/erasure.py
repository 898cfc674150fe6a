"""What happens to an erasure (Art. 17 GDPR): plan, confirmation, beginning, end. Each is one transaction of the caller.

The case row is locked first, everywhere: of two that decide at once, the second sees what the first has done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dpobot.audit import trail
from dpobot.cases import queries, safeguards, service
from dpobot.cases.approval import plan_hash
from dpobot.cases.exceptional import exceptional, exceptional_plan
from dpobot.cases.restriction import lift
from dpobot.cases.service import Conflict
from dpobot.errors import Refusal, StaffRefusal, Unavailable
from dpobot.model.erasure import Copy, ErasureOptions, Residual, Survey
from dpobot.model.ids import Reference, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import approvals, cases, erasure_rooms, erasures, jobs, reminders, staff_threads
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

__all__ = [
    "Begin",
    "Block",
    "NotNow",
    "Planned",
    "begin",
    "begun",
    "blocked",
    "confirm",
    "exceptional",
    "exceptional_plan",
    "finished",
    "has_begun",
    "lift",
    "may_begin",
    "plan_hash",
    "plan_of",
    "planned",
    "retry",
    "settle",
    "stopped_short",
]

SOON = "erase_soon"  # the reminder that the cooling-off is nearly over
DAY = timedelta(hours=24)  # the time in which the daily cap counts
_ASK_AGAIN = 3600.0  # seconds
_BEFORE_DECISION = frozenset({CaseState.CONFIRMING, CaseState.REVIEW})
_PLANNED_IN = _BEFORE_DECISION | {CaseState.PAUSED}  # staff wait for the person's words, and the survey goes on


@dataclass(frozen=True, slots=True)
class Block:
    """What keeps a person's data from being erased.

    ``kind``: access_open or legal_hold; ``reference``: of the case that does; ``delivered``: its answer is with them.
    """

    kind: str
    reference: Reference
    delivered: bool


class Planned(StrEnum):
    """What a plan that was made now is good for."""

    ASK = "ask"  # the person is to see it, and to type its code
    CONFIRMED = "confirmed"  # it is what the person has confirmed: the case has moved on
    CHANGED = "changed"  # it is not what the person has confirmed: they are asked anew
    NOTED = "noted"  # staff see it
    GONE = "gone"  # nothing: the case or the options have changed since it was begun


class Begin(StrEnum):
    """Whether the irreversible part may begin now, or why not."""

    OK = "ok"
    LEGAL_HOLD = "legal_hold"
    ACCESS_OPEN = "access_open"
    DAILY_CAP = "daily_cap"
    COOLING = "cooling"


class NotNow(Unavailable):
    """Between the last words and the first irreversible step something has come in between; ``begin`` says what."""

    def __init__(self, begin: Begin) -> None:
        super().__init__(begin.value, _ASK_AGAIN)
        self.begin = begin


async def blocked(tx: Tx, person: UserId) -> Block | None:
    """Return what blocks a proven person's erasure: a copy that they have asked for, or a legal hold."""
    access = await queries.open_access(tx, person)
    if access is not None:
        return Block("access_open", access.reference, access.state is CaseState.DELIVERED)
    held = await queries.held_case(tx, person)
    return None if held is None else Block("legal_hold", held.reference, delivered=False)


async def begin(
    tx: Tx,
    now: datetime,
    case: Case,
    options: ErasureOptions,
    *,
    survey_after: datetime | None,
    actor: UserId | None = None,
) -> Case:
    """Begin, or begin anew, the way to a plan: what was confirmed counts no more, and a survey is wanted.

    ``survey_after``: not before, the device is too new. ``actor``: the member of staff who sets the options of a
    request from outside; without one the person asks, and confirms by themselves what comes of it.
    Raises Refusal("already_open", reference) if staff decide about what was confirmed already, `Conflict` in any other
    state.
    """
    newest = await cases.lock(tx, case.id)
    if newest.state not in _BEFORE_DECISION:
        raise Conflict("the case has changed")
    known = await erasures.get(tx, case.id)
    if actor is None and newest.state is CaseState.REVIEW and known is not None and known.cooled_off_at is not None:
        raise Refusal("already_open", reference=newest.reference)
    await erasures.put(tx, case.id, options)
    await erasures.change(tx, case.id, survey_after=survey_after)
    await reminders.unsay(tx, case.id, SOON)
    await approvals.forget(tx, case.id)
    chosen = {name: bool(value) for name, value in options.to_json().items() if name != "copy"}
    await trail.record(tx, now, actor or newest.person, "erasure.asked", case.id, {**chosen, "copy": options.copy})
    if actor is None and newest.state is CaseState.REVIEW:
        values = {"options": service.without_exception(newest)}
        newest = await service.move(
            tx, now, newest, CaseState.CONFIRMING, newest.person, "erasure.repeated", values=values
        )
    await service.want_survey(tx, now, newest, survey_after or now)
    await staff_threads.touch(tx, case.id)
    return newest


def plan_of(person: UserId, options: ErasureOptions, survey: Survey) -> dict[str, Any]:
    """Return the plan of an erasure as JSON: what its code confirms, through `plan_hash`."""
    return {"version": 1, "person": person, "options": options.to_json(), "survey": survey.to_json()}


async def planned(tx: Tx, now: datetime, case: Case, plan: Mapping[str, Any]) -> Planned:
    """Keep the plan that a survey has made, and say what it is good for."""
    newest = await cases.lock(tx, case.id)
    known = await erasures.get(tx, case.id)
    if known is None or newest.state not in _PLANNED_IN or not _fits(newest, known, plan):
        return Planned.GONE
    hash_ = plan_hash(dict(plan))
    await erasures.change(tx, case.id, plan=dict(plan), plan_hash=hash_, surveyed_at=now)
    await trail.record(tx, now, "bot", "erasure.planned", case.id, {"plan": hash_})
    await staff_threads.touch(tx, case.id)
    if not service.confirmed_by_person(newest):
        return Planned.NOTED
    if known.confirmed_hash is None:
        return Planned.ASK if newest.state is CaseState.CONFIRMING else Planned.NOTED
    if known.confirmed_hash != hash_:
        await _ask_anew(tx, now, newest)
        return Planned.CHANGED
    if known.cooled_off_at is None:
        await settle(tx, now, newest)
    return Planned.CONFIRMED


async def confirm(tx: Tx, now: datetime, case: Case, hash_: str) -> Case:
    """Note that the person has confirmed the plan with that hash; a survey is wanted that says whether it still holds.

    Again it changes nothing. Raises Refusal ``plan_changed``, ``erase_access_open`` (reference and delivered, of the
    case that blocks), ``erase_on_hold``, each with ``reference``.
    """
    newest = await cases.lock(tx, case.id)
    known = await erasures.get(tx, case.id)
    if newest.state is not CaseState.CONFIRMING or known is None or known.plan_hash != hash_:
        raise Refusal("plan_changed", reference=newest.reference)
    if known.options.copy is Copy.OPEN:  # what to do with the copy was never said
        raise Refusal("plan_changed", reference=newest.reference)
    if known.confirmed_hash == hash_:
        return newest
    await _refuse_blocked(tx, newest)
    await erasures.change(tx, case.id, confirmed_hash=hash_, confirmed_at=now)
    await trail.record(tx, now, newest.person, "erasure.confirmed", case.id, {"plan": hash_})
    await service.want_survey(tx, now, newest, now)
    await staff_threads.touch(tx, case.id)
    return newest


async def settle(tx: Tx, now: datetime, case: Case) -> Case:
    """Go on with a case whose person has confirmed what still holds: to staff, or, by policy, to its work."""
    force = await safeguards.in_force(tx, now)
    await erasures.change(tx, case.id, cooled_off_at=now + force.cooling_off)
    if case.state is not CaseState.CONFIRMING:
        return case
    alone = force.policy and not force.second and not await queries.on_legal_hold(tx, case.person)
    if alone:
        return await service.move(tx, now, case, CaseState.APPROVED, "policy", "case.approved")
    return await service.move(tx, now, case, CaseState.REVIEW, "bot", "erasure.settled")


async def has_begun(tx: Tx, case_id: int) -> bool:
    """Say whether the first irreversible step has begun: from there on there is no way back."""
    return await service.has_begun(tx, case_id)


async def may_begin(tx: Tx, now: datetime, case: Case) -> Begin:
    """Say whether the irreversible part may begin, or go on, now; nothing is changed."""
    if await queries.on_legal_hold(tx, case.person):
        return Begin.LEGAL_HOLD
    known = await erasures.get(tx, case.id)
    if known is not None and known.begun_at is not None:
        return Begin.OK
    if await queries.open_access(tx, case.person) is not None:
        return Begin.ACCESS_OPEN
    if known is None or known.cooled_off_at is None or known.cooled_off_at > now:
        return Begin.COOLING
    force = await safeguards.in_force(tx, now)
    if await erasures.begun_since(tx, now - DAY) >= force.daily_cap:
        return Begin.DAILY_CAP
    return Begin.OK


async def begun(tx: Tx, now: datetime, case: Case) -> None:
    """Note that the first irreversible step begins now; again it changes nothing.

    Raises `NotNow` if it may not (any more), `Conflict` if the case isn't being worked on: it was taken back.
    """
    newest = await cases.lock(tx, case.id)
    if await has_begun(tx, case.id):
        return
    if newest.state is not CaseState.WORKING:
        raise Conflict("the case has changed")
    await erasures.lock_beginnings(tx)
    may = await may_begin(tx, now, newest)
    if may is not Begin.OK:
        raise NotNow(may)
    await erasures.change(tx, case.id, begun_at=now)
    await trail.record(tx, now, "bot", "erasure.begun", case.id)
    await staff_threads.touch(tx, case.id)


async def stopped_short(tx: Tx, now: datetime, case: Case, failures: Mapping[str, str]) -> Case:
    """Note what an erasure could not do (step -> code); staff `retry`. Again it changes nothing."""
    newest = await cases.lock(tx, case.id)
    if newest.state is CaseState.PARTIAL:
        return newest
    await erasures.change(tx, case.id, failures=failures)
    detail = {"failures": len(failures)}
    return await service.move(tx, now, newest, CaseState.PARTIAL, "bot", "erasure.partial", detail)


async def retry(tx: Tx, now: datetime, case: Case, actor: UserId, *, skip: bool) -> Case:
    """Let an erasure that stopped short go on; ``skip``: without what has failed, which becomes a residual.

    Raises StaffRefusal("wrong_state", reference, state, action), `Conflict` while its job is still ending.
    """
    newest = await cases.lock(tx, case.id)
    if newest.state is not CaseState.PARTIAL:
        values = {"reference": newest.reference, "state": newest.state.value, "action": "retry"}
        raise StaffRefusal("wrong_state", **values)
    if await jobs.active(tx, case.id, "erase"):
        raise Conflict("the job is still ending")
    rooms = 0 if skip else await erasure_rooms.again(tx, case.id)
    await erasures.change(tx, case.id, skip=skip, **({} if skip else {"failures": {}}))
    detail = {"skip": skip, "rooms": rooms}
    return await service.move(tx, now, newest, CaseState.APPROVED, actor, "erasure.retried", detail)


async def finished(tx: Tx, now: datetime, case: Case, residuals: Sequence[Residual]) -> Case:
    """Close an erasure that was checked; what was known of its rooms goes. Again it changes nothing."""
    newest = await cases.lock(tx, case.id)
    if newest.state is CaseState.CLOSED:
        return newest
    await erasures.change(tx, case.id, residuals=residuals, checked_at=now)
    await erasure_rooms.forget(tx, case.id)
    detail = {"residuals": len(residuals)}
    values = {"answered_at": newest.answered_at or now}
    return await service.move(tx, now, newest, CaseState.CLOSED, "bot", "erasure.finished", detail, values=values)


def _fits(case: Case, known: Erasure, plan: Mapping[str, Any]) -> bool:
    """Say whether a plan is of what is asked for now: options may have changed while it was being made."""
    if service.EXCEPTIONAL in case.options:
        return bool(plan.get("exceptional") == case.options[service.EXCEPTIONAL])
    return bool(plan.get("options") == known.options.to_json())


async def _ask_anew(tx: Tx, now: datetime, case: Case) -> None:
    nothing = {"confirmed_hash": None, "confirmed_at": None, "cooled_off_at": None}
    await erasures.change(tx, case.id, **nothing)
    await approvals.forget(tx, case.id)
    await reminders.unsay(tx, case.id, SOON)
    await trail.record(tx, now, "bot", "erasure.plan_changed", case.id)
    if case.state is CaseState.REVIEW:
        await service.move(tx, now, case, CaseState.CONFIRMING, "bot", "erasure.repeated")


async def _refuse_blocked(tx: Tx, case: Case) -> None:
    block = await blocked(tx, case.person)
    if block is None:
        return
    if block.kind == "access_open":
        raise Refusal("erase_access_open", reference=block.reference, delivered=block.delivered)
    raise Refusal("erase_on_hold", reference=case.reference)
