"""The jobs that this process runs: admission, their tasks, and putting back what is not over."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.engine import outcome, retry
from dpobot.engine.api import JobFunction, JobRun
from dpobot.engine.journal import Journal
from dpobot.engine.machine import run_token
from dpobot.engine.outcome import End, Outcome, PutBack
from dpobot.engine.recording import STAFF_MUST_LOOK, OnEnd, Recorder
from dpobot.errors import Unavailable
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import alerts, jobs
from dpobot.store.database import Database
from dpobot.store.tx import Tx

MACHINE_DIED = "machine_died"  # each time that it ran: staff must look whether it is the job that kills them
_log = log.get(__name__)


class Running:
    """Runs admitted jobs as tasks, whoever chose them.

    ``at_once`` limits how many jobs of a name run at the same time on all machines (not listed: one). ``ended`` is
    called whenever a task is over. The token of each run begins with ``machine`` (`engine.machine`). While ``halted``,
    no job begins a step.
    """

    def __init__(
        self,
        database: Database,
        functions: Mapping[str, JobFunction],
        *,
        clock: Clock,
        at_once: Mapping[str, int],
        on_end: OnEnd,
        ended: Callable[[], None],
        machine: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._functions = dict(functions)
        self._clock = clock
        self._at_once = dict(at_once)
        self._recorder = Recorder(database, clock, on_end, jitter)
        self._ended = ended
        self._machine = machine
        self._runs: dict[str, int] = {}  # job by run token: ours by the rows, whether or not a task is at work
        self._tasks: dict[str, tuple[Job, asyncio.Task[None]]] = {}  # by run token
        self._admitting: set[str] = set()
        self._given_up: set[str] = set()
        self.halted = True

    @property
    def names(self) -> frozenset[str]:
        """The names of the jobs that this process knows how to run."""
        return frozenset(self._functions)

    @property
    def tokens(self) -> frozenset[str]:
        """The run tokens of the jobs that tasks work on."""
        return frozenset(self._tasks)

    @property
    def jobs(self) -> list[Job]:
        """The jobs that tasks work on, as they were at their start."""
        return [job for job, _task in self._tasks.values()]

    def limit(self, name: str) -> int:
        """Return how many jobs of a name may run at the same time."""
        return self._at_once.get(name, 1)

    async def tell_unknown(self, tx: Tx) -> None:
        """Tell staff of wanted jobs that nobody here knows: of a newer dpobot; they would wait unseen."""
        for name in await jobs.names_wanted(tx) - self.names:
            await alerts.open(tx, key=f"job_unknown:{name}", code="job_unknown", now=self._clock.now())

    async def admit(self, job_id: int, name: str) -> asyncio.Task[None] | None:
        """Begin a job if it is due and there is room for it; return its task. Raises `Unavailable`."""
        token = run_token(self._machine)
        self._runs[token] = job_id  # before the row has it: a cut-off here is put back
        self._admitting.add(token)
        limit, now = self.limit(name), self._clock.now()
        try:
            admitted = await self._database.write(
                lambda tx: jobs.admit(tx, job_id, name=name, run_token=token, at_once=limit, now=now)
            )
        finally:
            self._admitting.discard(token)
        if admitted is None:
            del self._runs[token]
            return None
        task = asyncio.create_task(self._run(admitted, token), name=f"job {job_id}")
        self._tasks[token] = (admitted, task)
        task.add_done_callback(lambda over: self._task_ended(job_id, token, over))
        return task

    async def cancel(self, job_id: int) -> None:
        """End a cancelled job that doesn't run. Raises `Unavailable`."""
        await self._recorder.cancel(job_id)

    async def idle(self) -> None:
        """Wait until no job of this process runs."""
        while self._tasks:
            await asyncio.wait([task for _job, task in self._tasks.values()])

    def give_up(self, tokens: Iterable[str]) -> None:
        """Break off these runs at once: others have their jobs, or may have."""
        for token in tokens:
            if token in self._tasks:
                self._given_up.add(token)
                self._tasks[token][1].cancel()

    async def stop(self, grace: float) -> None:
        """Give steps in flight so many seconds, then put back what isn't over."""
        self.halted = True
        tasks = [task for _job, task in self._tasks.values()]
        if tasks:
            _done, pending = await asyncio.wait(tasks, timeout=grace)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        try:
            await self.put_back_idle(timedelta())
        except Unavailable as error:
            _log.warning("jobs_not_put_back", code=error.code)  # whoever runs jobs next takes them over

    async def put_back_idle(self, wait: timedelta) -> None:
        """Put back what is ours in the rows but no task works on: halted, cut off, or its end couldn't be recorded.

        They wait so long before they are due again, but what was given up is due at once.
        """
        for token in self._runs.keys() - self._tasks.keys() - self._admitting:
            await self._put_back(token, timedelta() if token in self._given_up else wait)

    async def _put_back(self, token: str, wait: timedelta) -> None:
        now = self._clock.now()
        await self._database.write(lambda tx: jobs.put_back(tx, self._runs[token], token, now + wait, now))
        del self._runs[token]
        self._given_up.discard(token)

    def _task_ended(self, job_id: int, token: str, task: asyncio.Task[None]) -> None:
        del self._tasks[token]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("job_not_recorded", job_id=job_id, exc_info=error)  # the next sweep puts it back
        self._ended()

    async def _run(self, job: Job, token: str) -> None:
        """Run a job and record what became of it; then it is no longer ours."""
        with log.bound(job_id=job.id, case_id=job.case_id, job=job.name):
            if job.deaths > len(retry.AFTER_DEATHS):
                _log.error("job_broke_off", code=MACHINE_DIED)
                await self._recorder.record(job, token, End(JobState.FAILED, MACHINE_DIED), advanced=False)
                del self._runs[token]
                return
            _log.info("job_started", attempts=job.attempts)
            journal = await Journal.open(self._database, self._clock, job.id, token, lambda: self.halted)
            became = await self._call(job, token, journal)
            if isinstance(became, PutBack):
                _log.info("job_halted")
                return
            await self._recorder.record(job, token, became, advanced=journal.advanced)
            del self._runs[token]

    async def _call(self, job: Job, token: str, journal: Journal) -> Outcome:
        try:
            await self._functions[job.name](JobRun(job, journal))
        except asyncio.CancelledError:
            if self.halted or token in self._given_up:
                raise
            return End(JobState.FAILED, "bug.CancelledError")  # not from us: it awaited something that was cancelled
        except Exception as error:  # noqa: BLE001 - the job wrapper: whatever a job raises becomes its row's state
            became = outcome.of(error)
            if isinstance(became, End) and became.state in STAFF_MUST_LOOK:
                _log.error("job_broke_off", code=became.code, exc_info=error)
            return became
        return End(JobState.DONE)
