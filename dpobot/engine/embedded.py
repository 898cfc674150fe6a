"""The engine inside the bot's process: asyncio tasks over the job table, on SQLite or PostgreSQL.

One process runs jobs, or their take-over at the start would be wrong (many machines: procrastinate, issue E).
Rows decide, memory only hurries: whatever this object forgets, a sweep finds again.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.engine import outcome, retry
from dpobot.engine.api import JobFunction, JobRun
from dpobot.engine.journal import Journal
from dpobot.engine.outcome import Drop, End, Outcome, PutBack, TryAgain, Wait
from dpobot.errors import Unavailable
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import alerts, jobs
from dpobot.store.database import Database
from dpobot.store.tx import Tx

OnEnd = Callable[[Tx, Job, JobState], Awaitable[None]]
"""What a job's end means for its case; runs in the transaction that ends the job, and again if that is run again."""

_BATCH = 50  # jobs read at a time
_STAFF_MUST_LOOK = frozenset({JobState.FAILED, JobState.HELD})
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
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._functions = dict(functions)
        self._clock = clock
        self._at_once = dict(at_once)
        self._on_end = on_end
        self._sweep_seconds = sweep_seconds
        self._grace_seconds = grace_seconds
        self._jitter = jitter
        self._tokens: dict[int, str] = {}  # jobs that are ours by the rows, whether or not a task is at work
        self._tasks: dict[int, tuple[Job, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()
        self._one_sweep = asyncio.Lock()
        self._started = False
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take over what a dead run left, sweep, and sweep again every minute. Raises `Unavailable`."""
        taken = await self._database.write(self._take_over)
        _log.info("engine_started", taken_over_count=len(taken))
        self._started = True
        await self.sweep()
        self._loop = asyncio.create_task(self._keep_sweeping(await self._until_next_wake()), name="engine sweep")

    async def stop(self) -> None:
        """Start nothing more, give steps in flight a moment, and put back what isn't over."""
        self._started = False
        if self._loop is not None:
            self._wake.set()
            self._loop.cancel()
            await asyncio.wait([self._loop])
            self._loop = None
        async with self._one_sweep:
            await self._end_tasks()
            try:
                await self._put_back_idle(timedelta())
            except Unavailable as error:
                _log.warning("jobs_not_put_back", code=error.code)  # the next start takes them over

    async def idle(self) -> None:
        """Wait until no job of this process runs."""
        while self._tasks:
            await asyncio.wait([task for _job, task in self._tasks.values()])

    async def submit(self, job_id: int) -> None:
        """Say that a job is wanted now; it runs as soon as it is due and its person and its name have room for it."""
        self._wake.set()

    async def cancel(self, job_id: int) -> None:
        """End a cancelled job that doesn't run; one that runs sees the flag in its row before its next step."""
        await self._settle(lambda tx, on_end: self._cancel_waiting(tx, job_id, on_end))

    async def sweep(self) -> int:
        """Start every job that is wanted, due and has room; return how many. Raises `Unavailable`."""
        async with self._one_sweep:
            if not self._started:
                return 0
            # something kept their end from being recorded: not at once again, or it would spin
            await self._put_back_idle(timedelta(seconds=self._sweep_seconds))
            total = 0
            while (names := self._names_with_room()) and (count := await self._start_some(names)):
                total += count
            return total

    async def _take_over(self, tx: Tx) -> list[int]:
        now = self._clock.now()
        for name in await jobs.names_wanted(tx) - self._functions.keys():  # of a newer dpobot: they would wait unseen
            await alerts.open(tx, key=f"job_unknown:{name}", code="job_unknown", now=now)
        return await jobs.take_over(tx, now)

    async def _start_some(self, names: frozenset[str]) -> int:
        """Start what fits of one batch; a person's running job hides their others from the next one."""
        now = self._clock.now()
        count = 0
        for job in await self._database.read(lambda tx: jobs.due(tx, now, _BATCH, names)):
            if job.cancel:
                await self.cancel(job.id)
                count += 1
            elif job.name in self._names_with_room() and job.person not in self._persons():
                count += await self._admit(job)
        return count

    async def _admit(self, job: Job) -> bool:
        token = self._tokens[job.id] = secrets.token_hex(16)  # before the row has it: a cut-off here is put back
        limit = self._limit(job.name)
        now = self._clock.now()
        admitted = await self._database.write(
            lambda tx: jobs.admit(tx, job.id, name=job.name, run_token=token, at_once=limit, now=now)
        )
        if admitted is None:
            del self._tokens[job.id]
            return False
        task = asyncio.create_task(self._run(admitted, token), name=f"job {job.id}")
        self._tasks[job.id] = (admitted, task)
        task.add_done_callback(lambda ended: self._task_ended(job.id, ended))
        return True

    def _task_ended(self, job_id: int, task: asyncio.Task[None]) -> None:
        del self._tasks[job_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("job_not_recorded", job_id=job_id, exc_info=error)  # the next sweep puts it back
        self._wake.set()

    async def _run(self, job: Job, token: str) -> None:
        """Run a job and record what became of it; then it is no longer ours."""
        with log.bound(job_id=job.id, case_id=job.case_id, job=job.name):
            _log.info("job_started", attempts=job.attempts)
            journal = await Journal.open(self._database, self._clock, job.id, token, lambda: not self._started)
            became = await self._call(job, journal)
            if isinstance(became, PutBack):
                _log.info("job_halted")
                return
            await self._record(job, token, became, journal)
            del self._tokens[job.id]

    async def _call(self, job: Job, journal: Journal) -> Outcome:
        try:
            await self._functions[job.name](JobRun(job, journal))
        except asyncio.CancelledError:
            if not self._started:
                raise
            return End(JobState.FAILED, "bug.CancelledError")  # not from us: it awaited something that was cancelled
        except Exception as error:  # noqa: BLE001 - the job wrapper: whatever a job raises becomes its row's state
            became = outcome.of(error)
            if isinstance(became, End) and became.state in _STAFF_MUST_LOOK:
                _log.error("job_broke_off", code=became.code, exc_info=error)
            return became
        return End(JobState.DONE)

    async def _record(self, job: Job, token: str, became: Outcome, journal: Journal) -> None:
        if isinstance(became, TryAgain):
            became = await self._later(job, token, became, 0 if journal.advanced else job.attempts)
        if isinstance(became, Wait):
            became = await self._wait(job, token, became)
        if isinstance(became, End):
            await self._end(job, token, became)
        if isinstance(became, Drop):
            _log.info("job_lost")

    async def _later(self, job: Job, token: str, wish: TryAgain, attempts: int) -> Outcome:
        """Put the job back until its next attempt; return what to do instead if that can't be."""
        now = self._clock.now()
        decision = retry.decide(attempts, retry_after=wish.retry_after, now=now, jitter=self._jitter())
        if isinstance(decision, retry.GiveUp):
            return End(JobState.FAILED, wish.code)

        async def change(tx: Tx) -> Outcome:
            put_back = await jobs.retry_later(tx, job.id, token, decision.at, wish.code, now)
            return await self._if_not_cancelled(tx, job, token, wish, put_back)

        became = await self._database.write(change)
        if became is wish:
            _log.warning("job_waits", code=wish.code, attempts=attempts + 1, until_at=decision.at.isoformat())
        return became

    async def _wait(self, job: Job, token: str, wish: Wait) -> Outcome:
        """Put the job back for a while; return what to do instead if that can't be."""
        now = self._clock.now()
        until = now + timedelta(seconds=wish.seconds)

        async def change(tx: Tx) -> Outcome:
            put_back = await jobs.postpone(tx, job.id, token, until, wish.code, now)
            return await self._if_not_cancelled(tx, job, token, wish, put_back)

        became = await self._database.write(change)
        if became is wish:
            _log.info("job_postponed", code=wish.code, until_at=until.isoformat())
        return became

    async def _if_not_cancelled(self, tx: Tx, job: Job, token: str, wish: Outcome, put_back: Job | None) -> Outcome:
        if put_back is not None:
            return wish
        stands = await jobs.standing(tx, job.id, token)
        return End(JobState.CANCELLED) if stands is jobs.Standing.CANCELLED else Drop()

    async def _end(self, job: Job, token: str, end: End) -> None:
        await self._settle(lambda tx, on_end: self._finish(tx, job.id, token, end, on_end))
        _log.info("job_ended", state=end.state, code=end.code)

    async def _settle(self, change: Callable[[Tx, OnEnd], Awaitable[None]]) -> None:
        """End a job together with what it means for its case; if THAT breaks, end the job alone and tell staff."""
        try:
            await self._database.write(lambda tx: change(tx, self._on_end))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - part of the job wrapper: a case that can't move must not block jobs
            _log.error("job_end_failed", exc_info=error)
            await self._database.write(lambda tx: change(tx, self._tell_staff))

    async def _tell_staff(self, tx: Tx, job: Job, state: JobState) -> None:
        key, now = f"job:{job.id}:end_failed", self._clock.now()
        await alerts.open(tx, key=key, code="job_end_failed", now=now, case_id=job.case_id)

    async def _finish(self, tx: Tx, job_id: int, token: str, end: End, on_end: OnEnd) -> None:
        now = self._clock.now()
        ended = await jobs.finish(tx, job_id, token, end.state, end.code, now)
        if ended is None:
            return
        if end.state in _STAFF_MUST_LOOK:
            code = end.code or str(end.state)
            await alerts.open(tx, key=f"job:{job_id}:{end.state}", code=code, now=now, case_id=ended.case_id)
        await on_end(tx, ended, end.state)

    async def _cancel_waiting(self, tx: Tx, job_id: int, on_end: OnEnd) -> None:
        ended = await jobs.cancel_waiting(tx, job_id, self._clock.now())
        if ended is not None:
            await on_end(tx, ended, JobState.CANCELLED)

    async def _keep_sweeping(self, pause: float) -> None:
        while self._started:  # a cancellation alone can get lost in what is awaited
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.sweep()
                pause = await self._until_next_wake()
            except Exception as error:  # noqa: BLE001 - hardening: a sweep that dies for good would stop every job
                _log.error("sweep_failed", exc_info=error)
                pause = self._sweep_seconds

    async def _until_next_wake(self) -> float:
        now = self._clock.now()
        soonest = await self._database.read(lambda tx: jobs.next_wake(tx, now))
        if soonest is None:
            return self._sweep_seconds
        return min(self._sweep_seconds, max(0.01, (soonest - now) / timedelta(seconds=1)))

    async def _end_tasks(self) -> None:
        tasks = [task for _job, task in self._tasks.values()]
        if not tasks:
            return
        _done, pending = await asyncio.wait(tasks, timeout=self._grace_seconds)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    async def _put_back_idle(self, wait: timedelta) -> None:
        """Put back what is ours in the rows but no task works on: halted, cut off, or its end couldn't be recorded."""
        for job_id in self._tokens.keys() - self._tasks.keys():
            await self._put_back(job_id, wait)

    async def _put_back(self, job_id: int, wait: timedelta) -> None:
        now = self._clock.now()
        await self._database.write(lambda tx: jobs.put_back(tx, job_id, self._tokens[job_id], now + wait, now))
        del self._tokens[job_id]

    def _names_with_room(self) -> frozenset[str]:
        running = [job.name for job, _task in self._tasks.values()]
        return frozenset(name for name in self._functions if running.count(name) < self._limit(name))

    def _persons(self) -> frozenset[str]:
        return frozenset(job.person for job, _task in self._tasks.values())

    def _limit(self, name: str) -> int:
        return self._at_once.get(name, 1)
