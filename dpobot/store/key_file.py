"""The file of the keys that seal: read, made once, and replaced whole when keys change.

JSON: ``keys`` maps IDs to 32 bytes in Base64, ``current`` names the one that closes, and ``next`` (if there is one)
the key that will: it is laid on every machine before any of them uses it.
"""

import base64
import binascii
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from dpobot.credentials import secret
from dpobot.errors import ConfigurationError

FILE = "seal.keys"
KEY_BYTES = 32  # AES-256
LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Keys:
    """What a key file holds. Raises `ValueError` for what can't seal."""

    keys: dict[str, bytes] = field(repr=False)
    current: str
    following: str | None = None

    def __post_init__(self) -> None:
        if self.current not in self.keys or (self.following is not None and self.following not in self.keys):
            raise ValueError("the current key is not among the keys")
        if not all(name.isascii() and 0 < len(name) <= LONGEST_ID for name in self.keys):
            raise ValueError("a key ID is 1 to 64 ASCII characters")
        if not all(len(key) == KEY_BYTES for key in self.keys.values()):
            raise ValueError("a key is 32 bytes")

    @property
    def former(self) -> frozenset[str]:
        """IDs of keys that only open."""
        return frozenset(self.keys) - {self.current, self.following}

    def with_next(self) -> "Keys":
        """Return these keys and one more, which is not used yet; the same if there is one already."""
        if self.following is not None:
            return self
        name = secrets.token_hex(4)
        return replace(self, keys={**self.keys, name: secrets.token_bytes(KEY_BYTES)}, following=name)

    def moved_on(self) -> "Keys":
        """Return these keys with the next one as the current one; the old ones stay."""
        ready = self.with_next()
        return Keys(ready.keys, ready.following or ready.current)

    def without_former(self) -> "Keys":
        """Return these keys without those that only open."""
        return replace(self, keys={name: key for name, key in self.keys.items() if name not in self.former})


def read(path: Path) -> Keys:
    """Return what a key file holds.

    Raises `ConfigurationError` if there is none, it is open to others or damaged.
    """
    if not path.exists():
        cure = "copy it from the machine that has it; to make the first one, leave data.seal_key_file out once"
        raise ConfigurationError([f"{path}: there is no such key file; {cure}"])
    text = secret(path)
    try:
        stored = json.loads(text)
        keys = {str(name): base64.b64decode(key, validate=True) for name, key in stored["keys"].items()}
        return Keys(keys, stored["current"], stored.get("next"))
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # `from None`: the cause would quote the keys
        raise ConfigurationError([f"{path}: no key file of dpobot; restore it from where it was kept"]) from None


def create(path: Path) -> None:
    """Make a file with one new key, unless another process is faster: then its keys count.

    Mode 0600, complete or not there at all. Raises `ConfigurationError` if it can't be written.
    """
    name = secrets.token_hex(4)
    with _draft(path, Keys({name: secrets.token_bytes(KEY_BYTES)}, name)) as draft:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename it never replaces the keys of a process that was faster
        _sync_folder(path.parent)


def put(path: Path, keys: Keys) -> None:
    """Replace what a key file holds; a crash leaves the old or the new, never half of it. The owner stays.

    Raises `ConfigurationError` if it can't be written.
    """
    path = path.resolve()
    with _draft(path, keys) as draft:
        owner = path.stat()
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(path)
        _sync_folder(path.parent)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep every other process from changing a key file meanwhile. Raises `ConfigurationError` if one does."""
    handle = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigurationError([f"{path}: another process changes its keys; let it finish"]) from error
    finally:
        os.close(handle)


@contextmanager
def _draft(path: Path, keys: Keys) -> Iterator[Path]:
    stored = {
        "current": keys.current,
        "keys": {name: base64.b64encode(key).decode("ascii") for name, key in keys.keys.items()},
    }
    text = json.dumps(stored if keys.following is None else {**stored, "next": keys.following})
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
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
