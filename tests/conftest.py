"""Databases for every ring: the same tests run on SQLite and on PostgreSQL."""

import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests import postgres
from tests.mas.stand_in import delegation as delegation
from tests.wheel import wheel as wheel

# A busy machine is no finding: examples are the same in every run, and none is judged by its time.
settings.register_profile("dpobot", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dpobot")


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the many processes that tests start compile their modules once, wherever bytecode is switched off."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        environment.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        yield


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


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory, seal: Seal) -> Path:
    """A SQLite file with all tables: copying it is faster than migrating for each test."""
    path = tmp_path_factory.mktemp("database") / "template.sqlite"
    made = Database(f"sqlite+aiosqlite:///{path}", seal)
    await made.open()
    await made.close()
    return path


@pytest.fixture(scope="session")
async def postgres_template(postgres_server: str, seal: Seal) -> str:
    """The name of a PostgreSQL database with all tables, to make others of."""
    name = "template_dpobot"
    with psycopg.connect(postgres_server.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
    made = Database(postgres_server.replace("/postgres?", f"/{name}?"), seal)
    await made.open()
    await made.close()
    return name


@pytest.fixture
def migrated_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """The address of a database with all tables, on each of the two kinds in turn."""
    if database_url.startswith("sqlite"):
        shutil.copyfile(request.getfixturevalue("sqlite_template"), database_url.removeprefix("sqlite+aiosqlite:///"))
        return database_url
    template = request.getfixturevalue("postgres_template")
    name = database_url.partition("?")[0].rpartition("/")[2]
    server_url = request.getfixturevalue("postgres_server").replace("+psycopg", "")
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}"'.encode())
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return database_url


@pytest.fixture
async def database(migrated_url: str, seal: Seal) -> AsyncIterator[Database]:
    """An open database with all tables, on each of the two kinds in turn."""
    made = Database(migrated_url, seal)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str, sqlite_template: Path, seal: Seal) -> AsyncIterator[Database]:
    """An open SQLite database, for tests that need not run twice."""
    shutil.copyfile(sqlite_template, sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    made = Database(sqlite_url, seal)
    await made.open()
    yield made
    await made.close()
