"""The rows of the audit trail and the head of its chain. What may stand in them is decided in room ``audit``."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.store import bot_state
from dpobot.store.statements import insert
from dpobot.store.tables import audit as table
from dpobot.store.tables import bot_state as heads
from dpobot.store.tables import case
from dpobot.store.tx import Tx

_HEAD = "audit.head"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row; see `audit.chain` for what ``prev``, ``hash`` and ``actor_digest`` (hex) cover."""

    seq: int
    at: datetime
    actor: str | None
    actor_salt: str | None
    actor_digest: str
    action: str
    case_id: int | None
    detail: Mapping[str, Any]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row's number and hash; ``seq`` 0 before the first row."""

    seq: int
    hash: str


async def lock_head(tx: Tx, genesis: str) -> Head:
    """Return the head; nobody else gets it before this transaction ends.

    SQLite's writers are alone anyway; on PostgreSQL the head's row is locked, and made first if there is none.
    """
    first = insert(tx, heads).values(key=_HEAD, value=f"0 {genesis}")
    await tx.conn.execute(first.on_conflict_do_nothing())
    return _head(await bot_state.get(tx, _HEAD, lock=True), genesis)


async def head(tx: Tx, genesis: str) -> Head:
    """Return the head without locking it."""
    return _head(await bot_state.get(tx, _HEAD), genesis)


async def append(tx: Tx, row: AuditRow) -> None:
    """Add the row that follows the head and make it the head; the caller holds the lock."""
    values = {name: getattr(row, name) for name in AuditRow.__slots__}
    await tx.conn.execute(sa.insert(table).values(values))
    await bot_state.set(tx, _HEAD, f"{row.seq} {row.hash}")


async def rows(tx: Tx) -> AsyncIterator[AuditRow]:
    """Yield every row in its order, some hundred in memory at a time."""
    last = 0
    while True:
        query = sa.select(table).where(table.c.seq > last).order_by(table.c.seq).limit(_PAGE)
        page = [AuditRow(**row) for row in (await tx.conn.execute(query)).mappings()]
        for row in page:
            yield row
        if len(page) < _PAGE:
            return
        last = page[-1].seq


async def of_case(tx: Tx, case_id: int) -> list[AuditRow]:
    """Return a case's rows in their order."""
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.seq)
    return [AuditRow(**row) for row in (await tx.conn.execute(query)).mappings()]


async def between(
    tx: Tx, start: datetime, end: datetime, actions: Collection[str]
) -> AsyncIterator[tuple[AuditRow, str | None]]:
    """Yield rows of some actions from ``start`` to before ``end`` in their order, each with its case's reference."""
    columns = sa.select(*table.c, case.c.reference).outerjoin(case, case.c.id == table.c.case_id)
    wanted = columns.where(table.c.action.in_(list(actions)), table.c.at >= start, table.c.at < end)
    last = 0
    while True:
        query = wanted.where(table.c.seq > last).order_by(table.c.seq).limit(_PAGE)
        page = [dict(row) for row in (await tx.conn.execute(query)).mappings()]
        for row in page:
            reference = row.pop("reference")
            yield AuditRow(**row), reference
        if len(page) < _PAGE:
            return
        last = page[-1]["seq"]


async def has(tx: Tx, hash_: str) -> bool:
    """Say whether a row with this hash is there."""
    return bool((await tx.conn.execute(sa.select(sa.exists().where(table.c.hash == hash_)))).scalar_one())


async def forget_actors(tx: Tx, case_id: int) -> None:
    """Drop the actors' names and salts of a case that has expired; the chain still holds."""
    await tx.conn.execute(sa.update(table).where(table.c.case_id == case_id).values(actor=None, actor_salt=None))


def _head(value: str | None, genesis: str) -> Head:
    if value is None:
        return Head(0, genesis)
    seq, _, hash_ = value.partition(" ")
    return Head(int(seq), hash_)
