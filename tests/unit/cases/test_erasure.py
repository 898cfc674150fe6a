"""An erasure on its way: plan, code, cooling-off, decision, beginning, end."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dpobot.audit import trail
from dpobot.cases import decisions, erasure, safeguards, service
from dpobot.cases.erasure import Begin, Block, NotNow, Planned
from dpobot.cases.safeguards import Safeguards
from dpobot.cases.service import Conflict
from dpobot.errors import Refusal, StaffRefusal
from dpobot.model.erasure import Copy, ErasureOptions, ErasureRoom, Fate, Residual
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Ground, Kind, Trust
from dpobot.store import approvals, erasure_rooms, erasures, jobs
from dpobot.store.database import Tx
from tests.unit.cases.office import ANNA, BORIS, NOW, OPTIONS, SURVEY, VERA, WIM, Office, after, begin, plan_for

DAY = timedelta(hours=24)
MORE = replace(SURVEY, messages=SURVEY.messages + 1)


async def _refusal(office: Office, decision: Any, *arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await office.do(decision, *arguments)
    return caught.value


async def _confirm(office: Office, case: Case, now: Any = NOW) -> Case:
    return await office.do(erasure.confirm, case, erasure.plan_hash(plan_for()), now=now)


async def _want(office: Office, **wanted: Any) -> None:
    """Put safeguards in force, as a first start does."""
    await office.do(safeguards.want, Safeguards(**wanted))


async def test_a_signed_device_asks_for_a_plan(office: Office) -> None:
    """The case waits for the person, whatever policy says; a survey is wanted, and the trail has what was asked for."""
    case = await office.open(Kind.ERASURE)
    begun = await office.do(begin, case)
    known = await office.erasure(case)
    assert (case.state, begun.state, known.options, known.plan) == (CaseState.CONFIRMING,) * 2 + (OPTIONS, None)
    assert await office.jobs(case) == [("survey", "wanted")]
    [row] = [row for row in await office.ask(trail.of_case, case.id) if row.action == "erasure.asked"]
    assert (row.actor, row.detail) == (ANNA, {"redact": True, "media": False, "direct": False, "copy": "delivered"})
    assert await office.card_is_new(case) is True


async def test_a_device_that_is_too_new_waits_for_its_plan(office: Office) -> None:
    """Until it is known for long enough; an older device makes the survey wanted at once."""
    case = await office.open(Kind.ERASURE)
    later = after(hours=20)
    await office.do(lambda tx, now: begin(tx, now, case, survey_after=later))
    assert (await office.erasure(case)).survey_after == later
    assert [job.wake_at for job in await office.ask(jobs.of_case, case.id)] == [later]
    await office.do(begin, case)
    assert (await office.erasure(case)).survey_after is None
    assert [job.wake_at for job in await office.ask(jobs.of_case, case.id) if job.state == "wanted"] == [NOW]


async def test_staff_who_know_the_person_end_the_waiting(office: Office) -> None:
    """The survey is wanted at once; it was not waiting, nothing changes for it."""
    case = await office.open(Kind.ERASURE)
    await office.do(lambda tx, now: begin(tx, now, case, survey_after=after(hours=20)))
    await office.do(decisions.verify, case, VERA)
    assert (await office.erasure(case)).survey_after is None
    assert [job.wake_at for job in await office.ask(jobs.of_case, case.id) if job.state == "wanted"] == [NOW]
    other = await office.asked_to_erase(person=BORIS)
    before = await office.jobs(other)
    await office.do(decisions.verify, other, VERA)
    assert await office.jobs(other) == before


async def test_what_a_plan_says_is_what_its_hash_covers() -> None:
    """Person, options and every count; not the order in which a database gives it back."""
    plan = plan_for()
    assert plan == {"version": 1, "person": ANNA, "options": OPTIONS.to_json(), "survey": SURVEY.to_json()}
    others = (plan_for(person=BORIS), plan_for(replace(OPTIONS, media=True)), plan_for(survey=MORE))
    assert len({erasure.plan_hash(each) for each in (plan, *others)}) == 4
    assert erasure.plan_hash(dict(reversed(plan.items()))) == erasure.plan_hash(plan)


async def test_a_plan_is_kept_and_shown(office: Office) -> None:
    """The person is to see it and to type its code."""
    case = await office.do(begin, await office.open(Kind.ERASURE))
    assert await office.do(erasure.planned, case, plan_for()) is Planned.ASK
    known = await office.erasure(case)
    assert (known.plan, known.plan_hash, known.surveyed_at) == (plan_for(), erasure.plan_hash(plan_for()), NOW)


async def test_a_plan_of_other_options_is_good_for_nothing(office: Office) -> None:
    """They changed while it was being made; so is one of a case that is over."""
    case = await office.do(begin, await office.open(Kind.ERASURE))
    assert await office.do(erasure.planned, case, plan_for(replace(OPTIONS, media=True))) is Planned.GONE
    over = await office.do(service.withdraw, case, ANNA, Trust.SIGNED)
    assert await office.do(erasure.planned, over, plan_for()) is Planned.GONE
    assert (await office.erasure(case)).plan is None


async def test_a_code_confirms_once_and_the_survey_is_made_again(office: Office) -> None:
    """The case does not move before it is known that the plan still holds; a second time changes nothing."""
    case = await office.asked_to_erase()
    confirmed = await _confirm(office, case)
    again = await _confirm(office, case, now=after(hours=1))
    known = await office.erasure(case)
    assert (confirmed.state, again) == (CaseState.CONFIRMING, confirmed)
    assert (known.confirmed_hash, known.confirmed_at) == (known.plan_hash, NOW)
    assert (await office.actions(case)).count("erasure.confirmed") == 1
    assert [state for name, state in await office.jobs(case) if name == "survey"] == ["cancelled", "wanted"]


async def test_what_still_holds_goes_to_staff(office: Office) -> None:
    """The time to think begins; a survey that is made once more does not begin it anew."""
    case = await office.asked_to_erase()
    await _confirm(office, case)
    assert await office.do(erasure.planned, case, plan_for(), now=after(minutes=5)) is Planned.CONFIRMED
    settled = await office.now(case)
    assert await office.do(erasure.planned, settled, plan_for(), now=after(hours=9)) is Planned.CONFIRMED
    known = await office.erasure(case)
    assert (settled.state, known.cooled_off_at) == (CaseState.REVIEW, after(minutes=5) + DAY)


async def test_policy_approves_what_its_person_has_confirmed(office: Office) -> None:
    """And the job begins when the time to think is over, not before."""
    await _want(office, policy=True, cooling_off=timedelta(hours=48))
    case = await office.confirmed()
    [erase] = [job for job in await office.ask(jobs.of_case, case.id) if job.name == "erase"]
    assert (case.state, erase.wake_at) == (CaseState.APPROVED, after(hours=48))
    [row] = [row for row in await office.ask(trail.of_case, case.id) if row.action == "case.approved"]
    assert row.actor == "policy"


async def test_policy_never_replaces_two_approvers(office: Office) -> None:
    """Where two are needed, or the person's data must be kept, staff decide."""
    await _want(office, policy=True, second=True)
    assert (await office.confirmed()).state is CaseState.REVIEW


