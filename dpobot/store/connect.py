"""How each database is spoken to: settings of a connection, and how a transaction begins."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from dpobot.errors import ConfigurationError

Options = Callable[[str], Mapping[str, Any]]

_BEGIN = "dpobot_begin"
_PRAGMAS = ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL")
_SUPPORTED = frozenset({"sqlite+aiosqlite", "postgresql+psycopg"})


def READ(dialect: str) -> Mapping[str, Any]:  # noqa: N802 - names a kind of transaction, next to WRITE
    """Return the options of a reading transaction: one snapshot."""
    if dialect == "sqlite":
        return {_BEGIN: "BEGIN"}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def WRITE(dialect: str) -> Mapping[str, Any]:  # noqa: N802 - names a kind of transaction, next to READ
    """Return the options of a changing transaction; SQLite must lock at its start, or updates would be lost."""
    return {_BEGIN: "BEGIN IMMEDIATE"} if dialect == "sqlite" else {}


def engine(url: str, *, migrating: bool = False) -> AsyncEngine:
    """Return an engine; ``migrating`` leaves SQLite's foreign keys off: altering a table rebuilds it there."""
    settings: dict[str, Any] = {"hide_parameters": True}  # an error's text must not hold what was stored
    if migrating:
        settings["poolclass"] = NullPool
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, **settings)
    made = create_async_engine(url, connect_args={"isolation_level": None}, **settings)
    event.listen(made.sync_engine, "connect", _settings(foreign_keys=not migrating))
    event.listen(made.sync_engine, "begin", _begin)
    return made


def is_postgresql(url: str) -> bool:
    """Say whether an address is one of PostgreSQL."""
    try:
        return make_url(url).get_backend_name() == "postgresql"
    except ArgumentError:
        return False


def driver_settings(url: str) -> dict[str, Any]:
    """Return what psycopg connects to that PostgreSQL with, for a library that has connections of its own."""
    made = make_url(url)
    _arguments, settings = made.get_dialect()().create_connect_args(made)
    return dict(settings)


def prepare(url: str) -> None:
    """Check the address, and make a SQLite file that only its owner may read. Raises `ConfigurationError`."""
    try:
        supported = make_url(url).drivername in _SUPPORTED
    except ArgumentError:
        supported = False
    if not supported:  # the address itself may hold a password: it is not repeated
        problem = "data.database_url: must begin with sqlite+aiosqlite:/// or postgresql+psycopg://"
        raise ConfigurationError([problem])
    path = sqlite_file(url)
    if path is None:
        return
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError([f"{path}: the database can't be opened ({error.strerror})"]) from error


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite address, None for other databases."""
    address = make_url(url)
    return Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None


def _settings(*, foreign_keys: bool) -> Callable[[Any, object], None]:
    def apply(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, f"foreign_keys={'ON' if foreign_keys else 'OFF'}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return apply


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))
