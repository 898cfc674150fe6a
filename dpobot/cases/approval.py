"""Approving a case: the plan that is shown, its hash, and one or two approvers of exactly that plan."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dpobot.audit import trail
from dpobot.audit.trail import Detail
from dpobot.cases import queries, safeguards, service
from dpobot.cases.service import Conflict
from dpobot.errors import StaffRefusal
from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, JobState, Kind
from dpobot.store import approvals, cases, erasures, files, jobs, rectifications, staff_threads
from dpobot.store import safeguards as safeguard_rows
from dpobot.store.database import Tx
from dpobot.store.files import Purpose

ACCEPTED_ANOMALY = "accepted_anomaly"  # in a case's options: what staff have looked at and let pass
_APPROVABLE = frozenset({CaseState.REVIEW, CaseState.HELD})
NEEDS_PROOF = frozenset({Kind.ACCESS, Kind.EXPORT, Kind.ERASURE})  # they give out, or destroy, a person's data
_ANOMALY = "anomaly_"
_ERASE = "erase"


@dataclass(frozen=True, slots=True)
class Approved:
    """The case after an approval. ``complete``: no further approver is needed. ``first``: who was, if two are."""

    case: Case
    complete: bool
    first: UserId | None


async def approval_plan(tx: Tx, case: Case, second: bool, now: datetime | None = None) -> dict[str, Any]:
    """Return what an approval would mean, as JSON.

    ``job``: the work that it starts, or None; ``held``: the code of what stopped it, or None; ``files``: how many
    files of staff go into the archive; ``second``: whether two must approve, by the configuration or, for an erasure,
    by the safeguards in force at ``now`` (None: before any of them loosens); an exceptional one always;
    ``erasure``: its plan, or None; ``rectification``: field, old and new value, or None.
    """
    added = await files.of_case(tx, case.id, Purpose.ARCHIVE)
    known = await erasures.get(tx, case.id) if case.kind is Kind.ERASURE else None
    return {
        "reference": case.reference,
        "kind": case.kind.value,
        "person": case.person,
        "state": case.state.value,
        "options": dict(case.options),
        "channel": case.channel.value,
        "proven": case.proven,
        "job": service.job_of(case),
        "held": await _held_by(tx, case),
        "files": len(added),
        "second": second or await _two_needed(tx, case, now),
        "erasure": None if known is None or known.plan is None else dict(known.plan),
        "rectification": await _rectification(tx, case),
    }


def plan_hash(plan: dict[str, Any]) -> str:
    """Return the SHA-256 (hex) of a plan as canonical JSON: keys sorted, no white space, ASCII."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


async def approve(tx: Tx, now: datetime, case: Case, actor: UserId, hash_: str, second: bool) -> Approved:
    """Approve the plan with that hash: at once, or, if ``second``, together with somebody else's approval of the same.

    An anomaly that held the case is noted in its options as accepted. Raises `Conflict` if the plan has changed, and
    StaffRefusal ``not_approvable`` (reference, state, by: who has approved it already, or None), ``not_proven``,
    ``legal_hold``, ``no_plan_yet``, ``not_confirmed``, ``own_approval`` (each with reference).
    """
    newest = await cases.lock(tx, case.id)  # two at once: one after the other
    await refuse_unapprovable(tx, newest)
    plan = await approval_plan(tx, newest, second, now)
    if plan_hash(plan) != hash_:
        raise Conflict("the plan has changed")
    first = await _first(tx, now, newest, actor, hash_) if plan["second"] else None
    if first == actor:
        return Approved(newest, complete=False, first=first)
    await _cool_off(tx, now, newest)
    detail: Detail = {"plan": hash_, "second": plan["second"]}
    held = plan["held"] or ""
    accepted = {ACCEPTED_ANOMALY: held} if held.startswith(_ANOMALY) else {}
    values = {"options": {**newest.options, **accepted}}
    approved = await service.move(tx, now, newest, CaseState.APPROVED, actor, "case.approved", detail, values=values)
    await approvals.forget(tx, case.id)
    return Approved(approved, complete=True, first=first)


async def _first(tx: Tx, now: datetime, case: Case, actor: UserId, hash_: str) -> UserId:
    """Return who approved this plan first: somebody else, or the actor, who is noted then."""
    known = [each.approver for each in await approvals.of_case(tx, case.id) if each.plan == hash_]
    others = [approver for approver in known if approver != actor]
    if others:
        return others[0]
    if known:
        raise StaffRefusal("own_approval", reference=case.reference)
    await approvals.forget(tx, case.id)  # of a plan that is no more
    await approvals.put(tx, case.id, actor, hash_, now)
    await trail.record(tx, now, actor, "case.approved_first", case.id, {"plan": hash_})
    await staff_threads.touch(tx, case.id)
    return actor


async def refuse_unapprovable(tx: Tx, case: Case) -> None:
    """Raise what `approve` raises for a case that can't be approved as it is, before anybody has asked for its plan."""
    confirming = case.state is CaseState.CONFIRMING
    if case.state not in _APPROVABLE and not confirming:
        by = await _approver(tx, case)
        raise StaffRefusal("not_approvable", reference=case.reference, state=case.state.value, by=by)
    if case.kind in NEEDS_PROOF and not case.proven:
        raise StaffRefusal("not_proven", reference=case.reference)
    if case.kind is Kind.ERASURE and await queries.on_legal_hold(tx, case.person):
        raise StaffRefusal("legal_hold", reference=case.reference)
    if service.job_of(case) == _ERASE or confirming:
        await _refuse_unplanned(tx, case)


async def _refuse_unplanned(tx: Tx, case: Case) -> None:
    """An erasure is approved by its plan, which its person has confirmed if they asked for it by themselves."""
    known = await erasures.get(tx, case.id)
    if known is None or known.plan is None:
        raise StaffRefusal("no_plan_yet", reference=case.reference)
    settled = known.cooled_off_at is not None and known.confirmed_hash == known.plan_hash
    if case.state is CaseState.CONFIRMING or (service.confirmed_by_person(case) and not settled):
        raise StaffRefusal("not_confirmed", reference=case.reference)


async def _two_needed(tx: Tx, case: Case, now: datetime | None) -> bool:
    if service.job_of(case) != _ERASE:
        return False
    if service.EXCEPTIONAL in case.options:
        return True
    known = await safeguard_rows.read(tx)
    return safeguards.at(known, now).second if now is not None else safeguards.tightest(known).second


async def _cool_off(tx: Tx, now: datetime, case: Case) -> None:
    """Let the time to think about it begin with the approval, where it has not begun with the person's code."""
    if service.job_of(case) != _ERASE:
        return
    known = await erasures.get(tx, case.id)
    if known is not None and known.cooled_off_at is None:
        force = await safeguards.in_force(tx, now)
        await erasures.change(tx, case.id, cooled_off_at=now + force.cooling_off)


async def _rectification(tx: Tx, case: Case) -> dict[str, str | None] | None:
    if service.job_of(case) != "rectify":
        return None
    known = await rectifications.get(tx, case.id)
    if known is None:
        return None
    return {"field": known.field, "old": known.values.get("old"), "new": known.values.get("new")}


async def _approver(tx: Tx, case: Case) -> str | None:
    rows = [row for row in await trail.of_case(tx, case.id) if row.action == "case.approved"]
    return rows[-1].actor if rows else None


async def _held_by(tx: Tx, case: Case) -> str | None:
    if case.state is not CaseState.HELD:
        return None
    ended = [job for job in await jobs.of_case(tx, case.id) if job.state in (JobState.HELD, JobState.FAILED)]
    return ended[-1].error if ended else None
