"""Encryption at rest: AES-256-GCM with a key ID in each envelope, so that keys can change and the old stays readable.

An envelope is one format byte (1), the length of the key ID, the key ID, a random 96-bit nonce, and the ciphertext with
its tag. Format, key ID and context (``table.column``) are authenticated: a value moved to another column does not open.
"""

import contextlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dpobot.errors import ConfigurationError, DpobotError
from dpobot.store import key_file
from dpobot.store.key_file import FILE, Keys

__all__ = ["FILE", "FileSeal", "Seal", "SealError", "load", "load_or_create", "of"]

_FORMAT = 1
_NONCE = 12  # bytes; NIST SP 800-38D 8.2.1


class SealError(DpobotError):
    """A sealed value can't be opened: altered, moved to another column, or sealed with a key that we don't have."""


class Seal:
    """Closes and opens values with the current key, and opens those of older keys.

    ``keys`` maps key IDs (1 to 64 ASCII characters) to 32 bytes; ``current`` names the one that closes.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        Keys(dict(keys), current)
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = current

    @property
    def current(self) -> str:
        """The ID of the key that closes."""
        return self._current

    def __repr__(self) -> str:
        return f"Seal(current={self._current!r})"

    def close(self, plain: bytes, context: str) -> bytes:
        """Return the envelope of ``plain`` for a place such as ``inbox.sealed``."""
        head = bytes([_FORMAT, len(self._current)]) + self._current.encode("ascii")
        nonce = secrets.token_bytes(_NONCE)
        return head + nonce + self._ciphers[self._current].encrypt(nonce, plain, head + context.encode())

    def has(self, name: str | None) -> bool:
        """Say whether a key is among ours."""
        return name in self._ciphers

    @staticmethod
    def key_of(sealed: bytes) -> str | None:
        """Return the ID of the key that an envelope was closed with; None for what is no envelope."""
        if len(sealed) < 2 or sealed[0] != _FORMAT or len(sealed) < 2 + sealed[1] + _NONCE:
            return None
        return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return what an envelope holds. Raises `SealError`, which never says what was in it."""
        if len(sealed) < 2 or sealed[0] != _FORMAT:
            raise SealError("not a sealed value")
        end = 2 + sealed[1]
        head, nonce, body = sealed[:end], sealed[end : end + _NONCE], sealed[end + _NONCE :]
        cipher = self._ciphers.get(head[2:].decode("ascii", "replace"))
        if cipher is None:
            raise SealError("sealed with a key that is not in the key file")
        try:
            return cipher.decrypt(nonce, body, head + context.encode())
        except (InvalidTag, ValueError):
            raise SealError("altered, or not of this place") from None

    def close_json(self, value: Any, context: str) -> bytes:
        """Return the envelope of a JSON value."""
        return self.close(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii"), context)

    def open_json(self, sealed: bytes, context: str) -> Any:
        """Return the JSON value of an envelope. Raises `SealError`."""
        return json.loads(self.open(sealed, context))


class FileSeal(Seal):
    """The keys of a file: who changes that file changes what is sealed from then on, also in a process that runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _state(path)
        keys = key_file.read(path)
        super().__init__(keys.keys, keys.current)

    @property
    def current(self) -> str:
        """The ID of the key that closes now."""
        self._look()
        return super().current

    def close(self, plain: bytes, context: str) -> bytes:
        """Return an envelope, closed with the key that is current in the file now."""
        self._look()
        return super().close(plain, context)

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return what an envelope holds, also if the file has its key only since a moment ago."""
        self._look()
        return super().open(sealed, context)

    def _look(self) -> None:
        state = _state(self._path)
        if state == self._seen or state is None:
            return
        with contextlib.suppress(ConfigurationError):  # half copied, not ours: the keys that we have still count
            keys = key_file.read(self._path)
            super().__init__(keys.keys, keys.current)
            self._seen = state


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what tells one content of a file from the next, None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def of(folder: Path, named: Path | None) -> Seal:
    """Return the keys of a named key file, or those of the data folder, where they are made if there are none.

    Raises `ConfigurationError` as `load` does: a file that the configuration names is never made, because a second
    machine would get other keys than the first.
    """
    return load_or_create(folder / FILE) if named is None else load(named)


def load_or_create(path: Path) -> Seal:
    """Return the keys of a key file; a missing file is made with one new key.

    Raises `ConfigurationError` if the file is open to others, or is no key file.
    """
    if not path.exists():
        key_file.create(path)
    return load(path)


def load(path: Path) -> Seal:
    """Return the keys of a key file. Raises `ConfigurationError` if there is none, it is open to others or damaged."""
    return FileSeal(path)
