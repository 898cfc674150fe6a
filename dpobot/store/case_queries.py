"""Questions about many cases at once: what waits, how much of it, how long it took. Fast with 100,000 cases."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import Reference, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import cases, records
from dpobot.store.tables import case as table
from dpobot.store.tx import Tx

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Totals:
    """How many cases there are, by what they need. A paused case is neither due soon nor overdue.

    ``held``: what was stopped, an erasure that could not do everything included.
    """

    open: int
    due_soon: int
    overdue: int
    unassigned: int
    held: int
    paused: int


@dataclass(frozen=True, slots=True)
class KindTotals:
    """The same for one kind; ``closed``: all that are no longer open."""

    kind: Kind
    open: int
    overdue: int
    closed: int


@dataclass(frozen=True, slots=True)
class Ended:
    """So many cases of a kind took so many whole days."""

    kind: Kind
    days: int
    count: int


async def by_due(
    tx: Tx,
    states: Collection[CaseState],
    limit: int,
    *,
    before: datetime | None = None,
    assignee: UserId | None = None,
) -> list[Case]:
    """Return cases in these states, soonest due first: due before a moment, or of one member of staff, if given."""
    wanted = sa.true() if before is None else table.c.due_at <= before
    wanted = wanted if assignee is None else wanted & (table.c.assignee == assignee)
    found: list[Case] = []
    for state in states:  # one at a time: then an index gives them in order, and nothing is sorted
        query = sa.select(table).where(table.c.state == state, wanted).order_by(table.c.due_at, table.c.id).limit(limit)
        found += [records.case(row) for row in (await tx.conn.execute(query)).mappings()]
    return sorted(found, key=attrgetter("due_at", "id"))[:limit]


async def newest(tx: Tx, limit: int) -> list[Case]:
    """Return the newest cases, whatever became of them."""
    return await cases.find(tx, sa.true(), limit)


async def by_reference(tx: Tx, reference: Reference) -> Case | None:
    """Return anybody's case by its reference."""
    found = await cases.find(tx, table.c.reference == reference)
    return found[0] if found else None


async def soonest(
    tx: Tx,
    state: CaseState,
    kinds: Collection[Kind],
    free_for: UserId,
    after: tuple[datetime, int] | None,
) -> Case | None:
    """Return the case of these kinds that is due first and that nobody else has; only beyond ``after`` (due, ID)."""
    mine = table.c.assignee.is_(None) | (table.c.assignee == free_for)
    wanted = (table.c.state == state) & table.c.kind.in_(list(kinds)) & mine
    if after is not None:
        due_at, id_ = after
        wanted &= (table.c.due_at > due_at) | ((table.c.due_at == due_at) & (table.c.id > id_))
    query = sa.select(table).where(wanted).order_by(table.c.due_at, table.c.id).limit(1)
    row = (await tx.conn.execute(query)).mappings().one_or_none()
    return None if row is None else records.case(row)


async def totals(tx: Tx, states: Collection[CaseState], now: datetime, soon: datetime) -> Totals:
    """Count the cases in these states, which are the open ones; ``soon``: until when a case is due soon."""
    running = table.c.state != CaseState.PAUSED
    columns = {
        "due_soon": running & (table.c.due_at >= now) & (table.c.due_at <= soon),
        "overdue": running & (table.c.due_at < now),
        "unassigned": table.c.assignee.is_(None),
        "held": table.c.state.in_((CaseState.HELD, CaseState.PARTIAL)),
        "paused": ~running,
    }
    counted = [_count(condition).label(name) for name, condition in columns.items()]
    query = sa.select(sa.func.count().label("open"), *counted).where(table.c.state.in_(list(states)))
    return Totals(**(await tx.conn.execute(query)).mappings().one())


async def totals_by_kind(tx: Tx, states: Collection[CaseState], now: datetime) -> list[KindTotals]:
    """Count cases by their kind; ``states`` are the open ones."""
    every = sa.select(table.c.kind, sa.func.count().label("n")).group_by(table.c.kind).order_by(table.c.kind)
    late = _count((table.c.due_at < now) & (table.c.state != CaseState.PAUSED)).label("overdue")
    open_ = sa.select(table.c.kind, sa.func.count().label("n"), late).where(table.c.state.in_(list(states)))
    waiting = {row.kind: row for row in await tx.conn.execute(open_.group_by(table.c.kind))}
    found = []
    for row in await tx.conn.execute(every):
        opened, overdue = (waiting[row.kind].n, waiting[row.kind].overdue) if row.kind in waiting else (0, 0)
        found.append(KindTotals(Kind(row.kind), opened, overdue, row.n - opened))
    return found


async def ended(tx: Tx) -> list[Ended]:
    """Return how long cases took: a histogram by kind and days, in that order."""
    query = (
        sa.select(table.c.kind, table.c.days, sa.func.count().label("n"))
        .where(table.c.days.is_not(None))
        .group_by(table.c.kind, table.c.days)
        .order_by(table.c.kind, table.c.days)
    )
    return [Ended(Kind(row.kind), row.days, row.n) for row in await tx.conn.execute(query)]


async def on_legal_hold(tx: Tx, person: UserId) -> bool:
    """Say whether any case of a person has a legal hold."""
    query = sa.select(sa.exists().where(table.c.person == person, table.c.legal_hold.is_(True)))
    return bool((await tx.conn.execute(query)).scalar_one())


async def received_between(tx: Tx, start: datetime, end: datetime) -> AsyncIterator[Case]:
    """Yield the cases that came in from ``start`` to before ``end`` in that order, some hundred in memory at a time."""
    wanted = (table.c.received_at >= start) & (table.c.received_at < end)
    beyond: sa.ColumnElement[bool] = sa.true()
    while True:
        query = sa.select(table).where(wanted, beyond).order_by(table.c.received_at, table.c.id).limit(_PAGE)
        page = [records.case(row) for row in (await tx.conn.execute(query)).mappings()]
        for case in page:
            yield case
        if len(page) < _PAGE:
            return
        last = page[-1]
        later = table.c.received_at > last.received_at
        beyond = later | ((table.c.received_at == last.received_at) & (table.c.id > last.id))


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    return sa.func.count(sa.case((condition, 1)))
