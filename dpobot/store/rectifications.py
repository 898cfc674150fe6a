"""What the homeserver itself is to put right for a person (Art. 16 GDPR): field, old and new value, sealed."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from dpobot.store.statements import insert
from dpobot.store.tables import rectification as table
from dpobot.store.tx import Tx

_SEALED = "rectification.sealed"


@dataclass(frozen=True, slots=True)
class Rectification:
    """``field``: display_name, avatar or email; ``values``: what is to be put right, such as old and new."""

    field: str
    values: Mapping[str, str | None] = dataclasses.field(repr=False)


async def put(tx: Tx, case_id: int, field: str, values: Mapping[str, str | None]) -> None:
    """Keep what a case is to put right; what was kept before is replaced."""
    row = insert(tx, table).values(case_id=case_id, field=field, sealed=tx.seal.close_json(dict(values), _SEALED))
    anew = {"field": row.excluded.field, "sealed": row.excluded.sealed}
    await tx.conn.execute(row.on_conflict_do_update(index_elements=[table.c.case_id], set_=anew))


async def get(tx: Tx, case_id: int) -> Rectification | None:
    """Return what a case is to put right, None if a human has to read what it is."""
    row = (await tx.conn.execute(sa.select(table).where(table.c.case_id == case_id))).mappings().one_or_none()
    return None if row is None else Rectification(row["field"], tx.seal.open_json(row["sealed"], _SEALED))


async def forget(tx: Tx, case_id: int) -> None:
    """Delete what a case was to put right."""
    await tx.conn.execute(sa.delete(table).where(table.c.case_id == case_id))
