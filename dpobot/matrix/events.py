"""Raw events, which anybody can shape at will, into `Received` and `Invite`, or a log line."""

from collections.abc import Mapping
from typing import Any

from dpobot import log
from dpobot.clock import from_millis
from dpobot.matrix.api import Invite, Received
from dpobot.model.ids import EventId, RoomId, UserId

_DEPTH = 64  # no client nests deeper; databases and JSON writers recurse
_ID = 255  # bytes (spec: Size limits)
_log = log.get(__name__)


class Malformed(ValueError):
    """An event or payload that breaks the specification's shape."""


def wholesome(value: Any, depth: int = _DEPTH) -> Any:
    """Return a copy that every database and JSON writer takes: no lone surrogates, NULs, NaN or bottomless nesting.

    Raises `Malformed` for nesting deeper than ``depth``.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, float) and not float("-inf") < value < float("inf"):
        return None
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise Malformed("depth")
    if isinstance(value, list):
        return [wholesome(item, depth - 1) for item in value]
    return {wholesome(name): wholesome(item, depth - 1) for name, item in value.items()}


def text(raw: Mapping[str, Any], name: str, sigil: str = "") -> str:
    """Return an identifier of an event. Raises `Malformed` if it is missing or no identifier."""
    value = raw.get(name)
    if (
        not isinstance(value, str)
        or not value.startswith(sigil)
        or not 0 < len(value.encode("utf-8", "replace")) <= _ID
    ):
        raise Malformed(name)
    return value


def received(room_id: RoomId, raw: object) -> Received | None:
    """Read one timeline event as it is on the wire; None, with a log line, if it is not usable."""
    try:
        return _received(room_id, raw)
    except Malformed as error:
        found = raw.get("event_id") if isinstance(raw, dict) else None
        _log.warning("event_skipped", room=room_id, event_id=str(found)[:_ID], reason_code=str(error))
        return None


def _received(room_id: RoomId, raw: object) -> Received:
    if not isinstance(raw, dict):
        raise Malformed("event")
    content = raw.get("content")
    if not isinstance(content, dict):
        raise Malformed("content")
    millis = raw.get("origin_server_ts")
    state_key = raw.get("state_key")
    type_ = text(raw, "type")
    return Received(
        event_id=EventId(text(raw, "event_id", "$")),
        room_id=room_id,
        sender=UserId(text(raw, "sender", "@")),
        sent_at=from_millis(millis if isinstance(millis, int) else 0),
        type=wholesome(type_),
        content=wholesome(content),
        encrypted=type_ == "m.room.encrypted" and not isinstance(state_key, str),
        state_key=wholesome(state_key) if isinstance(state_key, str) else None,
    )


def invite(room_id: RoomId, me: UserId, stripped: object) -> Invite | None:
    """Read an invitation from its stripped state; None if nobody in it invites us."""
    events = [event for event in stripped if isinstance(event, dict)] if isinstance(stripped, list) else []
    encrypted = any(event.get("type") == "m.room.encryption" for event in events)
    for event in events:
        content, sender = event.get("content"), event.get("sender")
        if event.get("type") != "m.room.member" or event.get("state_key") != me or not isinstance(content, dict):
            continue
        if content.get("membership") == "invite" and isinstance(sender, str) and sender.startswith("@"):
            return Invite(room_id, UserId(sender), content.get("is_direct") is True, encrypted)
    _log.warning("invite_skipped", room=room_id)
    return None
