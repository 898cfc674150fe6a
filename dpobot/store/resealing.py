"""Everything that is encrypted at rest, place by place: closed anew with the current key, or counted.

The places come from the tables: every column of bytes holds envelopes whose context is ``table.column``; of the bot's
own facts those that look like one, under their names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from dpobot.store.database import Database, Tx
from dpobot.store.seal import Seal, SealError
from dpobot.store.statements import change
from dpobot.store.tables import bot_state, metadata

_BATCH = 200  # rows in one transaction: so long others wait on SQLite


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many values were closed anew, and how many can't be opened with any key that we have."""

    done: int = 0
    closed: int = 0

    def __add__(self, other: "Resealed") -> "Resealed":
        return Resealed(self.done + other.done, self.closed + other.closed)


def places() -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """Yield every column that holds what is encrypted at rest, but for the bot's own facts."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, sa.LargeBinary):
                yield table, column


async def reseal(database: Database) -> Resealed:
    """Close whatever was closed with an older key with the current one, in short transactions.

    Others may read and write meanwhile. Interrupted at any moment it leaves values that are closed with one key or the
    other, and the next call goes on. Raises `Unavailable`.
    """
    total = Resealed()
    for table, column in places():
        last: Sequence[Any] | None = None
        while True:
            found, last = await database.write(partial(_batch, table=table, column=column, after=last))
            total += found
            if last is None:
                break
    return total + await database.write(_facts)


async def old_ones(tx: Tx) -> dict[str, int]:
    """Return how many values were closed with each key but the current one; ``?`` is what is no envelope."""
    found: dict[str, int] = {}
    for _table, column in places():
        heads = sa.select(column).where(column.is_not(None)).execution_options(yield_per=_BATCH)
        async for (sealed,) in await tx.conn.stream(heads):
            _count(tx.seal, sealed, found)
    for _key, sealed in await _sealed_facts(tx):
        _count(tx.seal, sealed, found)
    return found


def _count(seal: Seal, sealed: bytes, found: dict[str, int]) -> None:
    name = seal.key_of(sealed) or "?"
    if name != seal.current:
        found[name] = found.get(name, 0) + 1


async def _batch(
    tx: Tx, table: sa.Table, column: sa.Column[Any], after: Sequence[Any] | None
) -> tuple[Resealed, Sequence[Any] | None]:
    """Close a batch of a column's values anew; return what was done, and the key of its last row if there are more."""
    keys = list(table.primary_key.columns)
    query = sa.select(*keys, column.label("sealed_value")).where(column.is_not(None)).order_by(*keys).limit(_BATCH)
    if after is not None:
        query = query.where(sa.tuple_(*keys) > sa.tuple_(*after))
    rows = (await tx.conn.execute(query)).all()
    total = Resealed()
    for row in rows:
        mine = sa.and_(*(key == value for key, value in zip(keys, row, strict=False)))
        total += await _one(tx, table, column, mine, row.sealed_value)
    return total, tuple(rows[-1][: len(keys)]) if len(rows) == _BATCH else None


async def _one(
    tx: Tx, table: sa.Table, column: sa.Column[Any], mine: sa.ColumnElement[bool], sealed: bytes
) -> Resealed:
    anew = _anew(tx.seal, sealed, f"{table.name}.{column.name}")
    if not isinstance(anew, bytes):
        return anew
    # what somebody has changed since we read it is left alone: it is closed with the current key
    return Resealed(await change(tx, sa.update(table).where(mine, column == sealed).values({column.name: anew})))


async def _facts(tx: Tx) -> Resealed:
    total = Resealed()
    for key, sealed in await _sealed_facts(tx):
        anew = _anew(tx.seal, sealed, key)
        if not isinstance(anew, bytes):
            total += anew
            continue
        row = sa.update(bot_state).where(bot_state.c.key == key, bot_state.c.value == sealed.hex())
        total += Resealed(await change(tx, row.values(value=anew.hex())))
    return total


async def _sealed_facts(tx: Tx) -> list[tuple[str, bytes]]:
    """Return those of the bot's own facts that are envelopes, written in hexadecimal."""
    found = []
    for row in await tx.conn.execute(sa.select(bot_state).order_by(bot_state.c.key)):
        try:
            value = bytes.fromhex(row.value)
        except ValueError:
            continue
        if tx.seal.has(tx.seal.key_of(value)):  # anything may look like an envelope, but not of a key of ours
            found.append((row.key, value))
    return found


def _anew(seal: Seal, sealed: bytes, context: str) -> bytes | Resealed:
    """Return the same in an envelope of the current key; none where it is one already, or does not open."""
    if seal.key_of(sealed) == seal.current:
        return Resealed()
    try:
        return seal.close(seal.open(sealed, context), context)
    except SealError:
        return Resealed(closed=1)
