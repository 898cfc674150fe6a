"""`dpobot worker`: a process that runs jobs and is not the bot; as many of them as wanted, on any machine.

It has no keys of the bot's device and listens to nobody: what its jobs say goes as letters (`delivery.courier`). What
a job needs is loaded when the first one comes (`workshop.remote`): a worker that waits holds little memory.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from dpobot import exits, log, memory
from dpobot.cases import holidays
from dpobot.clock import Clock, SystemClock
from dpobot.engine import machine
from dpobot.engine.api import Engine
from dpobot.monitoring.service import watched
from dpobot.pulse import PROCESS, Role
from dpobot.store import origin
from dpobot.store.database import Database
from dpobot.store.watch import SchemaWatch
from dpobot.workshop.engine import engine_of_worker, limits, require_others
from dpobot.workshop.outline import hand_over, outline, take_over, whole
from dpobot.workshop.remote import Remote
from dpobot.workshop.serving import until
from dpobot.workshop.storage import open_database, take_in_receipt_key

if TYPE_CHECKING:
    from dpobot.config import Config

_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """The running parts of a worker."""

    config: "Config"
    clock: Clock
    database: Database
    engine: Engine
    remote: Remote

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; then steps in hand are finished, and jobs go back to be taken by others.

        Raises what can't be mended by waiting.
        """
        await self.engine.start()
        PROCESS.is_now(Role.WORKER)
        _logger.info("worker.ready")
        memory.give_back()
        try:
            await until(stop, [SchemaWatch(self.database).run(), self._keep_house()])
        finally:
            PROCESS.is_now(Role.STOPPING)
            await self.engine.stop()
            _logger.info("worker.stopped")

    async def _keep_house(self) -> None:
        """Remove what is over from this machine's disk, and give out what its links lead to, once there is anything."""
        if not _lies_here(self.config.data.directory):
            await self.remote.ready.wait()
        parts = (await self.remote.bench()).parts
        config = parts.config
        tidying = await asyncio.to_thread(import_module, "dpobot.jobs.tidying")
        serving = await asyncio.to_thread(import_module, "dpobot.download.server")
        pages = serving.Downloads(self.database, self.clock, config.download, parts.downloads, parts.renderer)
        tidy = tidying.Tidying(parts, machine.name_of(config.data.directory))
        await until(asyncio.Event(), [tidy.run(), pages.run()])


@asynccontextmanager
async def worker(config: "Config", whole: "Callable[[], Config]", clock: Clock | None = None) -> AsyncIterator[Worker]:
    """Open what a worker needs, give it, and close everything again.

    ``config`` may be an outline (`workshop.outline`), ``whole`` gives what jobs need. Raises `ConfigurationError` with
    a hint where an admin must act, `Unavailable` where waiting helps.
    """
    log.configure(config.log.level, config.log.format)
    clock = clock or SystemClock()
    await holidays.prepare(clock.now().date(), config.operator.country)
    async with AsyncExitStack() as stack:
        database = await open_database(config, clock)
        stack.push_async_callback(database.close)
        await stack.enter_async_context(watched(config.monitoring, database, clock))
        await database.write(origin.refuse_copy)
        await take_in_receipt_key(config, database)
        remote = Remote(whole, clock, database)
        stack.push_async_callback(remote.close)
        engine = engine_of_worker(config, database, clock, remote.functions(limits(config)), remote.on_end)
        yield Worker(config, clock, database, engine, remote)


def _lies_here(folder: Path) -> bool:
    """Say whether this machine has archives from before, in the making or to be fetched."""
    return any(next(place.iterdir(), None) for place in (folder / "spool", folder / "downloads") if place.is_dir())


def become(config: "Config") -> NoReturn:
    """Let this process be a worker from now on, without all that it has loaded. Raises `ConfigurationError`."""
    from dpobot.config import secret

    require_others(config)
    secret(config.homeserver.admin_token_file)  # what the first job will read: an admin should hear of it now
    if config.homeserver.mas is not None:
        secret(config.homeserver.mas.client_secret_file)
    sys.stdout.flush()
    arguments = [sys.executable, "-P", "-m", "dpobot.worker", str(hand_over(config))]
    os.execv(sys.executable, arguments)  # noqa: S606 - ourselves


async def _serve(text: str) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with worker(outline(text), lambda: whole(text)) as made:
        await made.run(stop)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run a worker until it is stopped, with the configuration that was handed over; return its exit status."""
    memory.one_arena()
    text = take_over(int(arguments[0]))
    return exits.run(lambda: _serve(text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