async def test_what_was_said_since_makes_another_plan(office: Office) -> None:
    """The code confirmed something else: the person is asked anew, and the old hash is worth nothing."""
    case = await office.asked_to_erase()
    await _confirm(office, case)
    assert await office.do(erasure.planned, case, plan_for(survey=MORE)) is Planned.CHANGED
    known = await office.erasure(case)
    assert (known.confirmed_hash, known.confirmed_at, known.cooled_off_at) == (None, None, None)
    assert (await _refusal(office, erasure.confirm, case, erasure.plan_hash(plan_for()))).code == "plan_changed"
    await office.do(erasure.confirm, case, erasure.plan_hash(plan_for(survey=MORE)))
    assert (await office.erasure(case)).confirmed_hash == erasure.plan_hash(plan_for(survey=MORE))


async def test_a_plan_that_changes_under_the_eyes_of_staff_goes_back(office: Office) -> None:
    """To the person who has to confirm it; a first approval of the old one counts no more."""
    case = await office.confirmed()
    shown = decisions.plan_hash(await office.ask(decisions.approval_plan, case, True))
    await office.do(decisions.approve, case, VERA, shown, True)
    assert await office.do(erasure.planned, case, plan_for(survey=MORE)) is Planned.CHANGED
    assert (await office.now(case)).state is CaseState.CONFIRMING
    assert await office.ask(approvals.of_case, case.id) == []


