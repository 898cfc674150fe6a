"""Who of staff has approved which plan of a case, until as many have as are needed."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import UserId
from dpobot.store.statements import insert
from dpobot.store.tables import approval as table
from dpobot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval; ``plan`` is the SHA-256 (hex) of what was approved."""

    case_id: int
    approver: UserId
    plan: str
    at: datetime


async def put(tx: Tx, case_id: int, approver: UserId, plan: str, now: datetime) -> None:
    """Note an approval; another one of the same person for the case is replaced."""
    row = insert(tx, table).values(case_id=case_id, approver=approver, plan=plan, at=now)
    anew = {"plan": row.excluded.plan, "at": row.excluded.at}
    await tx.conn.execute(row.on_conflict_do_update(index_elements=[table.c.case_id, table.c.approver], set_=anew))


async def of_case(tx: Tx, case_id: int) -> list[Approval]:
    """Return a case's approvals, the first first."""
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.at, table.c.approver)
    return [Approval(**row) for row in (await tx.conn.execute(query)).mappings()]


async def forget(tx: Tx, case_id: int) -> None:
    """Delete a case's approvals: they count no more."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))
