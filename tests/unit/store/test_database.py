"""Transactions: nothing lost, nothing half done, trouble named."""

import asyncio
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from dpobot.errors import ConfigurationError, Unavailable
from dpobot.store import bot_state, migrating, schema
from dpobot.store.database import Database, Tx
from dpobot.store.migrations.compare import OPTIONS
from dpobot.store.seal import Seal
from dpobot.store.tables import metadata


async def _get(tx: Tx) -> str | None:
    return await bot_state.get(tx, "n")


async def _increment(tx: Tx) -> None:
    value = await bot_state.get(tx, "n", lock=True)
    await bot_state.set(tx, "n", str(int(value or "0") + 1))


async def test_migrations_make_exactly_the_tables(database: Database) -> None:
    """An empty database that has been migrated differs in nothing from the definitions."""

    def differences(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts=dict(OPTIONS)), metadata))

    async def look(tx: Tx) -> list[Any]:
        return await tx.conn.run_sync(differences)

    assert await database.read(look) == []


async def test_opening_again_keeps_what_is_there(database_url: str, seal: Seal) -> None:
    """A second start finds the tables up to date and the data in them."""
    first = Database(database_url, seal)
    await first.open()
    await first.write(lambda tx: bot_state.set(tx, "n", "7"))
    await first.close()
    second = Database(database_url, seal)
    await second.open()
    found = await second.read(_get)
    await second.close()
    assert found == "7"


async def test_two_may_open_an_empty_database_at_once(database_url: str, seal: Seal) -> None:
    """Two processes that start together migrate once."""
    both = [Database(database_url, seal), Database(database_url, seal)]
    await asyncio.gather(*(one.open() for one in both))
    found = [await one.read(_get) for one in both]
    for one in both:
        await one.close()
    assert found == [None, None]


async def test_a_newer_database_is_refused(database: Database, database_url: str, seal: Seal) -> None:
    """Code that doesn't know the database's revision says so instead of guessing."""

    async def age(tx: Tx) -> None:
        await tx.conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    await database.write(age)
    with pytest.raises(ConfigurationError, match=r"newer dpobot \(revision 9999\)"):
        await Database(database_url, seal).open()


async def test_other_keys_are_refused(database: Database, database_url: str) -> None:
    """A new key file beside an old database stops the start: nothing sealed in it could be read."""
    other = Database(database_url, Seal({"test": b"x" * 32}, "test"))
    with pytest.raises(ConfigurationError, match="key file does not open"):
        await other.open()
    await other.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///x", "postgresql+asyncpg://x/y", "nonsense"])
async def test_an_unknown_kind_of_database_is_refused(url: str, seal: Seal) -> None:
    """Only the two drivers that are tested are accepted."""
    with pytest.raises(ConfigurationError, match="must begin with"):
        await Database(url, seal).open()


async def test_a_missing_folder_is_named(seal: Seal) -> None:
    """A SQLite file in a folder that is not there is a problem of the configuration."""
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        await Database("sqlite+aiosqlite:////nowhere/dpobot.sqlite", seal).open()


async def test_twenty_writers_lose_nothing(database: Database) -> None:
    """20 tasks that each read, add one and write 25 times end at 500."""
    await database.write(lambda tx: bot_state.set(tx, "n", "0"))

    async def work() -> None:
        for _ in range(25):
            await database.write(_increment)

    await asyncio.gather(*(work() for _ in range(20)))
    assert await database.read(_get) == "500"


async def test_two_connections_to_one_file_lose_nothing(sqlite_url: str, seal: Seal) -> None:
    """The same holds for two processes, which share no lock of ours: SQLite's own write lock is taken at the start."""
    both = [Database(sqlite_url, seal), Database(sqlite_url, seal)]
    for one in both:
        await one.open()

    async def work(one: Database) -> None:
        for _ in range(25):
            await one.write(_increment)

    await asyncio.gather(*(work(one) for one in both))
    found = await both[0].read(_get)
    for one in both:
        await one.close()
    assert found == "50"


async def test_an_error_rolls_back(database: Database) -> None:
    """What the function did before it raised is not there afterwards."""

    async def fail(tx: Tx) -> None:
        await bot_state.set(tx, "n", "1")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail)
    assert await database.read(_get) is None


async def test_a_reader_sees_one_moment(database: Database) -> None:
    """What others commit while a reading transaction runs does not show in it."""

    async def look(tx: Tx) -> list[str | None]:
        before = await bot_state.get(tx, "n")
        await database.write(lambda other: bot_state.set(other, "n", "1"))
        return [before, await bot_state.get(tx, "n")]

    assert await database.read(look) == [None, None]


async def test_a_transaction_inside_a_transaction_is_a_defect(sqlite_database: Database) -> None:
    """On SQLite it could only wait for itself for ever, so it raises."""

    async def nested(tx: Tx) -> None:
        await sqlite_database.write(_increment)

    with pytest.raises(RuntimeError, match="inside a transaction"):
        await sqlite_database.write(nested)


async def test_a_closed_database_says_so(sqlite_url: str, seal: Seal) -> None:
    """Using it before `open` is a defect with a name; closing it is harmless."""
    closed = Database(sqlite_url, seal)
    await closed.close()
    with pytest.raises(RuntimeError, match="not open"):
        await closed.read(_get)


async def test_settings_of_sqlite(sqlite_database: Database) -> None:
    """Each connection has the settings that the measurements asked for."""

    async def look(tx: Tx) -> list[object]:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        return [(await tx.conn.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in names]

    assert await sqlite_database.read(look) == ["wal", 2, 30000, 1]


async def test_a_full_disk_is_named(sqlite_database: Database) -> None:
    """SQLite's "database or disk is full" becomes Unavailable("disk_full"); nothing of the write stays."""

    async def fill(tx: Tx) -> None:
        await tx.conn.exec_driver_sql("PRAGMA max_page_count=1")
        await bot_state.set(tx, "n", "x" * 1_000_000)

    with pytest.raises(Unavailable) as caught:
        await sqlite_database.write(fill)
    assert (caught.value.code, await sqlite_database.read(_get)) == ("disk_full", None)


async def test_a_broken_file_is_unavailable(sqlite_url: str, seal: Seal) -> None:
    """A file that is no database is reported, not replaced."""
    Path(sqlite_url.removeprefix("sqlite+aiosqlite:///")).write_bytes(b"not a database" * 1000)
    with pytest.raises(Unavailable) as caught:
        await Database(sqlite_url, seal).open()
    assert caught.value.code == "database"


def test_the_newest_revision_is_the_one_the_code_expects() -> None:
    """A migration that is added without moving HEAD would never be applied."""
    with as_file(files("dpobot.store").joinpath("migrations")) as folder:
        assert ScriptDirectory.from_config(migrating.configuration(folder)).get_heads() == [schema.HEAD]
