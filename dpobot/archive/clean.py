"""Events as they go into the spool: other people's data that servers nest in them is taken out."""

from collections.abc import Mapping
from typing import Any

from dpobot.errors import Tripwire
from dpobot.model.ids import RoomId, UserId

# Client format (Client-Server API, "Room event format"); federation's auth_events, hashes, signatures stay out
_TOP = ("type", "event_id", "room_id", "sender", "origin_server_ts", "state_key", "redacts", "content")


def own_event(event: Mapping[str, Any], person: UserId, room_id: RoomId | None = None) -> dict[str, Any]:
    """Return an event of the person with client-format fields only and nobody else's data nested in it.

    ``room_id`` is filled in if the event lacks one. Raises `Tripwire`: ``foreign_sender``, ``wrong_room``,
    ``no_event_id``.
    """
    if event.get("sender") != person:
        raise Tripwire("foreign_sender")
    return visible_event(event, person, room_id)


def visible_event(event: Mapping[str, Any], person: UserId, room_id: RoomId | None = None) -> dict[str, Any]:
    """Return an event of anybody that the person may read, reduced in the same way: nested is only their own.

    What others have nested (edits, replies, what a state was before) stands for itself where the person may read it.
    Raises `Tripwire`: ``wrong_room``, ``no_event_id``.
    """
    if room_id is not None and event.get("room_id", room_id) != room_id:
        raise Tripwire("wrong_room")
    if not isinstance(event.get("event_id"), str):
        raise Tripwire("no_event_id")
    kept = {key: event[key] for key in _TOP if key in event}
    if room_id is not None:
        kept["room_id"] = room_id
    unsigned = _unsigned(event.get("unsigned"), person)
    if unsigned:
        kept["unsigned"] = unsigned
    return kept


def _unsigned(unsigned: object, person: UserId) -> dict[str, Any]:
    """Keep what says something about the person's own event; ``age`` only says when we asked."""
    if not isinstance(unsigned, Mapping):
        return {}
    kept: dict[str, Any] = {
        key: unsigned[key]
        for key in ("transaction_id", "membership", "replaces_state", "redacted_by")
        if isinstance(unsigned.get(key), str)
    }
    if "redacted_because" in unsigned:
        kept["redacted_because"] = _redaction(unsigned["redacted_because"], person)
    if unsigned.get("prev_sender") == person and "prev_content" in unsigned:
        kept["prev_content"] = unsigned["prev_content"]
        kept["prev_sender"] = person
    relations = _relations(unsigned.get("m.relations"), person)
    if relations:
        kept["m.relations"] = relations
    return kept


def _redaction(because: object, person: UserId) -> dict[str, Any]:
    """Somebody else's redaction keeps its ID and type: that it happened is the person's data, its reason is not."""
    if not isinstance(because, Mapping):
        return {}
    if because.get("sender") == person and isinstance(because.get("event_id"), str):
        return own_event(because, person)
    return {key: because[key] for key in ("event_id", "type") if isinstance(because.get(key), str)}


def _relations(relations: object, person: UserId) -> dict[str, Any]:
    """Keep the person's own bundled edit and how long a thread is; what others replied or reacted goes."""
    if not isinstance(relations, Mapping):
        return {}
    kept: dict[str, Any] = {}
    edit = relations.get("m.replace")
    if isinstance(edit, Mapping) and edit.get("sender") == person and isinstance(edit.get("event_id"), str):
        kept["m.replace"] = own_event(edit, person)
    thread = relations.get("m.thread")
    if isinstance(thread, Mapping):
        own = {key: thread[key] for key in ("count", "current_user_participated") if isinstance(thread.get(key), int)}
        kept |= {"m.thread": own} if own else {}
    return kept
