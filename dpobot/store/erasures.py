"""An erasure on its way: what it is to do, what was found and confirmed, how far it is, what is left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.erasure import ErasureOptions, Residual
from dpobot.model.records import Json
from dpobot.store.statements import change as run
from dpobot.store.statements import insert
from dpobot.store.tables import case, reminder
from dpobot.store.tables import erasure as table
from dpobot.store.tx import Tx

_SEALED = "erasure.sealed"
_COLUMNS = tuple(column for column in table.c if column.name != "sealed")
# what a new beginning forgets; a plan that is none is NULL, not the JSON value null
_ANEW: Mapping[str, Any] = {
    "survey_after": None,
    "plan": sa.null(),
    "plan_hash": None,
    "surveyed_at": None,
    "confirmed_hash": None,
    "confirmed_at": None,
    "cooled_off_at": None,
}


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. ``counts``: category -> how many there were; ``failures``: step -> code of what it failed with."""

    case_id: int
    options: ErasureOptions
    survey_after: datetime | None
    plan: Json | None
    plan_hash: str | None
    surveyed_at: datetime | None
    confirmed_hash: str | None
    confirmed_at: datetime | None
    cooled_off_at: datetime | None
    begun_at: datetime | None
    erased_at: datetime | None
    checked_at: datetime | None
    skip: bool
    counts: Mapping[str, int]
    failures: Mapping[str, str]
    residuals: tuple[Residual, ...]


async def put(tx: Tx, case_id: int, options: ErasureOptions) -> None:
    """Begin the way of an erasure; one that is on its way begins it anew: without plan and confirmation."""
    chosen = options.to_json()
    first = {"case_id": case_id, "options": chosen, "counts": {}, "failures": {}, "residuals": []}
    row = insert(tx, table).values(first)
    anew = row.on_conflict_do_update(index_elements=[table.c.case_id], set_={**_ANEW, "options": chosen})
    await tx.conn.execute(anew)


async def get(tx: Tx, case_id: int) -> Erasure | None:
    """Return a case's erasure, None if there is none."""
    query = sa.select(*_COLUMNS).where(table.c.case_id == case_id)
    row = (await tx.conn.execute(query)).mappings().one_or_none()
    return None if row is None else _erasure(row)


async def change(tx: Tx, case_id: int, **values: Any) -> None:
    """Change fields of `Erasure` by their names; whoever decides by what they read locks the case first."""
    stored = {name: _stored(name, value) for name, value in values.items()}
    await tx.conn.execute(sa.update(table).where(table.c.case_id == case_id).values(stored))


async def keep_code(tx: Tx, case_id: int, code: str) -> None:
    """Keep the code of the receipt, sealed, until the person has it."""
    sealed = tx.seal.close(code.encode(), _SEALED)
    await tx.conn.execute(sa.update(table).where(table.c.case_id == case_id).values(sealed=sealed))


async def code_of(tx: Tx, case_id: int) -> str | None:
    """Return the code of the receipt, None if there is none yet or it was dropped."""
    sealed = (await tx.conn.execute(sa.select(table.c.sealed).where(table.c.case_id == case_id))).scalar_one_or_none()
    return None if sealed is None else tx.seal.open(sealed, _SEALED).decode()


async def drop_code(tx: Tx, case_id: int) -> None:
    """Forget the code of the receipt: whoever was to have it has it."""
    await tx.conn.execute(sa.update(table).where(table.c.case_id == case_id).values(sealed=None))


async def lock_beginnings(tx: Tx) -> None:
    """Keep other erasures from beginning until this transaction ends: what counts them must not be overtaken."""
    if tx.conn.dialect.name == "postgresql":  # SQLite has one writer
        await tx.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("dpobot erasures begin"))))


async def begun_since(tx: Tx, moment: datetime) -> int:
    """Return how many erasures have begun since a moment, itself included."""
    query = sa.select(sa.func.count()).where(table.c.begun_at >= moment)
    return int((await tx.conn.execute(query)).scalar_one())


async def first_begun_since(tx: Tx, moment: datetime) -> datetime | None:
    """Return when the first erasure since a moment has begun, itself included; None if none has."""
    query = sa.select(sa.func.min(table.c.begun_at)).where(table.c.begun_at >= moment)
    found: datetime | None = (await tx.conn.execute(query)).scalar()
    return found


async def cooling(tx: Tx, until: datetime, limit: int, *, unsaid: str | None = None) -> list[Erasure]:
    """Return erasures of cases that aren't over, not begun, whose cooling-off ends up to a moment, soonest first.

    ``unsaid``: only those of whose case that reminder has not been noted.
    """
    waiting = table.c.begun_at.is_(None) & (table.c.cooled_off_at <= until)
    open_ = (case.c.id == table.c.case_id) & case.c.closed_at.is_(None)
    query = sa.select(*_COLUMNS).where(waiting, sa.exists().where(open_))
    if unsaid is not None:
        query = query.where(~sa.exists().where(reminder.c.case_id == table.c.case_id, reminder.c.what == unsaid))
    query = query.order_by(table.c.cooled_off_at, table.c.case_id).limit(limit)
    return [_erasure(row) for row in (await tx.conn.execute(query)).mappings()]


async def forget(tx: Tx, case_id: int) -> bool:
    """Delete a case's erasure; False if there was none."""
    return await run(tx, sa.delete(table).where(table.c.case_id == case_id)) == 1


def _stored(name: str, value: Any) -> Any:
    if name == "options":
        return value.to_json()
    if name == "residuals":
        return [each.to_json() for each in value]
    if name in ("counts", "failures"):
        return dict(value)
    return sa.null() if name == "plan" and value is None else value


def _erasure(row: sa.RowMapping) -> Erasure:
    return Erasure(
        **{
            **row,
            "options": ErasureOptions.from_json(row["options"]),
            "residuals": tuple(Residual.from_json(each) for each in row["residuals"]),
        }
    )
