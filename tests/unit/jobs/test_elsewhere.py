"""Jobs on machines that are not the bot: by post they say the same, and what one began another one makes anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from dpobot.delivery.courier import PostalCourier, lend_token
from dpobot.delivery.postman import Postman
from dpobot.engine.embedded import EmbeddedEngine
from dpobot.jobs.expire import Expire
from dpobot.jobs.export import Export
from dpobot.jobs.outcome import Outcome
from dpobot.jobs.parts import Parts
from dpobot.jobs.tidying import Tidying
from dpobot.matrix.api import Courier
from dpobot.matrix.desk import Desk
from dpobot.matrix.http import Http
from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import jobs, volumes
from dpobot.store.database import Tx
from tests.fakes.matrix import FakeMatrix
from tests.unit.jobs.conftest import ANNA, BOT, STAFF, World

PACE = 0.001  # seconds between two looks at a letter


class Machine:
    """A process that runs jobs, on a disk of its own."""

    def __init__(self, world: World, name: str, folder: Path, matrix: Courier) -> None:
        (folder / "spool").mkdir(parents=True, mode=0o700)
        self._world = world
        self.parts: Parts = replace(world.parts, matrix=matrix, spool=folder / "spool")
        self.tidying = Tidying(self.parts, name)
        self.engine = EmbeddedEngine(
            world.database,
            {"export": Export(self.parts), "expire": Expire(self.parts)},
            clock=world.parts.clock,
            at_once={"export": 1},
            on_end=Outcome(self.parts).end,
            machine=name,
            jitter=lambda: 0.0,
        )

    async def work(self, later: timedelta = timedelta(seconds=30)) -> None:
        """Do what is due some time later, then stop as a process does."""
        self._world.server.now += later
        await self.engine.start()
        await self.engine.idle()
        await self.engine.stop()

    def spools(self) -> int:
        """Return how many archives are in the making here."""
        return len(list(self.parts.spool.iterdir()))


@asynccontextmanager
async def _post(world: World) -> AsyncIterator[PostalCourier]:
    """Let the bot's postman work; give what a job elsewhere has of the bot's account."""
    bot = FakeMatrix(world.server, BOT)
    await lend_token(world.database, "token")
    task = asyncio.create_task(Postman(world.database, bot, world.parts.clock).run())
    desk, http = cast(Desk, bot), Http("http://homeserver.invalid")
    yield PostalCourier(http, desk, world.database, world.parts.clock, 60.0, PACE)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a person here."""
    for name in ("engine.turns._LOOK_AGAIN", "delivery.postman._SOON", "delivery.postman._CALM"):
        monkeypatch.setattr(f"dpobot.{name}", PACE)


async def _generations(world: World, case: Case) -> list[str]:
    """Return the names of the spools that a case's export was made in, in their order."""

    async def read(tx: Tx) -> list[str]:
        (job,) = [job for job in await jobs.of_case(tx, case.id) if job.name == "export"]
        steps = await jobs.steps_of(tx, job.id)
        return [steps[name]["generation"] for name in sorted(steps) if name.startswith("spool:")]

    return await world.database.read(read)


async def test_an_archive_is_delivered_and_taken_back_by_post(world: World, tmp_path: Path) -> None:
    """As from the bot's own machine: progress, file, state; after its time the file and its message are gone."""
    case = await world.export()
    async with _post(world) as courier:
        machine = Machine(world, "elsewhere", tmp_path / "elsewhere", courier)
        await machine.work()
        (file,) = world.files()
        assert ((await world.read(case)).state, len(world.server.media), machine.spools()) == (
            CaseState.DELIVERED,
            1,
            0,
        )
        await machine.work(world.parts.config.deliveries_kept)
    assert (file in world.server.redacted, world.server.media) == (True, {})


async def test_a_job_goes_from_machine_to_machine(world: World, tmp_path: Path) -> None:
    """Each begins anew and takes back what the last one uploaded, also the first when it comes back to its spool."""
    case = await world.export()
    matrix = FakeMatrix(world.server, BOT)
    here, there = (Machine(world, name, tmp_path / name, matrix) for name in ("here", "there"))
    world.server.invite(world.room, ANNA, STAFF)  # so that nothing can be sent
    for machine in (here, there, here):
        await machine.work()
        assert (len(world.server.media), world.files(), machine.spools()) == (1, [], 1)
    names = await _generations(world, case)
    assert (len(names), len(set(names))) == (3, 3)
    world.server.member(world.room, STAFF, "leave")
    await here.work()
    (row,) = await world.database.read(lambda tx: volumes.of_case(tx, case.id))
    assert ([row.event_id], [row.mxc]) == (world.files(), list(world.server.media))
    assert (here.spools(), there.spools()) == (0, 1)
    assert (await there.tidying.once(), there.spools()) == (1, 0)
