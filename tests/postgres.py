"""A throwaway PostgreSQL for the tests: from the pgserver wheel, or from the system."""

import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def cluster() -> Iterator[str]:
    """Run a server without network; yield the address of its database ``postgres``, ``postgresql+psycopg://...``."""
    place = binaries()
    owner = _ordinary_user(place)
    # not pytest's folder: a socket's path is at most 107 bytes, and PostgreSQL refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="dpobot-pg-"))
    if owner:
        shutil.chown(folder, owner)

    def run(tool: str, *arguments: str) -> None:
        subprocess.run([place / tool, *arguments], check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)

    data, log = str(folder / "data"), str(folder / "log")
    try:
        run("initdb", "-D", data, "--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync")
        run("pg_ctl", "-D", data, "-l", log, "-w", "-o", f"-h '' -k {folder} -c fsync=off", "start")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ordinary_user(place: Path) -> str | None:
    """Return whom to run the server as: None (ourselves), or for root an ordinary user that can reach the programs."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
            subprocess.run([place / "initdb", "--version"], check=True, user=name, cwd="/", stdout=subprocess.DEVNULL)
        except (KeyError, OSError, subprocess.CalledProcessError):
            continue
        return name
    pytest.fail(f"no ordinary user can run {place / 'initdb'}: run the tests as an ordinary user", pytrace=False)
