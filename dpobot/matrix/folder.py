"""The folder of one account's keys: private, written atomically, used by one process at a time."""

import contextlib
import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import Any, Self

from dpobot.errors import ConfigurationError


class Folder:
    """A folder of mode 0700 that is locked while it is open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def open(self) -> Self:
        """Make the folder and lock it. Raises `ConfigurationError` if another process uses it."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise ConfigurationError(
                [f"{self.path}: another dpobot uses these keys; stop it first, one process alone may use a device"]
            ) from error
        self._lock = handle
        return self

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self, name: str) -> str | None:
        """Return a file's text, or None if there is none."""
        try:
            return (self.path / name).read_text("utf-8")
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """Write a file of mode 0600 so that a crash leaves the old or the new one, never half of it."""
        temporary = self.path / f".{name}.new"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self.path / name)
        self._sync()

    def remove(self, *names: str) -> None:
        """Delete files, if they are there."""
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                (self.path / name).unlink()
        self._sync()

    def read_json(self, name: str) -> dict[str, Any] | None:
        """Return a file's JSON object, or None if there is none. Raises `ConfigurationError` if it is damaged."""
        text = self.read(name)
        if text is None:
            return None
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ConfigurationError([f"{self.path / name}: damaged; restore this file from a backup"]) from error
        if not isinstance(value, dict):
            raise ConfigurationError([f"{self.path / name}: damaged; restore this file from a backup"])
        return value

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        """Write a JSON object, see `write`."""
        self.write(name, json.dumps(value))

    def pickle_key(self) -> str:
        """Return the random key that the crypto store is sealed with; made at the first call."""
        key = self.read("pickle.key")
        if key is None:
            key = secrets.token_urlsafe(32)
            self.write("pickle.key", key)
        return key

    def _sync(self) -> None:
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
