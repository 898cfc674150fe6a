"""Lines of waiting rows: finding the first of each without looking at all that wait behind it."""

from collections.abc import Collection

import sqlalchemy as sa

from dpobot.store.tx import Tx

_FEW = 32  # lines that are hopped over; beyond, one pass over the index is faster


async def heads(
    tx: Tx,
    whose: sa.Column[str],
    due: sa.ColumnElement[bool],
    limit: int,
    *,
    in_turn: sa.ColumnElement[bool] | None = None,
    without: Collection[str] = (),
) -> list[int]:
    """Return the IDs of the oldest rows of the lines, where those are due; at most ``limit``, oldest first.

    ``whose`` is the column that makes lines, of a table with ``id``, ``state`` and an index that begins with ``state``,
    ``whose`` and ``id``; only rows in state ``new`` count, and of them those that fulfil ``in_turn``. One sender with
    thousands of rows costs one look into the index; thousands of senders cost one pass over it.
    """
    table = whose.table
    counts = (table.c.state == "new") & (sa.true() if in_turn is None else in_turn)
    lines = _lines(whose, table.c.state == "new")
    if len((await tx.conn.execute(sa.select(lines.c.whose))).all()) <= _FEW:
        mine = sa.select(table.c.id).where(counts, whose == lines.c.whose).order_by(table.c.id).limit(1)
        others = lines.c.whose.not_in(list(without))
        first = sa.select(mine.correlate(lines).scalar_subquery().label("id")).where(others).subquery()
        query = sa.select(table.c.id).join(first, first.c.id == table.c.id).where(due).order_by(table.c.id)
    else:
        oldest = sa.func.min(table.c.id)
        query = sa.select(oldest).where(counts, whose.not_in(list(without))).group_by(whose)
        query = query.having(oldest.filter(due) == oldest).order_by(oldest)
    return list((await tx.conn.execute(query.limit(limit))).scalars())


def _lines(whose: sa.Column[str], waiting: sa.ColumnElement[bool]) -> sa.CTE:
    """Select whose rows wait, from one to the next, and stop after some; the last is NULL if those are all."""
    start = sa.select(sa.func.min(whose).label("whose"), sa.literal(1).label("number")).where(waiting)
    lines = start.cte("lines", recursive=True)
    after = sa.select(sa.func.min(whose)).where(waiting, whose > lines.c.whose).scalar_subquery()
    more = lines.c.whose.is_not(None) & (lines.c.number <= _FEW)
    return lines.union_all(sa.select(after, lines.c.number + 1).where(more))
