"""The recovery key, or the passphrase that it is made of (spec, "Secret storage", "Deriving keys from passphrases")."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from dpobot.errors import ConfigurationError
from dpobot.matrix import secret_storage
from dpobot.matrix.signatures import decode

MOST_ROUNDS = 20_000_000  # of PBKDF2: half a minute; more is no honest file
MOST_TEXT = 10_000  # characters that are typed
_BACKUP = "m.megolm_backup.v1"
_KEY = "m.secret_storage.key."


def backup_keys(typed: str, account_data: Mapping[str, Any]) -> list[bytes]:
    """Return the private keys that what was typed can mean, 32 bytes each: the backup's key from secret storage, and
    the recovery key itself, which older clients made the backup's.

    ``account_data``: content by type. Raises `ConfigurationError` if it is neither recovery key nor passphrase.
    """
    masters = list(_masters(typed[:MOST_TEXT], account_data))
    if not masters:
        raise ConfigurationError(
            ["open: that is no recovery key (twelve groups of four signs, the first an E): is one sign mistyped?"]
        )
    found = [secret for master in masters for secret in _unsealed(master, account_data)]
    return [*found, *masters]


def _masters(typed: str, account_data: Mapping[str, Any]) -> Iterator[bytes]:
    try:
        yield secret_storage.parse_recovery_key(typed)
    except ValueError:
        for type_, content in account_data.items():
            key = _from_passphrase(typed.strip("\r\n"), content) if type_.startswith(_KEY) else None
            if key is not None:
                yield key


def _from_passphrase(typed: str, description: Any) -> bytes | None:
    how = description.get("passphrase") if isinstance(description, dict) else None
    if not isinstance(how, dict) or how.get("algorithm") != "m.pbkdf2":
        return None
    salt, rounds, bits = how.get("salt"), how.get("iterations"), how.get("bits", 256)
    if not isinstance(salt, str) or type(rounds) is not int or not 0 < rounds <= MOST_ROUNDS or bits != 256:
        return None
    given = typed.encode("utf-8", "surrogateescape")
    return hashlib.pbkdf2_hmac("sha512", given, salt.encode("utf-8", "surrogatepass"), rounds, 32)


def _unsealed(master: bytes, account_data: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the backup's private key from each form in which secret storage holds it and ``master`` opens it."""
    secret = account_data.get(_BACKUP)
    sealed = secret.get("encrypted") if isinstance(secret, dict) else None
    for each in sealed.values() if isinstance(sealed, dict) else ():
        try:
            key = decode(secret_storage.unseal(master, _BACKUP, each).decode())
        except (ValueError, TypeError, AttributeError):  # another key's, or no such thing at all
            continue
        if len(key) == 32:
            yield key
