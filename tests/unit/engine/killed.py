"""What a process does that runs jobs until all are over or it is killed.

Each step appends ``job step`` to a file, so that a second time can be seen.
"""

import asyncio
import os
from multiprocessing.connection import Connection

from dpobot import log
from dpobot.clock import SystemClock
from dpobot.engine.api import JobRun, StepResult
from dpobot.engine.cluster import ClusterEngine
from dpobot.engine.embedded import EmbeddedEngine
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import jobs
from dpobot.store.connect import driver_settings
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from dpobot.store.tx import Tx

STEPS = 30
AT_ONCE = 4  # of a process
WAIT = 0.03  # seconds that a step takes, where there are several processes
DEAD_AFTER = 3.0  # seconds, of one process among several
KEYS = Seal({"test": bytes(range(32))}, "test")


def effect(file: int, line: str) -> StepResult:
    """Do something that outlives this process (one write: never half a line)."""
    os.write(file, f"{line}\n".encode())
    return {"count": 1}


async def _open(tx: Tx) -> bool:
    return bool(await jobs.names_wanted(tx)) or await jobs.count_running(tx, "export") > 0


def run(url: str, effects: str, started: Connection, machine: str | None = None) -> None:
    """Run jobs until none is wanted; ``started`` is told when the engine has begun.

    ``machine`` names one process among several; without it, it is the only one.
    """
    log.configure("ERROR")
    asyncio.run(_run(url, effects, started, machine))


async def _run(url: str, effects: str, started: Connection, machine: str | None) -> None:
    file = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    database = Database(url, KEYS)
    await database.open()

    async def work(run: JobRun) -> None:
        for number in range(STEPS):
            line = f"{run.job.id} {number}"

            async def do(line: str = line) -> StepResult:
                await asyncio.sleep(WAIT if machine else 0)
                return effect(file, line)

            await run.steps.step(f"step {number}", do, {"done": number + 1})

    async def on_end(tx: Tx, job: Job, state: JobState) -> None:
        """Nothing hangs on it here."""

    engine: EmbeddedEngine | ClusterEngine
    if machine is None:
        engine = EmbeddedEngine(
            database, {"export": work}, clock=SystemClock(), at_once={"export": AT_ONCE}, on_end=on_end
        )
    else:
        engine = ClusterEngine(
            database,
            {"export": work},
            settings=driver_settings(url),
            clock=SystemClock(),
            at_once={"export": 6 * AT_ONCE},  # those of dead ones count until they are found dead
            on_end=on_end,
            jobs_at_once=AT_ONCE,
            dead_after=DEAD_AFTER,
            machine=machine,
        )
    await engine.start()
    started.send_bytes(b"started")
    async with asyncio.timeout(60 if machine is None else 300):  # a busy machine is no finding
        while await database.read(_open):
            await asyncio.sleep(0.05)
    await engine.stop()
    await database.close()
