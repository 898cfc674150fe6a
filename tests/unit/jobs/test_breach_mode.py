"""Breach mode: while it is on, no archive leaves the machine; afterwards each leaves once."""

import pytest

from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import jobs, wakes
from tests.unit.jobs.conftest import World

PAUSED = "because we are checking the security of the service"


async def _attempts(world: World, case: Case) -> list[int]:
    return [job.attempts for job in await world.database.read(lambda tx: jobs.of_case(tx, case.id))]


async def test_nothing_is_uploaded(world: World) -> None:
    """The archive is made, and waits on this machine; the person is told once."""
    await world.pause_deliveries()
    case = await world.export()
    for _ in range(3):
        await world.work(minutes=1)
    assert (world.server.media, world.files()) == ({}, [])
    assert (await world.read(case)).state is CaseState.WORKING
    assert [PAUSED in text for text in world.said()].count(True) == 1


async def test_when_it_is_lifted_each_archive_leaves_once(world: World) -> None:
    """Within a minute, however long it was on: waiting is no failure."""
    await world.pause_deliveries()
    case = await world.export()
    for _ in range(4):
        await world.work(days=3)
    assert await _attempts(world, case) == [0]
    await world.resume_deliveries()
    await world.work(minutes=1)
    assert len(world.files()) == 1
    assert (await world.read(case)).state is CaseState.DELIVERED
    await world.work(minutes=1)
    assert len(world.files()) == 1


async def test_lifting_wakes_what_waits(world: World) -> None:
    """At once, if whoever lifts it says so."""
    await world.pause_deliveries()
    case = await world.export()
    await world.work()
    await world.resume_deliveries()
    now = world.server.now
    assert await world.database.write(lambda tx: wakes.for_error(tx, "deliveries_paused", now)) == 1
    await world.work()
    assert (await world.read(case)).state is CaseState.DELIVERED


async def test_it_comes_between_upload_and_send(world: World) -> None:
    """What is on the server by then stays there unsent: ciphertext whose key nobody has; then it is sent, not anew."""
    real = world.parts.matrix.upload_encrypted
    case = await world.export()

    async def upload(*args: object) -> object:
        done = await real(*args)  # type: ignore[arg-type] # what the caller handed in
        await world.pause_deliveries()
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.parts.matrix, "upload_encrypted", upload)
        await world.work()
    assert (len(world.server.media), world.files()) == (1, [])
    uploaded = list(world.server.media)
    await world.resume_deliveries()
    await world.work(minutes=1)
    assert (list(world.server.media), len(world.files())) == (uploaded, 1)
    assert (await world.read(case)).state is CaseState.DELIVERED


async def test_it_comes_while_a_room_is_looked_for(world: World) -> None:
    """The last look is right before the sending."""
    real = world.parts.matrix.room
    case = await world.export()
    looks = 0

    async def room(room_id: object) -> object:
        nonlocal looks
        looks += 1
        facts = await real(room_id)  # type: ignore[arg-type] # what the caller handed in
        if world.server.media:
            await world.pause_deliveries()
        return facts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.parts.matrix, "room", room)
        await world.work()
    assert (world.files(), looks > 0) == ([], True)
    assert (await world.read(case)).state is CaseState.WORKING


async def test_a_request_can_be_taken_back_meanwhile(world: World) -> None:
    """What waits is dropped, and nothing of it stays on this machine."""
    await world.pause_deliveries()
    case = await world.export()
    await world.work()
    assert list(world.parts.spool.iterdir()) != []
    await world.database.write(lambda tx: jobs.request_cancel(tx, case.id, world.server.now))
    await world.work()
    assert list(world.parts.spool.iterdir()) == []
    assert world.files() == []


async def test_the_progress_is_not_shown_anew_every_minute(world: World) -> None:
    """While the way out is shut, nothing happens that the person need see."""
    await world.pause_deliveries()
    await world.export()
    await world.work()
    before = len(world.server.timeline)
    for _ in range(5):
        await world.work(minutes=1)
    assert len(world.server.timeline) == before
