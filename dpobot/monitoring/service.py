"""What makes a process a service: it answers whoever watches it, and tells the service manager how it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from dpobot.clock import Clock
from dpobot.monitoring.systemd import Notifier
from dpobot.pulse import PROCESS, Pulse
from dpobot.store.database import Database

if TYPE_CHECKING:
    from dpobot.config import MonitoringConfig


@asynccontextmanager
async def watched(
    config: "MonitoringConfig", database: Database, clock: Clock, pulse: Pulse = PROCESS
) -> AsyncIterator[None]:
    """Serve metrics and health, if a port is configured, and keep the service manager informed until the block ends.

    It belongs around everything that a process does with an open database, be it the bot, its standby or a worker;
    what the process is at a moment it is told through ``pulse.is_now``. Raises `ConfigurationError` if the port can't
    be had.
    """
    pulse.begin()
    notifier = Notifier(pulse)
    async with _port(config, database, clock, pulse):
        telling = asyncio.create_task(notifier.run(), name="service notifier")
        try:
            yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            notifier.stopping()


def _port(
    config: "MonitoringConfig", database: Database, clock: Clock, pulse: Pulse
) -> AbstractAsyncContextManager[object]:
    if config.port is None:
        return nullcontext()
    # whom nobody watches should not have what answers in memory
    from dpobot.monitoring.server import Monitoring

    return Monitoring(config, config.port, database, clock, pulse)
