"""Exceptional erasure: only what the worksheet grants, only by two, and never more than one room."""

from typing import Any

import pytest

from dpobot.audit import trail
from dpobot.cases import decisions, erasure, safeguards, service
from dpobot.cases.erasure import Begin, Planned
from dpobot.cases.safeguards import Safeguards
from dpobot.errors import StaffRefusal
from dpobot.model.ids import RoomId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import assessments, jobs
from dpobot.store.database import Tx
from tests.unit.cases.office import ANNA, NOW, VERA, WIM, Office, after, begin, plan_for

ROOM = RoomId("!cruel:x")
PLAN = erasure.exceptional_plan(ANNA, "room", ROOM, {"join": 3, "leave": 2}, {"m.room.message": 9})


async def _assessed(office: Office, case: Case, level: str = "grant", by: Any = WIM) -> Case:
    """Write the end of a worksheet."""

    async def write(tx: Tx) -> None:
        await assessments.put(tx, case.id, "conclusion", VERA, level, "because", NOW)
        await assessments.put(tx, case.id, "agreement", by, "agreed", "", NOW)

    await office.database.write(write)
    return case


async def _refusal(office: Office, case: Case) -> StaffRefusal:
    with pytest.raises(StaffRefusal) as caught:
        await office.do(erasure.exceptional, case, VERA, "room", ROOM)
    return caught.value


async def test_without_a_worksheet_that_grants_it_there_is_none(office: Office) -> None:
    """Neither without one, nor with another conclusion, nor with nobody else's agreement."""
    case = await office.confirmed()
    codes = [(await _refusal(office, case)).code]
    await _assessed(office, case, level="refuse")
    codes.append((await _refusal(office, case)).code)
    await _assessed(office, case, by=VERA)
    codes.append((await _refusal(office, case)).code)
    await office.database.write(lambda tx: assessments.drop(tx, case.id, "agreement"))
    codes.append((await _refusal(office, case)).code)
    assert codes == ["not_assessed"] * 4


async def test_only_an_erasure_in_review_can_be_one(office: Office) -> None:
    """Not another kind, and not what waits for its person."""
    for case in (await office.open(Kind.OBJECTION), await office.asked_to_erase()):
        refusal = await _refusal(office, await _assessed(office, case))
        assert (refusal.code, refusal.values["action"]) == ("wrong_state", "exceptional")


async def test_a_scope_is_one_of_two(office: Office) -> None:
    """Anything else is a defect of the caller."""
    case = await _assessed(office, await office.confirmed())
    with pytest.raises(ValueError, match="room or of state"):
        await office.do(erasure.exceptional, case, VERA, "everything", ROOM)


async def test_the_plan_is_of_that_room_alone(office: Office) -> None:
    """What the person had confirmed counts no more; the trail names the scope and not the room."""
    case = await _assessed(office, await office.confirmed())
    changed = await office.do(erasure.exceptional, case, VERA, "room", ROOM)
    known = await office.erasure(case)
    assert (changed.options["exceptional"], known.plan) == ({"scope": "room", "room_id": ROOM}, None)
    assert (known.confirmed_hash, known.cooled_off_at) == (None, None)
    assert await office.do(erasure.planned, changed, plan_for()) is Planned.GONE
    other = erasure.exceptional_plan(ANNA, "state", ROOM, {}, {})
    assert await office.do(erasure.planned, changed, other) is Planned.GONE
    assert await office.do(erasure.planned, changed, PLAN) is Planned.NOTED
    assert (await office.erasure(case)).plan == PLAN
    [row] = [row for row in await office.ask(trail.of_case, case.id) if row.action == "erasure.exceptional"]
    assert (row.actor, row.detail) == (VERA, {"scope": "room"})


async def test_two_approve_it_always(office: Office) -> None:
    """Whatever safeguards and configuration say; then the time to think begins, and only then the work."""
    await office.do(safeguards.want, Safeguards(policy=True))
    case = await _assessed(office, await office.asked_to_erase())
    case = await office.to(case, CaseState.REVIEW)
    case = await office.do(erasure.exceptional, case, VERA, "room", ROOM)
    await office.do(erasure.planned, case, PLAN)
    case = await office.now(case)
    plan = await office.ask(decisions.approval_plan, case, False)
    shown = decisions.plan_hash(plan)
    first = await office.do(decisions.approve, case, VERA, shown, False)
    assert (plan["second"], plan["erasure"], first.complete) == (True, PLAN, False)
    second = await office.do(decisions.approve, case, WIM, shown, False, now=after(hours=1))
    [erase] = [job for job in await office.ask(jobs.of_case, case.id) if job.name == "erase"]
    assert (second.complete, erase.wake_at) == (True, after(hours=25))
    assert await office.ask(erasure.may_begin, after(hours=24), second.case) is Begin.COOLING
    assert await office.ask(erasure.may_begin, after(hours=25), second.case) is Begin.OK


async def test_asked_for_again_by_its_person_it_is_an_ordinary_one(office: Office) -> None:
    """The whole account then, and what was to happen to one room is off."""
    case = await _assessed(office, await office.confirmed())
    changed = await office.do(erasure.exceptional, case, VERA, "state", ROOM)
    again = await office.do(begin, changed)
    assert (again.state, "exceptional" in again.options) == (CaseState.CONFIRMING, False)


async def test_of_an_account_elsewhere_a_room_can_be_erased(office: Office) -> None:
    """Our homeserver has that room: then there is work for a job."""
    case = await _assessed(office, await office.open(Kind.ERASURE, local=False))
    changed = await office.do(erasure.exceptional, case, VERA, "room", ROOM)
    assert (service.job_of(case), service.job_of(changed)) == (None, "erase")
