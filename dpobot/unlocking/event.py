"""One ``m.room.encrypted`` event and the person's sessions -> what was said, or why it can't be read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from vodozemac import InboundGroupSession, MegolmMessage

MEGOLM = "m.megolm.v1.aes-sha2"


class Outcome(StrEnum):
    """What became of an encrypted event."""

    DECRYPTED = "decrypted"
    NO_KEY = "no_key"  # no session of that ID
    LATER_KEY = "later_key"  # the session is known from a later message on only
    REPEATED = "repeated"  # the ciphertext of another message once more
    DAMAGED = "damaged"  # altered, of another room, or never Megolm


@dataclass(frozen=True, slots=True)
class Read:
    """An encrypted event, opened or not. ``event``: as it came, type and content decrypted if it could be.

    ``index`` counts the messages of its session, from 0; -1 if it could not be opened.
    """

    outcome: Outcome
    event: dict[str, Any]
    session_id: str
    index: int = -1


class Sessions(Protocol):
    """Where sessions are looked up."""

    def get(self, room_id: str, session_id: str) -> InboundGroupSession | None:
        """Return the session of a room, None if its key is missing."""
        ...


def is_encrypted(event: Any) -> bool:
    """Whether there is something to decrypt; a redacted event has lost its ciphertext."""
    if not isinstance(event, dict) or event.get("type") != "m.room.encrypted" or "state_key" in event:
        return False
    unsigned = event.get("unsigned")
    return bool(event.get("content")) or not (isinstance(unsigned, dict) and "redacted_because" in unsigned)


def read(event: dict[str, Any], sessions: Sessions) -> Read:
    """Decrypt one event (spec, "m.megolm.v1.aes-sha2"): its MAC must be right, and the room must be its own."""
    content, room_id = event.get("content"), event.get("room_id")
    named = content.get("session_id") if isinstance(content, dict) else None
    session_id = named if isinstance(named, str) else ""
    if not isinstance(content, dict) or content.get("algorithm") != MEGOLM or not isinstance(room_id, str):
        return Read(Outcome.DAMAGED, event, session_id)
    session = sessions.get(room_id, session_id)
    if session is None:
        return Read(Outcome.NO_KEY if session_id else Outcome.DAMAGED, event, session_id)
    try:
        index = MegolmMessage.from_base64(content["ciphertext"]).message_index()
        if index < session.first_known_index:
            return Read(Outcome.LATER_KEY, event, session_id)
        said = json.loads(plaintext(content, session))
    except (ValueError, KeyError, TypeError, RecursionError):  # every exception of vodozemac is a ValueError
        return Read(Outcome.DAMAGED, event, session_id)
    if not _sound(said, room_id):
        return Read(Outcome.DAMAGED, event, session_id)
    plain = event | {"type": said["type"], "content": _related(said["content"], content), "decrypted": True}
    return Read(Outcome.DECRYPTED, plain, session_id, index)


def plaintext(content: Mapping[str, Any], session: InboundGroupSession) -> bytes:
    """Return the payload of an encrypted event's content, byte by byte. Raises ValueError, KeyError, TypeError."""
    return bytes(session.decrypt(MegolmMessage.from_base64(content["ciphertext"])).plaintext)


def _sound(said: Any, room_id: str) -> bool:
    """Whether a payload has its form and was meant for this room: else a server could move it into another."""
    if not isinstance(said, dict) or said.get("room_id") != room_id:
        return False
    return isinstance(said.get("type"), str) and isinstance(said.get("content"), dict)


def _related(content: dict[str, Any], outside: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with its relation, which clients leave outside of the ciphertext for the server to see."""
    relation = outside.get("m.relates_to")
    return content if relation is None or "m.relates_to" in content else content | {"m.relates_to": relation}
