"""What has been said unasked about a case, so that it is said once; and of which cases something is to be said.

Names that begin with ``due`` or ``overdue`` hang on the day by which a case is due: they count anew when it moves.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from operator import attrgetter

import sqlalchemy as sa

from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel
from dpobot.store import records
from dpobot.store.alerts import Alert
from dpobot.store.statements import insert_new
from dpobot.store.tables import alert, case, reminder
from dpobot.store.tx import Tx

_ACKNOWLEDGED_WITHIN = timedelta(days=62)  # of receipt: far beyond what any law gives; bounds a search


async def note(tx: Tx, case_id: int, what: str, now: datetime) -> bool:
    """Note that something is said about a case; True the first time only."""
    return await insert_new(tx, reminder, {"case_id": case_id, "what": what, "at": now})


async def received(
    tx: Tx, states: Collection[CaseState], start: datetime, end: datetime, unsaid: str, limit: int
) -> list[Case]:
    """Return cases that came in from ``start`` to before ``end`` and of which ``unsaid`` has not been, oldest first."""
    between = (case.c.received_at >= start) & (case.c.received_at < end)
    return await _first(tx, states, "received_at", between & _unsaid(unsaid), limit)


async def due(
    tx: Tx, states: Collection[CaseState], start: datetime | None, end: datetime | None, unsaid: str | None, limit: int
) -> list[Case]:
    """Return cases that are due from ``start`` to before ``end``, soonest first; None: without that bound."""
    wanted = sa.true() if start is None else case.c.due_at >= start
    wanted = wanted if end is None else wanted & (case.c.due_at < end)
    return await _first(tx, states, "due_at", wanted if unsaid is None else wanted & _unsaid(unsaid), limit)


async def to_acknowledge(
    tx: Tx, states: Collection[CaseState], start: datetime, end: datetime, unsaid: str, limit: int
) -> list[Case]:
    """Return cases whose acknowledgement is due from ``start`` to before ``end`` and has not been given, oldest first.

    What came over Matrix is none of them: the bot acknowledged it at once.
    """
    between = (case.c.acknowledge_by >= start) & (case.c.acknowledge_by < end)
    bounded = case.c.received_at > start - _ACKNOWLEDGED_WITHIN
    waiting = case.c.answered_at.is_(None) & case.c.channel.not_in([Channel.MATRIX, Channel.FEDERATION])
    return await _first(tx, states, "received_at", bounded & between & waiting & _unsaid(unsaid), limit)


async def alerts_untold(tx: Tx, limit: int) -> list[Alert]:
    """Return open alerts about cases that have not been told in the case's thread, oldest first."""
    name = sa.literal("alert") + sa.cast(alert.c.id, sa.String)
    told = sa.exists().where(reminder.c.case_id == alert.c.case_id, reminder.c.what == name)
    columns = (alert.c.id, alert.c.key, alert.c.code, alert.c.case_id, alert.c.at)
    query = sa.select(*columns).where(alert.c.closed_at.is_(None), alert.c.case_id.is_not(None), ~told)
    return [Alert(**row) for row in (await tx.conn.execute(query.order_by(alert.c.id).limit(limit))).mappings()]


async def due_moved(tx: Tx, case_id: int) -> None:
    """Forget what was said about a case's old due date."""
    old = reminder.c.what.like("due%") | reminder.c.what.like("overdue%")
    await tx.conn.execute(sa.delete(reminder).where(reminder.c.case_id == case_id, old))


async def unsay(tx: Tx, case_id: int, what: str) -> None:
    """Forget one thing that was said about a case, so that it is said again when its time comes anew."""
    await tx.conn.execute(sa.delete(reminder).where(reminder.c.case_id == case_id, reminder.c.what == what))


async def forget(tx: Tx, case_id: int) -> None:
    """Delete what was said about a case."""
    await tx.conn.execute(sa.delete(reminder).where(reminder.c.case_id == case_id))


async def _first(
    tx: Tx, states: Collection[CaseState], order: str, condition: sa.ColumnElement[bool], limit: int
) -> list[Case]:
    """Ask for one state at a time: then the index gives them in order, and nothing is sorted."""
    found: list[Case] = []
    for state in states:
        query = sa.select(case).where(case.c.state == state, condition).order_by(case.c[order]).limit(limit)
        found += [records.case(row) for row in (await tx.conn.execute(query)).mappings()]
    return sorted(found, key=attrgetter(order, "id"))[:limit]


def _unsaid(what: str) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(reminder.c.case_id == case.c.id, reminder.c.what == what)
