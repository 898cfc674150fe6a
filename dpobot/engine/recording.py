"""What became of a run, written down: its row, its case, and an alert where staff must look."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.engine import retry
from dpobot.engine.outcome import Drop, End, Outcome, TryAgain, Wait
from dpobot.errors import Unavailable
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import alerts, jobs
from dpobot.store.database import Database
from dpobot.store.tx import Tx

OnEnd = Callable[[Tx, Job, JobState], Awaitable[None]]
"""What a job's end means for its case; runs in the transaction that ends the job, and again if that is run again."""

STAFF_MUST_LOOK = frozenset({JobState.FAILED, JobState.HELD})
_log = log.get(__name__)


class Recorder:
    """Writes outcomes into rows, fenced by the run's token. ``jitter`` gives random numbers in [0, 1)."""

    def __init__(
        self, database: Database, clock: Clock, on_end: OnEnd, jitter: Callable[[], float] = random.random
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_end = on_end
        self._jitter = jitter

    async def record(self, job: Job, token: str, became: Outcome, *, advanced: bool) -> None:
        """Write down what became of a run; ``advanced``: it has finished a step. Raises `Unavailable`."""
        if isinstance(became, TryAgain):
            became = await self._later(job, token, became, 0 if advanced else job.attempts)
        if isinstance(became, Wait):
            became = await self._wait(job, token, became)
        if isinstance(became, End):
            await self._end(job, token, became)
        if isinstance(became, Drop):
            _log.info("job_lost")

    async def cancel(self, job_id: int) -> None:
        """End a cancelled job that doesn't run; one that runs sees the flag in its row before its next step."""
        await self._settle(lambda tx, on_end: self._cancel_waiting(tx, job_id, on_end))

    async def _later(self, job: Job, token: str, wish: TryAgain, attempts: int) -> Outcome:
        """Put the job back until its next attempt; return what to do instead if that can't be."""
        now = self._clock.now()
        decision = retry.decide(attempts, retry_after=wish.retry_after, now=now, jitter=self._jitter())
        if isinstance(decision, retry.GiveUp):
            return End(JobState.FAILED, wish.code)

        async def change(tx: Tx) -> Outcome:
            put_back = await jobs.retry_later(tx, job.id, token, decision.at, wish.code, now)
            return await _if_not_cancelled(tx, job, token, wish, put_back)

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
            return await _if_not_cancelled(tx, job, token, wish, put_back)

        became = await self._database.write(change)
        if became is wish:
            _log.info("job_postponed", code=wish.code, until_at=until.isoformat())
        return became

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
        if end.state in STAFF_MUST_LOOK:
            code = end.code or str(end.state)
            await alerts.open(tx, key=f"job:{job_id}:{end.state}", code=code, now=now, case_id=ended.case_id)
        await on_end(tx, ended, end.state)

    async def _cancel_waiting(self, tx: Tx, job_id: int, on_end: OnEnd) -> None:
        ended = await jobs.cancel_waiting(tx, job_id, self._clock.now())
        if ended is not None:
            await on_end(tx, ended, JobState.CANCELLED)


async def _if_not_cancelled(tx: Tx, job: Job, token: str, wish: Outcome, put_back: Job | None) -> Outcome:
    if put_back is not None:
        return wish
    stands = await jobs.standing(tx, job.id, token)
    return End(JobState.CANCELLED) if stands is jobs.Standing.CANCELLED else Drop()
