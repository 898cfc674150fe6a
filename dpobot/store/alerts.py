"""What staff must look at: one row a matter, however often it is noticed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dpobot.model.words import CaseState, JobState
from dpobot.store.statements import change, insert_new
from dpobot.store.tables import alert as table
from dpobot.store.tables import case, job, volume
from dpobot.store.tx import Tx

_CARRY_OUT = ("export", "erase", "restrict", "rectify")
_PARTIAL = "erasure_partial"  # an erasure that has ended without having done everything
_CAP = "daily_cap"  # the alert of an erasure that waits because enough have begun today
RESTORED = "restored"  # the database was put back from a backup: nobody can do anything about it but know
_RESTORED_OPEN = timedelta(days=7)
_BY_THE_WAY = ("survey", "verify_erasure", "lift")


@dataclass(frozen=True, slots=True)
class Alert:
    """One open matter. ``code`` is a stable name, ``key`` makes it one."""

    id: int
    key: str
    code: str
    case_id: int | None
    at: datetime


async def open(tx: Tx, *, key: str, code: str, now: datetime, case_id: int | None = None) -> bool:  # noqa: A001 - read as alerts.open
    """Open an alert; False if one of that key exists, also if it is closed."""
    return await insert_new(tx, table, {"key": key, "code": code, "case_id": case_id, "at": now})


async def close(tx: Tx, key: str, now: datetime) -> bool:
    """Close an alert; False if there was nothing to close."""
    row = sa.update(table).where(table.c.key == key, table.c.closed_at.is_(None))
    return await change(tx, row.values(closed_at=now)) == 1


async def list_open(tx: Tx) -> list[Alert]:
    """Return open alerts, oldest first."""
    columns = (table.c.id, table.c.key, table.c.code, table.c.case_id, table.c.at)
    query = sa.select(*columns).where(table.c.closed_at.is_(None)).order_by(table.c.id)
    return [Alert(**row) for row in (await tx.conn.execute(query)).mappings()]


async def settle(tx: Tx, now: datetime) -> int:
    """Close alerts about the end of jobs that nobody need look at any more; return how many.

    Those of work that carries a case out, when it is neither stopped nor partial any more: somebody has decided. Those
    of taking an archive back, when a later run has done it, or when the case has moved on and nothing of the archive is
    left on the homeserver. Those of counting, checking and lifting, when a later run has done it, or the case is over.
    Those of an erasure that waits for its turn, when it has come. That of a restored database, after a week.
    """
    about = (job.c.case_id == table.c.case_id) & (case.c.id == job.c.case_id) & table.c.key.in_(_keys())
    decided = job.c.name.in_(_CARRY_OUT) & case.c.state.not_in((CaseState.HELD, CaseState.PARTIAL))
    taken_back = (job.c.name == "expire") & (_done_later() | (~_volumes_left() & (case.c.state != CaseState.DELIVERED)))
    repeated = job.c.name.in_(_BY_THE_WAY) & (_done_later() | case.c.closed_at.is_not(None))
    over = sa.exists().where(about, decided | taken_back | repeated)
    retried = (table.c.code == _PARTIAL) & sa.exists().where(
        case.c.id == table.c.case_id, case.c.state != CaseState.PARTIAL
    )
    its_turn = (table.c.code == _CAP) & sa.exists().where(
        case.c.id == table.c.case_id, case.c.state != CaseState.APPROVED
    )
    known = (table.c.code == RESTORED) & (table.c.at < now - _RESTORED_OPEN)
    ended = over | retried | its_turn | known
    return await change(tx, sa.update(table).where(table.c.closed_at.is_(None), ended).values(closed_at=now))


def _keys() -> list[sa.ColumnElement[str]]:
    """Return the keys that the engine gives alerts about a job's end."""
    key = sa.literal("job:") + sa.cast(job.c.id, sa.String) + ":"
    return [key + JobState.HELD, key + JobState.FAILED]


def _done_later() -> sa.Exists:
    later = job.alias("later")
    same = (later.c.case_id == job.c.case_id) & (later.c.name == job.c.name) & (later.c.id > job.c.id)
    return sa.exists().where(same, later.c.state == JobState.DONE).correlate(job)


def _volumes_left() -> sa.Exists:
    left = volume.c.mxc.is_not(None) & volume.c.deleted_at.is_(None)
    return sa.exists().where(volume.c.case_id == job.c.case_id, left).correlate(job)
