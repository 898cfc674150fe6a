"""A job's journal for one run of it: what is finished is skipped, what is new is checkpointed behind the fence."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dpobot.clock import Clock
from dpobot.engine.api import Cancelled, Halted, Lost, StepResult
from dpobot.store import jobs
from dpobot.store.database import Database
from dpobot.store.jobs import Standing
from dpobot.store.tx import Tx

_LONGEST_NAME = 255  # job_step.name


class Journal:
    """`Steps` of one run, which ``run_token`` names. ``halted`` says whether the engine is stopping."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        job_id: int,
        run_token: str,
        finished: Mapping[str, StepResult],
        halted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._job_id = job_id
        self._run_token = run_token
        self._finished = dict(finished)
        self._halted = halted
        self.advanced = False  # whether this run has finished a step

    @classmethod
    async def open(
        cls,
        database: Database,
        clock: Clock,
        job_id: int,
        run_token: str,
        halted: Callable[[], bool] = lambda: False,
    ) -> "Journal":
        """Read what earlier runs have finished. Raises `Unavailable`."""
        finished = await database.read(lambda tx: jobs.steps_of(tx, job_id))
        return cls(database, clock, job_id, run_token, finished, halted)

    def done(self, name: str) -> StepResult | None:
        """Return the result of a finished step, or None."""
        return self._finished.get(name)

    async def step(
        self,
        name: str,
        do: Callable[[], Awaitable[StepResult]],
        progress: Mapping[str, Any] | None = None,
    ) -> StepResult:
        """Return the stored result if the step is done; else do it and checkpoint it (fenced) with ``progress``.

        Raises `Lost`, `Cancelled` or `Halted` before doing it, `Lost` or `Cancelled` at the checkpoint; `Unavailable`
        if the database is.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError("a step's name has 1 to 255 characters")
        known = self._finished.get(name)
        if known is not None:
            return known
        await self._may_go_on()
        result = _as_stored(await do())
        await self._checkpoint(name, result, progress)
        self._finished[name] = result
        self.advanced = True
        return result

    async def _may_go_on(self) -> None:
        if self._halted():
            raise Halted
        _insist(await self._database.read(lambda tx: jobs.standing(tx, self._job_id, self._run_token)))

    async def _checkpoint(self, name: str, result: StepResult, progress: Mapping[str, Any] | None) -> None:
        now = self._clock.now()

        async def change(tx: Tx) -> Standing:
            return await jobs.checkpoint(
                tx, self._job_id, self._run_token, step=name, result=result, progress=progress, now=now
            )

        _insist(await self._database.write(change))


def _insist(standing: Standing) -> None:
    if standing is Standing.LOST:
        raise Lost
    if standing is Standing.CANCELLED:
        raise Cancelled


def _as_stored(result: StepResult) -> StepResult:
    """Return a result as a later run will read it: a first run must not see other types than a resumed one."""
    stored: dict[str, Any] = json.loads(json.dumps(dict(result)))
    return stored
