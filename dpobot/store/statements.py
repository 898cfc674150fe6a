"""Statements that both databases understand but SQLAlchemy spells once for each."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dpobot.store.tx import Tx


def insert(tx: Tx, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that knows ON CONFLICT."""
    return sqlite.insert(table) if tx.conn.dialect.name == "sqlite" else postgresql.insert(table)


async def insert_new(tx: Tx, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one of its unique keys is taken; say whether it is new."""
    result = await tx.conn.execute(insert(tx, table).values(**values).on_conflict_do_nothing())
    return result.rowcount == 1


async def change(tx: Tx, statement: sa.Update | sa.Delete) -> int:
    """Run an UPDATE or DELETE and return how many rows it touched."""
    result = await tx.conn.execute(statement)
    return result.rowcount
