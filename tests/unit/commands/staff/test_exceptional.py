"""``exceptional``: only after the worksheet, and only with two approvers and their typed codes."""

import pytest

from dpobot.cases import erasure
from dpobot.commands.staff_desk import StaffDesk
from dpobot.model.ids import RoomId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind, Trust
from dpobot.store import erasures
from tests.unit.commands.staff.conftest import EMIL, Member, Office

ROOM = RoomId("!room:example.org")


async def _assessed(case: Case, dora: Member, emil: Member, level: str = "grant") -> None:
    for factor in ("nature high", "others low", "degree low"):
        await dora.says(f"assess {factor} because of what is at stake", case)
    await dora.says(f"assess conclude {level} on balance", case)
    await emil.says(await emil.code_of("assess agree", case), case)


async def _counted(office: Office, case: Case, scope: str = "room") -> None:
    plan = erasure.exceptional_plan(
        case.person, scope, ROOM, {"joined": 12, "ever": 20}, {"messages": 30, "state": 4, "kept": 2}
    )
    newest = await office.case(case)
    await office.write(lambda tx: erasure.planned(tx, office.now, newest, plan))


async def test_what_is_missing_is_said_step_by_step(office: Office, dora: Member, emil: Member) -> None:
    """Factors, then a conclusion that grants, then a second person."""
    case = await office.confirmed()
    said = f"exceptional room {ROOM}"
    assert await dora.hears(said, case) == ["staff/refusal_not_assessed"]
    assert "`assess nature …`" in dora.heard[-1]
    for factor in ("nature high", "others low", "degree low"):
        await dora.says(f"assess {factor} because of what is at stake", case)
    await dora.says("assess conclude refuse the room must be kept", case)
    assert await dora.hears(said, case) == ["staff/refusal_not_assessed"]
    assert "The conclusion is to keep" in dora.heard[-1]
    await dora.says("assess conclude grant the person is in danger", case)
    assert await dora.hears(said, case) == ["staff/refusal_not_assessed"]
    assert "`assess agree`" in dora.heard[-1]
    await emil.says(await emil.code_of("assess agree", case), case)
    assert await dora.hears(said, case) == ["staff/exceptional"]


@pytest.mark.parametrize("scope", ["room", "state"])
async def test_two_must_approve_whatever_is_configured(
    office: Office, staff_desk_of_one: StaffDesk, scope: str
) -> None:
    """Each sees the room, who is in it, and what is there; the person's own confirmation plays no part."""
    office.desk = staff_desk_of_one
    dora, emil = Member(office), Member(office, EMIL)
    case = await office.confirmed()
    await _assessed(case, dora, emil)
    await dora.says(f"exceptional {scope} {ROOM}", case)
    assert await dora.hears("approve", case) == ["staff/refusal_no_plan_yet"]
    await _counted(office, case, scope)
    code = await dora.code_of("approve", case)
    for part in (f"`{ROOM}`", "12 now, 20 ever", "30 messages", "yours would be the first"):
        assert part in dora.heard[-1]
    assert await dora.hears(code, case) == ["staff/approved_first"]
    assert await dora.hears("approve", case) == ["staff/refusal_own_approval"]
    assert await emil.hears(await emil.code_of("approve", case), case) == ["user/case_approved", "staff/approved"]
    assert (await office.case(case)).state is CaseState.APPROVED


async def test_it_shows_in_plan_and_show(office: Office, dora: Member, emil: Member) -> None:
    """In words, not as data."""
    case = await office.confirmed()
    await _assessed(case, dora, emil)
    await dora.says(f"exceptional state {ROOM}", case)
    await _counted(office, case, "state")
    assert await dora.hears("plan", case) == ["staff/plan"]
    assert "4 state events" in dora.heard[-1]
    await dora.says("show", case)
    assert f"exceptional: state {ROOM}" in dora.heard[-1]
    await dora.code_of("approve", case)
    assert "{" not in dora.heard[-1]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("exceptional room the-room", "no_room_id"),
        ("exceptional everything !room:example.org", "not_one_of"),
        ("exceptional room", "missing_words"),
        ("exceptional room !room:example.org now", "extra_words"),
    ],
)
async def test_which_room_must_be_certain(office: Office, dora: Member, emil: Member, said: str, code: str) -> None:
    """Its ID, and nothing beside it."""
    case = await office.confirmed()
    await _assessed(case, dora, emil)
    assert await dora.hears(said, case) == [f"staff/refusal_{code}"]
    assert (await office.case(case)).options == {}


async def test_an_unverified_request_is_not_approved_exceptionally(office: Office, dora: Member, emil: Member) -> None:
    """The worksheet says that it may be done, not who asks."""
    case = await office.opens(Kind.ERASURE, trust=Trust.UNSIGNED)
    await _assessed(case, dora, emil)
    assert await dora.hears(f"exceptional room {ROOM}", case) == ["staff/exceptional"]
    await _counted(office, case)
    assert await dora.hears("approve", case) == ["staff/refusal_not_proven"]


async def test_it_starts_over_what_the_person_had_confirmed(office: Office, dora: Member, emil: Member) -> None:
    """Their code was for the plan of a whole account."""
    case = await office.confirmed()
    await _assessed(case, dora, emil)
    await dora.says(f"exceptional room {ROOM}", case)
    known = await office.read(lambda tx: erasures.get(tx, case.id))
    assert known is not None
    assert (known.plan, known.confirmed_at, known.cooled_off_at) == (None, None, None)
