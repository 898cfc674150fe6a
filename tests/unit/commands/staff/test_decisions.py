"""``approve``, ``refuse``, ``extend``, ``pause``, ``resume``, ``close``: what is decided, and what the person reads."""

from datetime import timedelta

import pytest

from dpobot.commands.staff.refuse import GROUNDS
from dpobot.model.records import Reply, ToPerson
from dpobot.model.words import CaseState, Channel, Ground, Kind, Trust
from dpobot.store import people
from dpobot.store.case_messages import Direction
from tests.unit.commands.staff.conftest import RENDERER, Member, Office, text_of, values_of


async def test_an_unverified_export_is_not_approved(office: Office, dora: Member) -> None:
    """Not before staff have established who asks."""
    case = await office.opens(Kind.EXPORT, trust=Trust.UNSIGNED)
    assert await dora.hears("approve", case) == ["staff/refusal_not_proven"]
    assert await dora.hears("verify called back on the known number", case) == ["staff/verified"]
    assert await office.words(case, Direction.NOTE) == ["called back on the known number"]
    assert await dora.hears("verify by letter, too", case) == ["staff/refusal_verified_already"]
    code = await dora.code_of("approve", case)
    assert await dora.hears(code, case) == ["user/case_approved", "staff/approved"]


async def test_two_must_approve_an_erasure(office: Office, dora: Member, emil: Member) -> None:
    """The first is named and asks for another person; the second must be one."""
    case = await office.confirmed()
    assert await dora.hears(await dora.code_of("approve", case), case) == ["staff/approved_first"]
    assert dora.user_id in dora.heard[-1]
    assert (await office.case(case)).state is CaseState.REVIEW
    assert await dora.hears("approve", case) == ["staff/refusal_own_approval"]
    code = await emil.code_of("approve", case)
    assert dora.user_id in emil.heard[-1]
    assert await emil.hears(code, case) == ["user/case_approved", "staff/approved"]
    assert (await office.case(case)).state is CaseState.APPROVED
    assert await dora.hears("approve", case) == ["staff/refusal_not_approvable"]


async def test_an_erasure_under_legal_hold_is_not_approved(office: Office, dora: Member) -> None:
    """A hold on any case of the person counts; it ends where it was made."""
    held, case = await office.opens(), await office.confirmed()
    assert await dora.hears("hold court order of 3 May", held) == ["staff/legal_hold"]
    assert await dora.hears("hold another order", held) == ["staff/refusal_held_already"]
    assert await dora.hears("approve", case) == ["staff/refusal_legal_hold"]
    assert await dora.hears("release", case) == ["staff/refusal_not_held"]
    assert await dora.hears("release", held) == ["staff/released"]
    await dora.code_of("approve", case)


@pytest.mark.parametrize("said", ["approve", "verify by phone", "release", "assess agree"])
async def test_nobody_decides_about_themselves(office: Office, dora: Member, said: str) -> None:
    """A member of staff asks for their own data like everybody else."""
    case = await office.opens(Kind.ERASURE, person=dora.user_id, trust=Trust.UNSIGNED)
    assert await dora.hears(said, case) == ["staff/refusal_own_case"]
    assert await office.case(case) == case


async def test_the_plan_of_a_refusal_is_in_the_language_of_the_person(office: Office, dora: Member) -> None:
    """The room's own words around it stay in the room's."""
    case = await office.opens()
    await office.write(lambda tx: people.set_language(tx, case.person, "de"))
    (plan,) = await dora.says("refuse scope <b>Nicht</b> unser Haus.", case)
    assert isinstance(plan, Reply)
    to_person = (await dora.says(str(plan.values["code"]), case))[0]
    assert isinstance(to_person, ToPerson)
    shown = str(RENDERER.message(plan, "en")["formatted_body"])
    assert str(RENDERER.message(to_person.reply, "de")["formatted_body"]) in shown
    assert "would read exactly this" in shown
    assert "&lt;b&gt;Nicht" in shown


async def test_refusing_shows_exactly_what_the_person_reads(office: Office, dora: Member) -> None:
    """The plan holds the person's message; the code sends it, with the ground and every way to complain."""
    case = await office.opens()
    (plan,) = await dora.says("refuse identity We could not find out\nwho you are.", case)
    assert (await office.case(case)).state is CaseState.REVIEW
    to_person, _ = await dora.says(values_of(plan)["code"], case)
    assert text_of(to_person) in text_of(plan)
    for part in ("We could not find out\nwho you are.", "established", "complaint", "https://ico.org.uk", "court"):
        assert part in text_of(to_person)
    refused = await office.case(case)
    assert (refused.state, refused.outcome) == (CaseState.REFUSED, "identity")
    assert await office.words(case, Direction.REPLY) == ["We could not find out\nwho you are."]


