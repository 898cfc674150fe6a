"""The secret of a link: who has it may ask for the files, and nothing else opens them. Pure."""

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES = 32
LENGTH = 43  # characters of 32 bytes in base64url (RFC 4648, 5) without padding


def new_token() -> str:
    """Return a fresh secret: 256 random bits as 43 characters that stand in an address as they are."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).decode("ascii").rstrip("=")


def is_token(text: str) -> bool:
    """Say whether a text has the form of a secret, written in the one way in which we write it."""
    if len(text) != LENGTH or not text.isascii():
        return False
    try:
        return base64.urlsafe_b64encode(_decoded(text)).decode("ascii").rstrip("=") == text
    except (ValueError, binascii.Error):
        return False


def hash_of(token: str) -> str:
    """Return the SHA-256, hex, under which a secret is known to the database."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str | None, other: str | None) -> bool:
    """Compare two hashes in a time that does not depend on them; what is missing equals nothing."""
    return hmac.compare_digest((one or "").encode(), (other or "").encode()) and bool(one)


def key_of(token: str, number: int, size: int, sha256: str) -> bytes:
    """Return the 32 bytes that encrypt one volume (RFC 5869, HKDF): another volume, or other bytes, another key.

    ``size``, ``sha256``: of the plain bytes. Raises `ValueError` for what is no secret.
    """
    if not is_token(token):
        raise ValueError("not the secret of a link")
    info = f"dpobot download 1|{number}|{size}|{sha256}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(_decoded(token))


def _decoded(token: str) -> bytes:
    return base64.b64decode(token + "=", altchars=b"-_", validate=True)
