"""Signed JSON: canonical form, Ed25519 signatures and unpadded base64 (Matrix spec, Appendices)."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32


def encode(data: bytes) -> str:
    """Return unpadded base64."""
    return base64.b64encode(data).decode().rstrip("=")


def decode(text: object) -> bytes:
    """Return the bytes of padded or unpadded base64. Raises ValueError for anything else, also for other types."""
    if not isinstance(text, str):
        raise ValueError("not a string")  # noqa: TRY004 - a hostile value, not a programming error
    try:
        bare = text.rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64") from error


def is_key(text: object) -> bool:
    """Say whether a text is the base64 of a 32-byte public key."""
    try:
        return len(decode(text)) == KEY_BYTES
    except ValueError:
        return False


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return what is signed: canonical JSON without ``signatures`` and ``unsigned``. Raises ValueError."""
    bare = {name: item for name, item in value.items() if name not in ("signatures", "unsigned")}
    return json.dumps(bare, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()


class SigningKey:
    """An Ed25519 key pair made of a 32-byte seed."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = encode(self._key.public_key().public_bytes_raw())

    def sign(self, value: Mapping[str, Any]) -> str:
        """Return the signature of a JSON object, unpadded base64."""
        return encode(self._key.sign(canonical(value)))


def is_signed(value: Mapping[str, Any], user_id: str, key_id: str, public: object) -> bool:
    """Say whether ``value`` bears a good signature ``signatures[user_id][key_id]`` of the key ``public`` (base64).

    Anything malformed counts as unsigned; ``value`` is left as it is.
    """
    try:
        signature = decode(value["signatures"][user_id][key_id])
        Ed25519PublicKey.from_public_bytes(decode(public)).verify(signature, canonical(value))
    except (InvalidSignature, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return False
    return True
