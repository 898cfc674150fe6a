"""What has been said unasked about a case, so that it is said once; and of which cases something is to be said.

Names that begin with ``due`` or ``overdue`` hang on the day by which a case is due: they count anew when it moves.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.records import Case
from dpobot.model.words import CaseState
from dpobot.store import cases
from dpobot.store.statements import insert_new
from dpobot.store.tables import case, reminder
from dpobot.store.tx import Tx


async def note(tx: Tx, case_id: int, what: str, now: datetime) -> bool:
    """Note that something is said about a case; True the first time only."""
    return await insert_new(tx, reminder, {"case_id": case_id, "what": what, "at": now})


async def received_before(tx: Tx, what: str, before: datetime, states: Collection[CaseState], limit: int) -> list[Case]:
    """Return cases in these states that came in before a moment and of which ``what`` has not been said."""
    return await cases.find(tx, case.c.state.in_(list(states)) & (case.c.received_at <= before) & _unsaid(what), limit)


async def due_before(tx: Tx, what: str, before: datetime, states: Collection[CaseState], limit: int) -> list[Case]:
    """Return cases in these states that are due before a moment and of which ``what`` has not been said."""
    return await cases.find(tx, case.c.state.in_(list(states)) & (case.c.due_at <= before) & _unsaid(what), limit)


async def unacknowledged_before(
    tx: Tx, what: str, before: datetime, states: Collection[CaseState], limit: int
) -> list[Case]:
    """Return complaints in these states whose acknowledgement is due before a moment and has not been given."""
    late = (case.c.acknowledge_by <= before) & case.c.answered_at.is_(None)
    return await cases.find(tx, case.c.state.in_(list(states)) & late & _unsaid(what), limit)


async def due_moved(tx: Tx, case_id: int) -> None:
    """Forget what was said about a case's old due date."""
    old = reminder.c.what.like("due%") | reminder.c.what.like("overdue%")
    await tx.conn.execute(sa.delete(reminder).where(reminder.c.case_id == case_id, old))


async def forget(tx: Tx, case_id: int) -> None:
    """Delete what was said about a case."""
    await tx.conn.execute(sa.delete(reminder).where(reminder.c.case_id == case_id))


def _unsaid(what: str) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(reminder.c.case_id == case.c.id, reminder.c.what == what)
