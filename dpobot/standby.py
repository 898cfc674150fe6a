"""Standing by on another machine: the same account on a device of its own, which takes over when the bot is gone.

While it waits, nothing is said and nobody is listened to; the device's keys are kept fresh, so that whatever people
send can be read after the take-over, too, even what was sent while nobody ran.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from dpobot import log
from dpobot.clock import Clock
from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import DeviceId
from dpobot.pulse import PROCESS, Pulse, Role
from dpobot.store import bot_state
from dpobot.store.database import Database
from dpobot.store.lock import Lock

_VIGIL = timedelta(days=1)  # so long after a change of device something may still be tried that the other one had sent
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a standby waits, seconds."""

    look: float = 1.5  # between two attempts at the lock
    keys: float = 20.0  # between two looks after the device's keys
    grace: float = 2.5  # in which whoever held the lock notices that it no longer does, and stops


class Ready(Protocol):
    """What is needed of a session that stands by; `matrix.session.Session` is one."""

    @property
    def device_id(self) -> DeviceId:
        """The device that it is."""
        ...

    async def keep_keys(self) -> None:
        """Take in what keys wait for the device, and make up its own."""
        ...

    def goes_on(self, seconds: float) -> None:
        """Say that it goes on with another device's work."""
        ...


class Turn:
    """One process's turn to be the bot: at once where the lock is free, else when it becomes free.

    ``begin`` is what the one bot alone does, before it serves.
    """

    def __init__(
        self,
        lock: Lock,
        session: Ready,
        database: Database,
        clock: Clock,
        begin: Callable[[], Awaitable[None]],
        pulse: Pulse = PROCESS,
        pace: Pace = Pace(),
    ) -> None:
        self._lock = lock
        self._session = session
        self._database = database
        self._clock = clock
        self._begin = begin
        self._pulse = pulse
        self._pace = pace
        self._keys_at = 0.0  # when they are due, of the loop's clock

    async def before(self, stop: asyncio.Event, aside: asyncio.Task[None]) -> bool:
        """Wait for it beside a task; False if ``stop`` was set first. Raises as `come`, and what the task raises."""
        coming, stopping = asyncio.create_task(self.come()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((coming, stopping, aside), return_when=asyncio.FIRST_COMPLETED)
            for task in (aside, coming):
                if task.done():
                    task.result()
            return coming.done()
        finally:
            for waiting in (coming, stopping):
                waiting.cancel()
            await asyncio.gather(coming, stopping, return_exceptions=True)

    async def come(self) -> None:
        """Return when this process is the bot, and its device ready to go on with what the last one did.

        Raises `Unavailable`, `Rejected` (the device's token is no longer good).
        """
        stood_by = not self._lock.held
        if stood_by:
            await self._stand_by()
        elif await self._other_served():
            await asyncio.sleep(self._pace.grace)
        await self._take_up()
        if stood_by:
            _logger.warning("standby.took_over")

    async def _other_served(self) -> bool:
        served = await self._database.read(bot_state.serving)
        return served is not None and served != self._session.device_id

    async def _stand_by(self) -> None:
        _logger.info("standby.waiting")
        self._pulse.is_now(Role.STANDBY)
        while not await self._got():
            if asyncio.get_running_loop().time() >= self._keys_at:
                await self._keep_keys()
            await asyncio.sleep(self._pace.look)

    async def _got(self) -> bool:
        """Try; whoever can't reach the homeserver now leaves the lock to others."""
        try:
            if not await self._lock.acquire():
                return False
            await asyncio.sleep(self._pace.grace)
        except Unavailable as trouble:
            _logger.warning("standby.unavailable", code=trouble.code)
            return False
        if await self._keep_keys() and self._lock.held:
            return True
        await self._lock.release()
        return False

    async def _keep_keys(self) -> bool:
        try:
            await self._session.keep_keys()
        except (Unavailable, Rejected) as trouble:
            if isinstance(trouble, Rejected) and trouble.status in (401, 403):
                raise  # the token is no longer good: an admin must look
            _logger.warning("standby.keys_not_kept", code=trouble.code)
            return False
        self._keys_at = asyncio.get_running_loop().time() + self._pace.keys
        return True

    async def _take_up(self) -> None:
        """Note which device serves now; after another one: read its keys first, and repeat nothing that it said."""
        now, device = self._clock.now(), self._session.device_id
        since = await self._database.write(lambda tx: bot_state.serve(tx, device, now))
        left = _left(since, now)
        if left > timedelta(0):
            # before any sync: the token in the database would confirm what this device has not read yet
            await self._session.keep_keys()
            self._session.goes_on(left.total_seconds())
        await self._begin()


def _left(since: datetime | None, now: datetime) -> timedelta:
    """Return how much longer the last device's messages must be looked for."""
    return timedelta(0) if since is None else _VIGIL - (now - since)
