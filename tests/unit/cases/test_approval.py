"""Approving: exactly the plan that was shown, by as many as are needed, once."""

import asyncio
from typing import Any

import pytest

from dpobot.audit import trail
from dpobot.cases import decisions
from dpobot.cases.approval import Approved
from dpobot.cases.service import Conflict
from dpobot.errors import StaffRefusal
from dpobot.model.ids import EventId, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import approvals, files, jobs
from dpobot.store.database import Tx
from dpobot.store.files import Purpose
from tests.unit.cases.office import ANNA, FILE, NOW, VERA, WIM, Office

THIRD = UserId("@xena:x")


async def _hash(office: Office, case: Case, second: bool = False) -> str:
    return decisions.plan_hash(await office.ask(decisions.approval_plan, case, second))


async def _approve(office: Office, case: Case, actor: UserId, second: bool = False) -> Approved:
    return await office.do(decisions.approve, case, actor, await _hash(office, case, second), second)


async def _held(office: Office, code: str) -> Case:
    """Return an export whose job was stopped."""
    case = await office.to(await office.open(Kind.EXPORT), CaseState.APPROVED, CaseState.WORKING, CaseState.HELD)

    async def stop(tx: Tx) -> None:
        [job] = await jobs.of_case(tx, case.id)
        await jobs.admit(tx, job.id, name="export", run_token="run", at_once=1, now=NOW)
        await jobs.finish(tx, job.id, "run", JobState.HELD, code, NOW)

    await office.database.write(stop)
    return case


async def _refused(office: Office, case: Case, second: bool = False, actor: UserId = VERA) -> StaffRefusal:
    with pytest.raises(StaffRefusal) as caught:
        await _approve(office, case, actor, second)
    return caught.value


async def test_the_plan_says_what_would_happen(office: Office) -> None:
    """Everything that a decision rests on, as JSON; a hash of it that doesn't hang on the order."""
    case = await office.open(Kind.EXPORT, options={"scope": "mine"})
    plan = await office.ask(decisions.approval_plan, case, True)
    assert plan == {
        "reference": case.reference,
        "kind": "export",
        "person": ANNA,
        "state": "review",
        "options": {"scope": "mine"},
        "channel": "matrix",
        "proven": True,
        "job": "export",
        "held": None,
        "files": 0,
        "second": True,
        "erasure": None,
        "rectification": None,
    }
    assert decisions.plan_hash(dict(reversed(plan.items()))) == decisions.plan_hash(plan)


async def test_an_approval_wants_the_job(office: Office) -> None:
    """One approver is enough where no second is asked for."""
    case = await office.open(Kind.EXPORT)
    approved = await _approve(office, case, VERA)
    assert (approved.complete, approved.first, approved.case.state) == (True, None, CaseState.APPROVED)
    assert await office.jobs(case) == [("export", "wanted")]
    assert (await office.actions(case))[-1] == "case.approved"


async def _add_a_file(office: Office, case: Case) -> None:
    event_id = EventId("$file")
    await office.database.write(
        lambda tx: files.add(tx, case.id, event_id, FILE, author=VERA, purpose=Purpose.ARCHIVE, posted=True, now=NOW)
    )


async def _verify(office: Office, case: Case) -> None:
    await office.do(decisions.verify, case, WIM)


@pytest.mark.parametrize("change", [_add_a_file, _verify])
async def test_another_plan_is_not_what_was_approved(office: Office, change: Any) -> None:
    """A file came, or the person was proven: the code was shown for something else."""
    case = await office.open(Kind.QUESTION, trust=Trust.UNSIGNED)
    shown = await _hash(office, case)
    await change(office, case)
    with pytest.raises(Conflict):
        await office.do(decisions.approve, case, VERA, shown, False)
    assert (await office.now(case)).state is CaseState.REVIEW


async def test_what_changes_no_plan_is_in_nobodys_way(office: Office) -> None:
    """Somebody claims the case between plan and code."""
    case = await office.open(Kind.QUESTION)
    shown = await _hash(office, case)
    await office.do(decisions.claim, case, WIM)
    assert (await office.do(decisions.approve, case, VERA, shown, False)).complete is True


@pytest.mark.parametrize("kind", [Kind.EXPORT, Kind.ACCESS])
async def test_who_is_not_proven_gets_and_loses_nothing(office: Office, kind: Kind) -> None:
    """Until staff have verified them."""
    case = await office.open(kind, trust=Trust.UNSIGNED)
    assert (await _refused(office, case)).code == "not_proven"
    verified = await office.do(decisions.verify, case, WIM)
    assert (await _approve(office, verified, VERA)).complete is True


