"""Statements that both databases understand but SQLAlchemy spells once for each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from dpobot.store.tx import Tx

if TYPE_CHECKING:
    from sqlalchemy.dialects import sqlite


def insert(tx: Tx, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """Return an INSERT that knows ON CONFLICT."""
    if tx.conn.dialect.name == "postgresql":
        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # a process on PostgreSQL should not have SQLite in memory

    return sqlite.insert(table)


async def insert_new(tx: Tx, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one of its unique keys is taken; say whether it is new."""
    return await insert_many_new(tx, table, [values]) == 1


async def insert_many_new(tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows in their order, but none whose unique keys are taken; return how many are new."""
    new = insert(tx, table).values([dict(row) for row in rows]).on_conflict_do_nothing()
    # without the option the count is lost where SQLAlchemy asks for the new row's key
    return (await tx.conn.execute(new, execution_options={"preserve_rowcount": True})).rowcount


async def change(tx: Tx, statement: sa.Update | sa.Delete) -> int:
    """Run an UPDATE or DELETE and return how many rows it touched."""
    result = await tx.conn.execute(statement)
    return result.rowcount
