"""Each machine removes what it no longer needs from its own disk, and nothing else."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from dpobot.archive.spool import Spool
from dpobot.config import Config
from dpobot.download import token
from dpobot.download.shelf import Shelf
from dpobot.engine.api import StepResult
from dpobot.engine.machine import name_of, run_token
from dpobot.errors import Unavailable
from dpobot.jobs.expire import take_back_link
from dpobot.jobs.generation import claimed
from dpobot.jobs.tidying import Tidying
from dpobot.model.ids import EventId
from dpobot.model.words import JobState
from dpobot.store import downloads, jobs
from dpobot.store.database import Tx
from dpobot.store.tables import job as table
from tests.unit.jobs.conftest import NOW, World

HERE, ELSEWHERE = "here", "elsewhere"


class Journal:
    """A job's finished steps, in memory."""

    def __init__(self) -> None:
        self.finished: dict[str, StepResult] = {}

    def done(self, name: str) -> StepResult | None:
        """Return a step's result."""
        return self.finished.get(name)

    async def step(self, name: str, do: Callable[[], Awaitable[StepResult]], progress: object = None) -> StepResult:
        """Do a step once."""
        if name not in self.finished:
            self.finished[name] = await do()
        return self.finished[name]


def _tidying(world: World, *, cluster: bool = True) -> Tidying:
    config = world.parts.config
    changed = config.model_copy(update={"cluster": config.cluster.model_copy(update={"enabled": cluster})})
    assert isinstance(changed, Config)
    return Tidying(replace(world.parts, config=changed), HERE)


async def _job(world: World, state: JobState, run: str | None = None) -> int:
    """Insert a case with a job in this state, and plant its spool; return the job's number."""
    case = await world.case()

    async def insert(tx: Tx) -> int:
        person = f"@person{case.id}:dpobot.test"
        number = await jobs.want(tx, case_id=case.id, name="export", person=person, wake_at=NOW, now=NOW)
        await tx.conn.execute(sa.update(table).where(table.c.id == number).values(state=state, run_token=run))
        return number

    number = await world.database.write(insert)
    _plant(world.parts.spool / str(number))
    return number


def _plant(folder: Path, *, hours: float = 0.0) -> None:
    """Let something lie in a folder that was last touched so many hours ago."""
    (folder / "rooms").mkdir(parents=True)
    (folder / "rooms" / "1.jsonl").write_text("{}")
    _touched(folder, hours)


def _touched(folder: Path, hours: float) -> None:
    at = (NOW - timedelta(hours=hours)).timestamp()
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (at, at))


def _spools(world: World) -> set[str]:
    return {path.name for path in world.parts.spool.iterdir()}


async def test_a_spool_stays_only_where_its_job_goes_on(world: World) -> None:
    """Jobs that are over, run elsewhere or were never heard of leave nothing; one that runs or waits here does."""
    over = [await _job(world, state) for state in JobState if state not in (JobState.WANTED, JobState.RUNNING)]
    over.append(await _job(world, JobState.RUNNING, run_token(ELSEWHERE)))
    kept = [
        await _job(world, JobState.RUNNING, run_token(HERE)),
        await _job(world, JobState.RUNNING, run_token(None)),
        await _job(world, JobState.WANTED),
    ]
    _plant(world.parts.spool / "4711")
    assert await _tidying(world).once() == len(over) + 1
    assert _spools(world) == {str(number) for number in kept}
    assert await _tidying(world).once() == 0


@pytest.mark.parametrize(("cluster", "hours", "stays"), [(True, 23.9, True), (True, 24.1, False), (False, 700.0, True)])
async def test_a_job_that_waits_keeps_its_spool_for_a_while(
    world: World, cluster: bool, hours: float, stays: bool
) -> None:
    """For a day where another machine may take it up; as long as it waits where there is none."""
    number = await _job(world, JobState.WANTED)
    _touched(world.parts.spool_of(number), hours)
    await _tidying(world, cluster=cluster).once()
    assert world.parts.spool_of(number).exists() == stays


async def test_what_a_crash_left_beside_the_spools_goes(world: World) -> None:
    """After an hour, whatever it is; what was being removed goes at once, and a fresh one is somebody's."""
    for name, hours in (("tmpfresh", 0.5), ("tmpold", 1.5), (".gone-0", 0.0)):
        _plant(world.parts.spool / name, hours=hours)
    (world.parts.spool / "file").write_text("x")
    _touched(world.parts.spool / "file", 2)
    assert (await _tidying(world).once(), _spools(world)) == (3, {"tmpfresh"})


