"""Which case a command is about."""

import pytest

from dpobot.store.case_messages import Direction
from tests.unit.commands.staff.conftest import Member, Office


async def test_a_reference_works_anywhere(office: Office, dora: Member) -> None:
    """In the main time line, in small letters, with a colon behind it."""
    for said in ("claim {}", "show {}:", "trail {}"):
        case = await office.opens()
        assert "refusal" not in (await dora.hears(said.format(case.reference.lower())))[0]


@pytest.mark.parametrize("said", ["claim", "approve", "reply hello", "close", "show", "assess"])
async def test_without_a_thread_a_reference_is_needed(dora: Member, said: str) -> None:
    """The answer says how it is written."""
    assert await dora.hears(said) == ["staff/refusal_which_case"]
    assert "DPO-2026-0042" in dora.heard[-1]


async def test_an_unknown_reference(dora: Member) -> None:
    """There is no such case."""
    assert await dora.hears("claim DPO-2026-9999") == ["staff/refusal_unknown_case"]


@pytest.mark.parametrize("said", ["claim {}", "reply {} your data is ready", "close {}: Done.", "approve {}"])
async def test_another_case_is_not_changed_from_a_thread(office: Office, dora: Member, said: str) -> None:
    """Words could reach the wrong person; looking does no harm."""
    here, other = await office.opens(), await office.opens()
    assert await dora.hears(said.format(other.reference), here) == ["staff/refusal_other_case"]
    assert [await office.case(each) for each in (here, other)] == [here, other]
    assert await dora.hears(f"show {other.reference}", here) == ["staff/show"]


async def test_the_threads_own_reference_in_a_reply_stays_words(office: Office, dora: Member) -> None:
    """What is said to the person is said whole."""
    case = await office.opens()
    await dora.says(f"reply {case.reference} is what you need", case)
    assert await office.words(case, Direction.REPLY) == [f"{case.reference} is what you need"]
    await dora.says(f"claim {case.reference}", case)
    assert (await office.case(case)).assignee == dora.user_id