@pytest.mark.parametrize("word", ["identity", "fraud", "no_data", "no-data", "SCOPE", "legal", "unfounded", "other:"])
async def test_grounds(office: Office, dora: Member, word: str) -> None:
    """Names and synonyms, in any case of letters."""
    case = await office.opens()
    code = await dora.code_of(f"refuse {word} Because.", case)
    assert await dora.hears(code, case) == ["user/case_refused", "staff/refused"]


def test_every_ground_can_be_named() -> None:
    """By its own name at least."""
    assert set(GROUNDS.values()) == {ground.value for ground in Ground}
    assert all(GROUNDS[ground.value] == ground.value for ground in Ground)


async def test_what_can_not_be_refused(office: Office, dora: Member) -> None:
    """A case that is over, or whose archive is delivered; a ground or the words missing; a novel."""
    case = await office.opens(Kind.EXPORT)
    for said, code in (
        ("refuse", "missing_words"), ("refuse because", "not_one_of"), ("refuse fraud", "missing_words"),
        ("refuse fraud " + "x" * 20_000, "too_long"),
    ):  # fmt: skip
        assert await dora.hears(said, case) == [f"staff/refusal_{code}"]
    await office.moves(case, CaseState.APPROVED, CaseState.WORKING, CaseState.DELIVERED)
    assert await dora.hears("refuse fraud Because.", case) == ["staff/refusal_wrong_state"]
    await office.moves(case, CaseState.CLOSED)
    assert await dora.hears("refuse fraud Because.", case) == ["staff/refusal_case_over"]


async def test_extend_tells_the_person_why_and_by_when(office: Office, dora: Member) -> None:
    """Once, by one or two months, counted from the receipt."""
    case = await office.opens()
    assert await dora.hears("extend 3 it is much", case) == ["staff/refusal_not_one_of"]
    to_person, _ = await dora.says("extend 2 there are ten years of messages", case)
    assert "23 February 2027" in text_of(to_person)
    assert "there are ten years of messages" in text_of(to_person)
    assert (await office.case(case)).extended_months == 2
    assert await dora.hears("extend 1 once more", case) == ["staff/refusal_extended_already"]


async def test_extend_comes_too_late(office: Office, dora: Member) -> None:
    """Only within the time (Art. 12(3) GDPR)."""
    case = await office.opens()
    office.waits(timedelta(days=40))
    assert await dora.hears("extend 1 it is much", case) == ["staff/refusal_extend_too_late"]


async def test_pause_and_resume(office: Office, dora: Member) -> None:
    """The person reads what is needed; the time of the pause is added."""
    case = await office.opens()
    to_person, _ = await dora.says("pause Which account do you mean?", case)
    assert "Which account do you mean?" in text_of(to_person)
    assert (await office.case(case)).state is CaseState.PAUSED
    assert await dora.hears("pause Which one?", case) == ["staff/refusal_wrong_state"]
    office.waits(timedelta(days=7))
    assert await dora.hears("resume", case) == ["user/case_resumed", "staff/resumed"]
    assert (await office.case(case)).due_at - case.due_at >= timedelta(days=7)
    assert await dora.hears("resume", case) == ["staff/refusal_wrong_state"]


async def test_close_needs_an_answer(office: Office, dora: Member) -> None:
    """Last words are one."""
    case = await office.opens()
    assert await dora.hears("close", case) == ["staff/refusal_unanswered"]
    assert await office.case(case) == case
    to_person, _ = await dora.says("close Your address is corrected.", case)
    assert "Your address is corrected." in text_of(to_person)
    assert (await office.case(case)).state is CaseState.CLOSED
    assert await dora.hears("close", case) == ["staff/refusal_case_over"]
    assert dora.user_id in dora.heard[-1]


async def test_close_after_a_reply(office: Office, dora: Member) -> None:
    """Without words the person reads that it is closed."""
    case = await office.opens()
    await dora.says("reply All done.", case)
    assert await dora.hears("close", case) == ["user/case_closed", "staff/closed"]


async def test_who_can_not_be_reached_is_told_by_staff(office: Office, dora: Member) -> None:
    """A request by post of an account elsewhere: nothing is sent, staff read what to send, and it is recorded."""
    case = await office.opens(person="@bob:elsewhere.example", channel=Channel.POST, trust=Trust.UNKNOWN)  # type: ignore[arg-type] # a user ID
    for said, template in (
        ("pause Which account do you mean?", "paused"), ("resume", "resumed"), ("reply Hello.", "reply_goes"),
        ("extend 1 it is much", "extended"), ("close", "closed"),
    ):  # fmt: skip
        assert await dora.hears(said, case) == [f"staff/{template}"]
        assert "by post" in dora.heard[-1]
    assert len(await office.words(case, Direction.REPLY)) == 3


async def test_an_account_of_ours_is_reached_however_the_request_came(office: Office, dora: Member) -> None:
    """With a hint that it may be locked."""
    case = await office.opens(channel=Channel.EMAIL, trust=Trust.UNKNOWN)
    assert await dora.hears("reply Hello.", case) == ["user/staff_reply", "staff/reply_goes"]
    assert "by e-mail" in dora.heard[-1]
