"""Open questions of the bot to a person, such as whether their words shall go to a human."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import prompt as table
from dpobot.store.tx import Tx

_SEALED = "prompt.sealed"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question. ``event_id`` is the message that it is about, ``content`` JSON that is needed for the answer."""

    id: int
    person: UserId
    room_id: RoomId
    kind: str
    event_id: EventId
    content: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    expires_at: datetime


async def ask(
    tx: Tx,
    *,
    person: UserId,
    room_id: RoomId,
    kind: str,
    event_id: EventId,
    content: Mapping[str, Any],
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Store a question; False if that message has led to one already."""
    values = {
        "person": person,
        "room_id": room_id,
        "kind": kind,
        "event_id": event_id,
        "sealed": tx.seal.close_json(dict(content), _SEALED),
        "created_at": now,
        "expires_at": expires_at,
    }
    return await insert_new(tx, table, values)


async def newest_open(tx: Tx, person: UserId, now: datetime, kinds: Collection[str] | None = None) -> Prompt | None:
    """Return the newest question to a person, of these kinds or any, that is neither answered nor expired."""
    return await _newest(tx, _waiting(person, kinds), table.c.expires_at > now)


async def newest(tx: Tx, person: UserId, kinds: Collection[str] | None = None) -> Prompt | None:
    """Return the newest question to a person, of these kinds or any, that is not answered; it may have expired."""
    return await _newest(tx, _waiting(person, kinds))


def _waiting(person: UserId, kinds: Collection[str] | None) -> sa.ColumnElement[bool]:
    waiting = (table.c.person == person) & table.c.answered_at.is_(None)
    return waiting if kinds is None else waiting & table.c.kind.in_(list(kinds))


async def _newest(tx: Tx, *conditions: sa.ColumnElement[bool]) -> Prompt | None:
    query = sa.select(table).where(*conditions).order_by(table.c.id.desc()).limit(1)
    row = (await tx.conn.execute(query)).mappings().one_or_none()
    return None if row is None else _prompt(tx, row)


async def answer(tx: Tx, id_: int, now: datetime) -> bool:
    """Close a question and drop what it was about; True for the one who closes it."""
    row = sa.update(table).where(table.c.id == id_, table.c.answered_at.is_(None))
    return await change(tx, row.values(answered_at=now, sealed=None)) == 1


async def forget(tx: Tx, before: datetime, kept: Mapping[str, datetime] | None = None) -> int:
    """Delete questions that expired before a moment; return how many. ``kept``: other moments for some kinds."""
    others = kept or {}
    gone = (table.c.expires_at < before) & table.c.kind.not_in(list(others))
    for kind, moment in others.items():
        gone |= (table.c.kind == kind) & (table.c.expires_at < moment)
    return await change(tx, sa.delete(table).where(gone))


def _prompt(tx: Tx, row: sa.RowMapping) -> Prompt:
    return Prompt(
        id=row["id"],
        person=row["person"],
        room_id=row["room_id"],
        kind=row["kind"],
        event_id=row["event_id"],
        content=tx.seal.open_json(row["sealed"], _SEALED),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
