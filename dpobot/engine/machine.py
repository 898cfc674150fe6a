"""On which machine a job runs: the token of its run begins with the machine's name.

A machine is a data folder: processes that share one share its spools. Its name is made at the first start.
"""

import contextlib
import os
import secrets
from pathlib import Path

from dpobot.errors import ConfigurationError

_FILE = "machine"
_BYTES = 6


def name_of(folder: Path) -> str:
    """Return the name of the machine whose data folder this is. Raises `ConfigurationError` if it can't be kept."""
    path = folder / _FILE
    try:
        if not path.exists():
            _create(path)
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            [f"{path}: the name of this machine can't be kept; may dpobot write there?"]
        ) from error


def run_token(machine: str | None) -> str:
    """Return a new token for a run of a job, at most 64 characters; None: there are no other machines."""
    token = secrets.token_hex(16)
    return token if machine is None else f"{machine}.{token}"


def runs_elsewhere(token: str | None, machine: str) -> bool:
    """Say whether a run is on another machine; a token that names none is of a process that knew no others."""
    return token is not None and "." in token and not token.startswith(f"{machine}.")


def _create(path: Path) -> None:
    """Write a new name, whole or not at all; of two processes at once the first one's counts."""
    draft = path.with_name(f".{_FILE}.{secrets.token_hex(4)}")
    draft.write_text(secrets.token_hex(_BYTES) + "\n", "ascii")
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
