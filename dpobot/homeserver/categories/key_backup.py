"""The person's own backup of message keys, encrypted by their clients (spec, "Server-side key backups").

Records: one of ``kind`` ``version`` for each backup, then one of ``kind`` ``session`` for each key in it, both as the
server has them, so that the person's recovery key opens them.
"""

from collections.abc import Iterator
from typing import Any

from dpobot.errors import Gone
from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Record, Subject, entries, object_of
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_NEWEST = "GET /_matrix/client/v3/room_keys/version"
_VERSION = "GET /_matrix/client/v3/room_keys/version/{version}"
_KEYS = "GET /_matrix/client/v3/room_keys/keys"
_MOST_VERSIONS = 50


async def _ask(subject: Subject) -> Found:
    async with subject.acting() as person:
        newest = await _optional(person, _NEWEST)
        if newest is None:
            return Found()
        found: list[Record] = []
        older = _older(str(newest.get("version")))
        for version in (str(newest.get("version")), *older[:_MOST_VERSIONS]):
            # an older backup stays on the server until its owner deletes it
            held = newest if version == newest.get("version") else await _optional(person, _VERSION, version)
            if held is not None:
                found.append({**held, "kind": "version"})
                keys = await person.ask(_KEYS, params={"version": version})
                found.extend(_sessions(version, keys))
    return Found(tuple(found), truncated=len(older) > _MOST_VERSIONS)


async def _optional(person: Subject, endpoint: str, version: str = "") -> Record | None:
    try:
        return await person.ask(endpoint, version=version)
    except Gone as error:
        if error.code == "M_NOT_FOUND":
            return None
        raise


def _older(version: str) -> list[str]:
    """Return the versions before this one, newest first: Synapse counts them up from 1."""
    return [str(number) for number in range(int(version) - 1, 0, -1)] if version.isdecimal() else []


def _sessions(version: str, keys: Any) -> Iterator[Record]:
    for room, content in entries(keys.get("rooms", {})):
        for session, key in entries(object_of(content).get("sessions", {})):
            named = {"kind": "session", "version": version, "room_id": room, "session_id": session}
            yield {**object_of(key), **named}


CATEGORY = Category(
    name="key_backup",
    title=translatable("Encrypted key backup"),
    purpose="Kept for the person; only their recovery key opens it (Art. 6(1)(b)).",
    endpoints=(_NEWEST, _VERSION, _KEYS, *PUPPET),
    fields={
        **dict.fromkeys(
            (
                "kind",
                "version",
                "algorithm",
                "count",
                "etag",
                "room_id",
                "session_id",
                "first_message_index",
                "forwarded_count",
                "is_verified",
            ),
            PLAIN,
        ),
        "auth_data": WHOLE,
        "session_data": WHOLE,
    },
    ask=_ask,
)