async def test_without_a_word_about_the_copy_nothing_is_confirmed(office: Office) -> None:
    """Whoever asks without having said whether they want one can't type a code."""
    case = await office.asked_to_erase(replace(OPTIONS, copy=Copy.OPEN))
    hash_ = erasure.plan_hash(plan_for(replace(OPTIONS, copy=Copy.OPEN)))
    assert (await _refusal(office, erasure.confirm, case, hash_)).code == "plan_changed"


async def test_an_open_copy_blocks(office: Office) -> None:
    """Of a person who is proven, as long as they have not said that they have it; with what it is called."""
    case = await office.asked_to_erase()
    await office.open(Kind.EXPORT, trust=Trust.UNSIGNED)  # anybody could have asked for it
    assert await office.ask(erasure.blocked, ANNA) is None
    export = await office.open(Kind.EXPORT)
    assert await office.ask(erasure.blocked, ANNA) == Block("access_open", export.reference, delivered=False)
    delivered = await office.to(export, CaseState.APPROVED, CaseState.WORKING, CaseState.DELIVERED)
    refusal = await _refusal(office, erasure.confirm, case, erasure.plan_hash(plan_for()))
    expected = ("erase_access_open", {"reference": export.reference, "delivered": True})
    assert (refusal.code, refusal.values) == expected
    await office.do(service.confirm_received, delivered, ANNA, Trust.SIGNED)
    assert (await _confirm(office, case)).state is CaseState.CONFIRMING


async def test_a_legal_hold_blocks(office: Office) -> None:
    """Nothing is confirmed, and a new request goes to staff."""
    case, other = await office.asked_to_erase(), await office.open(Kind.COMPLAINT)
    held = await office.do(decisions.hold, other, VERA)
    assert await office.ask(erasure.blocked, ANNA) == Block("legal_hold", other.reference, delivered=False)
    refusal = await _refusal(office, erasure.confirm, case, erasure.plan_hash(plan_for()))
    assert (refusal.code, refusal.values) == ("erase_on_hold", {"reference": case.reference})
    await office.do(service.withdraw, await office.now(case), ANNA, Trust.SIGNED)
    second = await office.open(Kind.ERASURE)
    assert (second.state, await office.jobs(second)) == (CaseState.REVIEW, [])
    await office.do(decisions.release, held, VERA)
    assert (await office.do(begin, second)).state is CaseState.CONFIRMING


async def test_asked_for_again_it_is_the_same_case(office: Office) -> None:
    """With new options and a new survey; what was confirmed counts no more."""
    case = await office.asked_to_erase()
    await _confirm(office, case)
    other = replace(OPTIONS, media=True)
    again = await office.do(begin, case, other)
    known = await office.erasure(case)
    assert (again.id, again.state, known.options) == (case.id, CaseState.CONFIRMING, other)
    assert (known.plan, known.plan_hash, known.confirmed_hash) == (None, None, None)
    assert await office.do(erasure.planned, case, plan_for()) is Planned.GONE


async def test_what_staff_decide_about_is_not_asked_for_again(office: Office) -> None:
    """A confirmed plan stays what it is; `cancel` comes first."""
    case = await office.confirmed()
    refusal = await _refusal(office, begin, case)
    assert (refusal.code, refusal.values) == ("already_open", {"reference": case.reference})
    working = await office.working(person=BORIS)
    with pytest.raises(Conflict):
        await office.do(begin, working)


async def test_a_second_request_is_refused_while_one_waits_for_its_code(office: Office) -> None:
    """Confirming is open; only what is not proven is not in its way."""
    case = await office.asked_to_erase()
    with pytest.raises(Refusal) as caught:
        await office.open(Kind.ERASURE)
    assert (caught.value.code, caught.value.values) == ("already_open", {"reference": case.reference})
    unsigned = await office.open(Kind.ERASURE, trust=Trust.UNSIGNED)
    assert (unsigned.state, await office.jobs(unsigned)) == (CaseState.REVIEW, [])


async def test_what_waits_for_its_code_can_end(office: Office) -> None:
    """Its person takes it back, staff refuse it or close what they have answered; the code is worth nothing then."""
    for end in (_withdraw, _refuse, _close):
        case = await office.do(end, await office.asked_to_erase())
        refusal = await _refusal(office, erasure.confirm, case, erasure.plan_hash(plan_for()))
        assert (case.closed_at, refusal.code) == (NOW, "plan_changed")


