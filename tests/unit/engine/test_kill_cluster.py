"""Two machines, and one of them dies at any moment: every job is done, and no finished step twice."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import sqlalchemy as sa

from dpobot.engine.api import StepResult
from dpobot.model.words import JobState
from dpobot.store import jobs, tables
from dpobot.store.database import Database
from dpobot.store.tx import Tx
from tests.unit.engine import killed
from tests.unit.engine.rows import row, want
from tests.unit.engine.test_kill import SERVER, finished_of

KILLS = 20
JOBS = 48


def begin(url: str, effects: Path, name: str) -> ForkServerProcess:
    """Start a process that runs jobs; return it when its engine has begun."""
    theirs, ours = SERVER.Pipe()
    child = SERVER.Process(target=killed.run, args=(url, str(effects), theirs, name))
    child.start()
    theirs.close()
    assert ours.poll(60), "the process did not start"
    ours.recv_bytes()
    ours.close()
    return child


async def in_hand(database: Database, name: str) -> int:
    """Return how many jobs a machine has in hand."""

    async def count(tx: Tx) -> int:
        mine = tables.job.c.run_token.startswith(f"{name}.")
        return int((await tx.conn.execute(sa.select(sa.func.count()).where(mine))).scalar_one())

    return await database.read(count)


async def steps_of(tx: Tx, job_ids: list[int]) -> dict[int, Mapping[str, StepResult]]:
    """Return the finished steps of jobs."""
    return {job_id: await jobs.steps_of(tx, job_id) for job_id in job_ids}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_any_of_two_machines_dies(database: Database, database_url: str, tmp_path: Path) -> None:
    """At 20 moments: the other one and its successor go on with its jobs; at most steps in flight are done again."""
    wanted = [await want(database, number) for number in range(JOBS)]
    effects, dice = tmp_path / "effects", random.Random(11)
    alive = {name: await asyncio.to_thread(begin, database_url, effects, name) for name in ("m0", "m1")}
    interrupted = 0
    finished: Counter[str] = Counter()  # lines of finished steps, and how often each was done by then
    for number in range(KILLS):
        name, child = dice.choice(sorted(alive.items()))
        await asyncio.to_thread(child.join, dice.uniform(0.01, 0.5))
        interrupted += await in_hand(database, name) > 0
        child.kill()
        await asyncio.to_thread(child.join, 60)
        steps = await database.read(partial(steps_of, job_ids=wanted))
        done = Counter(effects.read_text().split("\n")[:-1])
        assert {line: done[line] for line in finished} == finished, "a finished step was done again"
        finished = Counter({line: done[line] for line in finished_of(steps)})
        assert 0 not in finished.values(), "a step is said to be finished that was never done"
        del alive[name]
        alive[f"m{number + 2}"] = await asyncio.to_thread(begin, database_url, effects, f"m{number + 2}")
    for child in alive.values():
        await asyncio.to_thread(child.join, 300)
    assert [child.exitcode for child in alive.values()] == [0, 0]
    done = Counter(effects.read_text().split("\n")[:-1])
    assert done.keys() == {f"{job_id} {number}" for job_id in wanted for number in range(killed.STEPS)}
    assert {(await row(database, job_id)).state for job_id in wanted} == {JobState.DONE}
    assert done.total() - len(done) <= KILLS * killed.AT_ONCE, "more than steps in flight was repeated"
    assert interrupted >= KILLS // 2, "the jobs were over before they could be interrupted"
