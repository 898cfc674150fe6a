"""When waiting jobs may start, where a person's word changes that."""

from datetime import datetime

import sqlalchemy as sa

from dpobot.model.words import JobState
from dpobot.store.tables import job as table
from dpobot.store.tx import Tx


async def no_later_than(tx: Tx, job_id: int, at: datetime) -> None:
    """Let a job that waits for a later moment start at ``at``; others stay as they are."""
    later = (table.c.id == job_id) & (table.c.state == JobState.WANTED) & (table.c.wake_at > at)
    await tx.conn.execute(sa.update(table).where(later).values(wake_at=at, updated_at=at))