async def _link(world: World, *, sent: bool, hours: float) -> tuple[int, str]:
    """Give a case a link that is good for so many hours, with a volume behind it; return its case and secret."""
    case, secret = await world.case(), token.new_token()
    until = NOW + timedelta(hours=hours)

    async def insert(tx: Tx) -> None:
        await downloads.promise(tx, case.id, secret, token.hash_of(secret), now=NOW, expires_at=until)
        if sent:
            await downloads.sent(tx, case.id, world.room, EventId("$link"), NOW)

    await world.database.write(insert)
    _shelve(world, case.id, secret)
    return case.id, secret


def _shelve(world: World, case_id: int, secret: str) -> None:
    plain = world.parts.spool / "plain"
    plain.write_bytes(b"volume")
    digest = hashlib.sha256(b"volume").hexdigest()
    Shelf(world.parts.downloads).put(case_id, secret, 1, plain, 6, digest)


async def test_a_shelf_stays_as_long_as_its_link(world: World) -> None:
    """One that is good, or still to be sent however late; not one that is over, taken back, unknown, or made anew."""
    good, waits = await _link(world, sent=True, hours=1), await _link(world, sent=False, hours=-1)
    await _link(world, sent=True, hours=-1)
    taken_back = await _link(world, sent=False, hours=1)
    anew = await _link(world, sent=True, hours=1)
    _shelve(world, anew[0], token.new_token())
    _shelve(world, 4711, token.new_token())
    await world.database.write(lambda tx: downloads.end(tx, taken_back[0], NOW))
    assert await _tidying(world).once() == 4
    assert set(Shelf(world.parts.downloads).links()) == {good[0], waits[0]}


async def test_a_link_that_another_machine_has_forgotten_leaves_nothing_here(world: World) -> None:
    """The job that begins anew here removes what it had shelved here before it went on elsewhere."""
    case_id, _ = await _link(world, sent=False, hours=1)
    await world.database.write(lambda tx: downloads.forget(tx, case_id))
    assert await take_back_link(world.parts, case_id) == {"existed": True}
    assert Shelf(world.parts.downloads).links() == {}


async def test_a_spool_is_resumed_unless_the_job_went_on_elsewhere(tmp_path: Path) -> None:
    """The same machine goes on with its spool; whoever comes back after another one begins anew."""
    steps, here, there = Journal(), tmp_path / "here", tmp_path / "there"
    first = (await claimed(here, steps)).generation()
    assert (await claimed(here, steps)).generation() == first
    second = (await claimed(there, steps)).generation()
    (here / "rooms" / "1.jsonl").write_text("what the first has collected")
    third = await claimed(here, steps)
    assert (len({first, second, third.generation()}), list((here / "rooms").iterdir())) == (3, [])
    assert [noted["generation"] for noted in steps.finished.values()] == [first, second, third.generation()]


async def test_a_spool_from_before_a_crash_at_its_note_is_resumed(tmp_path: Path) -> None:
    """Its name was written, and then the power went: it is the newest all the same."""
    begun = Spool(tmp_path).generation()
    steps = Journal()
    assert ((await claimed(tmp_path, steps)).generation(), len(steps.finished)) == (begun, 1)


async def test_a_database_that_is_away_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tidying goes on when it is back."""
    monkeypatch.setattr("dpobot.jobs.tidying._PAUSE", 0.0)
    _plant(world.parts.spool / "4711")
    tidying, away = _tidying(world), [Unavailable("database")]
    once = tidying.once

    async def first_away() -> int:
        if away:
            raise away.pop()
        return await once()

    monkeypatch.setattr(tidying, "once", first_away)
    task = asyncio.create_task(tidying.run())
    while _spools(world):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (away, _spools(world)) == ([], set())


def test_a_machine_keeps_its_name(tmp_path: Path) -> None:
    """The same data folder is the same machine; another one has another name."""
    (tmp_path / "other").mkdir()
    names = [name_of(tmp_path), name_of(tmp_path), name_of(tmp_path / "other")]
    assert (names[0] == names[1] != names[2], [len(run_token(name)) <= 64 for name in names]) == (True, [True] * 3)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["machine"]
