"""The engine inside the bot's process: asyncio tasks over the job table, on SQLite or PostgreSQL.

One process runs jobs, or their take-over at the start would be wrong (many machines: `engine.cluster`).
Rows decide, memory only hurries: whatever this object forgets, a sweep finds again.
"""

import asyncio
import random
from collections.abc import Callable, Mapping

from dpobot import log
from dpobot.clock import Clock
from dpobot.engine import retry
from dpobot.engine.api import JobFunction
from dpobot.engine.recording import OnEnd
from dpobot.engine.rounds import Rounds
from dpobot.engine.running import Running
from dpobot.store import jobs
from dpobot.store.database import Database
from dpobot.store.tx import Tx

_BATCH = 50  # jobs read at a time
_log = log.get(__name__)


class EmbeddedEngine:
    """`Engine` of a single process.

    ``at_once`` limits how many jobs of a name run at the same time (not listed: one). ``sweep_seconds`` is the longest
    time between sweeps, ``grace_seconds`` what `stop` gives steps in flight, ``jitter`` gives random numbers in [0, 1).
    """

    def __init__(
        self,
        database: Database,
        functions: Mapping[str, JobFunction],
        *,
        clock: Clock,
        at_once: Mapping[str, int],
        on_end: OnEnd,
        sweep_seconds: float = 60.0,
        grace_seconds: float = 3.0,
        machine: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._rounds = Rounds(database, clock, self.sweep, sweep_seconds)
        self._running = Running(
            database,
            functions,
            clock=clock,
            at_once=at_once,
            on_end=on_end,
            ended=self._rounds.wake,
            machine=machine,
            jitter=jitter,
        )
        self._one_sweep = asyncio.Lock()

    async def start(self) -> None:
        """Take over what a dead run left, sweep, and sweep again every minute. Raises `Unavailable`."""
        taken = await self._database.write(self._take_over)
        _log.info("engine_started", taken_over_count=len(taken))
        self._running.halted = False
        await self.sweep()
        await self._rounds.start()

    async def stop(self) -> None:
        """Start nothing more, give steps in flight a moment, and put back what isn't over."""
        self._running.halted = True
        await self._rounds.stop()
        async with self._one_sweep:
            await self._running.stop(self._grace_seconds)

    async def idle(self) -> None:
        """Wait until no job of this process runs."""
        await self._running.idle()

    async def submit(self, job_id: int) -> None:
        """Say that a job is wanted now; it runs as soon as it is due and its person and its name have room for it."""
        self._rounds.wake()

    async def cancel(self, job_id: int) -> None:
        """End a cancelled job that doesn't run; one that runs sees the flag in its row before its next step."""
        await self._running.cancel(job_id)

    async def sweep(self) -> int:
        """Start every job that is wanted, due and has room; return how many. Raises `Unavailable`."""
        async with self._one_sweep:
            if self._running.halted:
                return 0
            # something kept their end from being recorded: not at once again, or it would spin
            await self._running.put_back_idle(self._rounds.longest)
            total = 0
            while (names := self._names_with_room()) and (count := await self._start_some(names)):
                total += count
            return total

    async def _take_over(self, tx: Tx) -> list[int]:
        await self._running.tell_unknown(tx)
        return await jobs.take_over(tx, self._clock.now(), retry.AFTER_DEATHS)

    async def _start_some(self, names: frozenset[str]) -> int:
        """Start what fits of one batch; a person's running job hides their others from the next one."""
        now = self._clock.now()
        count = 0
        for job in await self._database.read(lambda tx: jobs.due(tx, now, _BATCH, names)):
            if job.cancel:
                await self.cancel(job.id)
                count += 1
            elif job.name in self._names_with_room() and job.person not in self._persons():
                count += await self._running.admit(job.id, job.name) is not None
        return count

    def _names_with_room(self) -> frozenset[str]:
        running = [job.name for job in self._running.jobs]
        return frozenset(name for name in self._running.names if running.count(name) < self._running.limit(name))

    def _persons(self) -> frozenset[str]:
        return frozenset(job.person for job in self._running.jobs)
