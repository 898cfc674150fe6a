"""How much of everything there is, for whoever watches the service: a few counts over indexes, and nobody's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dpobot.model.words import CaseState, JobState
from dpobot.store.tables import alert, case, erasure_notice, inbox, job, letter, outbox
from dpobot.store.tx import Tx

_LIVE = (JobState.WANTED, JobState.RUNNING, JobState.FAILED, JobState.HELD)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of things to be done: how many, and since when the oldest waits."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Gauges:
    """The state of the service at a moment. Nothing in it belongs to one person or one case."""

    at: datetime
    cases: Mapping[tuple[str, str], int]  # by kind and state
    due_within: Mapping[int, int]  # cases that wait for an answer and are due within so many days, not overdue
    overdue: int
    unanswered_since: datetime | None  # when the oldest case came in that nobody has answered
    jobs: Mapping[tuple[str, str], int]  # by name and state; those that are done or cancelled are left out
    alerts: Waiting
    inbox: Waiting
    undecryptable: int
    outbox: Waiting
    unsent: int  # messages that were given up
    letters: Waiting
    notices: Mapping[str, int]  # erasure notices by state


async def read(tx: Tx, now: datetime, running: Sequence[CaseState], days: Sequence[int]) -> Gauges:
    """Count everything once. ``running``: states in which the time for an answer runs."""
    overdue, within = await _due(tx, now, running, days)
    return Gauges(
        at=now,
        cases=await _cases(tx),
        due_within=within,
        overdue=overdue,
        unanswered_since=await _unanswered(tx, running),
        jobs=await _jobs(tx),
        alerts=await _line(tx, alert.c.at, alert.c.closed_at.is_(None)),
        inbox=await _line(tx, inbox.c.received_at, inbox.c.state == "new"),
        undecryptable=await _count(tx, inbox, inbox.c.state == "waiting"),
        outbox=await _line(tx, outbox.c.created_at, outbox.c.state == "new"),
        unsent=await _count(tx, outbox, outbox.c.state == "failed"),
        letters=await _line(tx, letter.c.created_at, letter.c.state == "new"),
        notices=await _notices(tx),
    )


async def _cases(tx: Tx) -> dict[tuple[str, str], int]:
    query = sa.select(case.c.kind, case.c.state, sa.func.count().label("n")).group_by(case.c.kind, case.c.state)
    return {(row.kind, row.state): row.n for row in await tx.conn.execute(query)}


async def _due(tx: Tx, now: datetime, running: Sequence[CaseState], days: Sequence[int]) -> tuple[int, dict[int, int]]:
    """Return how many are overdue, and how many are due within each number of days from now."""
    late = _when(case.c.due_at < now).label("late")
    soon = [
        _when((case.c.due_at >= now) & (case.c.due_at <= now + timedelta(days=day))).label(f"days_{day}")
        for day in days
    ]
    last = now + timedelta(days=max(days))
    query = sa.select(late, *soon).where(case.c.state.in_(list(running)), case.c.due_at <= last)
    row = (await tx.conn.execute(query)).mappings().one()
    return int(row["late"]), {day: int(row[f"days_{day}"]) for day in days}


async def _unanswered(tx: Tx, running: Sequence[CaseState]) -> datetime | None:
    query = sa.select(sa.func.min(case.c.received_at)).where(
        case.c.state.in_(list(running)), case.c.answered_at.is_(None)
    )
    found: datetime | None = await tx.conn.scalar(query)
    return found


async def _jobs(tx: Tx) -> dict[tuple[str, str], int]:
    query = sa.select(job.c.name, job.c.state, sa.func.count().label("n")).where(job.c.state.in_(list(_LIVE)))
    return {(row.name, row.state): row.n for row in await tx.conn.execute(query.group_by(job.c.name, job.c.state))}


async def _notices(tx: Tx) -> dict[str, int]:
    query = sa.select(erasure_notice.c.state, sa.func.count().label("n")).group_by(erasure_notice.c.state)
    return {row.state: row.n for row in await tx.conn.execute(query)}


async def _line(tx: Tx, since: sa.Column[datetime], wanted: sa.ColumnElement[bool]) -> Waiting:
    row = (await tx.conn.execute(sa.select(sa.func.count(), sa.func.min(since)).where(wanted))).one()
    return Waiting(int(row[0]), row[1])


async def _count(tx: Tx, table: sa.Table, wanted: sa.ColumnElement[bool]) -> int:
    return int((await tx.conn.execute(sa.select(sa.func.count()).select_from(table).where(wanted))).scalar_one())


def _when(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))
