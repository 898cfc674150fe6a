"""An exceptional erasure: one room, or a person's state in it; the account is left alone."""

from dpobot.errors import Rejected, Unavailable
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import cases, erasures, jobs
from dpobot.store.database import Tx
from tests.unit.jobs.conftest import ANNA, World
from tests.unit.jobs.erasures import GROUP, WAIVED, at_work, live, read, rooms, words_left


async def _approved(world: World, scope: str) -> Case:
    """Return a case that two members of staff have approved."""
    live(world)
    exception = {"exceptional": {"scope": scope, "room_id": GROUP}}
    case = await world.case(CaseState.APPROVED, kind=Kind.ERASURE, options=exception)
    now = world.server.now

    async def write(tx: Tx) -> None:
        await erasures.put(tx, case.id, WAIVED)
        await erasures.change(tx, case.id, cooled_off_at=now, plan={}, plan_hash="0" * 64)
        await jobs.want(tx, case_id=case.id, name="erase", person=ANNA, wake_at=now, now=now)

    await world.database.write(write)
    return case


async def _finish(world: World) -> None:
    for _ in range(10):
        await world.work(seconds=5)
        if not await at_work(world):
            return


async def test_a_room_is_deleted_although_others_are_in_it(world: World) -> None:
    """Nothing else of the person's is touched; they were told before, and can go on writing."""
    case = await _approved(world, "room")
    await _finish(world)
    assert GROUP not in world.homeserver.rooms_held
    assert not world.homeserver.accounts[ANNA].deactivated
    assert "Your account stays as it is" in world.said()[0]
    assert (await world.read(case)).state is CaseState.CLOSED
    assert (await read(world, case)).counts == {"rooms": 1}


async def test_of_state_nothing_but_state_goes(world: World) -> None:
    """What was said in the room stays."""
    case = await _approved(world, "state")
    await _finish(world)
    topics = [event for event in world.homeserver.rooms_held[GROUP].events if event["type"] == "m.room.topic"]
    assert [event["content"] for event in topics] == [{}, {"topic": ""}]
    assert words_left(world, GROUP) == ["words 0", "words 1", "words 2", "x"]
    assert (await world.read(case)).state is CaseState.CLOSED
    assert (await read(world, case)).counts == {"state": 2}


async def test_what_the_server_refuses_stops_short(world: World) -> None:
    """Staff see which room."""
    case = await _approved(world, "room")
    world.homeserver.fault("delete_room", Rejected("deletion_failed"))
    await _finish(world)
    assert (await world.read(case)).state is CaseState.PARTIAL
    assert await rooms(world, case) == {GROUP: ("purge", "failed")}


async def test_a_server_that_goes_away_is_waited_for(world: World) -> None:
    """It ends the same."""
    case = await _approved(world, "room")
    world.homeserver.fault("delete_room", Unavailable("connection"))
    await _finish(world)
    assert (await world.read(case)).state is CaseState.CLOSED


async def test_what_was_withdrawn_is_not_done(world: World) -> None:
    """Also in the last moment."""
    case = await _approved(world, "room")
    await world.database.write(lambda tx: cases.update(tx, case, {"state": CaseState.WITHDRAWN}))
    await _finish(world)
    assert GROUP in world.homeserver.rooms_held
