"""The person's encrypted key backup and secret storage, so that the archive can open itself with their recovery key.

All of it is as the server has it: encrypted for the person (Client-Server API, "Server-side key backups", "Secret
storage").
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dpobot.archive.script import literal
from dpobot.archive.spool import Spool, encode

KEY_BACKUP, ACCOUNT_DATA = "key_backup", "account_data"
NEEDED = frozenset({KEY_BACKUP, ACCOUNT_DATA})  # to open messages, also where account data were not asked for
_SECRETS = 60_000  # bytes of secret storage that each volume repeats at most; all of it is in account_data.json
_FIRST = ("m.megolm_backup.v1", "m.secret_storage.default_key")
_KEY = "m.secret_storage.key."


class _Kept(NamedTuple):
    """Where a session's key lies in the staging file."""

    version: str
    start: int
    length: int


class KeyStore:
    """Keys of the backup by room, in a staging file. Memory: some 300 bytes for each key."""

    def __init__(self, spool: Spool, stage: Path) -> None:
        self._stage = stage
        self._rooms: dict[str, dict[str, list[_Kept]]] = {}
        self._backups: list[dict[str, Any]] = []
        held = spool.categories()
        if KEY_BACKUP in held:
            self._index(spool.category(KEY_BACKUP).records)
        self._account = _secret_storage(spool.category(ACCOUNT_DATA).records) if ACCOUNT_DATA in held else {}

    def _index(self, records: Iterable[Mapping[str, Any]]) -> None:
        with self._stage.open("wb") as file:
            for record in records:
                if record.get("kind") == "version":
                    self._backups.append({key: record.get(key) for key in ("version", "algorithm", "auth_data")})
                elif record.get("kind") == "session" and isinstance(record.get("session_data"), dict):
                    if "__proto__" in (record.get("version"), record.get("session_id")):
                        continue  # no ID that a client made: in a script it would be no plain member
                    data = literal(record["session_data"])
                    kept = _Kept(str(record.get("version")), file.tell(), len(data))
                    file.write(data)
                    room = self._rooms.setdefault(str(record.get("room_id")), {})
                    room.setdefault(str(record.get("session_id")), []).append(kept)

    def size(self, room_id: str, session_id: str) -> int:
        """Return bytes that a session's keys take at most in a data file; 0 if there are none."""
        kept = self._rooms.get(room_id, {}).get(session_id, ())
        return sum(item.length + len(encode(session_id)) + 40 for item in kept)

    def script(self, room_id: str, sessions: Iterable[str]) -> Iterator[bytes]:
        """Yield the data file of these sessions' keys, by version of the backup."""
        by_version: dict[str, list[tuple[str, _Kept]]] = {}
        for session in sessions:
            for kept in self._rooms[room_id][session]:
                by_version.setdefault(kept.version, []).append((session, kept))
        yield b'dpobot({"kind":"keys","room_id":' + encode(room_id) + b',"sessions":{'
        with self._stage.open("rb") as file:
            for place, version in enumerate(sorted(by_version)):
                yield (b"," if place else b"") + encode(version) + b":{\n"
                for first, (session, kept) in enumerate(by_version[version]):
                    file.seek(kept.start)
                    yield (b",\n" if first else b"") + encode(session) + b":" + file.read(kept.length)
                yield b"}"
        yield b"}})\n"

    def secrets(self) -> dict[str, Any]:
        """Return what opens the backup: its versions, and the person's secret storage."""
        return {"kind": "secrets", "backups": self._backups, "account_data": self._account}


def _secret_storage(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return secret storage's account data, the backup's secret and the default key first, up to a fair size."""
    held = {str(record.get("type")): record.get("content") for record in records}
    default = held.get("m.secret_storage.default_key")
    name = default.get("key") if isinstance(default, dict) else None
    others = sorted(type_ for type_ in held if type_.startswith(_KEY))
    kept: dict[str, Any] = {}
    size = 0
    for type_ in dict.fromkeys((*_FIRST, f"{_KEY}{name}", *others)):
        if type_ in held:
            size += len(json.dumps(held[type_]))
            if size <= _SECRETS:
                kept[type_] = held[type_]
    return kept
