"""Anna's data is kept and not used: she is warned, told before each step, and finds her way back."""

from dpobot.errors import Rejected
from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import Stage, reference
from tests.flow.team import DORA, EMIL, Team


def _suspended(stage: Stage) -> bool:
    return stage.homeserver.accounts[ANNA].suspended


async def _asked(team: Team, room_id: RoomId) -> str:
    """Let Anna ask for it in her own words."""
    return reference(await team.stage.ask(room_id, ANNA, f"restrict {BODY} is wrong"))


async def _seconds(stage: Stage) -> None:
    """Let what is to be said be said, and the work that waits for it go on."""
    for _ in range(4):
        await stage.pass_time(seconds=3)


async def test_from_the_warning_to_the_end(team: Team) -> None:
    """She hears at once what it may mean, then that it begins, then why it ends; each before it happens."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    (noted,) = await stage.ask(room_id, ANNA, f"restrict {BODY} is wrong")
    case = reference([noted])
    assert "your account may be suspended" in noted
    assert "A suspended account can’t write to me either." in noted  # noqa: RUF001
    assert "please write to dpo@" in noted
    (plan,) = await team.says(DORA, "approve", case)
    assert "The account is suspended: the person can read, but write to nobody, nor to me." in plan
    assert "lift …" in plan
    assert not _suspended(stage)

    code = (await team.says(EMIL, "approve", case))[-1].split("`approve ")[1][:6]
    stage.server.faults["send"] = stage.away(50)
    await team.says(EMIL, code, case)
    await _seconds(stage)
    assert not _suspended(stage)  # she has not been told yet
    stage.server.faults["send"] = []
    await stage.pass_time(minutes=20)
    await _seconds(stage)
    assert _suspended(stage)
    assert await stage.states() == ["delivered"]
    last = stage.said(room_id)[-1]
    assert "from now on your data is kept but not used" in last
    assert "You can’t write to me either" in last  # noqa: RUF001
    assert f"Please name {case}." in last
    assert "State: in force: the account is suspended" in team.card(case)

    (late,) = await team.says(DORA, "close", case)
    assert "`close` does not fit" in late
    assert _suspended(stage)
    stage.server.faults["send"] = stage.away(50)
    await team.says(DORA, "lift What was wrong is corrected.", case)
    await _seconds(stage)
    assert _suspended(stage)  # she does not know yet
    stage.server.faults["send"] = []
    await stage.pass_time(minutes=20)
    await _seconds(stage)
    assert not _suspended(stage)
    announced, ended = stage.said(room_id)[-2:]
    assert "ends now; we tell you before" in announced
    assert "What was wrong is corrected." in announced
    assert "you can send messages, join rooms and change your profile again" in ended
    assert await stage.states() == ["closed"]
    (status,) = await stage.ask(room_id, ANNA, f"status {case}")
    assert "closed" in status


async def test_what_she_reads_of_it_meanwhile(team: Team) -> None:
    """Where it stands, from the request to the end; what is in force she can't take back by herself."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = await _asked(team, room_id)
    (before,) = await stage.ask(room_id, ANNA, "status")
    await team.decides(DORA, "approve", case)
    await _seconds(stage)
    (during,) = await stage.ask(room_id, ANNA, f"status {case}")
    assert "a person of the DPO team is looking at it" in before
    assert "in force: your data is kept, but not used" in during
    (refused,) = await stage.ask(room_id, ANNA, f"cancel {case}")
    assert f"{case} can’t be taken back any more" in refused  # noqa: RUF001


async def test_a_server_that_does_not_say_whether_it_did(team: Team) -> None:
    """The account may be suspended: the card says so, and that approving it once more leads to `lift`."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = await _asked(team, room_id)
    stage.homeserver.fault("suspend", Rejected("M_UNKNOWN", 500))
    await team.decides(DORA, "approve", case)
    await _seconds(stage)
    assert await stage.states() == ["held"]
    assert "The account may be suspended already." in team.card(case)
    assert "`approve` tries again, `lift …` ends it after that" in team.card(case)
    await team.decides(DORA, "approve", case)
    await _seconds(stage)
    assert await stage.states() == ["delivered"]
    await team.says(DORA, "lift It was a mistake.", case)
    await _seconds(stage)
    assert not _suspended(stage)
