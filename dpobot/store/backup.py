"""A consistent copy of a SQLite database while it is in use."""

import contextlib
import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from dpobot.errors import ConfigurationError
from dpobot.store import connect
from dpobot.store.origin import COPIED

_PATIENCE = 60.0  # seconds for a lock
_MARK = "INSERT OR REPLACE INTO bot_state (key, value) VALUES (?, ?)"


def copy(url: str, target: Path, now: datetime) -> int:
    """Write a copy, mode 0600, that says of itself that it is one; return its bytes.

    What was committed when it begins is in it, and nothing else; whoever writes meanwhile need not wait. Raises
    `ConfigurationError` if the database is not SQLite, if ``target`` is there already, or can't be written.
    """
    source = connect.sqlite_file(url)
    if source is None:
        raise ConfigurationError(
            ["data.database_url: this is PostgreSQL; back it up with pg_dump (see docs/backup.md)"]
        )
    if target.exists():
        raise ConfigurationError([f"{target}: there is a file of that name; a backup replaces nothing"])
    draft = target.with_name(target.name + ".draft")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _write(source, draft, now)
        draft.rename(target)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise ConfigurationError([f"{target}: the backup can't be written ({_why(error)})"]) from error
    return target.stat().st_size


def _write(source: Path, draft: Path, now: datetime) -> None:
    with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)) as database:
        database.execute("VACUUM INTO ?", (str(draft),))
    with closing(sqlite3.connect(draft)) as made, made:
        made.execute(_MARK, (COPIED, now.isoformat()))
    with draft.open("rb") as file:
        os.fsync(file.fileno())


def _why(error: Exception) -> str:
    """Return the reason without what was in it: a path of the system's, or SQLite's own words."""
    return error.strerror or "" if isinstance(error, OSError) else str(error)
