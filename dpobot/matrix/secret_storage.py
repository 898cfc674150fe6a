"""Secrets in the account data, sealed with a recovery key (spec: Secrets, ``m.secret_storage.v1.aes-hmac-sha2``)."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dpobot.errors import Gone
from dpobot.matrix.http import Http, path
from dpobot.matrix.signatures import KEY_BYTES, decode, encode

ALGORITHM = "m.secret_storage.v1.aes-hmac-sha2"
DEFAULT = "m.secret_storage.default_key"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PREFIX = bytes((0x8B, 0x01))


def recovery_key(key: bytes) -> str:
    """Return the key as a person writes it down: base58 in groups of four (spec: Cryptographic key representation)."""
    body = _PREFIX + key
    number = int.from_bytes(body + bytes((_parity(body),)))
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def parse_recovery_key(text: str) -> bytes:
    """Return the 32 bytes of a written-down key, spaces ignored. Raises ValueError for a mistyped one."""
    number = 0
    for character in "".join(text.split()):
        number = number * 58 + _ALPHABET.index(character)
    body = number.to_bytes(max(35, (number.bit_length() + 7) // 8))
    if len(body) != 35 or body[:2] != _PREFIX or _parity(body):
        raise ValueError("not a recovery key")
    return body[2:-1]


def _parity(body: bytes) -> int:
    parity = 0
    for byte in body:
        parity ^= byte
    return parity


def _keys(key: bytes, name: str) -> tuple[bytes, bytes]:
    both = HKDF(SHA256(), length=64, salt=bytes(32), info=name.encode()).derive(key)
    return both[:32], both[32:]


def _crypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    cipher = Cipher(AES(key), CTR(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


def seal(key: bytes, name: str, plain: bytes, iv: bytes | None = None) -> dict[str, str]:
    """Encrypt a secret under its account-data type ``name``."""
    chosen = bytearray(iv or secrets.token_bytes(16))
    chosen[8] &= 0x7F  # bit 63 is 0: some platforms' counters are 64 bits wide
    aes, mac = _keys(key, name)
    sealed = _crypt(aes, bytes(chosen), plain)
    return {
        "iv": encode(bytes(chosen)),
        "ciphertext": encode(sealed),
        "mac": encode(hmac.digest(mac, sealed, hashlib.sha256)),
    }


def unseal(key: bytes, name: str, sealed: Mapping[str, Any]) -> bytes:
    """Decrypt a secret. Raises ValueError for a wrong key or altered data."""
    try:
        iv, ciphertext, mac = (decode(sealed[part]) for part in ("iv", "ciphertext", "mac"))
    except (KeyError, TypeError) as error:
        raise ValueError("malformed secret") from error
    aes, expected = _keys(key, name)
    if not hmac.compare_digest(hmac.digest(expected, ciphertext, hashlib.sha256), mac):
        raise ValueError("wrong recovery key")
    return _crypt(aes, iv, ciphertext)


class SecretStorage:
    """The account's secret storage on the server."""

    def __init__(self, http: Http, user_id: str) -> None:
        self._http = http
        self._user_id = user_id

    async def _get(self, type_: str) -> dict[str, Any] | None:
        try:
            return await self._http.call("GET", path("user", self._user_id, "account_data", type_)) or None
        except Gone:
            return None

    async def _put(self, type_: str, content: Mapping[str, Any]) -> None:
        await self._http.call("PUT", path("user", self._user_id, "account_data", type_), dict(content))

    async def default_key_id(self) -> str | None:
        """Return the ID of the default key, or None if there is no secret storage."""
        key = (await self._get(DEFAULT) or {}).get("key")
        return key if isinstance(key, str) and key else None

    async def holds(self, names: Mapping[str, bytes]) -> bool:
        """Say whether all these secrets are stored under the default key."""
        key_id = await self.default_key_id()
        if key_id is None:
            return False
        stored = [await self._get(name) for name in names]
        return all(secret is not None and key_id in (secret.get("encrypted") or {}) for secret in stored)

    async def store(self, key: bytes, values: Mapping[str, bytes]) -> None:
        """Store secrets under a new default key, which is announced last: a crash leaves nothing half valid."""
        key_id = hashlib.sha256(b"dpobot secret storage key" + key).hexdigest()[:32]
        check = seal(key, "", bytes(KEY_BYTES))
        description = {"algorithm": ALGORITHM, "iv": check["iv"], "mac": check["mac"]}
        await self._put(f"m.secret_storage.key.{key_id}", description)
        for name, value in values.items():
            await self._put(name, {"encrypted": {key_id: seal(key, name, encode(value).encode())}})
        await self._put(DEFAULT, {"key": key_id})

    async def fetch(self, key: bytes, name: str) -> bytes:
        """Return a secret. Raises ValueError if there is none, or the recovery key is another one's."""
        key_id = await self.default_key_id()
        secret = await self._get(name)
        sealed = (secret or {}).get("encrypted", {}).get(key_id)
        if not isinstance(sealed, dict):
            raise ValueError("no such secret")  # noqa: TRY004 - absent on the server, not a wrong type of ours
        return decode(unseal(key, name, sealed).decode())
