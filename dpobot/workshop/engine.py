"""Which engine runs the jobs: the one of this process alone, or the one of several machines."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dpobot.clock import Clock
from dpobot.engine import machine
from dpobot.engine.api import JobFunction
from dpobot.engine.recording import OnEnd
from dpobot.errors import ConfigurationError
from dpobot.store import connect
from dpobot.store.database import Database

if TYPE_CHECKING:
    from dpobot.config import Config
    from dpobot.engine.cluster import ClusterEngine
    from dpobot.engine.embedded import EmbeddedEngine

_NO_POSTGRESQL = (
    "cluster.enabled: several machines need one database between them; name a PostgreSQL in data.database_url"
    " (postgresql+psycopg://...), or leave cluster.enabled out"
)
_NO_CLUSTER = "cluster.enabled: a worker is one of several machines; set it to true here and where the bot runs"


def limits(config: "Config") -> Mapping[str, int]:
    """Return how many jobs of each name run at the same time, on all machines together."""
    return {
        "export": config.export.at_once,
        "copies": 2,
        "expire": 2,
        "survey": 2,
        "erase": config.erasure.at_once,
        "verify_erasure": 1,
        "restrict": 1,
        "lift": 1,
        "rectify": 1,
        "notify": 1,  # the servers of an hour are counted, of all cases
    }


def engine_of(
    config: "Config", database: Database, clock: Clock, functions: Mapping[str, JobFunction], on_end: OnEnd
) -> "EmbeddedEngine | ClusterEngine":
    """Return the bot's engine. Raises `ConfigurationError` if the configuration asks for what can't be."""
    if config.cluster.enabled:
        return _of_many(config, database, clock, functions, on_end, works=config.cluster.bot_works)
    from dpobot.engine.embedded import EmbeddedEngine

    name = machine.name_of(config.data.directory)
    return EmbeddedEngine(database, functions, clock=clock, at_once=limits(config), on_end=on_end, machine=name)


def engine_of_worker(
    config: "Config", database: Database, clock: Clock, functions: Mapping[str, JobFunction], on_end: OnEnd
) -> "ClusterEngine":
    """Return a worker's engine."""
    return _of_many(config, database, clock, functions, on_end, works=True)


def require_others(config: "Config") -> None:
    """Raise `ConfigurationError` if there is nobody that a worker could work beside."""
    if not config.cluster.enabled:
        raise ConfigurationError([_NO_CLUSTER])
    _require_postgresql(config)


def _require_postgresql(config: "Config") -> None:
    if not connect.is_postgresql(config.database_url):
        raise ConfigurationError([_NO_POSTGRESQL])


def _of_many(
    config: "Config",
    database: Database,
    clock: Clock,
    functions: Mapping[str, JobFunction],
    on_end: OnEnd,
    *,
    works: bool,
) -> "ClusterEngine":
    _require_postgresql(config)
    # who works alone has no use for the queue between machines, and should not have it in memory
    from dpobot.engine.cluster import ClusterEngine

    return ClusterEngine(
        database,
        functions,
        settings=connect.driver_settings(config.database_url),
        clock=clock,
        at_once=limits(config),
        on_end=on_end,
        jobs_at_once=config.cluster.jobs_at_once,
        dead_after=config.cluster.dead_after_seconds,
        machine=machine.name_of(config.data.directory),
        works=works,
    )
