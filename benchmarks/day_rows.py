"""What is in the database when the day is over."""

from pathlib import Path

import sqlalchemy as sa

from benchmarks.measure import Figures
from dpobot.audit import chain
from dpobot.store import tables
from dpobot.store.database import Database, Tx
from dpobot.store.seal import load_or_create


async def rows_of(url: str, data: Path) -> dict[str, Figures]:
    """Count cases, jobs, and what came and went, by their states."""
    database = Database(url, load_or_create(data / "seal.keys"))
    await database.open()
    found = await database.read(_counts)
    await database.close()
    return found


async def _counts(tx: Tx) -> dict[str, Figures]:
    case, job, inbox, outbox = tables.case, tables.job, tables.inbox, tables.outbox
    verdict = await chain.verify(tx)
    return {
        "cases": await _count(tx, case.c.kind, case.c.state),
        "jobs": await _count(tx, job.c.name, job.c.state),
        "inbox": await _count(tx, inbox.c.state),
        "outbox": await _count(tx, outbox.c.state),
        "audit": {"rows": verdict.rows, "holds": int(verdict.holds)},
    }


async def _count(tx: Tx, *columns: sa.Column[str]) -> Figures:
    rows = await tx.conn.execute(sa.select(*columns, sa.func.count()).group_by(*columns).order_by(*columns))
    return {" ".join(row[:-1]): row[-1] for row in rows}
