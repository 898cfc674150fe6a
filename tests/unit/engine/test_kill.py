"""A process that is killed at any moment loses no job and repeats no finished step."""

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

from dpobot.model.words import JobState
from dpobot.store import jobs
from dpobot.store.database import Database
from tests.unit.engine.killed import STEPS
from tests.unit.engine.rows import row, want

KILLS = 10  # on each of the two databases
JOBS = 40


async def run_once(url: str, effects: Path, alive: float | None) -> int:
    """Run the process and kill it (-9) so many seconds after it started; None lets it end. Return its exit code."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.unit.engine.killed", url, str(effects), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    await child.stdout.readline()
    if alive is not None:
        try:
            await asyncio.wait_for(child.wait(), alive)
        except TimeoutError:
            child.kill()
    return await asyncio.wait_for(child.wait(), 100)


async def test_killing_repeats_no_finished_step(database: Database, database_url: str, tmp_path: Path) -> None:
    """Of each job at most the step in flight is done twice for a kill; every job ends with all its steps."""
    wanted = [await want(database, number) for number in range(JOBS)]
    effects = tmp_path / "effects"
    dice = random.Random(7)
    interrupted = 0
    repeats_before: Counter[str] = Counter()
    for _ in range(KILLS):
        interrupted += await run_once(database_url, effects, dice.uniform(0.01, 0.4)) == -9
        finished = {
            f"{job_id} {name.removeprefix('step ')}"
            for job_id in wanted
            for name in await database.read(lambda tx, i=job_id: jobs.steps_of(tx, i))  # type: ignore[misc] # bound early
        }
        done = Counter(effects.read_text().split("\n")[:-1])
        assert finished <= done.keys()
        assert {line: done[line] for line in repeats_before} == repeats_before, "a finished step was done again"
        repeats_before = Counter({line: done[line] for line in finished})
    assert await run_once(database_url, effects, None) == 0
    done = Counter(effects.read_text().split("\n")[:-1])
    assert {line: done[line] for line in repeats_before} == repeats_before, "a finished step was done again"
    assert done.keys() == {f"{job_id} {number}" for job_id in wanted for number in range(STEPS)}
    assert {(await row(database, job_id)).state for job_id in wanted} == {JobState.DONE}
    assert sum(done.values()) - len(done) <= interrupted * 4, "more than the steps in flight were repeated"
    assert interrupted >= KILLS // 2, "the jobs were over before they could be interrupted"
