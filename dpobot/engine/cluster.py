"""The engine of many machines: each takes jobs out of one queue, and the job table on PostgreSQL decides.

The queue (`engine.queue`) only says "look at this job": admission, the run token and the journal are the same as in
`engine.embedded`. Any process hands out what is due, and puts back what a dead process had; two at once do no harm.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from dpobot import log
from dpobot.clock import Clock
from dpobot.engine import choosing
from dpobot.engine.api import JobFunction
from dpobot.engine.heartbeat import Heartbeat
from dpobot.engine.queue import Queue
from dpobot.engine.recording import OnEnd
from dpobot.engine.rounds import Rounds
from dpobot.engine.running import Running
from dpobot.errors import Unavailable
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import heartbeats, jobs
from dpobot.store.database import Database
from dpobot.store.tx import Tx

_BATCH = 50  # jobs read at a time
_PAUSE = 1.0  # seconds before it is tried again, when the database was away
_log = log.get(__name__)


class ClusterEngine:
    """`Engine` of one process among several.

    ``at_once`` limits how many jobs of a name run at the same time on all machines together (not listed: one),
    ``jobs_at_once`` how many run here. A process that is silent for ``dead_after`` seconds is dead. One that doesn't
    ``work`` hands out jobs and runs none. ``settings``: how psycopg connects (`store.connect.driver_settings`).
    """

    def __init__(
        self,
        database: Database,
        functions: Mapping[str, JobFunction],
        *,
        settings: Mapping[str, Any],
        clock: Clock,
        at_once: Mapping[str, int],
        on_end: OnEnd,
        jobs_at_once: int,
        dead_after: float,
        works: bool = True,
        sweep_seconds: float = 60.0,
        grace_seconds: float = 20.0,
        machine: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs_at_once = jobs_at_once
        self._works = works
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
        self._queue = Queue(settings, self._look_at)
        self._heartbeat = Heartbeat(database, clock, self._running, dead_after, self._rounds.wake, self._tidy)
        self._one_sweep = asyncio.Lock()
        self._working: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Join the others; sweep, and sweep again every minute. Raises `Unavailable`, `ConfigurationError`."""
        await self._queue.open(self._database)
        await self._database.write(self._running.tell_unknown)
        await self._heartbeat.round()
        self._running.halted = False
        _log.info("engine_started", at_once=self._jobs_at_once if self._works else 0)
        await self.sweep()
        await self._rounds.start()
        self._heartbeat.start()
        if self._works:
            self._working = asyncio.create_task(self._keep_working(), name="engine work")

    async def stop(self) -> None:
        """Take nothing more, give steps in flight a moment, put back what isn't over, and tell the others."""
        self._running.halted = True
        await self._rounds.stop()
        if self._working is not None:
            self._working.cancel()
        async with self._one_sweep:
            await self._running.stop(self._grace_seconds)
            if self._working is not None:
                await asyncio.wait([self._working])
                self._working = None
            await self._heartbeat.stop()
            with suppress(Unavailable):  # the others find it within a minute
                await self._hand_out()
        with suppress(Unavailable):
            await self._queue.close()

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
        """Hand out every job that is wanted, due and has room; return how many. Raises `Unavailable`."""
        async with self._one_sweep:
            if self._running.halted:
                return 0
            # something kept their end from being recorded: not at once again, or it would spin
            await self._running.put_back_idle(self._rounds.longest)
            return await self._hand_out()

    async def _hand_out(self) -> int:
        queued, count = await self._queue.waiting(), 0
        while chosen := await self._database.read(lambda tx: self._choose(tx, queued)):
            for job in chosen:
                if job.cancel:
                    await self.cancel(job.id)
                    count += 1
                else:
                    count += await self._queue.put(job.id)
                    queued.add(job.id)
        return count

    async def _choose(self, tx: Tx, queued: set[int]) -> list[Job]:
        limits = {name: self._running.limit(name) for name in self._running.names}
        waiting = await jobs.waiting_of(tx, queued)
        left = choosing.room(limits, await heartbeats.count_running(tx), waiting)
        due = await jobs.due(tx, self._clock.now(), _BATCH + len(queued), frozenset(left))
        return choosing.choose(due, waiting, queued, left)

    async def _look_at(self, job_id: int) -> None:
        """Run a job that came out of the queue, if it is still wanted and has room; else its row waits for a sweep."""
        try:
            task = await self._begin(job_id)
        except Unavailable as trouble:
            _log.warning("job_not_begun", job_id=job_id, code=trouble.code)
            await asyncio.sleep(_PAUSE)
            self._rounds.wake()
            return
        if task is not None:
            await asyncio.wait([task])

    async def _begin(self, job_id: int) -> asyncio.Task[None] | None:
        job = await self._database.read(lambda tx: jobs.get(tx, job_id))
        if self._running.halted or job is None or job.state is not JobState.WANTED:
            return None
        if len(self._running.jobs) >= self._jobs_at_once:  # runs that outlived the queue when the database was away
            raise Unavailable("busy")
        if job.cancel:
            await self.cancel(job_id)
            return None
        return await self._running.admit(job_id, job.name) if job.name in self._running.names else None

    async def _keep_working(self) -> None:
        """Take jobs out of the queue; whenever the database is away, begin anew. Jobs in hand go on meanwhile."""
        while not self._running.halted:
            try:
                await self._queue.work(self._jobs_at_once, self._heartbeat.every, self._heartbeat.silent)
            except Unavailable as trouble:
                _log.warning("queue_unavailable", code=trouble.code)
            except Exception as error:  # noqa: BLE001 - hardening: a machine that takes no more jobs would look alive
                _log.error("queue_broke_off", exc_info=error)
            await asyncio.sleep(_PAUSE)

    async def _tidy(self) -> None:
        await self._queue.remove_dead(self._heartbeat.silent)
