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


@pytest.fixture
def lent_postgres_url(postgres_pool: postgres.Pool) -> Iterator[str]:
    """The address of a database on PostgreSQL with all tables and nothing in them."""
    with postgres_pool.lend() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, on each of the two kinds in turn; it has tables where `migrated_url` is."""
    on_postgres = "lent_postgres_url" if "migrated_url" in request.fixturenames else "postgres_url"
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else on_postgres)
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
async def postgres_pool(postgres_server: str, seal: Seal) -> postgres.Pool:
    """PostgreSQL databases with all tables: emptying one is faster than making one for each test."""
    pool = postgres.Pool(postgres_server)
    made = Database(pool.template, seal)
    await made.open()
    await made.close()
    return pool


@pytest.fixture
def migrated_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """The address of a database with all tables, on each of the two kinds in turn."""
    if database_url.startswith("sqlite"):
        shutil.copyfile(request.getfixturevalue("sqlite_template"), database_url.removeprefix("sqlite+aiosqlite:///"))
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
