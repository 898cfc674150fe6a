"""A process that is killed at any moment loses no job and repeats no finished step."""

import asyncio
import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from dpobot.model.words import JobState
from dpobot.store import jobs
from dpobot.store.database import Database
from tests.unit.engine import killed
from tests.unit.engine.rows import row, want

SERVER = multiprocessing.get_context("forkserver")  # starts each process with its modules loaded
SERVER.set_forkserver_preload([killed.__name__])
KILLS = 10  # on each of the two databases
JOBS = 24


def run_once(url: str, effects: Path, alive: float | None) -> int | None:
    """Run a process and kill it (-9) so many seconds after its engine began; None lets it end. Return its exit code."""
    theirs, ours = SERVER.Pipe()
    child = SERVER.Process(target=killed.run, args=(url, str(effects), theirs))
    child.start()
    theirs.close()
    assert ours.poll(60), "the process did not start"
    ours.recv_bytes()
    ours.close()
    child.join(100 if alive is None else alive)
    child.kill()
    child.join(100)
    return child.exitcode


def finished_of(steps: Mapping[int, Collection[str]]) -> set[str]:
    """Return the lines of finished steps as they are in the file of effects."""
    return {f"{job_id} {name.removeprefix('step ')}" for job_id, names in steps.items() for name in names}


async def test_killing_repeats_no_finished_step(database: Database, database_url: str, tmp_path: Path) -> None:
    """Of each job at most the step in flight is done twice for a kill; every job ends with all its steps."""
    wanted = [await want(database, number) for number in range(JOBS)]
    effects = tmp_path / "effects"
    dice = random.Random(7)
    interrupted = 0
    finished: Counter[str] = Counter()  # lines of finished steps, and how often each was done by then
    for alive in [*(dice.uniform(0.01, 0.4) for _ in range(KILLS)), None]:
        code = await asyncio.to_thread(run_once, database_url, effects, alive)
        interrupted += code == -signal.SIGKILL
        done = Counter(effects.read_text().split("\n")[:-1])
        assert {line: done[line] for line in finished} == finished, "a finished step was done again"
        steps = {job_id: await database.read(partial(jobs.steps_of, job_id=job_id)) for job_id in wanted}
        assert finished_of(steps) <= done.keys(), "a step is said to be finished that was never done"
        finished = Counter({line: done[line] for line in finished_of(steps)})
    assert code == 0
    assert finished.keys() == {f"{job_id} {number}" for job_id in wanted for number in range(killed.STEPS)}
    assert {(await row(database, job_id)).state for job_id in wanted} == {JobState.DONE}
    assert finished.total() - len(finished) <= interrupted * killed.AT_ONCE, "more than steps in flight was repeated"
    assert interrupted >= KILLS // 2, "the jobs were over before they could be interrupted"
