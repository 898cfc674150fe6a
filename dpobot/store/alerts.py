"""What staff must look at: one row a matter, however often it is noticed."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.words import CaseState
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import alert as table
from dpobot.store.tables import case, job
from dpobot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Alert:
    """One open matter. ``code`` is a stable name, ``key`` makes it one."""

    id: int
    key: str
    code: str
    case_id: int | None
    at: datetime


async def open(tx: Tx, *, key: str, code: str, now: datetime, case_id: int | None = None) -> bool:  # noqa: A001 - read as alerts.open
    """Open an alert; False if one of that key exists, also if it is closed."""
    return await insert_new(tx, table, {"key": key, "code": code, "case_id": case_id, "at": now})


async def close(tx: Tx, key: str, now: datetime) -> bool:
    """Close an alert; False if there was nothing to close."""
    row = sa.update(table).where(table.c.key == key, table.c.closed_at.is_(None))
    return await change(tx, row.values(closed_at=now)) == 1


async def list_open(tx: Tx) -> list[Alert]:
    """Return open alerts, oldest first."""
    columns = (table.c.id, table.c.key, table.c.code, table.c.case_id, table.c.at)
    query = sa.select(*columns).where(table.c.closed_at.is_(None)).order_by(table.c.id)
    return [Alert(**row) for row in (await tx.conn.execute(query)).mappings()]


async def settle(tx: Tx, now: datetime) -> int:
    """Close alerts about an export's end whose case is no longer held: somebody has decided; return how many."""
    key = sa.literal("job:") + sa.cast(job.c.id, sa.String) + ":"
    ended = (
        (job.c.case_id == table.c.case_id) & (job.c.name == "export") & table.c.key.in_([key + "held", key + "failed"])
    )
    decided = sa.exists().where(ended, case.c.id == job.c.case_id, case.c.state != CaseState.HELD)
    return await change(tx, sa.update(table).where(table.c.closed_at.is_(None), decided).values(closed_at=now))
