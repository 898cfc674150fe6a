"""A conversation on each of the two kinds of database."""

from dpobot.commands.staff_desk import StaffDesk
from dpobot.model.words import CaseState
from dpobot.store.database import Database
from tests.unit.commands.staff.conftest import EMIL, Member, Office

CONVERSATION = {
    "queue": ["staff/queue"],
    "1": ["staff/show"],
    "claim": ["staff/claimed"],
    "reply We are on it.": ["user/staff_reply", "staff/reply_goes"],
    "undo": ["staff/undone"],
    "pause Which account do you mean?": ["user/case_paused", "staff/paused"],
    "resume": ["user/case_resumed", "staff/resumed"],
    "extend 1 it is much": ["user/case_extended", "staff/extended"],
    "hold court order": ["staff/legal_hold"],
    "release": ["staff/released"],
    "assess nature low a user name": ["staff/worksheet"],
    "trail": ["staff/trail"],
    "stats": ["staff/stats"],
    "register 2026 2026": ["staff/register"],
    "pause-deliveries suspected break-in": ["staff/deliveries_paused"],
}


async def test_a_conversation(database: Database, staff_desk: StaffDesk) -> None:
    """Every command that asks the database something of its own, and two approvals."""
    office = Office(database, staff_desk)
    dora, emil = Member(office), Member(office, EMIL)
    case = await office.confirmed()
    for said, templates in CONVERSATION.items():
        assert await dora.hears(said, case) == templates
    assert await dora.hears(await dora.code_of("approve", case), case) == ["staff/approved_first"]
    code = await emil.code_of("approve", case)
    assert await dora.hears(code, case) == ["staff/refusal_code_not_yours"]
    assert await emil.hears(code, case) == ["user/case_approved", "staff/approved"]
    assert (await office.case(case)).state is CaseState.APPROVED
