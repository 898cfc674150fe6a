"""One machine of `benchmarks.workers`: runs exports until it is told to stop.

python -m benchmarks.workers_machine URL FOLDER NAME PEOPLE AT_ONCE DEAD_AFTER
"""

import asyncio
import signal
import sys
from pathlib import Path

from benchmarks.workers_world import parts_of
from dpobot import log, memory
from dpobot.clock import SystemClock
from dpobot.engine.cluster import ClusterEngine
from dpobot.jobs.export import Export
from dpobot.jobs.outcome import Outcome
from dpobot.store.connect import driver_settings
from dpobot.store.database import Database
from dpobot.store.seal import Seal

KEYS = Seal({"test": bytes(range(32))}, "test")
EVERYWHERE = 64  # exports at the same time, on all machines
READY = "ready"


async def serve(url: str, folder: Path, name: str, people: int, at_once: int, dead_after: float) -> None:
    """Run jobs until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database, clock = Database(url, KEYS), SystemClock()
    await database.open()
    parts = parts_of(database, clock, folder, people, sum(name.encode()))
    engine = ClusterEngine(
        database,
        {"export": Export(parts)},
        settings=driver_settings(url),
        clock=clock,
        at_once={"export": EVERYWHERE},
        on_end=Outcome(parts).end,
        jobs_at_once=at_once,
        dead_after=dead_after,
        machine=name,
    )
    await engine.start()
    print(READY, flush=True)
    await stop.wait()
    await engine.stop()
    await database.close()


if __name__ == "__main__":
    memory.one_arena()
    log.configure("ERROR")
    url, folder, name, people, at_once, dead_after = sys.argv[1:]
    asyncio.run(serve(url, Path(folder), name, int(people), int(at_once), float(dead_after)))
