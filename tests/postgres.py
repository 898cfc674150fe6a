"""A throwaway PostgreSQL for the tests: from the pgserver wheel, or from the system."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

CURE = (
    "PostgreSQL is needed for the tests: install the pgserver wheel (Python 3.11 or 3.12: `uv sync`),"
    " or the system's own (Debian: `apt-get install postgresql`; `initdb` in PATH or /usr/lib/postgresql/*/bin)"
)


def binaries() -> Path:
    """Return the folder that holds `initdb` and `pg_ctl`; fail with the cure if there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its dependency warns when XDG_RUNTIME_DIR is not set
            from pgserver._commands import POSTGRES_BIN_PATH
    except ImportError:
        return _of_the_system()
    return Path(POSTGRES_BIN_PATH)


def _of_the_system() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    pytest.fail(CURE, pytrace=False)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``url`` is the address of its database ``postgres``, ``postgresql+psycopg://...``."""

    url: str
    restart: Callable[[str], None]
    """Stops it, ``fast`` (what runs is broken off) or ``immediate`` (as after a power cut), and starts it again."""


@contextmanager
def cluster() -> Iterator[str]:
    """Run a server without network; yield the address of its database ``postgres``, ``postgresql+psycopg://...``."""
    with server() as running:
        yield running.url


@contextmanager
def server() -> Iterator[Server]:
    """Run a server without network."""
    # not pytest's folder: a socket's path is at most 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="dpobot-pg-"))
    try:
        owner = None if os.geteuid() else "nobody"  # PostgreSQL refuses to run as root
        if owner:
            shutil.chown(folder, owner)
        place = _reachable(binaries(), folder, owner)

        def run(tool: str, *arguments: str) -> None:
            subprocess.run([place / tool, *arguments], check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)

        data = str(folder / "data")
        begin = ("-l", str(folder / "log"), "-w", "-o", f"-h '' -k {folder} -c fsync=off")
        run("initdb", "-D", data, "--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync")
        run("pg_ctl", "-D", data, *begin, "start")
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
            yield Server(url, lambda mode: run("pg_ctl", "-D", data, "-m", mode, *begin, "restart"))
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Pool:
    """Databases with all tables, lent to one test after another.

    What comes back is emptied; one whose tables, functions or settings are no longer those of the template is dropped.
    ``server``: the address of the database ``postgres``.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._idle: list[str] = []
        self._made = 0
        with self._to(_POSTGRES) as connection:
            connection.execute(f'CREATE DATABASE "{_TEMPLATE}"'.encode())

    @property
    def template(self) -> str:
        """The address of the database that the others are made of; whoever has the pool gives it its tables."""
        return self._address(_TEMPLATE)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Lend the address of an empty database with all tables."""
        name = self._idle.pop() if self._idle else self._make()
        try:
            yield self._address(name)
        finally:
            if self._is_as_made(name):
                self._empty(name)
                self._idle.append(name)
            else:
                self._drop(name)

    def _make(self) -> str:
        self._made += 1
        name = f"lent_{self._made}"
        with self._to(_POSTGRES) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"'.encode())
        return name

    def _drop(self, name: str) -> None:
        with self._to(_POSTGRES) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def _is_as_made(self, name: str) -> bool:
        try:
            return self._shape(name) == self._shape(_TEMPLATE)
        except psycopg.Error:  # a table that is looked at, or all of it, is gone
            return False

    def _shape(self, name: str) -> object:
        with self._to(name) as connection:
            return connection.execute(_SHAPE).fetchone()

    def _empty(self, name: str) -> None:
        with self._to(name) as connection:
            connection.execute(_ALONE)
            connection.execute("SET session_replication_role = replica")  # no trigger, no foreign key is in the way
            connection.execute(_EMPTY)

    def _to(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._address(name).replace("+psycopg", ""), autocommit=True)

    def _address(self, name: str) -> str:
        return self._server.replace(f"/{_POSTGRES}?", f"/{name}?")


_POSTGRES, _TEMPLATE = "postgres", "template_dpobot"
_ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_OURS = "NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)"
_SHAPE = rf"""
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat_ws(':', relname, relkind, reloptions::text) FROM pg_class WHERE relnamespace {_OURS}
    UNION ALL
    SELECT concat_ws(':', relname, attname, atttypid, atttypmod, attnotnull, atthasdef)
    FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid WHERE relnamespace {_OURS}
    UNION ALL SELECT concat_ws(':', conname, conrelid) FROM pg_constraint WHERE connamespace {_OURS}
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace {_OURS}
    UNION ALL SELECT typname FROM pg_type WHERE typnamespace {_OURS}
    UNION ALL SELECT tgname FROM pg_trigger
    UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%temp\_%'
    UNION ALL SELECT version_num FROM alembic_version
    UNION ALL SELECT setconfig::text FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid
    WHERE datname = current_database()
) AS parts (part)
"""
_EMPTY = """
DO $$
DECLARE
    each record;
BEGIN
    FOR each IN
        SELECT oid::regclass AS name, pg_relation_size(oid) AS size FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP
        IF each.size > 1000000 THEN
            EXECUTE format('TRUNCATE %s CASCADE', each.name);
        ELSIF each.size > 0 THEN
            EXECUTE format('DELETE FROM %s', each.name);
        END IF;
    END LOOP;
    FOR each IN SELECT format('%I.%I', schemaname, sequencename)::regclass AS name FROM pg_sequences
        WHERE last_value IS NOT NULL
    LOOP
        PERFORM setval(each.name, 1, false);
    END LOOP;
END $$
"""


def _reachable(place: Path, folder: Path, owner: str | None) -> Path:
    """Return where ``owner`` can run the programs: a copy in ``folder`` if root's own folders hide them."""
    if owner is None:
        return place
    try:
        subprocess.run([place / "initdb", "--version"], check=True, user=owner, cwd="/", stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        copy = folder / "pgserver" / "pginstall"
        shutil.copytree(place.parent, copy, symlinks=True)
        libraries = place.parents[2] / "pgserver.libs"  # the wheel's programs look for them by this relative path
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        return copy / place.name
    return place
