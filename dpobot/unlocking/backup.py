"""The person's own encrypted key backup, as the archive brings it along (spec, "Server-side key backups")."""

import json
from collections.abc import Mapping
from typing import Any

from vodozemac import Curve25519SecretKey, Message, PkDecryption

from dpobot.errors import ConfigurationError
from dpobot.matrix.signatures import decode
from dpobot.unlocking import secret
from dpobot.unlocking.event import MEGOLM
from dpobot.unlocking.opened import Opened
from dpobot.unlocking.ring import Ring

_ALGORITHM = "m.megolm_backup.v1.curve25519-aes-sha2"


def load(archive: Opened, typed: str, ring: Ring) -> None:
    """Put the sessions of the archive's backups into the ring, opened with a recovery key or passphrase.

    Raises `ConfigurationError`: there is no backup, it is no recovery key, or another one's.
    """
    records = [record for document in archive.documents("account/key_backup") for record in _records(document)]
    public = {version: key for record in records for version, key in _version(record)}
    if not public:
        raise ConfigurationError(
            ["open: these volumes hold no key backup: give all volumes of the archive, or a key export with --keys"]
        )
    keys = secret.backup_keys(typed, _account_data(archive))
    opened = {
        version: each for version, wanted in public.items() for each in map(_opener, keys) if _public(each) == wanted
    }
    if not opened:
        raise ConfigurationError(
            ["open: this does not open the archive's key backup: a recovery key of another account, or replaced since"]
        )
    for record in records:
        if record.get("kind") == "session" and record.get("version") in opened:
            ring.add(record.get("room_id"), record.get("session_id"), _session(record, opened[record["version"]]))


def _records(document: Any) -> list[dict[str, Any]]:
    records = document.get("records") if isinstance(document, dict) else None
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []


def _account_data(archive: Opened) -> dict[str, Any]:
    records = [record for document in archive.documents("account/account_data") for record in _records(document)]
    return {record["type"]: record.get("content") for record in records if isinstance(record.get("type"), str)}


def _version(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    data, version = record.get("auth_data"), record.get("version")
    if record.get("kind") != "version" or record.get("algorithm") != _ALGORITHM or not isinstance(data, dict):
        return []
    public = data.get("public_key")
    return [(version, public.rstrip("="))] if isinstance(version, str) and isinstance(public, str) else []


def _opener(private: bytes) -> PkDecryption:
    return PkDecryption.from_key(Curve25519SecretKey.from_bytes(private))


def _public(opener: PkDecryption) -> str:
    return str(opener.public_key.to_base64())


def _session(record: Mapping[str, Any], opener: PkDecryption) -> dict[str, Any] | None:
    """Return a session of the backup, None if it is damaged."""
    sealed = record.get("session_data")
    if not isinstance(sealed, dict):
        return None
    try:
        ciphertext, mac, ephemeral = (decode(sealed[part]) for part in ("ciphertext", "mac", "ephemeral"))
        key = json.loads(opener.decrypt(Message(ciphertext, mac, ephemeral)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # what a backup can hold is Megolm only: the algorithm is that of its version
    return {"algorithm": MEGOLM, **key} if isinstance(key, dict) else None
