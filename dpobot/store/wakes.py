"""When waiting jobs may start, where a person's word changes that."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import UserId
from dpobot.model.words import JobState
from dpobot.store.statements import change
from dpobot.store.tables import job as table
from dpobot.store.tx import Tx


async def no_later_than(tx: Tx, job_id: int, at: datetime) -> None:
    """Let a job that waits for a later moment start at ``at``; others stay as they are."""
    later = (table.c.id == job_id) & (table.c.state == JobState.WANTED) & (table.c.wake_at > at)
    await tx.conn.execute(sa.update(table).where(later).values(wake_at=at, updated_at=at))


async def for_people(tx: Tx, people: Collection[UserId], error: str, now: datetime) -> int:
    """Let the jobs of these people that wait because of ``error`` start now; return how many those are."""
    waiting = (table.c.person.in_(list(people))) & (table.c.state == JobState.WANTED) & (table.c.error == error)
    return await change(tx, sa.update(table).where(waiting, table.c.wake_at > now).values(wake_at=now, updated_at=now))


async def for_error(tx: Tx, error: str, now: datetime) -> int:
    """Let all jobs that wait because of ``error`` start now; return how many those are."""
    waiting = (table.c.state == JobState.WANTED) & (table.c.error == error) & (table.c.wake_at > now)
    return await change(tx, sa.update(table).where(waiting).values(wake_at=now, updated_at=now))
