"""Two at once: one wins, the other reads who did what, and nothing of theirs is done."""

from collections.abc import Sequence

import pytest

from dpobot.cases.service import Conflict, Rules
from dpobot.cases.transitions import IllegalMove
from dpobot.commands.spec import Arguments, Outcome, StaffCommand, StaffContext, StaffRules
from dpobot.commands.staff_desk import StaffDesk
from dpobot.commands.staff_registry import StaffRegistry
from dpobot.errors import DpobotError
from dpobot.model.records import StaffMessage
from dpobot.model.words import CaseState
from dpobot.store.case_messages import Direction
from dpobot.text import notice
from dpobot.text.render import templates_folder
from tests.unit.commands.staff.conftest import Member, Office
from tests.unit.text.samples import OPERATOR


@pytest.mark.parametrize("trouble", [Conflict("changed"), IllegalMove("closed -> review")])
async def test_who_was_faster_is_named(office: Office, dora: Member, emil: Member, trouble: DpobotError) -> None:
    """From the trail, with the moment."""

    async def late(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
        raise trouble

    case = await office.opens()
    await dora.says("claim", case)
    notices = notice.load(templates_folder() / "notice", OPERATOR)
    office.desk = StaffDesk(StaffRegistry([StaffCommand("late", "late", run=late)]), Rules(), StaffRules(), notices)
    assert await emil.hears("late", case) == ["staff/refusal_case_changed"]
    assert f"It was claimed by `{dora.user_id}`, 23 November 2026, 09:00 UTC." in emil.heard[-1]


async def test_a_refusal_undoes_what_was_begun(office: Office, dora: Member) -> None:
    """Files and words that a command had taken before it failed are as they were."""
    case = await office.opens()
    assert await dora.hears("close " + "X" * 9_000, case) == ["staff/refusal_too_long"]
    assert await office.words(case, Direction.REPLY) == []
    assert await office.case(case) == case


async def test_who_closed_it_is_named(office: Office, dora: Member, emil: Member) -> None:
    """To whoever comes after."""
    case = await office.opens()
    await dora.says("close Done.", case)
    for said in ("claim", "pause Which one?", "close", "extend 1 it is much", "verify by phone", "assign me"):
        assert await emil.hears(said, case) == ["staff/refusal_case_over"], said
        assert f"It was closed by `{dora.user_id}`" in emil.heard[-1]
    assert (await office.case(case)).state is CaseState.CLOSED
