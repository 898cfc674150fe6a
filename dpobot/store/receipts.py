"""The signed receipts of erasures, found by the hash of their code alone."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dpobot.store.statements import change, insert_new
from dpobot.store.tables import case
from dpobot.store.tables import receipt as table
from dpobot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt. ``document``: canonical JSON with its signature, None while the erasure isn't over."""

    case_id: int
    document: str | None
    created_at: datetime
    signed_at: datetime | None


async def promise(tx: Tx, code_hash: str, case_id: int, now: datetime) -> bool:
    """Note that a code will lead to the receipt of a case; False if the code or the case has one: that one stays."""
    return await insert_new(tx, table, {"code_hash": code_hash, "case_id": case_id, "created_at": now})


async def sign(tx: Tx, case_id: int, document: str, now: datetime) -> bool:
    """Keep the signed receipt of a case; False if there is one already, which stays, or none was promised."""
    unsigned = sa.update(table).where(table.c.case_id == case_id, table.c.document.is_(None))
    return await change(tx, unsigned.values(document=document, signed_at=now)) == 1


async def by_code(tx: Tx, code_hash: str) -> Receipt | None:
    """Return the receipt that a code leads to."""
    return await _find(tx, table.c.code_hash == code_hash)


async def of_case(tx: Tx, case_id: int) -> Receipt | None:
    """Return the receipt of a case."""
    return await _find(tx, table.c.case_id == case_id)


async def forget(tx: Tx, before: datetime) -> int:
    """Delete receipts that were signed before a moment, and old promises that nothing will come of; return how many."""
    running = sa.exists().where(case.c.id == table.c.case_id, case.c.closed_at.is_(None))
    signed = table.c.signed_at < before
    broken = table.c.signed_at.is_(None) & ~running
    return await change(tx, sa.delete(table).where(table.c.created_at < before, signed | broken))


async def _find(tx: Tx, condition: sa.ColumnElement[bool]) -> Receipt | None:
    columns = (table.c.case_id, table.c.document, table.c.created_at, table.c.signed_at)
    row = (await tx.conn.execute(sa.select(*columns).where(condition))).mappings().one_or_none()
    return None if row is None else Receipt(**row)
