"""``assess``: three factors, a conclusion, and a second person who agrees."""

import pytest

from dpobot.commands import worksheet
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from tests.unit.commands.staff.conftest import Member, Office, text_of, values_of


async def _weigh(member: Member, case: Case) -> None:
    for said in ("nature high it reveals an illness", "others low nobody else is named", "degree medium some risk"):
        assert await member.hears(f"assess {said}", case) == ["staff/worksheet"]


async def _levels(office: Office, case: Case) -> dict[str, str]:
    known = await office.read(lambda tx: worksheet.lines(tx, case))
    return {factor: line.level for factor, line in known.items()}


async def test_the_whole_worksheet(office: Office, dora: Member, emil: Member) -> None:
    """Weighed, concluded, agreed to with a typed code by somebody else."""
    case = await office.opens(Kind.ERASURE)
    await _weigh(dora, case)
    assert await dora.hears("assess conclude grant the person is at risk", case) == ["staff/worksheet"]
    code = await emil.code_of("assess agree", case)
    assert "it reveals an illness" in emil.heard[-1]
    assert await emil.hears(f"assess agree {code}", case) == ["staff/worksheet"]
    expected = {"nature": "high", "others": "low", "degree": "medium", "conclusion": "grant", "agreement": "agreed"}
    assert await _levels(office, case) == expected
    (shown,) = await dora.says("assess", case)
    assert all(part in text_of(shown) for part in ("it reveals an illness", "erase", dora.user_id, emil.user_id))
    assert (await office.actions(case))[-2:] == ["case.concluded", "case.agreed"]


async def test_an_empty_worksheet_is_shown(office: Office, dora: Member) -> None:
    """With what is still open."""
    case = await office.opens(Kind.ERASURE)
    (shown,) = await dora.says("assess", case)
    assert text_of(shown).count(": open") == 5


async def test_who_concluded_can_not_agree(office: Office, dora: Member, emil: Member) -> None:
    """It takes two, and once."""
    case = await office.opens(Kind.ERASURE)
    assert await dora.hears("assess agree", case) == ["staff/refusal_no_conclusion"]
    await _weigh(dora, case)
    await dora.says("assess conclude refuse the room must be kept", case)
    assert await dora.hears("assess agree", case) == ["staff/refusal_own_conclusion"]
    await emil.says(await emil.code_of("assess agree", case), case)
    assert await emil.hears("assess agree", case) == ["staff/refusal_agreed_already"]


async def test_a_conclusion_needs_all_factors(office: Office, dora: Member) -> None:
    """Those that are missing are named."""
    case = await office.opens(Kind.ERASURE)
    await dora.says("assess nature high it reveals an illness", case)
    assert await dora.hears("assess conclude grant yes", case) == ["staff/refusal_factors_missing"]
    assert "`assess others …`, `assess degree …`" in dora.heard[-1]


async def test_a_changed_factor_voids_conclusion_and_agreement(office: Office, dora: Member, emil: Member) -> None:
    """A code for the old worksheet does nothing."""
    case = await office.opens(Kind.ERASURE)
    await _weigh(dora, case)
    await dora.says("assess conclude grant yes", case)
    code = await emil.code_of("assess agree", case)
    (sheet,) = await dora.says("assess others high a whole room", case)
    assert values_of(sheet)["voided"] is True
    assert set(await _levels(office, case)) == {"nature", "others", "degree"}
    assert await emil.hears(code, case) == ["staff/refusal_no_conclusion"]
    await dora.says("assess conclude refuse the room must be kept", case)
    assert await emil.hears(code, case) == ["staff/refusal_plan_changed"]
    await emil.says(await emil.code_of("assess agree", case), case)
    await dora.says("assess nature low not so much", case)
    assert "agreement" not in await _levels(office, case)


@pytest.mark.parametrize("said", ["nature", "nature high", "nature grant because", "conclude high because", "conclude"])
async def test_a_line_that_is_not_whole(office: Office, dora: Member, said: str) -> None:
    """Factor, level and reasons belong together."""
    case = await office.opens(Kind.ERASURE)
    assert await dora.hears(f"assess {said}", case) == ["staff/refusal_assess_line"]
    assert await _levels(office, case) == {}


async def test_reasons_never_reach_the_trail(office: Office, dora: Member) -> None:
    """Codes only; the reasons are sealed."""
    case = await office.opens(Kind.ERASURE)
    await dora.says("assess nature high zebra", case)
    (shown,) = await dora.says("trail", case)
    assert "zebra" not in text_of(shown)
    assert "level: high" in text_of(shown)


async def test_a_case_that_is_over_is_not_assessed(office: Office, dora: Member) -> None:
    """It can be looked at."""
    case = await office.moves(await office.opens(Kind.ERASURE), CaseState.WITHDRAWN)
    assert await dora.hears("assess nature high because", case) == ["staff/refusal_case_over"]
    assert await dora.hears("assess agree", case) == ["staff/refusal_case_over"]
    assert await dora.hears("assess", case) == ["staff/worksheet"]