async def _withdraw(tx: Tx, now: datetime, case: Case) -> Case:
    return await service.withdraw(tx, now, case, ANNA, Trust.SIGNED)


async def _refuse(tx: Tx, now: datetime, case: Case) -> Case:
    return await decisions.refuse(tx, now, case, VERA, Ground.UNFOUNDED)


async def _close(tx: Tx, now: datetime, case: Case) -> Case:
    answered = await service.change(tx, now, case, {"answered_at": now})
    return await decisions.close(tx, now, answered, VERA)


async def test_what_has_changed_since_it_was_read_is_not_changed(office: Office) -> None:
    """Nor its state, nor what it holds beside it."""
    case = await office.asked_to_erase()
    await office.do(decisions.claim, case, VERA)
    with pytest.raises(Conflict):
        await office.do(service.change, case, {"options": {}})


async def test_staff_approve_a_plan_that_its_person_has_confirmed(office: Office) -> None:
    """Neither without a plan, nor before the code and the second look; the job waits for the end of the cooling-off."""
    case = await office.do(begin, await office.open(Kind.ERASURE))
    assert (await _refusal(office, _approve, case)).code == "no_plan_yet"
    await office.do(erasure.planned, case, plan_for())
    assert (await _refusal(office, _approve, case)).code == "not_confirmed"
    await _confirm(office, case)
    assert (await _refusal(office, _approve, case)).code == "not_confirmed"
    await office.do(erasure.planned, case, plan_for())
    plan = await office.ask(decisions.approval_plan, await office.now(case), False)
    approved = await office.do(_approve, await office.now(case))
    [erase] = [job for job in await office.ask(jobs.of_case, case.id) if job.name == "erase"]
    assert (plan["erasure"], plan["job"], approved.complete) == (plan_for(), "erase", True)
    assert (approved.case.state, erase.wake_at) == (CaseState.APPROVED, NOW + DAY)


async def _approve(tx: Tx, now: Any, case: Case) -> decisions.Approved:
    hash_ = decisions.plan_hash(await decisions.approval_plan(tx, case, False, now))
    return await decisions.approve(tx, now, case, VERA, hash_, False)


async def test_two_approve_where_the_safeguards_say_so(office: Office) -> None:
    """Whatever the configuration says by now: who loosens it can't act at once; both read the same plan."""
    await _want(office, second=True)
    case = await office.confirmed()
    await office.do(safeguards.want, Safeguards(second=False))
    first = await office.do(_approve, case)
    assert (first.complete, (await office.now(case)).state) == (False, CaseState.REVIEW)
    assert (await office.ask(decisions.approval_plan, case, False))["second"] is True
    assert (await office.ask(decisions.approval_plan, case, False, NOW + DAY))["second"] is False


async def test_a_request_by_post_needs_no_code(office: Office) -> None:
    """A survey is wanted at once, staff see its plan; the time to think begins with their approval."""
    case = await office.open(Kind.ERASURE, channel=Channel.POST, trust=Trust.UNKNOWN, event_id=None)
    assert (case.state, await office.jobs(case)) == (CaseState.REVIEW, [("survey", "wanted")])
    asked = await _set(office, case, OPTIONS)
    assert await office.do(erasure.planned, asked, plan_for()) is Planned.NOTED
    assert (await _refusal(office, _approve, asked)).code == "not_proven"
    verified = await office.do(decisions.verify, asked, WIM)
    approved = await office.do(_approve, verified, now=after(hours=5))
    [erase] = [job for job in await office.ask(jobs.of_case, case.id) if job.name == "erase"]
    assert (approved.case.state, erase.wake_at) == (CaseState.APPROVED, after(hours=29))


async def _set(office: Office, case: Case, options: ErasureOptions) -> Case:
    """Set options as staff do."""
    return await office.do(lambda tx, now: begin(tx, now, case, options, actor=VERA))


async def test_staff_set_the_options_of_a_request_by_post(office: Office) -> None:
    """It stays in review, and the trail names who did it."""
    case = await office.open(Kind.ERASURE, channel=Channel.EMAIL, trust=Trust.UNKNOWN, event_id=None)
    changed = await _set(office, case, OPTIONS)
    [row] = [row for row in await office.ask(trail.of_case, case.id) if row.action == "erasure.asked"]
    assert (changed.state, row.actor, (await office.erasure(case)).options) == (CaseState.REVIEW, VERA, OPTIONS)


