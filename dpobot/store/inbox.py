"""Events that reached the bot: stored together with the sync token before anything is done about them.

A row is ``new`` until it is ``done`` or ``failed``; one that we could not decrypt, and have said so, is ``waiting`` for
its key. What it said is dropped as soon as it is over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.records import IncomingKind
from dpobot.store import bot_state, lines
from dpobot.store.statements import change, insert_many_new
from dpobot.store.tables import inbox as table
from dpobot.store.tx import Tx

_SEALED = "inbox.sealed"
_AT_A_TIME = 200  # rows of one INSERT: SQLite takes at most 32,766 values


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event to be stored. ``payload`` is JSON, whatever is needed later; it is encrypted at rest.

    ``session_id`` names the Megolm session that an undecryptable event waits for; ``not_before`` defaults to
    ``received_at``.
    """

    event_id: EventId
    room_id: RoomId
    sender: UserId
    kind: IncomingKind
    encrypted: bool
    sent_at: datetime
    received_at: datetime
    payload: Mapping[str, Any] = field(repr=False)
    session_id: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One stored event that is not over."""

    id: int
    event_id: EventId
    room_id: RoomId
    sender: UserId
    kind: IncomingKind
    encrypted: bool
    payload: Mapping[str, Any] = field(repr=False)
    session_id: str | None
    state: str
    attempts: int
    not_before: datetime
    sent_at: datetime
    received_at: datetime


async def take_in(tx: Tx, events: Sequence[NewEvent], next_batch: str) -> int:
    """Store what one /sync brought together with its token; return how many events are new."""
    new = 0
    for first in range(0, len(events), _AT_A_TIME):
        rows = [_values(tx, event) for event in events[first : first + _AT_A_TIME]]
        new += await insert_many_new(tx, table, rows)
    await bot_state.set(tx, bot_state.SYNC_TOKEN, next_batch)
    return new


async def due(tx: Tx, now: datetime, limit: int, busy_senders: Collection[UserId] = ()) -> list[InboxRow]:
    """Return events to be handled now, oldest first: of each sender who is not busy only the oldest open one."""
    heads = await lines.heads(tx, table.c.sender, table.c.not_before <= now, limit, without=busy_senders)
    return await _rows(tx, sa.select(table).where(table.c.id.in_(heads)))


async def next_at(tx: Tx) -> datetime | None:
    """Return when the next event may be handled (perhaps in the past), None if there is none."""
    found: datetime | None = await tx.conn.scalar(
        sa.select(sa.func.min(table.c.not_before)).where(table.c.state == "new")
    )
    return found


async def done(tx: Tx, id_: int, now: datetime) -> None:
    """Close an event and drop what it said."""
    await _over(tx, id_, "done", now)


async def failed(tx: Tx, id_: int, now: datetime) -> None:
    """Give an event up and drop what it said; later events of its sender no longer wait for it."""
    await _over(tx, id_, "failed", now)


async def defer(tx: Tx, id_: int, not_before: datetime) -> None:
    """Put an event off and count the attempt; later events of its sender wait for it."""
    row = sa.update(table).where(table.c.id == id_, table.c.state == "new")
    await tx.conn.execute(row.values(not_before=not_before, attempts=table.c.attempts + 1))


async def await_key(tx: Tx, id_: int) -> None:
    """Let an undecryptable event wait for its key without end, no longer in the way of its sender's later ones."""
    await tx.conn.execute(sa.update(table).where(table.c.id == id_, table.c.state == "new").values(state="waiting"))


async def waiting_for(tx: Tx, session_ids: Collection[str]) -> list[InboxRow]:
    """Return undecryptable events of these Megolm sessions that are not over, oldest first."""
    wanted = table.c.session_id.in_(list(session_ids))
    open_ = table.c.state.in_(("new", "waiting"))
    undecryptable = table.c.kind == IncomingKind.UNDECRYPTABLE
    return await _rows(tx, sa.select(table).where(wanted, open_, undecryptable)) if session_ids else []


async def resolved(tx: Tx, id_: int, kind: IncomingKind, payload: Mapping[str, Any], now: datetime) -> bool:
    """Turn an undecryptable event into what it says, to be handled now; False if it was over or decrypted already."""
    row = sa.update(table).where(
        table.c.id == id_, table.c.state.in_(("new", "waiting")), table.c.kind == IncomingKind.UNDECRYPTABLE
    )
    sealed = tx.seal.close_json(dict(payload), _SEALED)
    values = {"kind": kind, "sealed": sealed, "session_id": None, "state": "new", "not_before": now, "attempts": 0}
    return await change(tx, row.values(**values)) == 1


async def received_since(tx: Tx, sender: UserId, since: datetime) -> int:
    """Return how many events a sender has sent us since a moment, by our clock."""
    query = sa.select(sa.func.count()).where(table.c.sender == sender, table.c.received_at >= since)
    return int((await tx.conn.execute(query)).scalar_one())


async def forget(tx: Tx, before: datetime) -> int:
    """Delete events that were over before a moment, and undecryptable ones older than it; return how many."""
    over = table.c.state.in_(("done", "failed")) & (table.c.done_at < before)
    hopeless = (table.c.state == "waiting") & (table.c.received_at < before)
    return await change(tx, sa.delete(table).where(over | hopeless))


async def _over(tx: Tx, id_: int, state: str, now: datetime) -> None:
    row = sa.update(table).where(table.c.id == id_, table.c.state.in_(("new", "waiting")))
    await tx.conn.execute(row.values(state=state, sealed=None, session_id=None, done_at=now))


def _values(tx: Tx, event: NewEvent) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "room_id": event.room_id,
        "sender": event.sender,
        "kind": event.kind,
        "encrypted": event.encrypted,
        "sealed": tx.seal.close_json(dict(event.payload), _SEALED),
        "session_id": event.session_id,
        "state": "new",
        "not_before": event.not_before or event.received_at,
        "sent_at": event.sent_at,
        "received_at": event.received_at,
    }


async def _rows(tx: Tx, query: sa.Select[Any]) -> list[InboxRow]:
    found = (await tx.conn.execute(query.order_by(table.c.id))).mappings()
    return [_row(tx, row) for row in found]


def _row(tx: Tx, row: sa.RowMapping) -> InboxRow:
    return InboxRow(
        id=row["id"],
        event_id=row["event_id"],
        room_id=row["room_id"],
        sender=row["sender"],
        kind=IncomingKind(row["kind"]),
        encrypted=row["encrypted"],
        payload=tx.seal.open_json(row["sealed"], _SEALED),
        session_id=row["session_id"],
        state=row["state"],
        attempts=row["attempts"],
        not_before=row["not_before"],
        sent_at=row["sent_at"],
        received_at=row["received_at"],
    )
