"""Which running jobs have a living machine: heartbeats in their rows, by the one clock that all machines share.

PostgreSQL only: on SQLite one process runs the jobs, and its next start knows that none of them runs.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dpobot.model.words import JobState
from dpobot.store.tables import Moment
from dpobot.store.tables import job as table
from dpobot.store.tx import Tx

_NOW: sa.ColumnElement[datetime] = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
_LAST = sa.type_coerce(table.c.heartbeat_at, sa.DateTime(timezone=True))


def first(tx: Tx) -> dict[str, Any]:
    """Return what a job's row says of heartbeats when a run begins."""
    return {"heartbeat_at": _NOW} if tx.conn.dialect.name == "postgresql" else {}


async def beat(tx: Tx, run_tokens: Collection[str]) -> frozenset[str]:
    """Say that these runs live; return those that still have their job."""
    ours = (table.c.run_token.in_(run_tokens), table.c.state == JobState.RUNNING)
    alive = sa.update(table).where(*ours).values(heartbeat_at=_NOW).returning(table.c.run_token)
    return frozenset((await tx.conn.execute(alive)).scalars())


def died(now: datetime, pauses: Sequence[timedelta]) -> dict[str, Any]:
    """Return what a running job's row says when its machine has died: it is wanted again, and the death is counted.

    After the first death it waits for the first of ``pauses``, and so on; after more of them not at all.
    """
    after = [(table.c.deaths == count, sa.literal(now + pause, Moment())) for count, pause in enumerate(pauses)]
    wake_at = sa.case(*after, else_=sa.literal(now, Moment())) if after else now
    return {
        "state": JobState.WANTED,
        "run_token": None,
        "deaths": table.c.deaths + 1,
        "wake_at": wake_at,
        "updated_at": now,
    }


async def put_back_silent(tx: Tx, silent: timedelta, now: datetime, pauses: Sequence[timedelta] = ()) -> list[int]:
    """Put back every running job of which nobody has said for so long that it lives, and shut its run out.

    A run without any heartbeat began before there were any: it is put back, too. ``pauses``: see `died`.
    """
    dead = sa.or_(table.c.heartbeat_at.is_(None), _LAST + sa.cast(silent, sa.Interval) < _NOW)
    put_back = sa.update(table).where(table.c.state == JobState.RUNNING, dead).values(**died(now, pauses))
    return sorted((await tx.conn.execute(put_back.returning(table.c.id))).scalars())


async def count_running(tx: Tx) -> dict[str, int]:
    """Return how many jobs of each name run now, on all machines."""
    counted = (
        sa.select(table.c.name, sa.func.count().label("running"))
        .where(table.c.state == JobState.RUNNING)
        .group_by(table.c.name)
    )
    return {row.name: row.running for row in await tx.conn.execute(counted)}
