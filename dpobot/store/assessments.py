"""The balancing worksheet of a case: a level and sealed reasons for each factor, the conclusion, the agreement."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import UserId
from dpobot.store.statements import change, insert
from dpobot.store.tables import assessment as table
from dpobot.store.tx import Tx

_SEALED = "assessment.sealed"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One line. ``factor``: nature, others, degree, conclusion or agreement; ``level`` as table ``assessment`` says."""

    case_id: int
    factor: str
    author: UserId
    level: str
    reasons: str = field(repr=False)
    at: datetime


async def put(tx: Tx, case_id: int, factor: str, author: UserId, level: str, reasons: str, now: datetime) -> None:
    """Write a line of the worksheet; what stood there is replaced."""
    sealed = tx.seal.close(reasons.encode(), _SEALED)
    row = insert(tx, table).values(case_id=case_id, factor=factor, author=author, level=level, sealed=sealed, at=now)
    anew = {name: row.excluded[name] for name in ("author", "level", "sealed", "at")}
    await tx.conn.execute(row.on_conflict_do_update(index_elements=[table.c.case_id, table.c.factor], set_=anew))


async def of_case(tx: Tx, case_id: int) -> list[Assessment]:
    """Return a case's worksheet, oldest line first."""
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.at, table.c.factor)
    return [_assessment(tx, row) for row in (await tx.conn.execute(query)).mappings()]


async def drop(tx: Tx, case_id: int, factor: str) -> bool:
    """Strike a line, such as an agreement to what has changed since; False if it was not there."""
    return await change(tx, sa.delete(table).where(table.c.case_id == case_id, table.c.factor == factor)) == 1


async def forget(tx: Tx, case_id: int) -> None:
    """Delete a case's worksheet."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))


def _assessment(tx: Tx, row: sa.RowMapping) -> Assessment:
    values = dict(row)
    reasons = tx.seal.open(values.pop("sealed"), _SEALED).decode()
    return Assessment(**values, reasons=reasons)
