"""Somebody leaves the team: from that moment on nothing that they say in the staff room is done."""

from dpobot.model.words import Trust
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import reference
from tests.flow.team import DORA, EMIL, Team, code

NOT_STAFF = f"`{EMIL}`: this was not done. You don\u2019t have the power level in this room that makes somebody staff"


async def _complaint(team: Team) -> str:
    room_id = await team.stage.meet(ANNA)
    return reference(await team.stage.ask(room_id, ANNA, f"complaint {BODY}"))


async def test_without_the_power_level_the_very_next_command_is_refused(team: Team) -> None:
    """Emil has worked there all day; what counts is his level now."""
    case = await _complaint(team)
    await team.says(EMIL, "claim", case)
    team.stage.server.rooms[team.room].levels[EMIL] = 49
    (refusal,) = await team.says(EMIL, "refuse other No.", case)
    assert refusal.startswith(NOT_STAFF)
    assert await team.says(EMIL, "a word among colleagues", case) == []
    assert [row["direction"] for row in await team.stage.rows("case_message")] == ["person"]  # not even a note
    (assigned,) = await team.says(DORA, f"assign {EMIL}", case)
    assert f"`{EMIL}` is not staff in this room." in assigned
    await team.says(DORA, "assign me", case)
    assert f"Assigned to: `{DORA}`" in team.card(case)


async def test_a_code_that_was_given_before_is_worth_nothing_afterwards(team: Team) -> None:
    """Neither to Emil, who has lost his power, nor to Dora, who was not given it; only who asked may use it."""
    case = await _complaint(team)
    typed = code(await team.says(EMIL, "approve", case))
    team.stage.server.rooms[team.room].levels[EMIL] = 0
    (refusal,) = await team.says(EMIL, f"approve {typed}", case)
    assert refusal.startswith(NOT_STAFF)
    assert await team.says(EMIL, typed, case) == []  # he has just been told
    (other,) = await team.says(DORA, f"approve {typed}", case)
    assert f"this code was given to `{EMIL}`, and only they can use it." in other
    assert await team.stage.states() == ["review"]


async def test_who_is_kicked_out_is_not_heard(team: Team) -> None:
    """What was on its way when the door closed is not done either."""
    stage = team.stage
    case = await _complaint(team)
    typed = code(await team.says(EMIL, "approve", case))
    root = team.cards()[case]
    stage.server.in_thread(team.room, EMIL, root, f"approve {typed}")
    stage.server.member(team.room, EMIL, "leave")
    await stage.settle()
    assert await stage.states() == ["review"]
    assert [said for said in team.thread(case) if "is approved" in said] == []
    direct = await stage.meet(EMIL)
    (answer,) = await stage.ask(direct, EMIL, f"approve {typed}")
    assert "I am a program and don\u2019t understand that." in answer  # a person like any other
    assert await stage.states() == ["review"]


async def test_who_is_let_in_again_without_power_is_not_staff(team: Team) -> None:
    """Sitting in the room is not enough."""
    stage = team.stage
    case = await _complaint(team)
    stage.server.member(team.room, EMIL, "leave")
    stage.server.rooms[team.room].levels.pop(EMIL)
    stage.server.join(team.room, EMIL)
    (refusal,) = await team.says(EMIL, "queue")
    assert refusal.startswith(NOT_STAFF)
    assert (await team.reacts(EMIL, "✋", case), (await stage.rows("case"))[0]["assignee"]) == ([], None)


async def test_from_a_device_that_is_not_signed_nothing_is_taken(team: Team) -> None:
    """Not even with a code that was asked for from a signed one."""
    stage = team.stage
    case = await _complaint(team)
    typed = code(await team.says(EMIL, "approve", case))
    stage.server.devices[EMIL] = Trust.UNSIGNED
    (refusal,) = await team.says(EMIL, typed, case)
    assert f"`{EMIL}`: this was not taken: it came from a device that you have not verified." in refusal
    assert await stage.states() == ["review"]
    stage.server.devices[EMIL] = Trust.SIGNED
    (done, *_) = await team.says(EMIL, typed, case)
    assert f"{case} is approved, by `{EMIL}`." in done


async def test_whose_identity_was_reset_must_be_confirmed(team: Team) -> None:
    """Somebody with Emil's password and a new identity is not taken for Emil."""
    case = await _complaint(team)
    await team.says(EMIL, "claim", case)
    team.stage.server.identities[EMIL] = "another-master-key"
    (refusal,) = await team.says(EMIL, "close: nothing to see here", case)
    assert "your account\u2019s identity has changed since we first met." in refusal
    assert await team.stage.states() == ["review"]


async def test_when_everybody_is_gone_the_cases_wait(team: Team) -> None:
    """People are served as before; whoever comes next finds all cards."""
    stage = team.stage
    for member in (DORA, EMIL):
        stage.server.member(team.room, member, "leave")
    case = await _complaint(team)
    assert "complaint (Art. 77)" in team.card(case)
    stage.server.join(team.room, DORA)
    (claimed,) = await team.says(DORA, "claim", case)
    assert f"{case} is yours now, `{DORA}`." in claimed
