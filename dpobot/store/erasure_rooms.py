"""The rooms in which an erasure has work to do, and how far it is in each."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from dpobot.model.erasure import ErasureRoom, Fate
from dpobot.model.ids import RoomId
from dpobot.store.statements import change, insert_many_new
from dpobot.store.tables import erasure_room as table
from dpobot.store.tx import Tx

_AT_ONCE = 500  # rows of one INSERT: databases limit how many values it may hold
_COLUMNS = tuple(column for column in table.c if column.name != "case_id")


async def add_all(tx: Tx, case_id: int, rooms: Sequence[ErasureRoom]) -> int:
    """Add rooms and return how many are new; those that are known stay as they are."""
    rows = [
        {
            "case_id": case_id,
            "room_id": room.room_id,
            "membership": room.membership,
            "fate": room.fate.value,
            "events": room.events,
            "state": room.state,
            "error": room.error,
        }
        for room in rooms
    ]
    return sum([await insert_many_new(tx, table, rows[i : i + _AT_ONCE]) for i in range(0, len(rows), _AT_ONCE)])


async def of_case(
    tx: Tx,
    case_id: int,
    *,
    state: str | None = None,
    fate: Fate | None = None,
    after: RoomId | None = None,
    limit: int = 100,
) -> list[ErasureRoom]:
    """Return a case's rooms, of one state or fate if given, in the order of their IDs from behind ``after`` on."""
    query = sa.select(*_COLUMNS).where(table.c.case_id == case_id)
    if state is not None:
        query = query.where(table.c.state == state)
    if fate is not None:
        query = query.where(table.c.fate == fate.value)
    if after is not None:
        query = query.where(table.c.room_id > after)
    rows = await tx.conn.execute(query.order_by(table.c.room_id).limit(limit))
    return [ErasureRoom(**{**row, "fate": Fate(row["fate"])}) for row in rows.mappings()]


async def done(tx: Tx, case_id: int, room_id: RoomId) -> None:
    """Note that nothing is left to do in a room."""
    await change(tx, _one(case_id, room_id).values(state="done", error=None))


async def failed(tx: Tx, case_id: int, room_id: RoomId, error: str) -> None:
    """Note that a room could not be done, with a stable code why."""
    await change(tx, _one(case_id, room_id).values(state="failed", error=error))


async def redact_instead(tx: Tx, case_id: int, room_id: RoomId) -> None:
    """Note that a room is not to be deleted: somebody has come into it, and what is the person's is redacted."""
    await change(tx, _one(case_id, room_id).values(fate=Fate.REDACT.value, state="new", error=None))


async def again(tx: Tx, case_id: int) -> int:
    """Let what has failed be done again; return how many rooms those are."""
    failed_ones = sa.update(table).where(table.c.case_id == case_id, table.c.state == "failed")
    return await change(tx, failed_ones.values(state="new", error=None))


async def counts(tx: Tx, case_id: int) -> Mapping[str, int]:
    """Return how many of a case's rooms are in each state; a state without rooms is left out."""
    query = sa.select(table.c.state, sa.func.count().label("n")).where(table.c.case_id == case_id)
    return {row.state: row.n for row in await tx.conn.execute(query.group_by(table.c.state))}


async def forget(tx: Tx, case_id: int) -> None:
    """Delete what is known of a case's rooms."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))


def _one(case_id: int, room_id: RoomId) -> sa.Update:
    return sa.update(table).where(table.c.case_id == case_id, table.c.room_id == room_id)
