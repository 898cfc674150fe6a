"""The key with which this installation signs receipts (Ed25519, RFC 8032)."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dpobot import credentials
from dpobot.errors import ConfigurationError
from dpobot.receipt.base64 import decoded, encoded

FILE = "receipt.key"
KEY_BYTES = 32
_MISSING = {
    True: "there is none yet; it is made when dpobot first runs",
    False: "there is no such key; copy it from the machine that has it; to make the first one, leave"
    " data.receipt_key_file out once",
}
_SHORT = 16  # hex digits: 64 bits tell keys apart, the signature proves


class SigningKey:
    """A private key; ``public`` (unpadded Base64 of the 32 raw bytes) and ``key_id`` may be shown to everybody.

    ``former``: public keys that signed before, newest first: what they signed stays valid.
    """

    def __init__(self, seed: bytes, former: Iterable[str] = ()) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = encoded(self._private.public_key().public_bytes_raw())
        self.key_id = key_id_of(self.public)
        self.former = tuple(former)

    @property
    def publics(self) -> dict[str, str]:
        """Every public key that receipts may be checked with, by its name, the current one first."""
        return {key_id_of(each): each for each in (self.public, *self.former)}

    def sign(self, message: bytes) -> str:
        """Return the signature in unpadded Base64."""
        return encoded(self._private.sign(message))


def key_id_of(public: str) -> str:
    """Return the name of a public key: ``ed25519:`` and the first 16 hex digits of the SHA-256 of its 32 bytes.

    Raises `ValueError` for what is no key.
    """
    raw = decoded(public)
    if len(raw) != KEY_BYTES:
        raise ValueError("an Ed25519 key has 32 bytes")
    return f"ed25519:{hashlib.sha256(raw).hexdigest()[:_SHORT]}"


def load_or_create(folder: Path, named: Path | None = None) -> SigningKey:
    """Return the key of a data folder; made at the first start, readable by its owner only.

    ``named``: the file that holds it instead; that one is never made, because a second machine would get another key
    than the first. Losing the file does no harm to receipts that were handed out: they are checked with the public
    key. Raises `ConfigurationError` if it can't be read, is damaged, or others may read it.
    """
    if named is None and not (folder / FILE).exists():
        _create(folder / FILE)
    return load(folder, named)


def load(folder: Path, named: Path | None = None) -> SigningKey:
    """Return the key of a data folder that has one. Raises `ConfigurationError` as `load_or_create`, or for none."""
    path = folder / FILE if named is None else named
    try:
        private = credentials.private(path)
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        raise ConfigurationError([f"{path}: {_MISSING[named is None]}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{path}: the key of receipts can't be read ({_why(error)})"]) from error
    if not private:
        raise ConfigurationError([f"{path}: others may read this key and sign with it; chmod 600 {path}"])
    try:
        seed, *former = text.split()
        return SigningKey(decoded(seed), [public for public in former if key_id_of(public)])
    except ValueError:
        cure = "restore it from a backup, or remove it: a new one is made, and its public key has to be published"
        raise ConfigurationError([f"{path}: the key of receipts is damaged; {cure}"]) from None


def renew(folder: Path, named: Path | None, also: Iterable[str] = ()) -> SigningKey:
    """Replace the key by a new one, which knows the public keys of the former ones; ``also``: one whose file is lost.

    A crash leaves the old or the new file. The owner stays. Raises `ConfigurationError` as `load`.
    """
    path = (folder / FILE if named is None else named).resolve()
    before = load_or_create(folder, named)
    former = dict.fromkeys((before.public, *before.former, *also))
    seed = secrets.token_bytes(KEY_BYTES)
    owner = path.stat()
    with _draft(path, "\n".join((encoded(seed), *former))) as draft:
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(path)
    return SigningKey(seed, former)


def _create(path: Path) -> None:
    """Write a new key so that a crash, or a second process, never leaves half of one."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"{path}: the key of receipts can't be written ({_why(error)})"]) from error
    seed = encoded(secrets.token_bytes(KEY_BYTES))
    with _draft(path, seed) as draft, contextlib.suppress(FileExistsError):  # another process was first: its counts
        os.link(draft, path)


@contextlib.contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        yield draft
    except OSError as error:
        raise ConfigurationError([f"{path}: the key of receipts can't be written ({_why(error)})"]) from error
    finally:
        draft.unlink(missing_ok=True)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "not text"
