"""The lock of the one bot: one holder at a time, and who loses it learns so within moments."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from dpobot.errors import Unavailable
from dpobot.store.lock import Lock

NOW = 0.05  # seconds between two looks: the tests do not wait for the usual one


class Relay:
    """Stands between a lock and PostgreSQL's socket; can go silent without ending a connection, as networks do."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._pass = asyncio.Event()
        self._pass.set()

    def silence(self) -> None:
        """Let nothing pass from now on."""
        self._pass.clear()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Relay for as long as the context lasts; yields the port."""
        async with await asyncio.start_server(self._relay, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]
            self._pass.set()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._socket)
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while block := await source.read(65536):
                await self._pass.wait()
                target.write(block)
        target.close()


@pytest.fixture
async def lock(postgres_url: str) -> AsyncIterator[Lock]:
    """A lock that nobody holds yet."""
    made = Lock(postgres_url, check_seconds=NOW)
    yield made
    await made.release()


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[Lock]:
    """The same lock, in another's hands."""
    made = Lock(postgres_url, check_seconds=NOW)
    yield made
    await made.release()


def _terminate(url: str) -> int:
    """End the connections of locks, as an administrator does; return how many those were."""
    mine = "datname = current_database() AND application_name = 'dpobot lock'"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        ended = server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}".encode())
        return len(ended.fetchall())


async def test_one_holds_it(lock: Lock, other: Lock) -> None:
    """The second one does not get it, until the first gives it back."""
    assert [await lock.acquire(), await lock.acquire(), await other.acquire()] == [True, True, False]
    assert [lock.held, other.held] == [True, False]
    await lock.release()
    assert [await other.acquire(), lock.held, other.held] == [True, False, True]


async def test_whose_connection_is_ended_learns_so(lock: Lock, other: Lock, postgres_url: str) -> None:
    """Within three seconds; the lock is another's then."""
    await lock.acquire()
    assert _terminate(postgres_url) == 1
    async with asyncio.timeout(3):
        await lock.lost.wait()
    assert [lock.held, await other.acquire()] == [False, True]


async def test_who_waits_survives_the_end_of_the_connection(lock: Lock, other: Lock, postgres_url: str) -> None:
    """The next attempt says that the database was away, the one after it connects anew."""
    await other.acquire()
    assert await lock.acquire() is False
    assert _terminate(postgres_url) == 2
    with pytest.raises(Unavailable):
        await lock.acquire()
    assert await lock.acquire() is True


async def test_a_silent_network_is_a_lost_lock(postgres_url: str) -> None:
    """No answer within the patience: lost, although the server has not let go of it yet."""
    address = make_url(postgres_url)
    relay = Relay(Path(str(address.query["host"])) / ".s.PGSQL.5432")
    async with relay.listening() as port:
        url = address.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        cut_off = Lock(url, check_seconds=NOW, patience_seconds=0.2)
        assert await cut_off.acquire() is True
        relay.silence()
        async with asyncio.timeout(3):
            await cut_off.lost.wait()
        await cut_off.release()
        assert cut_off.held is False


async def test_sqlite_has_no_lock(sqlite_url: str) -> None:
    """Whoever asks has it: the folder of keys is what keeps a second process out."""
    first, second = Lock(sqlite_url), Lock(sqlite_url)
    assert [first.held, await first.acquire(), await second.acquire(), first.held] == [False, True, True, True]
    await first.release()
    assert [first.held, first.lost.is_set()] == [False, False]