async def test_a_survey_ends_while_staff_wait_for_words(office: Office) -> None:
    """Its plan is kept, and is there when the case goes on."""
    case = await office.open(Kind.ERASURE, channel=Channel.POST, trust=Trust.UNKNOWN, event_id=None)
    paused = await office.do(decisions.pause, await _set(office, case, OPTIONS), VERA)
    assert await office.do(erasure.planned, paused, plan_for()) is Planned.NOTED
    assert (await office.erasure(case)).plan == plan_for()


async def test_an_account_elsewhere_is_for_people(office: Office) -> None:
    """Our homeserver can't erase it: no survey, no job; staff approve and carry it out."""
    case = await office.open(Kind.ERASURE, local=False)
    assert (case.state, await office.jobs(case), service.job_of(case)) == (CaseState.REVIEW, [], None)
    assert (await office.do(_approve, case)).complete is True
    assert await office.jobs(case) == []


async def test_an_erasure_may_begin_when_nothing_speaks_against_it(office: Office) -> None:
    """In the order of what is asked: a hold, a copy, the time to think, the cap."""
    case = await office.confirmed()
    assert await office.ask(erasure.may_begin, NOW, case) is Begin.COOLING
    later = NOW + DAY
    assert await office.ask(erasure.may_begin, later, case) is Begin.OK
    export = await office.open(Kind.EXPORT)
    assert await office.ask(erasure.may_begin, later, case) is Begin.ACCESS_OPEN
    held = await office.do(decisions.hold, export, VERA)
    assert await office.ask(erasure.may_begin, later, case) is Begin.LEGAL_HOLD
    released = await office.do(decisions.release, held, VERA)
    await office.do(service.withdraw, released, ANNA, Trust.SIGNED)
    assert await office.ask(erasure.may_begin, later, case) is Begin.OK


async def test_no_more_begin_in_a_day_than_the_cap_says(office: Office) -> None:
    """Also if both looked before the first began; a day later there is room again."""
    await _want(office, daily_cap=1)
    first, second = await office.working(), await office.working(person=BORIS)
    assert [await office.ask(erasure.may_begin, NOW, each) for each in (first, second)] == [Begin.OK] * 2
    await office.do(erasure.begun, first)
    with pytest.raises(NotNow) as caught:
        await office.do(erasure.begun, second)
    assert (caught.value.begin, caught.value.code) == (Begin.DAILY_CAP, "daily_cap")
    assert await office.ask(erasure.may_begin, NOW + DAY, second) is Begin.DAILY_CAP
    assert await office.ask(erasure.may_begin, NOW + DAY + timedelta(seconds=1), second) is Begin.OK
    assert await office.ask(erasure.may_begin, NOW, first) is Begin.OK


async def test_what_has_begun_is_noted_once(office: Office) -> None:
    """The first moment counts, and the trail has it."""
    case = await office.working()
    assert await office.ask(erasure.has_begun, case.id) is False
    await office.do(erasure.begun, case)
    await office.do(erasure.begun, case, now=after(hours=1))
    assert (await office.ask(erasure.has_begun, case.id), (await office.erasure(case)).begun_at) == (True, NOW)
    assert (await office.actions(case)).count("erasure.begun") == 1


async def test_a_legal_hold_stops_what_has_begun(office: Office) -> None:
    """What is left must be kept, even if much is gone; the time and the cap were asked before."""
    case = await office.working()
    await office.do(erasure.begun, case)
    await office.do(decisions.hold, case, VERA)
    assert await office.ask(erasure.may_begin, NOW, case) is Begin.LEGAL_HOLD


async def test_until_it_has_begun_it_can_be_taken_back(office: Office) -> None:
    """By its person and by staff; then it is too late for both."""
    case = await office.working()
    await office.do(erasure.begun, case)
    refusal = await _refusal(office, service.withdraw, case, ANNA, Trust.SIGNED)
    assert (refusal.code, refusal.values) == ("erasure_begun", {"reference": case.reference})
    staff = await _refusal(office, decisions.refuse, await office.now(case), VERA, Ground.OTHER)
    assert (type(staff), staff.code) == (StaffRefusal, "erasure_begun")
    other = await office.working(person=BORIS)
    assert (await office.do(service.withdraw, other, BORIS, Trust.SIGNED)).state is CaseState.WITHDRAWN
    with pytest.raises(Conflict):
        await office.do(erasure.begun, other)