async def test_a_legal_hold_on_any_case_blocks_an_erasure(office: Office) -> None:
    """Of the same person; other people and other kinds are not concerned."""
    erasure, other = await office.confirmed(), await office.open(Kind.COMPLAINT)
    await office.do(decisions.hold, other, WIM)
    assert (await _refused(office, erasure)).code == "legal_hold"
    theirs = await office.confirmed(person=UserId("@carl:x"))
    assert [(await _approve(office, each, VERA)).complete for each in (await office.now(other), theirs)] == [True, True]


@pytest.mark.parametrize("code", ["anomaly_senders", "media_gone"])
async def test_what_was_held_goes_on_when_staff_have_looked(office: Office, code: str) -> None:
    """The plan names what stopped it; an anomaly that was accepted is noted for the next run."""
    case = await _held(office, code)
    plan = await office.ask(decisions.approval_plan, case, False)
    approved = await _approve(office, case, VERA)
    accepted = {"accepted_anomaly": code} if code.startswith("anomaly_") else {}
    assert (plan["held"], approved.case.options) == (code, accepted)
    assert await office.jobs(case) == [("export", "held"), ("export", "wanted")]


@pytest.mark.parametrize("state", [CaseState.PAUSED, CaseState.WITHDRAWN])
async def test_other_states_can_not_be_approved(office: Office, state: CaseState) -> None:
    """The sentence says where the case stands."""
    case = await office.to(await office.open(), state)
    expected = {"reference": case.reference, "state": state.value, "by": None}
    assert (await _refused(office, case)).values == expected


async def test_a_second_approver_completes(office: Office) -> None:
    """The first is noted, and the case waits; the second must be somebody else."""
    case = await office.open(Kind.OBJECTION)
    first = await _approve(office, case, VERA, second=True)
    waiting = (first.complete, first.first, first.case.state)
    assert waiting == (False, VERA, CaseState.REVIEW)
    assert (await _refused(office, case, second=True)).code == "own_approval"
    done = await _approve(office, case, WIM, second=True)
    assert (done.complete, done.first, done.case.state) == (True, VERA, CaseState.APPROVED)
    assert (await office.actions(case))[-2:] == ["case.approved_first", "case.approved"]
    assert await office.ask(approvals.of_case, case.id) == []


async def test_a_first_approval_of_another_plan_counts_no_more(office: Office) -> None:
    """What changed in between must be seen by both."""
    case = await office.open(Kind.QUESTION, channel=Channel.POST, trust=Trust.UNKNOWN)
    await _approve(office, case, VERA, second=True)
    verified = await office.do(decisions.verify, case, VERA)
    again = await _approve(office, verified, WIM, second=True)
    left = [each.approver for each in await office.ask(approvals.of_case, case.id)]
    assert (again.complete, again.first, left) == (False, WIM, [WIM])


async def test_of_two_who_approve_at_once_one_wins(office: Office) -> None:
    """Two transactions, one plan: the case is approved once, its job wanted once, and the other hears who was first."""
    case = await office.open(Kind.EXPORT)
    shown = await _hash(office, case)
    both = (office.do(decisions.approve, case, each, shown, False) for each in (VERA, WIM))
    results = await asyncio.gather(*both, return_exceptions=True)
    [won] = [each for each in results if isinstance(each, Approved)]
    [lost] = [each for each in results if isinstance(each, StaffRefusal)]
    [row] = [row for row in await office.ask(trail.of_case, case.id) if row.action == "case.approved"]
    assert (won.complete, lost.code, lost.values["by"]) == (True, "not_approvable", row.actor)
    assert await office.jobs(case) == [("export", "wanted")]


async def test_three_at_once_where_two_are_needed(office: Office) -> None:
    """One is the first, one completes, one is too late."""
    case = await office.confirmed()
    shown = await _hash(office, case, second=True)
    calls = (office.do(decisions.approve, case, each, shown, True) for each in (VERA, WIM, THIRD))
    results = await asyncio.gather(*calls, return_exceptions=True)
    approved = sorted(each.complete for each in results if isinstance(each, Approved))
    refused = [each.code for each in results if isinstance(each, StaffRefusal)]
    assert (approved, refused) == ([False, True], ["not_approvable"])


async def test_an_approval_and_a_refusal_at_once(office: Office) -> None:
    """Whoever is first decides; the other one's decision is not carried out as well."""
    case = await office.open(Kind.EXPORT)
    shown = await _hash(office, case)
    approve = office.do(decisions.approve, case, VERA, shown, False)
    pause = office.do(decisions.pause, case, WIM)
    results = await asyncio.gather(approve, pause, return_exceptions=True)
    assert sum(isinstance(each, Exception) for each in results) == 1
    assert (await office.now(case)).version == 2
