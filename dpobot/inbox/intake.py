"""Which timeline events become rows of the inbox, and as what. Pure: the listener gives the time."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from dpobot.matrix.api import Invite, Received, SyncBatch
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.notices import ANSWER, NOTICE
from dpobot.model.records import IncomingKind
from dpobot.store.inbox import NewEvent

_FILES = ("m.file", "m.image", "m.audio", "m.video")
_MAX_BODY = 64 * 1024  # an event is no larger (spec 1.6 "Size limits"): a bound that costs nothing


def event_row(
    event: Received, me: UserId, now: datetime, key_wait: timedelta, staff_room: RoomId | None = None
) -> NewEvent | None:
    """Return the row of an event, or None for what needs no answer (our own, state, m.notice of bots).

    Reactions count in the staff room only.
    """
    if event.sender == me or event.state_key is not None:
        return None
    if event.undecryptable is not None:
        return _row(event, IncomingKind.UNDECRYPTABLE, _raw(event), now, now + key_wait, session_of(event))
    reaction = event.type == "m.reaction" and event.room_id == staff_room
    kind = IncomingKind.REACTION if reaction else _kind(event)
    return None if kind is None else _row(event, kind, kept(event), now, now, None)


def invite_row(invite: Invite, next_batch: str, now: datetime) -> NewEvent:
    """Return the row of an invitation; invitations have no event ID, so the sync that brought it makes the key."""
    key = sha256(f"{invite.room_id}|{invite.inviter}|{next_batch}".encode()).hexdigest()
    return NewEvent(
        event_id=EventId(f"invite:{key}"),
        room_id=invite.room_id,
        sender=invite.inviter,
        kind=IncomingKind.INVITE,
        encrypted=invite.encrypted,
        payload={"direct": invite.direct},
        sent_at=now,
        received_at=now,
    )


def arrivals(batch: SyncBatch, me: UserId) -> frozenset[UserId]:
    """Return who else has joined, or left, one of our rooms: who may read there has changed."""
    changes = (event.sender for event in batch.events if event.type == "m.room.member")
    return frozenset(sender for sender in changes if sender != me)


def kept(event: Received) -> dict[str, Any]:
    """Return what is kept (sealed) of a readable message: its text, its content, and the keys that it came with."""
    body = event.content.get("body")
    return {
        "body": body[:_MAX_BODY] if isinstance(body, str) else "",
        "content": dict(event.content),
        "origin": asdict(event.origin) if event.origin else None,
    }


def kind_of(event: Received) -> IncomingKind:
    """Return what a message that became readable late is."""
    return _kind(event) or IncomingKind.OTHER


def session_of(event: Received) -> str | None:
    """Return the Megolm session that an undecryptable event names, if it is a sane one."""
    session = event.content.get("session_id") or _mapping(event.content.get("content")).get("session_id")
    return session if isinstance(session, str) and 0 < len(session) <= 64 else None


def _kind(event: Received) -> IncomingKind | None:
    if event.type != "m.room.message":
        return None
    if _mapping(event.content.get("m.relates_to")).get("rel_type") == "m.replace":
        return IncomingKind.EDIT
    msgtype = event.content.get("msgtype")
    if NOTICE in event.content or ANSWER in event.content:
        return IncomingKind.TEXT
    if msgtype == "m.notice":
        return None  # the specification's way to keep bots from talking to each other
    return IncomingKind.FILE if msgtype in _FILES else IncomingKind.TEXT


def _row(
    event: Received,
    kind: IncomingKind,
    content: dict[str, Any],
    now: datetime,
    not_before: datetime,
    session: str | None,
) -> NewEvent:
    return NewEvent(
        event_id=event.event_id,
        room_id=event.room_id,
        sender=event.sender,
        kind=kind,
        encrypted=event.encrypted,
        payload=content,
        session_id=session,
        not_before=not_before,
        sent_at=event.sent_at,
        received_at=now,
    )


def _raw(event: Received) -> dict[str, Any]:
    return {"code": event.undecryptable, "type": event.type, "content": dict(event.content)}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
