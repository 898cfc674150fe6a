"""Credentials of systemd: files that the service manager lays out for this service alone (systemd.exec(5)).

In the configuration ``credential:NAME`` stands for the file ``NAME`` in ``$CREDENTIALS_DIRECTORY``.
"""

import os
import re
from pathlib import Path

from dpobot.errors import ConfigurationError

PREFIX = "credential:"
_DIRECTORY = "CREDENTIALS_DIRECTORY"
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,255}", re.ASCII)
_OTHERS = 0o037  # a credential may be read by its group: with access lists that bit is the list's mask, not a group
_STRANGERS = 0o027  # and the folder may be entered by it, for the same reason


def located(value: str) -> Path:
    """Return the file that ``credential:NAME`` stands for.

    Raises `ConfigurationError` if systemd has handed nothing over, or nothing of that name.
    """
    name = value.removeprefix(PREFIX)
    if not _NAME.fullmatch(name) or set(name) == {"."}:
        raise ConfigurationError([f"{value!r}: that is no name of a credential: letters, digits and _ . @ - alone"])
    folder = _folder()
    if folder is None:
        cure = f"start it as a service with LoadCredential={name}:/path, or name a file"
        raise ConfigurationError([f"{value}: ${_DIRECTORY} is not set; {cure}"])
    path = folder / name
    if not path.is_file():
        raise ConfigurationError([f"{value}: there is no file {path}; add LoadCredential={name}:/path to the service"])
    return path


def private(path: Path) -> bool:
    """Say whether nobody but this service may read a secret: its mode, or that of systemd's credentials.

    Raises `OSError` if it is not there.
    """
    mode = path.stat().st_mode
    if not mode & 0o077:
        return True
    folder = _folder()
    handed = folder is not None and path.parent.resolve() == folder.resolve()
    return handed and not mode & _OTHERS and not path.parent.stat().st_mode & _STRANGERS


def _folder() -> Path | None:
    named = os.environ.get(_DIRECTORY)
    return Path(named) if named else None


def secret(path: Path) -> str:
    """Read a secret from its file. Raises `ConfigurationError` if it is missing, empty or open to others."""
    try:
        ours = private(path)
        text = path.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigurationError([f"{path}: the secret can't be read ({error.strerror})"]) from error
    except UnicodeDecodeError:  # `from None`: the cause would quote the secret
        raise ConfigurationError([f"{path}: the secret is no text"]) from None
    if not ours:
        raise ConfigurationError([f"{path}: others may read this secret; chmod 600 {path}"])
    if not text:
        raise ConfigurationError([f"{path}: the secret is empty"])
    return text
