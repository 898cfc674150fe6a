"""Cases and their numbers as rows. Who may do what is decided in room ``cases``."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import EventId, Reference, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import records
from dpobot.store.statements import change, insert
from dpobot.store.tables import case as table
from dpobot.store.tables import case_number
from dpobot.store.tx import Tx


async def next_number(tx: Tx, year: int) -> int:
    """Return the next number of a year, from 1, without gaps: it is given back if the transaction fails."""
    row = insert(tx, case_number).values(year=year, last=1)
    taken = row.on_conflict_do_update(index_elements=[case_number.c.year], set_={"last": case_number.c.last + 1})
    return int((await tx.conn.execute(taken.returning(case_number.c.last))).scalar_one())


async def skip_numbers(tx: Tx, year: int, gap: int, above: int) -> int:
    """Let a year's numbers go on far above the last one, and above ``above``; return the number that they go on above.

    What is left out is as many as the busiest year has had, and at least ``gap``; ends in a full ``gap``, so that
    everybody sees it. Years before it are over, and get no more numbers.
    """
    known: dict[int, int] = {row.year: row.last for row in await tx.conn.execute(sa.select(case_number))}
    last = max(known.get(year, 0), above)
    beyond = last + max(gap, *known.values(), 0)
    number = -(-beyond // gap) * gap
    row = insert(tx, case_number).values(year=year, last=number)
    await tx.conn.execute(row.on_conflict_do_update(index_elements=[case_number.c.year], set_={"last": number}))
    return number


async def add(tx: Tx, values: Mapping[str, Any]) -> Case:
    """Insert a case and return it."""
    new = sa.insert(table).values(**values).returning(table.c.id)
    return await get(tx, int((await tx.conn.execute(new)).scalar_one()))


async def by_id(tx: Tx, case_id: int) -> Case | None:
    """Return a case, None if there is none."""
    found = await find(tx, table.c.id == case_id)
    return found[0] if found else None


async def get(tx: Tx, case_id: int) -> Case:
    """Return a case that is there. Raises `LookupError`."""
    found = await by_id(tx, case_id)
    if found is None:
        raise LookupError("no such case")
    return found


async def lock(tx: Tx, case_id: int) -> Case:
    """Return a case as it is now; nobody else changes it before this transaction ends. Raises `LookupError`."""
    query = sa.select(table).where(table.c.id == case_id).with_for_update()
    row = (await tx.conn.execute(query)).mappings().one_or_none()
    if row is None:
        raise LookupError("no such case")
    return records.case(row)


async def by_event(tx: Tx, event_id: EventId) -> Case | None:
    """Return the case that a message opened."""
    found = await find(tx, table.c.event_id == event_id)
    return found[0] if found else None


async def by_reference(tx: Tx, person: UserId, reference: Reference) -> Case | None:
    """Return a person's case by its reference; somebody else's is as unknown as none."""
    found = await find(tx, (table.c.reference == reference) & (table.c.person == person))
    return found[0] if found else None


async def of_person(tx: Tx, person: UserId, states: Collection[CaseState], limit: int) -> list[Case]:
    """Return a person's cases in these states, newest first."""
    mine = (table.c.person == person) & table.c.state.in_(list(states))
    return await find(tx, mine, limit)


async def find(tx: Tx, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Case]:
    """Return cases, newest first."""
    query = sa.select(table).where(condition).order_by(table.c.id.desc()).limit(limit)
    return [records.case(row) for row in (await tx.conn.execute(query)).mappings()]


async def update(tx: Tx, case: Case, values: Mapping[str, Any]) -> bool:
    """Change a case if nobody else has since it was read; its version grows."""
    unchanged = (table.c.id == case.id) & (table.c.state == case.state) & (table.c.version == case.version)
    return await change(tx, sa.update(table).where(unchanged).values(version=case.version + 1, **values)) == 1
