"""The file that clients write as "Export E2E room keys" (spec, "Key export format")."""

import base64
import binascii
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from dpobot.errors import ConfigurationError
from dpobot.unlocking.ring import Ring
from dpobot.unlocking.secret import MOST_ROUNDS

_BEGIN, _END = b"-----BEGIN MEGOLM SESSION DATA-----", b"-----END MEGOLM SESSION DATA-----"
_MOST = 512 * 1024 * 1024
_HEAD = 1 + 16 + 16 + 4  # version, salt, IV, rounds
_MAC = 32


def load(path: Path, passphrase: str, ring: Ring) -> None:
    """Put the sessions of a key file into the ring. Raises `ConfigurationError`: wrong file, wrong passphrase."""
    sealed = _body(path)
    salt, iv, rounds = sealed[1:17], sealed[17:33], int.from_bytes(sealed[33:_HEAD])
    if not 0 < rounds <= MOST_ROUNDS:
        raise _damaged(path)
    both = hashlib.pbkdf2_hmac("sha512", passphrase.encode("utf-8", "surrogateescape"), salt, rounds, 64)
    if not hmac.compare_digest(hmac.digest(both[32:], sealed[:-_MAC], "sha256"), sealed[-_MAC:]):
        raise ConfigurationError(
            [f"open: the passphrase does not fit {path}: it is the one that was typed when the keys were exported"]
        )
    cipher = Cipher(AES(both[:32]), CTR(iv)).decryptor()
    before = len(ring)
    for key in _sessions(cipher.update(sealed[_HEAD:-_MAC]) + cipher.finalize(), path):
        if isinstance(key, dict):
            ring.add(key.get("room_id"), key.get("session_id"), key)
    if len(ring) == before:
        raise ConfigurationError(
            [f"open: {path} holds no message keys: export them once more from a client that has some"]
        )


def _body(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST)
    except OSError as error:
        raise ConfigurationError([f"open: {path}: can't be read ({error.strerror})"]) from error
    start, end = text.find(_BEGIN), text.find(_END)
    if start < 0:
        raise ConfigurationError(
            [f"open: {path} is no key export: in Element it is under Settings, Encryption, Export keys"]
        )
    try:
        bare = b"".join(text[start + len(_BEGIN) : max(start, end)].split()).rstrip(
            b"="
        )  # some clients pad, some do not
        sealed = base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except binascii.Error as error:
        raise _damaged(path) from error
    if len(sealed) < _HEAD + _MAC or sealed[0] != 1:
        raise _damaged(path)
    return sealed


def _sessions(plain: bytes, path: Path) -> list[Any]:
    try:
        keys = json.loads(plain)
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    if not isinstance(keys, list):
        raise _damaged(path)
    return keys


def _damaged(path: Path) -> ConfigurationError:
    return ConfigurationError([f"open: {path} is a damaged or incomplete key export: export the keys once more"])
