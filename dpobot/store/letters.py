"""What jobs on other machines want sent: a row each, which the bot sends, and in which it says what became of it.

A row's key is the Matrix transaction ID. As at the homeserver, it counts for one room: in another room it is said anew.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store import lines
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import letter as table
from dpobot.store.tx import Tx

_SEALED = "letter.sealed"


class LetterState(StrEnum):
    """Where a letter is."""

    NEW = "new"
    SENT = "sent"
    REFUSED = "refused"
    HELD = "held"  # its sender no longer waits: what has been given up is not said behind their back


@dataclass(frozen=True, slots=True)
class Letter:
    """One event to be sent. ``readers``: nobody else may get the key; None: whoever is in the room."""

    key: str
    room_id: RoomId
    type: str
    content: Mapping[str, Any] = field(repr=False)
    readers: frozenset[UserId] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that is to be sent: its row, and the room in whose line it stands."""

    id: int
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class Answer:
    """What has become of a letter: the event, or a stable code and perhaps the homeserver's HTTP status."""

    state: LetterState
    event_id: EventId | None
    error: str | None
    status: int | None


async def put(tx: Tx, letter: Letter, now: datetime) -> EventId | None:
    """Store a letter to be sent; return the event if it has been sent into this room.

    One that waits is replaced by what is wanted now; one that was refused or given up is to be tried again.
    """
    values = {
        "room_id": letter.room_id,
        "type": letter.type,
        "readers": None if letter.readers is None else sorted(letter.readers),
        "sealed": tx.seal.close_json(dict(letter.content), _SEALED),
        "state": LetterState.NEW.value,
        "created_at": now,
    }
    there = (table.c.state == LetterState.SENT.value) & (table.c.room_id == letter.room_id)
    again = sa.update(table).where(table.c.key == letter.key, ~there)
    again = again.values(**values, event_id=None, error=None, status=None, done_at=None)
    while True:  # a row that is in the way may be forgotten before it is read: then it is our turn
        if await insert_new(tx, table, {"key": letter.key, **values}) or await change(tx, again) == 1:
            return None
        answered = await find(tx, letter.key)
        if answered is not None and answered.event_id is not None:
            return answered.event_id


async def find(tx: Tx, key: str) -> Answer | None:
    """Return how it stands with a letter; None if there is none, or no longer."""
    columns = (table.c.state, table.c.event_id, table.c.error, table.c.status)
    row = (await tx.conn.execute(sa.select(*columns).where(table.c.key == key))).one_or_none()
    return None if row is None else Answer(LetterState(row.state), row.event_id, row.error, row.status)


async def due(tx: Tx, limit: int, without: Collection[str] = ()) -> list[Waiting]:
    """Return letters to be sent, oldest first: of each room only the oldest, and none of the rooms ``without``."""
    heads = await lines.heads(tx, table.c.room_id, sa.true(), limit, without=without)
    query = sa.select(table.c.id, table.c.room_id).where(table.c.id.in_(heads)).order_by(table.c.id)
    return [Waiting(row.id, row.room_id) for row in await tx.conn.execute(query)]


async def read(tx: Tx, waiting: Waiting) -> Letter | None:
    """Return what is to be sent; None if its sender has given it up, or wants it elsewhere now. Raises `SealError`."""
    query = sa.select(table).where(*_still(waiting, LetterState.NEW))
    row = (await tx.conn.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    readers = None if row["readers"] is None else frozenset(UserId(user) for user in row["readers"])
    content = tx.seal.open_json(row["sealed"], _SEALED)
    return Letter(row["key"], row["room_id"], row["type"], content, readers)


async def sent(tx: Tx, waiting: Waiting, event_id: EventId, now: datetime) -> None:
    """Note that a letter was sent, also if its sender has given it up meanwhile, and drop its words."""
    row = sa.update(table).where(*_still(waiting, LetterState.NEW, LetterState.HELD))
    await tx.conn.execute(row.values(state=LetterState.SENT.value, event_id=event_id, sealed=None, done_at=now))


async def refused(tx: Tx, waiting: Waiting, error: str, status: int | None, now: datetime) -> None:
    """Note why a letter is not sent, and drop its words."""
    row = sa.update(table).where(*_still(waiting, LetterState.NEW))
    values = {"state": LetterState.REFUSED.value, "error": error, "status": status, "sealed": None, "done_at": now}
    await tx.conn.execute(row.values(**values))


async def hold(tx: Tx, key: str, now: datetime) -> bool:
    """Note that a letter's sender no longer waits, and drop its words; False if it is answered already."""
    row = sa.update(table).where(table.c.key == key, table.c.state == LetterState.NEW.value)
    return await change(tx, row.values(state=LetterState.HELD.value, sealed=None, done_at=now)) == 1


async def forget(tx: Tx, before: datetime) -> int:
    """Delete letters from before a moment, whatever became of them; return how many."""
    return await change(tx, sa.delete(table).where(table.c.created_at < before))


def _still(waiting: Waiting, *states: LetterState) -> tuple[sa.ColumnElement[bool], ...]:
    inside = table.c.state.in_([state.value for state in states])
    return (table.c.id == waiting.id, table.c.room_id == waiting.room_id, inside)
