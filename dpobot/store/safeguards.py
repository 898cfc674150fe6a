"""What is in force of each safeguard, and what looser value is wanted since when. The rules: ``cases.safeguards``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.store.statements import insert
from dpobot.store.tables import safeguard as table
from dpobot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Safeguard:
    """One safeguard. ``value`` is in force.

    ``wanted``: a looser value that the configuration asks for since ``wanted_at``, in force from ``counts_at`` on.
    """

    name: str
    value: int
    wanted: int | None = None
    wanted_at: datetime | None = None
    counts_at: datetime | None = None


async def read(tx: Tx) -> Mapping[str, Safeguard]:
    """Return what is known, by name."""
    rows = await tx.conn.execute(sa.select(table))
    return {row["name"]: Safeguard(**row) for row in rows.mappings()}


async def lock(tx: Tx) -> None:
    """Keep other machines from changing safeguards until this transaction ends."""
    if tx.conn.dialect.name == "postgresql":  # SQLite has one writer
        await tx.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("dpobot safeguards"))))


async def write(tx: Tx, safeguards: Sequence[Safeguard]) -> None:
    """Replace what is known of these."""
    for each in safeguards:
        values: dict[str, Any] = {"value": each.value, "wanted": each.wanted}
        values |= {"wanted_at": each.wanted_at, "counts_at": each.counts_at}
        row = insert(tx, table).values(name=each.name, **values)
        await tx.conn.execute(row.on_conflict_do_update(index_elements=[table.c.name], set_=values))
