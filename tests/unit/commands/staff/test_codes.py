"""Typed codes: bound to one command on one case with one plan, to who asked, and to an expiry."""

from datetime import timedelta

import pytest

from dpobot.model.words import CaseState, Kind, Trust
from dpobot.store import staff_prompts
from tests.unit.commands.staff.conftest import ROOM, Member, Office

REFUSED = "refuse identity We could not find out who you are."


@pytest.mark.parametrize("typed", ["approve {code}", "{code}", "!dpo approve {code}", " {lower} "])
async def test_a_code_performs_its_plan_once(office: Office, dora: Member, typed: str) -> None:
    """The plan changes nothing; the code does, behind its command or alone; a second time it is used."""
    case = await office.opens()
    code = await dora.code_of("approve", case)
    assert (await office.case(case)).state is CaseState.REVIEW
    said = typed.format(code=code, lower=code.lower())
    assert await dora.hears(said, case) == ["user/case_approved", "staff/approved"]
    assert (await office.case(case)).state is CaseState.APPROVED
    assert await dora.hears(said, case) == ["staff/refusal_code_used"]
    assert "already" in dora.heard[-1]
    assert (await office.actions(case)).count("case.approved") == 1


async def test_a_code_of_another_case(office: Office, dora: Member) -> None:
    """It does nothing here; the sentence names both cases."""
    one, other = await office.opens(), await office.opens()
    code = await dora.code_of("approve", one)
    for said in (f"approve {code}", code):
        assert await dora.hears(said, other) == ["staff/refusal_code_other_case"]
        assert one.reference in dora.heard[-1]
        assert other.reference in dora.heard[-1]
    assert await dora.hears(f"approve {other.reference} {code}") == ["staff/refusal_code_other_case"]
    assert {(await office.case(each)).state for each in (one, other)} == {CaseState.REVIEW}


async def test_a_code_of_another_sender(office: Office, dora: Member, emil: Member) -> None:
    """A colleague can't use it, wherever they type it; its owner still can."""
    case = await office.opens()
    code = await dora.code_of("approve", case)
    for said, where in ((f"approve {code}", case), (code, case), (f"approve {case.reference} {code}", None)):
        assert await emil.hears(said, where) == ["staff/refusal_code_not_yours"]
        assert dora.user_id in emil.heard[-1]
    assert (await office.case(case)).state is CaseState.REVIEW
    assert await dora.hears(code, case) == ["user/case_approved", "staff/approved"]


async def test_a_code_expires(office: Office, dora: Member) -> None:
    """After half an hour it does nothing; the sentence says when that was."""
    case = await office.opens()
    code = await dora.code_of("approve", case)
    office.waits(timedelta(minutes=30))
    for said in (f"approve {code}", code):
        assert await dora.hears(said, case) == ["staff/refusal_code_expired"]
        assert "09:30 UTC" in dora.heard[-1]
    assert (await office.case(case)).state is CaseState.REVIEW


async def test_an_unknown_code(office: Office, dora: Member) -> None:
    """Nothing happens, and it is said."""
    case = await office.opens()
    await dora.code_of("approve", case)
    for said in ("approve AAAAA2", "AAAAA2", "approve yes", "approve thanks"):
        assert await dora.hears(said, case) == ["staff/refusal_code_unknown"]
    assert (await office.case(case)).state is CaseState.REVIEW


async def test_a_word_of_six_letters_is_a_note(office: Office, dora: Member) -> None:
    """Only what could be a mistyped code is answered as one."""
    case = await office.opens()
    assert await dora.hears("thanks", case) == []


async def test_a_code_of_another_command(office: Office, dora: Member) -> None:
    """A refusal's code can't approve."""
    case = await office.opens()
    code = await dora.code_of(REFUSED, case)
    assert await dora.hears(f"approve {code}", case) == ["staff/refusal_code_other_command"]
    assert (await office.case(case)).state is CaseState.REVIEW
    assert await dora.hears(f"refuse {code}", case) == ["user/case_refused", "staff/refused"]


async def test_a_plan_that_has_changed(office: Office, dora: Member, emil: Member) -> None:
    """What was shown is no longer what would happen: nothing does, and who changed it is named."""
    case = await office.opens(Kind.COMPLAINT, trust=Trust.UNSIGNED)
    code = await dora.code_of("approve", case)
    await emil.says("verify called back on the number in the account", case)
    assert await dora.hears(f"approve {code}", case) == ["staff/refusal_plan_changed"]
    assert emil.user_id in dora.heard[-1]
    assert (await office.case(case)).state is CaseState.REVIEW


async def test_two_approve_at_once(office: Office, dora: Member, emil: Member) -> None:
    """One wins; the other is told who was faster, and when."""
    case = await office.opens()
    first, second = await dora.code_of("approve", case), await emil.code_of("approve", case)
    await dora.says(first, case)
    office.waits(timedelta(minutes=1))
    assert await emil.hears(second, case) == ["staff/refusal_not_approvable"]
    assert dora.user_id in emil.heard[-1]
    assert "09:00 UTC" in emil.heard[-1]


async def test_a_code_is_good_in_the_main_time_line(office: Office, dora: Member) -> None:
    """It names its case itself."""
    case = await office.opens()
    code = await dora.code_of(f"approve {case.reference}")
    assert await dora.hears(code) == ["user/case_approved", "staff/approved"]
    assert (await office.case(case)).state is CaseState.APPROVED


async def test_codes_are_sealed_and_a_used_one_keeps_no_words(office: Office, dora: Member) -> None:
    """What is kept of a used code is what it was for, so that a second use is recognised."""
    case = await office.opens()
    code = await dora.code_of(REFUSED, case)
    await dora.says(code, case)
    (prompt,) = await office.read(lambda tx: staff_prompts.of_room(tx, ROOM, "staff_code", 10))
    assert dict(prompt.content) == {"code": code, "command": "refuse", "case_id": case.id}
    assert prompt.answered_at == office.now
