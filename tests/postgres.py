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
