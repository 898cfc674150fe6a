"""`dpobot worker`: a process that runs jobs and is not the bot; as many of them as wanted, on any machine.

It has no keys of the bot's device and listens to nobody: what its jobs say goes as letters (`delivery.courier`). What
a job needs is loaded when the first one comes (`workshop.remote`): a worker that waits holds little memory.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from dpobot import exits, log, memory
from dpobot.cases import holidays
from dpobot.clock import Clock, SystemClock
from dpobot.config import Config, load, secret
from dpobot.engine import machine
from dpobot.engine.api import Engine
from dpobot.monitoring.service import watched
from dpobot.pulse import PROCESS, Role
from dpobot.store import origin
from dpobot.store.database import Database
from dpobot.store.watch import SchemaWatch
from dpobot.workshop.engine import engine_of_worker, limits
from dpobot.workshop.remote import Remote
from dpobot.workshop.serving import until
from dpobot.workshop.storage import open_database, take_in_receipt_key

_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """The running parts of a worker."""

    config: Config
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
        tidying = await asyncio.to_thread(import_module, "dpobot.jobs.tidying")
        serving = await asyncio.to_thread(import_module, "dpobot.download.server")
        pages = serving.Downloads(self.database, self.clock, self.config.download, parts.downloads, parts.renderer)
        tidy = tidying.Tidying(parts, machine.name_of(self.config.data.directory))
        await until(asyncio.Event(), [tidy.run(), pages.run()])


@asynccontextmanager
async def worker(config: Config, clock: Clock | None = None) -> AsyncIterator[Worker]:
    """Open what a worker needs, give it, and close everything again.

    Raises `ConfigurationError` with a hint where an admin must act, `Unavailable` where waiting helps.
    """
    log.configure(config.log.level, config.log.format)
    clock = clock or SystemClock()
    _look_at_secrets(config)
    await holidays.prepare(clock.now().date(), config.operator.country)
    async with AsyncExitStack() as stack:
        database = await open_database(config, clock)
        stack.push_async_callback(database.close)
        await stack.enter_async_context(watched(config.monitoring, database, clock))
        await database.write(origin.refuse_copy)
        await take_in_receipt_key(config, database)
        remote = Remote(config, clock, database)
        stack.push_async_callback(remote.close)
        engine = engine_of_worker(config, database, clock, remote.functions(limits(config)), remote.on_end)
        yield Worker(config, clock, database, engine, remote)


def _look_at_secrets(config: Config) -> None:
    """Read what the first job will read: an admin should hear of it now. Raises `ConfigurationError`."""
    secret(config.homeserver.admin_token_file)
    if config.homeserver.mas is not None:
        secret(config.homeserver.mas.client_secret_file)


def _lies_here(folder: Path) -> bool:
    """Say whether this machine has archives from before, in the making or to be fetched."""
    return any(next(place.iterdir(), None) for place in (folder / "spool", folder / "downloads") if place.is_dir())


async def _serve(path: Path) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with worker(load(path)) as made:
        await made.run(stop)
    return 0


def main(arguments: list[str] | None = None) -> None:
    """Run a worker until it is stopped; exits as `exits.run` says."""
    memory.one_arena()
    parser = argparse.ArgumentParser(prog="dpobot worker", description="Runs jobs beside the bot, on any machine.")
    parser.add_argument("--config", type=Path, default=Path("bot.toml"), help="configuration file (default: bot.toml)")
    given = parser.parse_args(arguments)
    sys.exit(exits.run(lambda: _serve(given.config)))


if __name__ == "__main__":
    main()
