"""A look at a database from outside: is it ours, is it up to date, how is it set? Nothing is changed by looking."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from dpobot.model.words import JobState
from dpobot.store import bot_state, connect, schema
from dpobot.store.failures import Failure, classify, unavailable
from dpobot.store.tables import job
from dpobot.store.tx import Tx

_SETTINGS = (
    "server_version_num",
    "server_encoding",
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "max_connections",
)


class Age(StrEnum):
    """How old a database's tables are."""

    NONE = "none"  # no database, or none of ours
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a database: how old, and which revision ("" without any)."""

    age: Age
    revision: str = ""


async def tables(url: str) -> Tables:
    """Return how old the tables at an address are; SQLite's file is not made. Raises `Unavailable`."""
    path = connect.sqlite_file(url)
    if path is not None and not path.exists():
        return Tables(Age.NONE)
    engine = connect.engine(url, migrating=True)
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(schema.revisions)
    except SQLAlchemyError as error:
        failure = classify(error)
        if failure is Failure.DEFECT:
            raise
        raise unavailable(failure) from error
    finally:
        await engine.dispose()
    revision = max(found, default="")
    if not revision:
        return Tables(Age.NONE)
    order = (revision > schema.HEAD) - (revision < schema.HEAD)  # numbers of four digits
    return Tables({-1: Age.OLDER, 0: Age.CURRENT, 1: Age.NEWER}[order], revision)


async def is_postgresql(tx: Tx) -> bool:
    """Say whether it is PostgreSQL, not SQLite."""
    return tx.conn.dialect.name == "postgresql"


async def settings(tx: Tx) -> dict[str, str]:
    """Return settings of PostgreSQL by name (PostgreSQL, "Server Configuration"), as strings."""
    query = sa.text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
    return {str(row.name): str(row.setting) for row in await tx.conn.execute(query, {"names": list(_SETTINGS)})}


async def queue_version(tx: Tx) -> str | None:
    """Return the version of the queue's tables, None if they are not there."""
    there = await tx.conn.scalar(sa.select(sa.func.to_regclass("procrastinate_jobs")))
    return None if there is None else await bot_state.get(tx, "queue.schema") or ""


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs at a moment: those that run, those of them whose machine is silent, and those that should have begun."""

    running: int
    silent: int
    late: int


async def work(tx: Tx, now: datetime, silent: timedelta, late: timedelta) -> Work:
    """Count jobs. ``silent``: without a heartbeat for so long; ``late``: wanted, and due for so long."""
    running = job.c.state == JobState.RUNNING
    quiet = sa.and_(running, _quiet(silent)) if await is_postgresql(tx) else sa.false()
    waiting = (job.c.state == JobState.WANTED) & (job.c.wake_at < now - late)
    counts = [sa.func.count(sa.case((condition, 1))) for condition in (running, quiet, waiting)]
    return Work(*map(int, (await tx.conn.execute(sa.select(*counts))).one()))


def _quiet(silent: timedelta) -> sa.ColumnElement[bool]:
    """Return whether a job's machine is silent, by the clock that gives the heartbeats, too."""
    last = sa.type_coerce(job.c.heartbeat_at, sa.DateTime(timezone=True))
    return last + sa.cast(silent, sa.Interval) < sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
