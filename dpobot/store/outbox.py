"""What is to be said: written in the transaction that decided it, sent once, then its words are dropped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store import lines
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import outbox as table
from dpobot.store.tx import Tx

_SEALED = "outbox.sealed"
_ATTACHED = "outbox.attachment"
FILES = UserId("!files")  # the line in which copies of people's files wait: a server that hangs keeps up nothing else
_PART = "."  # between a message's key and the number of a file that follows it
_DROPPED = {"state": "failed", "sealed": None, "attachment": None}


class Relation(StrEnum):
    """What a message is in the staff room; it becomes ``m.relates_to`` when it is sent, when the card is known."""

    CARD = "card"  # the root of a case's thread: noted in `staff_thread` when it is sent
    EDIT = "edit"  # replaces the card
    THREAD = "thread"  # stands under the card


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One message to be sent. The same ``key`` (at most 128 characters) is stored and sent once.

    ``room_id`` None: the person's direct message, found or made when it is sent. ``cleartext``: may go to a room that
    is not encrypted. ``not_before`` defaults to ``created_at``. ``attachment`` is uploaded first and becomes the
    content's ``file``: ``{"media_type", "data"}`` (base64), or ``{"media_type", "ref"}`` (a `FileRef` as JSON, to be
    copied). ``relation`` needs ``case_id``.
    """

    key: str
    user_id: UserId
    content: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    room_id: RoomId | None = None
    type: str = "m.room.message"
    cleartext: bool = False
    not_before: datetime | None = None
    attachment: Mapping[str, Any] | None = field(default=None, repr=False)
    relation: Relation | None = None
    case_id: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One stored message that has not been sent."""

    id: int
    key: str
    user_id: UserId
    room_id: RoomId | None
    type: str
    cleartext: bool
    content: Mapping[str, Any] = field(repr=False)
    attachment: Mapping[str, Any] | None = field(repr=False)
    relation: Relation | None
    case_id: int | None
    attempts: int
    not_before: datetime
    created_at: datetime

    @property
    def for_staff(self) -> bool:
        """Whether it is for the staff room: the room's ID stands in a person's place, so that its messages queue up."""
        return self.user_id.startswith("!")


async def put(tx: Tx, item: OutboxItem) -> bool:
    """Store a message to be sent; False if one of that key is stored or sent already."""
    values = {
        "key": item.key,
        "user_id": item.user_id,
        "room_id": item.room_id,
        "type": item.type,
        "cleartext": item.cleartext,
        "sealed": tx.seal.close_json(dict(item.content), _SEALED),
        "attachment": tx.seal.close_json(dict(item.attachment), _ATTACHED) if item.attachment else None,
        "relation": item.relation,
        "case_id": item.case_id,
        "state": "new",
        "not_before": item.not_before or item.created_at,
        "created_at": item.created_at,
    }
    return await insert_new(tx, table, values)


def part(key: str, number: int) -> str:
    """Return the key of a file that follows a message."""
    return f"{key}{_PART}{number}"


async def due(tx: Tx, now: datetime, limit: int) -> list[OutboxRow]:
    """Return messages to be sent now, oldest first: for each person only the oldest that has not been sent.

    One that is held back on purpose lets later ones pass; one that was tried and put off does not. A copy of a file
    waits for the card under which it stands.
    """
    ready = table.c.not_before <= now
    in_turn = ready | (table.c.attempts > 0)
    heads = await lines.heads(tx, table.c.user_id, ready, limit + 1, in_turn=in_turn)  # one more: files may wait
    earlier = table.alias("earlier")
    card = sa.exists().where(
        earlier.c.case_id == table.c.case_id,
        earlier.c.state == "new",
        earlier.c.id < table.c.id,
        earlier.c.relation.in_([Relation.CARD, Relation.EDIT]),
    )
    query = sa.select(table).where(table.c.id.in_(heads), (table.c.user_id != FILES) | ~card)
    found = (await tx.conn.execute(query.order_by(table.c.id).limit(limit))).mappings()
    return [_row(tx, row) for row in found]


async def next_at(tx: Tx) -> datetime | None:
    """Return when the next message may be sent (perhaps in the past), None if there is none."""
    found: datetime | None = await tx.conn.scalar(
        sa.select(sa.func.min(table.c.not_before)).where(table.c.state == "new")
    )
    return found


async def sent(tx: Tx, id_: int, event_id: EventId, now: datetime) -> None:
    """Note that a message was sent, and drop its words."""
    row = sa.update(table).where(table.c.id == id_, table.c.state == "new")
    await tx.conn.execute(row.values(state="sent", sealed=None, attachment=None, event_id=event_id, sent_at=now))


async def defer(tx: Tx, id_: int, not_before: datetime) -> None:
    """Put a message off and count the attempt; later ones for the same person wait for it."""
    row = sa.update(table).where(table.c.id == id_, table.c.state == "new")
    await tx.conn.execute(row.values(not_before=not_before, attempts=table.c.attempts + 1))


async def failed(tx: Tx, id_: int, now: datetime) -> None:
    """Give a message up and drop its words; later ones for the same person no longer wait for it."""
    row = sa.update(table).where(table.c.id == id_, table.c.state == "new")
    await tx.conn.execute(row.values(**_DROPPED, sent_at=now))


async def give_up_all(tx: Tx, user_id: UserId, now: datetime) -> int:
    """Give up all that waits to be said to a person who is no longer there, and drop its words; return how many."""
    waiting = sa.update(table).where(table.c.user_id == user_id, table.c.state == "new")
    return await change(tx, waiting.values(**_DROPPED, sent_at=now))


async def take_back(tx: Tx, key: str, now: datetime) -> bool:
    """Drop a message that was never tried, and the files that follow it; False if it is too late."""
    words = sa.update(table).where(
        table.c.key == key, table.c.state == "new", table.c.not_before > now, table.c.attempts == 0
    )
    if await change(tx, words.values(**_DROPPED, sent_at=now)) != 1:
        return False
    files = sa.update(table).where(
        table.c.state == "new", table.c.not_before > now, table.c.key.startswith(key + _PART, autoescape=True)
    )
    await tx.conn.execute(files.values(**_DROPPED, sent_at=now))
    return True


async def let_go(tx: Tx, user_id: UserId, case_id: int, now: datetime) -> int:
    """Let what is held back on purpose for a person in a case be sent now, in its place; return how many those are."""
    held_back = (table.c.state == "new") & (table.c.attempts == 0) & (table.c.not_before > now)
    row = sa.update(table).where(held_back, table.c.user_id == user_id, table.c.case_id == case_id)
    return await change(tx, row.values(not_before=now))


async def event_of(tx: Tx, key: str) -> EventId | None:
    """Return the event that a message became, None if it has not been sent."""
    found = (await tx.conn.execute(sa.select(table.c.event_id).where(table.c.key == key))).scalar_one_or_none()
    return None if found is None else EventId(found)


async def line_waits(tx: Tx, user_id: UserId) -> bool:
    """Say whether anything waits to be said to a person, or in the staff room."""
    query = sa.select(sa.exists().where(table.c.state == "new", table.c.user_id == user_id))
    return bool((await tx.conn.execute(query)).scalar_one())


async def staff_hear(tx: Tx, case_id: int, since: datetime) -> bool:
    """Say whether the staff room has been told something of a case since a moment, or is still to be."""
    mine = (table.c.case_id == case_id) & table.c.user_id.startswith("!")
    query = sa.select(sa.exists().where(mine, (table.c.state == "new") | (table.c.sent_at > since)))
    return bool((await tx.conn.execute(query)).scalar_one())


async def forget(tx: Tx, before: datetime) -> int:
    """Delete messages that were sent or given up before a moment; return how many. Their keys count no more."""
    return await change(tx, sa.delete(table).where(table.c.state != "new", table.c.sent_at < before))


def _row(tx: Tx, row: sa.RowMapping) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        key=row["key"],
        user_id=row["user_id"],
        room_id=row["room_id"],
        type=row["type"],
        cleartext=row["cleartext"],
        content=tx.seal.open_json(row["sealed"], _SEALED),
        attachment=tx.seal.open_json(row["attachment"], _ATTACHED) if row["attachment"] else None,
        relation=Relation(row["relation"]) if row["relation"] else None,
        case_id=row["case_id"],
        attempts=row["attempts"],
        not_before=row["not_before"],
        created_at=row["created_at"],
    )
