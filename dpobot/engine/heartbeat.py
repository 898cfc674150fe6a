"""Says that this process lives, and finds the jobs of those that don't; by the database's clock alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.engine import retry
from dpobot.engine.running import Running
from dpobot.errors import Unavailable
from dpobot.store import heartbeats
from dpobot.store.database import Database

_log = log.get(__name__)


class Heartbeat:
    """Beats and looks around eight times within ``dead_after`` seconds.

    Who is silent for three quarters of that time is dead, so that the rest is enough to find it and to go on.
    ``found`` is called when jobs of a dead process were put back, ``tidy`` in each round; ``monotonic`` tells seconds.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        running: Running,
        dead_after: float,
        found: Callable[[], None],
        tidy: Callable[[], Awaitable[None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._running = running
        self.every = dead_after / 8
        self.silent = dead_after * 3 / 4
        self._found = found
        self._tidy = tidy
        self._monotonic = monotonic
        self._heard_at = monotonic()  # when the database took our last word
        self._missed: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin."""
        self._heard_at = self._monotonic()
        self._begin(self._keep_beating())

    async def stop(self) -> None:
        """Say nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def round(self) -> None:
        """Beat, break off what others have taken over, and put back what dead processes had. Raises `Unavailable`."""
        began, tokens = self._monotonic(), self._running.tokens
        alive = await self._database.write(lambda tx: heartbeats.beat(tx, tokens)) if tokens else frozenset()
        self._heard_at = began
        missing = tokens - alive
        self._running.give_up(missing & self._missed)  # the second time: the first time it may just have ended
        self._missed = missing
        silent, now = timedelta(seconds=self.silent), self._clock.now()
        if put_back := await self._database.write(
            lambda tx: heartbeats.put_back_silent(tx, silent, now, retry.AFTER_DEATHS)
        ):
            _log.warning("jobs_of_the_dead_put_back", count=len(put_back), job_ids=put_back)
            self._found()
        await self._tidy()

    def mind_silence(self) -> None:
        """Break every run off if nobody has heard of us for so long that we are dead for the others."""
        if self._monotonic() - self._heard_at > self.silent and (tokens := self._running.tokens):
            _log.error("runs_given_up", count=len(tokens))
            self._running.give_up(tokens)

    async def _keep_beating(self) -> None:
        while True:
            beating = self._begin(self._careful_round())
            while not (await asyncio.wait([beating], timeout=self.every))[0]:
                self.mind_silence()  # whatever the connection hangs on
            self.mind_silence()
            await asyncio.sleep(self.every)

    async def _careful_round(self) -> None:
        try:
            await self.round()
        except Unavailable as trouble:
            _log.warning("heartbeat_failed", code=trouble.code)
        except Exception as error:  # noqa: BLE001 - hardening: without heartbeats a living process counts as dead
            _log.error("heartbeat_broke_off", exc_info=error)

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
