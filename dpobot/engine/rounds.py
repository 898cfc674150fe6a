"""When an engine sweeps: at intervals, whenever it is woken, and when the next job's time has come."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.store import jobs
from dpobot.store.database import Database

_log = log.get(__name__)


class Rounds:
    """Calls ``sweep`` again and again; ``longest`` is the longest time between two calls, seconds."""

    def __init__(
        self, database: Database, clock: Clock, sweep: Callable[[], Awaitable[object]], longest: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._sweep = sweep
        self._longest = longest
        self._wake = asyncio.Event()
        self._going = False
        self._task: asyncio.Task[None] | None = None

    @property
    def longest(self) -> timedelta:
        """The longest time between two sweeps."""
        return timedelta(seconds=self._longest)

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._wake.set()

    async def start(self) -> None:
        """Begin; the caller has swept just now. Raises `Unavailable`."""
        self._going = True
        self._task = asyncio.create_task(self._keep_going(await self._until_next()), name="engine sweep")

    async def stop(self) -> None:
        """Sweep no more."""
        self._going = False
        if self._task is not None:
            self._wake.set()
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _keep_going(self, pause: float) -> None:
        while self._going:  # a cancellation alone can get lost in what is awaited
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._sweep()
                pause = await self._until_next()
            except Exception as error:  # noqa: BLE001 - hardening: a sweep that dies for good would stop every job
                _log.error("sweep_failed", exc_info=error)
                pause = self._longest

    async def _until_next(self) -> float:
        now = self._clock.now()
        soonest = await self._database.read(lambda tx: jobs.next_wake(tx, now))
        if soonest is None:
            return self._longest
        return min(self._longest, max(0.01, (soonest - now) / timedelta(seconds=1)))
