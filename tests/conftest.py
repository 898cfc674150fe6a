"""Databases for every ring: the same tests run on SQLite and on PostgreSQL."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests import postgres


@pytest.fixture(scope="session")
def seal() -> Seal:
    """Keys for what is encrypted at rest."""
    return Seal({"test": bytes(range(32))}, "test")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running PostgreSQL, shared by all tests of this run."""
    with postgres.cluster() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of an empty database on PostgreSQL."""
    name = f"test_{secrets.token_hex(6)}"
    plain = postgres_server.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        yield postgres_server.replace("/postgres?", f"/{name}?")
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'dpobot.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, on each of the two kinds in turn."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
async def database(database_url: str, seal: Seal) -> AsyncIterator[Database]:
    """An open database with all tables, on each of the two kinds in turn."""
    made = Database(database_url, seal)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str, seal: Seal) -> AsyncIterator[Database]:
    """An open SQLite database, for tests that need not run twice."""
    made = Database(sqlite_url, seal)
    await made.open()
    yield made
    await made.close()
