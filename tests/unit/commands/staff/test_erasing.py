"""``plan``, ``approve``, ``retry``, ``retry skip``: an erasure as staff see it, decide it, and let it go on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dpobot.cases import erasure, safeguards
from dpobot.cases.safeguards import Safeguards
from dpobot.commands.staff_desk import StaffDesk
from dpobot.model.erasure import Copy, ErasureOptions, ErasureRoom, Fate
from dpobot.model.ids import RoomId
from dpobot.model.records import Case, Reply
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import erasure_rooms, erasures, jobs
from dpobot.store.erasures import Erasure
from tests.unit.commands.staff.conftest import OPTIONS, SURVEY, Member, Office, text_of, values_of

ROOM = ErasureRoom(RoomId("!one:example.org"), "join", Fate.REDACT, 120, "failed", "forbidden")
OTHER = ErasureRoom(RoomId("!two:example.org"), "leave", Fate.REDACT, 1, "done")


async def _known(office: Office, case: Case) -> Erasure:
    known = await office.read(lambda tx: erasures.get(tx, case.id))
    assert known is not None
    return known


async def _approved(office: Office, dora: Member, emil: Member) -> Case:
    """An erasure that both have approved."""
    case = await office.confirmed()
    for member in (dora, emil):
        await member.says(await member.code_of("approve", case), case)
    return await office.case(case)


async def _jobs(office: Office, case: Case) -> list[str]:
    return [job.name for job in await office.read(lambda tx: jobs.of_case(tx, case.id))]


async def test_approving_shows_what_the_person_has_confirmed(office: Office, dora: Member) -> None:
    """Counts, options, servers, what stays, when it may begin, and that two must approve it."""
    case = await office.confirmed()
    await dora.code_of("approve", case)
    shown = dora.heard[-1]
    for part in (
        "2\u202f345 messages and other events are redacted",
        "7 stay",
        "`redact`",
        "4.2 MB",
        "`remote.example`",
        "Nothing begins before 24 November 2026, 09:00 UTC",
        "The user name stays taken",
        "wants no copy",
        "yours would be the first",
        "confirmed this with their code, 23 November 2026, 09:00 UTC",
    ):
        assert part in shown
    assert f"`{(await _known(office, case)).plan_hash or ''}"[:13] in shown


async def test_an_approved_erasure_says_until_when_it_can_be_taken_back(
    office: Office, dora: Member, emil: Member
) -> None:
    """To the person and to staff; its job waits as long."""
    case = await office.confirmed()
    await dora.says(await dora.code_of("approve", case), case)
    outcomes = await emil.says(await emil.code_of("approve", case), case)
    for outcome in outcomes:
        assert "24 November 2026, 09:00 UTC" in text_of(outcome)
        assert "`cancel" in text_of(outcome)
    (job,) = [job for job in await office.read(lambda tx: jobs.of_case(tx, case.id)) if job.name == "erase"]
    assert job.wake_at == office.now + timedelta(hours=24)


async def test_without_a_plan_nothing_is_approved(office: Office, dora: Member) -> None:
    """The cure depends on who makes the plan come about."""
    asked = await office.opens(Kind.ERASURE)
    assert await dora.hears("approve", asked) == ["staff/refusal_no_plan_yet"]
    assert "The person says `erase` once more" in dora.heard[-1]
    by_post = await office.opens(Kind.ERASURE, channel=Channel.POST, trust=Trust.UNKNOWN)
    await dora.says("verify the passport office has called back", by_post)
    assert await dora.hears("approve", by_post) == ["staff/refusal_no_plan_yet"]
    assert "the numbers come into its thread" in dora.heard[-1]
    assert await dora.hears("plan", by_post) == ["staff/refusal_no_plan_yet"]


async def test_nobody_confirms_in_the_place_of_the_person(office: Office, dora: Member) -> None:
    """Their plan is there, their code is missing."""
    case = await office.opens(Kind.ERASURE)
    await office.write(lambda tx: erasure.begin(tx, office.now, case, OPTIONS, survey_after=None))
    await office.plans(case)
    assert await dora.hears("approve", case) == ["staff/refusal_not_confirmed"]
    assert (await office.case(case)).state is CaseState.CONFIRMING


async def test_a_plan_that_changed_between_look_and_code_is_not_approved(office: Office, dora: Member) -> None:
    """The code stands for what was shown."""
    case = await office.opens(Kind.ERASURE, channel=Channel.POST, trust=Trust.UNKNOWN)
    await dora.says("verify called back", case)
    await office.plans(case)
    code = await dora.code_of("approve", case)
    await office.plans(case, replace(SURVEY, messages=2_346))
    assert await dora.hears(code, case) == ["staff/refusal_plan_changed"]
    assert (await office.case(case)).state is CaseState.REVIEW


async def test_one_is_enough_where_no_safeguard_asks_for_two(office: Office, staff_desk_of_one: StaffDesk) -> None:
    """And two are needed as soon as the safeguard is in force, whatever the desk was told at its start."""
    office.desk = staff_desk_of_one
    dora = Member(office)
    case = await office.confirmed()
    await dora.code_of("approve", case)
    assert "Two must approve" not in dora.heard[-1]
    await office.write(lambda tx: safeguards.want(tx, office.now, Safeguards(second=True)))
    await dora.code_of("approve", case)
    assert "Two must approve" in dora.heard[-1]


async def test_staff_choose_for_a_request_from_outside(office: Office, dora: Member, emil: Member) -> None:
    """With words everything is counted anew; the time to think begins with the approval."""
    case = await office.opens(Kind.ERASURE, channel=Channel.POST, trust=Trust.UNKNOWN)
    await dora.says("verify called back", case)
    assert await dora.hears("plan redact, media", case) == ["staff/planning"]
    assert (await _known(office, case)).options == ErasureOptions(redact=True, media=True)
    await office.plans(case)
    assert await dora.hears("plan", case) == ["staff/plan"]
    assert "all go" in dora.heard[-1]
    for member in (dora, emil):
        code = await member.code_of("approve", case)
        assert "24 hours have passed since the approval" in member.heard[-1]
        assert "not confirmed this: the request came from outside" in member.heard[-1]
        await member.says(code, case)
    assert (await _known(office, case)).cooled_off_at == office.now + timedelta(hours=24)
    assert (await office.case(case)).state is CaseState.APPROVED


async def test_forget_alone_takes_the_other_choices_back(office: Office, dora: Member) -> None:
    """It is part of every erasure; the words are the whole choice."""
    case = await office.opens(Kind.ERASURE, channel=Channel.EMAIL, trust=Trust.UNKNOWN)
    await dora.says("plan redact direct", case)
    await dora.says("plan forget", case)
    assert (await _known(office, case)).options == ErasureOptions(copy=Copy.OPEN)


@pytest.mark.parametrize(
    ("said", "template"),
    [("plan redact", "plan_is_theirs"), ("plan everything", "not_one_of"), ("plan redact soon", "not_one_of")],
)
async def test_what_can_not_be_chosen(office: Office, dora: Member, said: str, template: str) -> None:
    """What the person chooses themselves, and what is none of the words."""
    case = await office.confirmed()
    assert await dora.hears(said, case) == [f"staff/refusal_{template}"]
    assert (await _known(office, case)).confirmed_at == office.now


@pytest.mark.parametrize("said", ["plan", "plan redact", "retry", "retry skip", "exceptional room !a:example.org"])
async def test_what_is_no_erasure(office: Office, dora: Member, said: str) -> None:
    """Each of these words is for erasures."""
    case = await office.opens(Kind.COMPLAINT)
    assert await dora.hears(said, case) == ["staff/refusal_no_erasure"]


async def test_what_is_decided_is_not_chosen_anew(office: Office, dora: Member, emil: Member) -> None:
    """Once it is approved, only `cancel` of the person ends it."""
    case = await office.opens(Kind.ERASURE, channel=Channel.POST, trust=Trust.UNKNOWN)
    await dora.says("verify called back", case)
    await office.plans(case)
    for member in (dora, emil):
        await member.says(await member.code_of("approve", case), case)
    assert await dora.hears("plan media", case) == ["staff/refusal_wrong_state"]


async def test_retry_does_what_failed_again(office: Office, dora: Member, emil: Member) -> None:
    """The rooms that failed, and no others."""
    case = await office.stopped_short(await _approved(office, dora, emil), ROOM, OTHER, media="timeout")
    assert case.state is CaseState.PARTIAL
    assert await dora.hears("retry", case) == ["staff/retrying"]
    assert (await office.case(case)).state is CaseState.APPROVED
    assert dict(await office.read(lambda tx: erasure_rooms.counts(tx, case.id))) == {"new": 1, "done": 1}
    assert await dora.hears("retry", case) == ["staff/refusal_wrong_state"]


async def test_going_on_without_it_takes_a_code(office: Office, dora: Member, emil: Member) -> None:
    """The plan names what will be left; the single word does nothing."""
    case = await office.stopped_short(await _approved(office, dora, emil), ROOM, OTHER, media="timeout")
    code = await dora.code_of("retry skip", case)
    for part in ("`!one:example.org`, 120 events: `forbidden`", "`media`: `timeout`", "nobody can redact in its name"):
        assert part in dora.heard[-1]
    assert (await office.case(case)).state is CaseState.PARTIAL
    assert await emil.hears(code, case) == ["staff/refusal_code_not_yours"]
    assert await dora.hears(f"retry skip {code}", case) == ["staff/retrying"]
    assert (await _known(office, case)).skip
    assert (await office.case(case)).state is CaseState.APPROVED


async def test_what_failed_since_is_not_skipped_by_an_older_code(office: Office, dora: Member, emil: Member) -> None:
    """Another room is another plan."""
    case = await office.stopped_short(await _approved(office, dora, emil), ROOM, OTHER)
    code = await dora.code_of("retry skip", case)
    await office.write(lambda tx: erasure_rooms.failed(tx, case.id, OTHER.room_id, "gone"))
    assert await dora.hears(code, case) == ["staff/refusal_plan_changed"]
    assert not (await _known(office, case)).skip


async def test_before_it_stopped_there_is_nothing_to_retry(office: Office, dora: Member, emil: Member) -> None:
    """Neither with nor without a code."""
    case = await _approved(office, dora, emil)
    assert await dora.hears("retry", case) == ["staff/refusal_wrong_state"]
    assert await dora.hears("retry skip", case) == ["staff/refusal_wrong_state"]


async def test_what_has_begun_is_not_refused(office: Office, dora: Member, emil: Member) -> None:
    """What is erased does not come back."""
    case = await office.stopped_short(await _approved(office, dora, emil), ROOM)
    assert await dora.hears("refuse fraud It was somebody else.", case) == ["staff/refusal_erasure_begun"]
    assert (await office.case(case)).state is CaseState.PARTIAL


@pytest.mark.parametrize("said", ["approve", "plan redact", "retry", "retry skip", "exceptional state !a:example.org"])
async def test_nobody_decides_about_their_own_erasure(office: Office, dora: Member, said: str) -> None:
    """A member of staff asks for it like everybody else."""
    case = await office.confirmed(person=dora.user_id)
    assert await dora.hears(said, case) == ["staff/refusal_own_case"]
    assert await office.case(case) == case


async def test_no_reaction_approves_an_erasure(office: Office, dora: Member) -> None:
    """It is answered in words."""
    case = await office.confirmed()
    assert await dora.reacts("👍", case) == ["staff/approval_by_reaction"]
    assert (await office.case(case)).state is CaseState.REVIEW


async def test_a_verified_person_waits_for_no_device(office: Office, dora: Member) -> None:
    """The plan is made now."""
    case = await office.opens(Kind.ERASURE)
    later = office.now + timedelta(hours=20)
    await office.write(lambda tx: erasure.begin(tx, office.now, case, OPTIONS, survey_after=later))
    assert await dora.hears("verify called back on the known number", case) == ["staff/verified"]
    assert (await _known(office, case)).survey_after is None
    waiting = [job.wake_at for job in await office.read(lambda tx: jobs.of_case(tx, case.id)) if job.state == "wanted"]
    assert waiting == [office.now]


async def test_opening_one_from_outside_wants_its_numbers(office: Office, dora: Member) -> None:
    """They follow in the thread."""
    outcomes = await dora.says("open erasure @zoe:example.org post 2026-11-20")
    (opened,) = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
    assert values_of(opened)["survey"]
    assert "the numbers follow in its thread" in text_of(opened)
    (remote,) = await dora.says("open erasure @zoe:remote.example post 2026-11-20")
    assert not values_of(remote)["survey"]


async def test_an_account_elsewhere_is_erased_by_people(office: Office, dora: Member) -> None:
    """There is no plan to show, and none is needed."""
    (opened,) = await dora.says("open erasure @zoe:remote.example post 2026-11-20")
    reference = values_of(opened)["reference"]
    await dora.says(f"verify {reference} called back")
    assert await dora.hears(f"plan {reference}") == ["staff/refusal_no_plan_yet"]
    assert "another server" in dora.heard[-1]
    await dora.code_of(f"approve {reference}")
    assert "carried out by people" in dora.heard[-1]
