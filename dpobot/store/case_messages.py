"""What was written in cases, sealed: by the person, by staff to the person, and between staff."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from dpobot.model.ids import EventId, UserId
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import case_message as table
from dpobot.store.tx import Tx

_SEALED = "case_message.sealed"


class Direction(StrEnum):
    """Who wrote to whom."""

    PERSON = "person"  # the person of the case, to us
    REPLY = "reply"  # staff, to the person
    NOTE = "note"  # staff among themselves


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """One message of a case. ``author`` None: the person of the case."""

    id: int
    case_id: int
    event_id: EventId
    author: UserId | None
    direction: Direction
    posted: bool
    at: datetime
    text: str = field(repr=False)


async def add(
    tx: Tx,
    case_id: int,
    event_id: EventId,
    text: str,
    *,
    author: UserId | None,
    direction: Direction,
    posted: bool,
    now: datetime,
) -> bool:
    """Store a message, encrypted; False if it is in a case already. ``posted``: the staff room has it."""
    values = {
        "case_id": case_id,
        "event_id": event_id,
        "sealed": tx.seal.close(text.encode(), _SEALED),
        "at": now,
        "author": author,
        "direction": direction,
        "posted": posted,
    }
    return await insert_new(tx, table, values)


async def of_case(tx: Tx, case_id: int, direction: Direction | None = None) -> list[CaseMessage]:
    """Return a case's messages, of one direction or all, oldest first."""
    mine = table.c.case_id == case_id
    return await _find(tx, mine) if direction is None else await _find(tx, mine, table.c.direction == direction)


async def newest(tx: Tx, case_id: int, limit: int) -> list[CaseMessage]:
    """Return a case's newest messages of all directions, oldest first."""
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.id.desc()).limit(limit)
    return [_message(tx, row) for row in (await tx.conn.execute(query)).mappings()][::-1]


async def unposted(tx: Tx, case_id: int, limit: int) -> list[CaseMessage]:
    """Return the first of a case's messages that the staff room has not got yet, oldest first."""
    return await _find(tx, table.c.case_id == case_id, table.c.posted.is_(False), limit=limit)


async def posted(tx: Tx, *ids: int) -> None:
    """Note that the staff room has these messages."""
    await tx.conn.execute(sa.update(table).where(table.c.id.in_(ids)).values(posted=True))


async def newest_reply(tx: Tx, case_id: int, author: UserId) -> CaseMessage | None:
    """Return the newest reply that a member of staff has written in a case."""
    replies = table.c.direction == Direction.REPLY
    found = await _find(tx, table.c.case_id == case_id, replies, table.c.author == author)
    return found[-1] if found else None


async def delete(tx: Tx, id_: int) -> bool:
    """Delete a message; False if it was not there."""
    return await change(tx, sa.delete(table).where(table.c.id == id_)) == 1


async def forget(tx: Tx, case_id: int) -> None:
    """Delete a case's messages."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))


async def _find(tx: Tx, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[CaseMessage]:
    query = sa.select(table).where(*conditions).order_by(table.c.id).limit(limit)
    rows = (await tx.conn.execute(query)).mappings()
    return [_message(tx, row) for row in rows]


def _message(tx: Tx, row: sa.RowMapping) -> CaseMessage:
    values = dict(row)
    text = tx.seal.open(values.pop("sealed"), _SEALED).decode()
    return CaseMessage(**values | {"direction": Direction(row["direction"])}, text=text)
