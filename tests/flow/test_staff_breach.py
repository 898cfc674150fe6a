"""Breach mode: at once nothing leaves any more; afterwards everything does, once."""

from dpobot.audit import chain
from dpobot.errors import Unavailable
from dpobot.model.ids import RoomId
from tests.flow.conftest import ANNA, BERT
from tests.flow.stage import Stage, reference
from tests.flow.team import DORA, EMIL, Team, code

HELD_BACK = "At the moment nothing is handed out, because we are checking the security of the service."


def _told(stage: Stage, room_id: RoomId) -> int:
    return sum(HELD_BACK in said for said in stage.said(room_id))


async def test_deliveries_stop_while_an_export_runs_and_go_on_afterwards(team: Team) -> None:
    """Anna is told once, gets nothing meanwhile, and her archive once when it is over."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    stage.room("books", ANNA, "one")
    stage.homeserver.fault("own_events", Unavailable("http_502"))
    case = reference(await stage.ask(room_id, ANNA, "export"))
    assert await stage.states() == ["working"]  # half-way: the homeserver was away

    (paused,) = await team.says(DORA, "pause-deliveries somebody was in the admin account")
    assert f"Nothing is handed out any more, since 22 November 2026, 12:00 UTC, by `{DORA}`:" in paused
    assert "must know within 72 hours: by 25 November 2026, 12:00 UTC" in paused
    (again,) = await team.says(EMIL, "pause-deliveries me too")
    assert "22 November 2026, 12:00 UTC" in again
    for _ in range(5):
        await stage.pass_time(minutes=2)
    assert stage.files(room_id) == []
    assert _told(stage, room_id) == 1
    assert await stage.states() == ["working"]
    assert "Deliveries have been paused since 22 November 2026, 12:00 UTC." in team.main()[-1]  # in the digest

    (plan,) = await team.says(EMIL, "resume-deliveries")
    assert "Nothing has happened yet." in plan
    await stage.pass_time(minutes=2)
    assert stage.files(room_id) == []
    (resumed,) = await team.says(EMIL, code([plan]))
    assert f"`{EMIL}` has ended the stop of deliveries that began 22 November 2026, 12:00 UTC" in resumed
    assert "1 waiting delivery goes out now." in resumed
    assert await stage.states() == ["delivered"]
    await stage.pass_time(minutes=10)
    assert len(stage.files(room_id)) == 1
    assert (_told(stage, room_id), sum("Your data is here" in said for said in stage.said(room_id))) == (1, 1)
    assert "delivered" in team.card(case)
    assert (await stage.database.read(chain.verify)).holds


async def test_what_is_asked_for_meanwhile_is_made_and_waits(team: Team) -> None:
    """New requests are taken; words go on being answered; only archives stay here."""
    stage = team.stage
    await team.says(DORA, "pause-deliveries a suspicion")
    rooms = [await stage.meet(person) for person in (ANNA, BERT)]
    for room_id, person in zip(rooms, (ANNA, BERT), strict=True):
        await stage.ask(room_id, person, "export")
    assert [_told(stage, room_id) for room_id in rooms] == [1, 1]
    assert len(await stage.ask(rooms[1], BERT, "status")) == 1
    assert [stage.files(room_id) for room_id in rooms] == [[], []]
    await team.says(DORA, code(await team.says(DORA, "resume-deliveries")))
    assert [len(stage.files(room_id)) for room_id in rooms] == [1, 1]


async def test_nobody_ends_it_by_accident(team: Team) -> None:
    """It takes a code, and one that is not there can't be ended."""
    (refusal,) = await team.says(DORA, "resume-deliveries")
    assert refusal == "Deliveries are not paused."
    await team.says(DORA, "pause-deliveries a suspicion")
    typed = code(await team.says(DORA, "resume-deliveries"))
    (other,) = await team.says(EMIL, f"resume-deliveries {typed}")
    assert f"this code was given to `{DORA}`, and only they can use it." in other
    room_id = await team.stage.meet(ANNA)
    await team.stage.ask(room_id, ANNA, "export")
    assert team.stage.files(room_id) == []
