"""Connections and transactions: a change is one function, run whole, and run again if the database asks for it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dpobot.errors import ConfigurationError
from dpobot.store import bot_state, connect, schema
from dpobot.store.failures import Failure, classify, unavailable
from dpobot.store.seal import Seal, SealError
from dpobot.store.tx import Tx

__all__ = ["Database", "Tx"]

T = TypeVar("T")
Work = Callable[[Tx], Awaitable[T]]

_ATTEMPTS = 8
_FIRST_PAUSE = 0.05  # seconds; doubled each time, jittered, at most _LONGEST_PAUSE
_LONGEST_PAUSE = 2.0
_SEAL_CHECK = "seal.check"


@dataclass
class _Writer:
    """SQLite has one writer: our own queue is fair and doesn't poll, unlike SQLite's busy handler."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    owner: "asyncio.Task[object] | None" = None


class Database:
    """One database, SQLite or PostgreSQL.

    ``url`` is a SQLAlchemy address: ``sqlite+aiosqlite:///...`` or ``postgresql+psycopg://...``.
    ``pause`` waits a number of seconds between attempts.
    """

    def __init__(self, url: str, seal: Seal, pause: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._url = url
        self._seal = seal
        self._pause = pause
        self._engine: AsyncEngine | None = None
        self._writer = _Writer()

    def __repr__(self) -> str:
        return f"Database({make_url(self._url).get_backend_name()!r})"

    async def open(self) -> None:
        """Connect and bring the tables up to date.

        Raises `ConfigurationError` if the database was written by a newer dpobot or with another key file,
        `Unavailable` if it can't be reached.
        """
        connect.prepare(self._url)
        await self._patiently(lambda: schema.upgrade(self._url))
        self._engine = connect.engine(self._url)
        await self.write(_check_seal)

    async def close(self) -> None:
        """Give all connections back; closing twice is harmless."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    async def write(self, fn: "Work[T]") -> T:
        """Run ``fn`` in one transaction and commit it.

        ``fn`` may run several times (a deadlock, a lost connection, a COMMIT whose answer got lost), so it must have no
        effects but those on the database. Raises `Unavailable` (``database``, ``disk_full``); what ``fn`` raises
        rolls back and passes.
        """
        if self._opened().dialect.name != "sqlite":
            return await self._repeat(fn, connect.WRITE)
        async with self._turn():
            return await self._repeat(fn, connect.WRITE)

    async def read(self, fn: "Work[T]") -> T:
        """Run ``fn`` on one unchanging snapshot of the database. Raises `Unavailable`."""
        return await self._repeat(fn, connect.READ)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if task is not None and self._writer.owner is task:
            raise RuntimeError("a transaction inside a transaction: hand the Tx on instead")
        async with self._writer.lock:
            self._writer.owner = task
            try:
                yield
            finally:
                self._writer.owner = None

    async def _repeat(self, fn: "Work[T]", options: connect.Options) -> T:
        return await self._patiently(lambda: self._once(fn, options))

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(_ATTEMPTS):
            try:
                return await work()
            except SQLAlchemyError as error:
                failure = classify(error)
                if failure is Failure.DEFECT:
                    raise
                if failure is not Failure.AGAIN or attempt == _ATTEMPTS - 1:
                    raise unavailable(failure) from error
            await self._pause(_backoff(attempt))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(self, fn: "Work[T]", options: connect.Options) -> T:
        async with self._opened().connect() as plain:
            conn: AsyncConnection = await plain.execution_options(**options(plain.dialect.name))
            async with conn.begin():
                return await fn(Tx(conn, self._seal))

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            raise RuntimeError("the database is not open")
        return self._engine


def _backoff(attempt: int) -> float:
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing


async def _check_seal(tx: Tx) -> None:
    """Refuse to run with other keys than the database was written with: nothing in it could be read."""
    known = await bot_state.settle(tx, _SEAL_CHECK, tx.seal.close(b"dpobot", _SEAL_CHECK).hex())
    try:
        tx.seal.open(bytes.fromhex(known), _SEAL_CHECK)
    except SealError as error:
        problem = (
            f"data.directory: the key file does not open this database ({error}); restore the one it was made with"
        )
        raise ConfigurationError([problem]) from error
