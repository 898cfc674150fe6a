"""Old cases are reduced to what the register needs, and everybody who is no longer needed is forgotten."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dpobot.model.ids import UserId
from dpobot.model.records import Case
from dpobot.model.words import JobState, Kind, Trust
from dpobot.store import cases
from dpobot.store.audit_rows import forget_actors
from dpobot.store.statements import change
from dpobot.store.tables import (
    alert,
    approval,
    assessment,
    case,
    case_file,
    case_message,
    download,
    erasure,
    erasure_notice,
    erasure_room,
    foreign_request,
    inbox,
    job,
    job_step,
    known_device,
    outbox,
    person,
    prompt,
    rectification,
    reminder,
    staff_thread,
    staff_upload,
    volume,
)
from dpobot.store.tx import Tx

NOBODY = UserId("expired")  # instead of a person; no user ID looks like it
# everything that hangs on a case, but the receipt of an erasure; what it refers to comes last
_OF_CASE = (
    case_message,
    case_file,
    staff_thread,
    staff_upload,
    approval,
    assessment,
    reminder,
    erasure,
    erasure_room,
    rectification,
    volume,
    download,
    erasure_notice,
    foreign_request,
    alert,
    outbox,
)


async def due(tx: Tx, before: datetime, limit: int) -> list[Case]:
    """Return cases that were over before a moment and are not reduced yet, oldest first.

    A legal hold keeps all cases of its person, as does an open case in which they ask for their data; a job that still
    has something to do keeps its case.
    """
    other = case.alias("other")
    asked = other.c.kind.in_((Kind.ACCESS, Kind.EXPORT)) & other.c.closed_at.is_(None)
    asked &= (other.c.trust == Trust.SIGNED) | other.c.verified_at.is_not(None)
    held = sa.exists().where(other.c.person == case.c.person, other.c.legal_hold.is_(True) | asked)
    busy = sa.exists().where(job.c.case_id == case.c.id, job.c.state.in_((JobState.WANTED, JobState.RUNNING)))
    old = case.c.expired_at.is_(None) & (case.c.closed_at < before)
    query = sa.select(case.c.id).where(old, ~held, ~busy).order_by(case.c.closed_at, case.c.id).limit(limit)
    return [await cases.get(tx, id_) for id_ in (await tx.conn.execute(query)).scalars()]


async def reduce(tx: Tx, found: Case, now: datetime) -> bool:
    """Leave of a case what the register needs, and delete all else that hangs on it; False if it has changed."""
    values: dict[str, Any] = {
        "person": NOBODY,
        "room_id": None,
        "event_id": None,
        "assignee": None,
        "options": {},
        "expired_at": now,
    }
    if not await cases.update(tx, found, values):
        return False
    await tx.conn.execute(sa.delete(job_step).where(job_step.c.job_id.in_(_jobs(found))))
    await tx.conn.execute(sa.delete(job).where(job.c.case_id == found.id))
    for table in _OF_CASE:
        await tx.conn.execute(sa.delete(table).where(table.c.case_id == found.id))
    await forget_actors(tx, found.id)
    return True


async def forget_people(tx: Tx, before: datetime, only: UserId | None = None) -> int:
    """Delete people met before a moment who have neither cases nor traces of a recent talk; return how many.

    With the questions that they were asked and the devices that we knew of them. ``only``: look at this person alone.
    """
    old = person.c.created_at < before
    old = old if only is None else old & (person.c.user_id == only)
    needed = (
        sa.exists().where(case.c.person == person.c.user_id),
        sa.exists().where(inbox.c.sender == person.c.user_id),
        sa.exists().where(outbox.c.user_id == person.c.user_id, outbox.c.state == "new"),
    )
    forgotten = sa.delete(person).where(old, *(~each for each in needed)).returning(person.c.user_id)
    gone = list((await tx.conn.execute(forgotten)).scalars())
    for first in range(0, len(gone), 500):
        some = gone[first : first + 500]
        await change(tx, sa.delete(prompt).where(prompt.c.person.in_(some)))
        await change(tx, sa.delete(known_device).where(known_device.c.user_id.in_(some)))
    return len(gone)


def _jobs(found: Case) -> sa.Select[Any]:
    return sa.select(job.c.id).where(job.c.case_id == found.id)
