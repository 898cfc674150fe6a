"""Encryption at rest: AES-256-GCM with a key ID in each envelope, so that keys can change and the old stays readable.

An envelope is one format byte (1), the length of the key ID, the key ID, a random 96-bit nonce, and the ciphertext with
its tag. Format, key ID and context (``table.column``) are authenticated: a value moved to another column does not open.
"""

import base64
import binascii
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dpobot.config import secret
from dpobot.errors import ConfigurationError, DpobotError

FILE = "seal.keys"
_FORMAT = 1
_NONCE = 12  # bytes; NIST SP 800-38D 8.2.1
_KEY = 32  # bytes: AES-256
_LONGEST_ID = 64


class SealError(DpobotError):
    """A sealed value can't be opened: altered, moved to another column, or sealed with a key that we don't have."""


class Seal:
    """Closes and opens values with the current key, and opens those of older keys.

    ``keys`` maps key IDs (1 to 64 ASCII characters) to 32 bytes; ``current`` names the one that closes.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        if current not in keys:
            raise ValueError("the current key is not among the keys")
        if not all(name.isascii() and 0 < len(name) <= _LONGEST_ID for name in keys):
            raise ValueError("a key ID is 1 to 64 ASCII characters")
        if not all(len(key) == _KEY for key in keys.values()):
            raise ValueError("a key is 32 bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = current

    def __repr__(self) -> str:
        return f"Seal(current={self._current!r})"

    def close(self, plain: bytes, context: str) -> bytes:
        """Return the envelope of ``plain`` for a place such as ``inbox.sealed``."""
        head = bytes([_FORMAT, len(self._current)]) + self._current.encode("ascii")
        nonce = secrets.token_bytes(_NONCE)
        return head + nonce + self._ciphers[self._current].encrypt(nonce, plain, head + context.encode())

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


def of(folder: Path, named: Path | None) -> Seal:
    """Return the keys of a named key file, or those of the data folder, where they are made if there are none.

    Raises `ConfigurationError` as `load` does: a file that the configuration names is never made, because a second
    machine would get other keys than the first.
    """
    return load_or_create(folder / FILE) if named is None else load(named)


def load_or_create(path: Path) -> Seal:
    """Return the keys of a key file; a missing file is made with one new key: mode 0600, complete or not there at all.

    Raises `ConfigurationError` if the file is open to others, or is no key file.
    """
    if not path.exists():
        _create(path)
    return load(path)


def load(path: Path) -> Seal:
    """Return the keys of a key file. Raises `ConfigurationError` if there is none, it is open to others or damaged."""
    return Seal(*read(path))


def read(path: Path) -> tuple[dict[str, bytes], str]:
    """Return the keys of a key file by their IDs, and the current one's ID. Raises `ConfigurationError`, see `load`."""
    if not path.exists():
        cure = "copy it from the machine that has it; to make the first one, leave data.seal_key_file out once"
        raise ConfigurationError([f"{path}: there is no such key file; {cure}"])
    text = secret(path)
    try:
        stored = json.loads(text)
        keys = {str(name): base64.b64decode(key, validate=True) for name, key in stored["keys"].items()}
        Seal(keys, stored["current"])
        return keys, stored["current"]
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # `from None`: the cause would quote the keys
        raise ConfigurationError([f"{path}: no key file of dpobot; restore it from where it was kept"]) from None


def _create(path: Path) -> None:
    name = secrets.token_hex(4)
    key = base64.b64encode(secrets.token_bytes(_KEY)).decode("ascii")
    text = json.dumps({"current": name, "keys": {name: key}})
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename it never replaces the keys of a process that was faster
        except FileExistsError:
            return
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError([f"{path}: the key file can't be written ({error.strerror})"]) from error
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
