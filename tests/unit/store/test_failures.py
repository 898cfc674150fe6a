"""Which database errors are tried again, and what the others are called."""

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dpobot.errors import Unavailable
from dpobot.store.database import Database, Tx
from dpobot.store.failures import Failure, classify
from dpobot.store.seal import Seal


def _postgres(state: str) -> DBAPIError:
    return OperationalError("", {}, psycopg.errors.lookup(state)())


def _sqlite(code: int) -> DBAPIError:
    cause = sqlite3.OperationalError()
    cause.sqlite_errorcode = code
    return OperationalError("", {}, cause)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_postgres("08006"), Failure.AGAIN),
        (_postgres("53300"), Failure.AGAIN),
        (_postgres("53100"), Failure.DISK_FULL),
        (_postgres("57P01"), Failure.AGAIN),
        (_postgres("40001"), Failure.AGAIN),
        (_postgres("40P01"), Failure.AGAIN),
        (_postgres("58030"), Failure.BROKEN),
        (_postgres("42601"), Failure.DEFECT),
        (_postgres("23505"), Failure.DEFECT),
        (_sqlite(sqlite3.SQLITE_BUSY), Failure.AGAIN),
        (_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Failure.AGAIN),
        (_sqlite(sqlite3.SQLITE_LOCKED), Failure.AGAIN),
        (_sqlite(sqlite3.SQLITE_FULL), Failure.DISK_FULL),
        (_sqlite(sqlite3.SQLITE_IOERR_WRITE), Failure.BROKEN),
        (_sqlite(sqlite3.SQLITE_CORRUPT), Failure.BROKEN),
        (_sqlite(sqlite3.SQLITE_CONSTRAINT_UNIQUE), Failure.DEFECT),
        (OperationalError("", {}, psycopg.OperationalError("connection refused")), Failure.AGAIN),
        (IntegrityError("", {}, sqlite3.IntegrityError()), Failure.DEFECT),
        (PoolTimeout(), Failure.AGAIN),
        (SQLAlchemyError(), Failure.DEFECT),
    ],
)
def test_each_error_has_its_meaning(error: SQLAlchemyError, expected: Failure) -> None:
    """By SQLSTATE on PostgreSQL, by result code on SQLite."""
    assert classify(error) is expected


class _Pauses:
    """Waits no time, and remembers how long it should have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def test_a_transaction_is_run_again_until_it_works(sqlite_url: str, seal: Seal) -> None:
    """Two deadlocks, then success: run three times, with growing pauses in between."""
    pauses = _Pauses()
    database = Database(sqlite_url, seal, pauses)
    await database.open()
    runs: list[int] = []

    async def work(_tx: Tx) -> int:
        runs.append(1)
        if len(runs) < 3:
            raise _postgres("40P01")
        return len(runs)

    assert await database.write(work) == 3
    assert [0.025 <= pauses.seconds[0] <= 0.05, 0.05 <= pauses.seconds[1] <= 0.1] == [True, True]
    await database.close()


async def test_it_is_not_run_for_ever(sqlite_url: str, seal: Seal) -> None:
    """After eight attempts the database counts as unavailable."""
    pauses = _Pauses()
    database = Database(sqlite_url, seal, pauses)
    await database.open()

    async def work(_tx: Tx) -> None:
        raise _postgres("57P01")

    with pytest.raises(Unavailable) as caught:
        await database.read(work)
    assert (caught.value.code, len(pauses.seconds)) == ("database", 7)
    await database.close()


async def test_a_full_disk_is_not_tried_again(sqlite_url: str, seal: Seal) -> None:
    """Waiting a second frees no disk: the caller decides when to come back."""
    pauses = _Pauses()
    database = Database(sqlite_url, seal, pauses)
    await database.open()

    async def work(_tx: Tx) -> None:
        raise _postgres("53100")

    with pytest.raises(Unavailable) as caught:
        await database.write(work)
    assert (caught.value.code, pauses.seconds) == ("disk_full", [])
    await database.close()


async def test_a_server_that_is_not_there_is_unavailable(seal: Seal) -> None:
    """PostgreSQL that does not answer, at the start: a transient error without the address."""
    pauses = _Pauses()
    with pytest.raises(Unavailable) as caught:
        await Database("postgresql+psycopg://postgres@/postgres?host=/nowhere", seal, pauses).open()
    assert (caught.value.code, len(pauses.seconds)) == ("database", 7)