async def _partial(office: Office, **failures: str) -> Case:
    case = await office.working()
    await office.do(erasure.begun, case)
    rooms = [ErasureRoom(RoomId(f"!{n}:x"), "join", Fate.REDACT, n) for n in range(3)]
    await office.database.write(lambda tx: erasure_rooms.add_all(tx, case.id, rooms))
    await office.database.write(lambda tx: erasure_rooms.failed(tx, case.id, rooms[1].room_id, "forbidden"))
    [job] = [job for job in await office.ask(jobs.of_case, case.id) if job.name == "erase"]
    await office.do(erasure.stopped_short, case, failures)
    await office.database.write(lambda tx: jobs.request_cancel(tx, case.id, NOW))
    await office.database.write(lambda tx: jobs.cancel_waiting(tx, job.id, NOW))
    return await office.now(case)


async def test_what_stopped_short_says_what_failed_and_is_tried_again(office: Office) -> None:
    """Only rooms that have failed are done again; the job is wanted."""
    case = await _partial(office, rooms="forbidden")
    assert (case.state, (await office.erasure(case)).failures) == (CaseState.PARTIAL, {"rooms": "forbidden"})
    assert (await office.do(erasure.stopped_short, case, {})).version == case.version
    again = await office.do(lambda tx, now: erasure.retry(tx, now, case, VERA, skip=False))
    known = await office.erasure(case)
    assert (again.state, known.failures, known.skip) == (CaseState.APPROVED, {}, False)
    assert await office.ask(erasure_rooms.counts, case.id) == {"new": 3}
    assert ("erase", "wanted") in await office.jobs(case)
    refusal = await _refusal(office, lambda tx, now: erasure.retry(tx, now, again, VERA, skip=False))
    assert (refusal.code, refusal.values["action"]) == ("wrong_state", "retry")


async def test_staff_go_on_past_what_failed(office: Office) -> None:
    """It is not tried again, and stays noted: it becomes a residual."""
    case = await _partial(office, rooms="forbidden")
    await office.do(lambda tx, now: erasure.retry(tx, now, case, VERA, skip=True))
    known = await office.erasure(case)
    assert (known.skip, known.failures) == (True, {"rooms": "forbidden"})
    assert await office.ask(erasure_rooms.counts, case.id) == {"new": 2, "failed": 1}


async def test_nothing_is_tried_again_while_its_job_is_still_ending(office: Office) -> None:
    """Or the wish would be lost with the job that is about to end."""
    case = await office.working()
    await office.do(erasure.begun, case)
    partial = await office.do(erasure.stopped_short, case, {})
    with pytest.raises(Conflict):
        await office.do(lambda tx, now: erasure.retry(tx, now, partial, VERA, skip=False))


async def test_an_erasure_that_was_checked_is_over(office: Office) -> None:
    """What is left is kept with it, its rooms are forgotten; a second time changes nothing."""
    case = await office.working()
    await office.do(erasure.begun, case)
    rooms = [ErasureRoom(RoomId("!1:x"), "join", Fate.REDACT, 1)]
    await office.database.write(lambda tx: erasure_rooms.add_all(tx, case.id, rooms))
    residuals = (Residual("media", 2, "in_use"),)
    closed = await office.do(erasure.finished, case, residuals, now=after(hours=1))
    known = await office.erasure(case)
    assert (closed.state, closed.answered_at, known.residuals) == (CaseState.CLOSED, after(hours=1), residuals)
    assert (known.checked_at, await office.ask(erasure_rooms.of_case, case.id)) == (after(hours=1), [])
    assert await office.do(erasure.finished, case, ()) == closed


@pytest.mark.parametrize("person", [ANNA, UserId("@with.many-dots:x")])
async def test_the_trail_holds_ids_codes_and_counts(office: Office, person: UserId) -> None:
    """Neither what a plan says nor where the person was."""
    case = await office.working(person=person)
    await office.do(erasure.begun, case)
    await office.do(erasure.finished, case, ())
    rows = await office.ask(trail.of_case, case.id)
    assert {name for row in rows for name in row.detail} <= {
        "kind", "state", "trust", "channel", "redact", "media", "direct", "copy", "plan", "from_state", "to_state",
        "residuals",
    }  # fmt: skip
    assert (await office.erasure(case)).begun_at == NOW
    assert await office.ask(erasures.begun_since, NOW) == 1
