"""What jobs need on a machine that is not the bot, made when the first one comes: waiting takes no memory for it."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dpobot.clock import Clock
from dpobot.engine.api import JobFunction, JobRun
from dpobot.engine.recording import OnEnd
from dpobot.model.ids import UserId
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store.database import Database
from dpobot.store.tx import Tx

if TYPE_CHECKING:
    from dpobot.config import Config
    from dpobot.jobs.parts import Parts


@dataclass(frozen=True, slots=True)
class Bench:
    """The jobs of this machine, with all that they need."""

    parts: "Parts"
    functions: Mapping[str, JobFunction]
    on_end: OnEnd


class Remote:
    """A machine's `Bench`, set up at most once; ``config`` gives the whole configuration, then and not before."""

    def __init__(self, config: "Callable[[], Config]", clock: Clock, database: Database) -> None:
        self._config = config
        self._clock = clock
        self._database = database
        self._stack = AsyncExitStack()
        self._one = asyncio.Lock()
        self._bench: Bench | None = None
        self.ready = asyncio.Event()  # set when there is a bench

    async def bench(self) -> Bench:
        """Return it, set up now if it is not yet. Raises `ConfigurationError`."""
        async with self._one:
            if self._bench is None:
                self._bench = await self._set_up()
                self.ready.set()
            return self._bench

    async def close(self) -> None:
        """Close all connections."""
        await self._stack.aclose()

    def functions(self, names: Mapping[str, int]) -> Mapping[str, JobFunction]:
        """Return a function for each of these jobs."""
        return {name: self._function(name) for name in names}

    async def on_end(self, tx: Tx, job: Job, state: JobState) -> None:
        """What a job's end means for its case (`engine.recording.OnEnd`)."""
        await (await self.bench()).on_end(tx, job, state)

    def _function(self, name: str) -> JobFunction:
        async def run(given: JobRun) -> None:
            await (await self.bench()).functions[name](given)

        return run

    async def _set_up(self) -> Bench:
        # in a thread: it takes seconds, in which this machine must say that it lives
        administration, courier, jobs, outcome = [
            await asyncio.to_thread(import_module, name)
            for name in (
                "dpobot.workshop.administration",
                "dpobot.delivery.courier",
                "dpobot.workshop.jobs",
                "dpobot.jobs.outcome",
            )
        ]
        config = await asyncio.to_thread(self._config)
        adapters = administration.adapters(config)
        for adapter in adapters:
            self._stack.push_async_callback(adapter.close)
        where = (config.matrix.homeserver_url, UserId(config.matrix.user_id))
        postal: Any = await courier.PostalCourier.open(*where, self._database, self._clock)
        self._stack.push_async_callback(postal.close)
        made = administration.Administration(*adapters)
        parts: Parts = jobs.parts_of(config, self._clock, self._database, made, postal)
        return Bench(parts, jobs.functions_of(parts), outcome.Outcome(parts).end)
