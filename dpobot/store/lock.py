"""The lock of the one bot: whoever holds it serves, everybody else stands by.

A session-level advisory lock (PostgreSQL, "Explicit Locking") on a connection of its own: it ends with the connection,
whatever ends that. SQLite has none: its file is on one machine, where the account's folder is locked already.
"""

import asyncio
import contextlib
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from dpobot import log
from dpobot.errors import Unavailable

_KEY = int.from_bytes(b"dpobot\0\1")  # of pg_try_advisory_lock: 64 bits, of one database
_CHECK_SECONDS = 1.0
_PATIENCE_SECONDS = 3.0  # for one answer; the server's side below must be the more patient one
# libpq's and the server's own: each side learns that the other has gone without having said so. The server's side takes
# longer than ours: we must have stopped before it gives the lock to another.
_OURS = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
    "application_name": "dpobot lock",
}
_SERVERS = (
    "tcp_keepalives_idle = 5",
    "tcp_keepalives_interval = 2",
    "tcp_keepalives_count = 3",
    "tcp_user_timeout = 10000",  # milliseconds; keepalives do not count while an answer is not acknowledged
)
_TRY = text("SELECT pg_backend_pid(), CASE WHEN pg_is_in_recovery() THEN false ELSE pg_try_advisory_lock(:key) END")
_RELEASE = text("SELECT pg_advisory_unlock(:key)")
_CHECK = text("SELECT pg_backend_pid()")
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class _Line:
    """The connection that holds, or wants, the lock. ``pid`` is the server's process behind it."""

    conn: AsyncConnection
    pid: int


class Lock:
    """One lock for one database. ``lost`` is set when it was held and no longer can be relied on."""

    def __init__(
        self, url: str, *, check_seconds: float = _CHECK_SECONDS, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self.lost = asyncio.Event()
        self._engine = _engine(url)
        self._check_seconds = check_seconds
        self._patience = patience_seconds
        self._line: _Line | None = None
        self._held = False
        self._watch: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """Whether this process holds the lock; on SQLite it does once it has asked."""
        return self._held and not self.lost.is_set()

    async def acquire(self) -> bool:
        """Try to get the lock, without waiting for it; True if it is held. Raises `Unavailable`."""
        if self._held or self._engine is None:
            self._held = True
            return self.held
        try:
            self._held = await asyncio.wait_for(self._try(self._engine), self._patience + 5)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            await self._hang_up()
            raise Unavailable("database") from error
        if self._held:
            self._watch = asyncio.create_task(self._watching())
        return self._held

    async def release(self) -> None:
        """Give the lock back, if it is held, and the connection; to release again is harmless."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        if self.held and self._line is not None:
            with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
                await asyncio.wait_for(self._line.conn.execute(_RELEASE, {"key": _KEY}), self._patience)
        self._held = False
        await self._hang_up()

    async def _try(self, engine: AsyncEngine) -> bool:
        if self._line is None:
            conn = await engine.connect()
            self._line = _Line(conn, 0)
            for setting in _SERVERS:
                await conn.execute(text(f"SET {setting}"))
        pid, got = (await self._line.conn.execute(_TRY, {"key": _KEY})).one()
        self._line = _Line(self._line.conn, pid)
        return bool(got)

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(self._check_seconds)
            if not await self._holds():
                break
        _logger.error("lock.lost")
        self.lost.set()

    async def _holds(self) -> bool:
        """Ask once. A connection that is cut may not even notice that we no longer wait: it is left behind."""
        if self._line is None:
            return False
        asking = asyncio.create_task(self._pid(self._line.conn))
        done, _ = await asyncio.wait([asking], timeout=self._patience)
        if not done:
            asking.cancel()
            return False
        return asking.result() == self._line.pid  # another: a pooler stands between, and the lock is not ours

    async def _pid(self, conn: AsyncConnection) -> int | None:
        try:
            return int((await conn.execute(_CHECK)).scalar_one())
        except (SQLAlchemyError, OSError):
            return None

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
                await asyncio.wait_for(line.conn.invalidate(), self._patience)
                await asyncio.wait_for(line.conn.close(), self._patience)


def _engine(url: str) -> AsyncEngine | None:
    if make_url(url).get_backend_name() == "sqlite":
        return None
    return create_async_engine(
        url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=_OURS, hide_parameters=True
    )
