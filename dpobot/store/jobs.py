"""Jobs and their finished steps. Every change is guarded by state and run token, and harmless to run again.

``run_token`` is the fence: it names one run of a job. Whoever holds an older one changes no row.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import heartbeats
from dpobot.store.statements import insert
from dpobot.store.tables import Moment, job_step
from dpobot.store.tables import job as table
from dpobot.store.tx import Tx

_ACTIVE = (JobState.WANTED, JobState.RUNNING)
_COLUMNS = (
    table.c.id,
    table.c.case_id,
    table.c.name,
    table.c.person,
    table.c.state,
    table.c.run_token,
    table.c.cancel,
    table.c.attempts,
    table.c.deaths,
    table.c.wake_at,
    table.c.progress,
    table.c.error,
)


class Standing(StrEnum):
    """How a run stands to its job."""

    OURS = "ours"
    CANCELLED = "cancelled"  # still ours, but it is to stop
    LOST = "lost"  # another run has it, or it is over


async def want(tx: Tx, *, case_id: int, name: str, person: str, wake_at: datetime, now: datetime) -> int:
    """Return the ID of the case's active job of that name, made now if there is none; it may start at ``wake_at``."""
    values = {
        "case_id": case_id,
        "name": name,
        "person": person,
        "state": JobState.WANTED,
        "wake_at": wake_at,
        "progress": {},
        "created_at": now,
        "updated_at": now,
    }
    new = insert(tx, table).values(values).on_conflict_do_nothing().returning(table.c.id)
    active = sa.select(table.c.id).where(table.c.case_id == case_id, table.c.name == name, table.c.state.in_(_ACTIVE))
    while True:  # the active job that was in the way may end before it is read: then it is our turn
        for statement in (new, active):
            found = (await tx.conn.execute(statement)).scalar()
            if found is not None:
                return int(found)


async def get(tx: Tx, job_id: int) -> Job | None:
    """Return a job."""
    row = (await tx.conn.execute(sa.select(*_COLUMNS).where(table.c.id == job_id))).mappings().one_or_none()
    return None if row is None else _job(row)


async def of_case(tx: Tx, case_id: int) -> list[Job]:
    """Return a case's jobs, oldest first."""
    found = sa.select(*_COLUMNS).where(table.c.case_id == case_id).order_by(table.c.id)
    return [_job(row) for row in (await tx.conn.execute(found)).mappings()]


async def waiting_of(tx: Tx, job_ids: Collection[int]) -> list[Job]:
    """Return those of these jobs that wait."""
    found = sa.select(*_COLUMNS).where(table.c.id.in_(job_ids), table.c.state == JobState.WANTED)
    return [_job(row) for row in (await tx.conn.execute(found)).mappings()]


async def active(tx: Tx, case_id: int, name: str) -> bool:
    """Say whether a case has a job of that name that waits or runs."""
    mine = (table.c.case_id == case_id) & (table.c.name == name) & table.c.state.in_(_ACTIVE)
    return bool((await tx.conn.execute(sa.select(sa.exists().where(mine)))).scalar_one())


async def supersede(tx: Tx, case_id: int, name: str, now: datetime) -> None:
    """End a case's active job of that name: a run of it is shut out, and a new one begins from the beginning."""
    mine = (table.c.case_id == case_id) & (table.c.name == name) & table.c.state.in_(_ACTIVE)
    over = sa.update(table).where(mine).values(state=JobState.CANCELLED, run_token=None, updated_at=now)
    await tx.conn.execute(over)


async def count_running(tx: Tx, name: str) -> int:
    """Return how many jobs of a name run now, on all machines."""
    running = sa.select(sa.func.count()).where(table.c.state == JobState.RUNNING, table.c.name == name)
    return int((await tx.conn.execute(running)).scalar_one())


async def due(tx: Tx, now: datetime, limit: int, names: Collection[str]) -> list[Job]:
    """Return jobs that wait and whose time has come, longest due first.

    Only of these ``names`` and of persons who have none running; those that are to be cancelled always.
    """
    other = table.alias("other")
    busy = sa.exists().where(other.c.person == table.c.person, other.c.state == JobState.RUNNING.value)
    found = (
        sa.select(*_COLUMNS)
        .where(table.c.state == JobState.WANTED, table.c.wake_at <= now)
        .where(table.c.cancel | (table.c.name.in_(names) & ~busy))
        .order_by(table.c.wake_at, table.c.id)
        .limit(limit)
    )
    return [_job(row) for row in (await tx.conn.execute(found)).mappings()]


async def next_wake(tx: Tx, now: datetime) -> datetime | None:
    """Return when the next job that isn't due yet will be."""
    soonest = sa.select(sa.func.min(table.c.wake_at)).where(table.c.state == JobState.WANTED, table.c.wake_at > now)
    found: datetime | None = (await tx.conn.execute(soonest)).scalar()
    return found


async def names_wanted(tx: Tx) -> frozenset[str]:
    """Return the names of the jobs that wait."""
    waiting = sa.select(table.c.name).where(table.c.state == JobState.WANTED).distinct()
    return frozenset((await tx.conn.execute(waiting)).scalars())


async def admit(tx: Tx, job_id: int, *, name: str, run_token: str, at_once: int, now: datetime) -> Job | None:
    """Let a due job run under ``run_token``.

    None means later: it isn't due or wanted any more, its person has one running, or ``at_once`` of its name do.
    """
    if tx.conn.dialect.name == "postgresql":  # two machines must not both count before either has written
        await tx.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"dpobot job {name}"))))
    mine = sa.select(*_COLUMNS).where(
        table.c.id == job_id, table.c.run_token == run_token, table.c.state == JobState.RUNNING
    )
    already = (await tx.conn.execute(mine)).mappings().one_or_none()  # an ambiguous COMMIT is run again
    if already is not None:
        return _job(already)
    if await count_running(tx, name) >= at_once:
        return None
    start = (
        sa.update(table)
        .where(table.c.id == job_id, table.c.name == name, table.c.state == JobState.WANTED, table.c.wake_at <= now)
        .values(state=JobState.RUNNING, run_token=run_token, updated_at=now, **heartbeats.first(tx))
        .returning(*_COLUMNS)
    )
    try:
        async with tx.conn.begin_nested():
            row = (await tx.conn.execute(start)).mappings().one_or_none()
    except IntegrityError:  # uq_job_person_running
        return None
    return None if row is None else _job(row)


async def standing(tx: Tx, job_id: int, run_token: str) -> Standing:
    """Return whether a run still has its job."""
    row = (await tx.conn.execute(sa.select(table.c.cancel).where(*_ours(job_id, run_token)))).one_or_none()
    if row is None:
        return Standing.LOST
    return Standing.CANCELLED if row.cancel else Standing.OURS


async def steps_of(tx: Tx, job_id: int) -> dict[str, Mapping[str, Any]]:
    """Return the results of a job's finished steps by name."""
    rows = await tx.conn.execute(sa.select(job_step.c.name, job_step.c.result).where(job_step.c.job_id == job_id))
    return {row.name: row.result for row in rows}


async def checkpoint(
    tx: Tx,
    job_id: int,
    run_token: str,
    *,
    step: str,
    result: Mapping[str, Any],
    progress: Mapping[str, Any] | None,
    now: datetime,
) -> Standing:
    """Note that a step is finished, unless the run has lost its job or is to stop: then nothing changes.

    ``progress`` None leaves what is there. A finished step ends a row of failures: ``attempts`` begins again.
    """
    values: dict[str, Any] = {"updated_at": now, "attempts": 0, "error": None}
    if progress is not None:
        values["progress"] = dict(progress)
    changed = await tx.conn.execute(
        sa.update(table).where(*_ours(job_id, run_token), sa.not_(table.c.cancel)).values(values)
    )
    if changed.rowcount == 0:
        return await standing(tx, job_id, run_token)
    row = {"job_id": job_id, "name": step, "result": dict(result), "at": now}
    await tx.conn.execute(insert(tx, job_step).values(row).on_conflict_do_nothing())
    return Standing.OURS


async def finish(tx: Tx, job_id: int, run_token: str, state: JobState, error: str | None, now: datetime) -> Job | None:
    """End a run's job and return it; None if it is over already or another run has it."""
    return await _change(tx, _ours(job_id, run_token), state=state, error=error, updated_at=now)


async def retry_later(tx: Tx, job_id: int, run_token: str, wake_at: datetime, error: str, now: datetime) -> Job | None:
    """Put a run's job back until ``wake_at`` and count a failure; None if it isn't ours or is to be cancelled."""
    return await _change(
        tx,
        (*_ours(job_id, run_token), sa.not_(table.c.cancel)),
        state=JobState.WANTED,
        run_token=None,
        attempts=table.c.attempts + 1,
        wake_at=wake_at,
        error=error,
        updated_at=now,
    )


async def postpone(tx: Tx, job_id: int, run_token: str, wake_at: datetime, error: str, now: datetime) -> Job | None:
    """Put a run's job back until ``wake_at``, no failure counted; None if it isn't ours or is to be cancelled."""
    guard = (*_ours(job_id, run_token), sa.not_(table.c.cancel))
    return await _change(tx, guard, state=JobState.WANTED, run_token=None, wake_at=wake_at, error=error, updated_at=now)


async def put_back(tx: Tx, job_id: int, run_token: str, wake_at: datetime, now: datetime) -> Job | None:
    """Put a run's job back until ``wake_at`` as if it had not begun; finished steps stay finished."""
    return await _change(
        tx, _ours(job_id, run_token), state=JobState.WANTED, run_token=None, wake_at=wake_at, updated_at=now
    )


async def take_over(tx: Tx, now: datetime, pauses: Sequence[timedelta] = ()) -> list[int]:
    """Put back EVERY running job and shut its run out; only for the start of the one process that runs jobs.

    ``pauses``: see `heartbeats.died`.
    """
    dead = sa.update(table).where(table.c.state == JobState.RUNNING).values(**heartbeats.died(now, pauses))
    return sorted((await tx.conn.execute(dead.returning(table.c.id))).scalars())


async def request_cancel(tx: Tx, case_id: int, now: datetime) -> list[int]:
    """Ask a case's active jobs to stop and return their IDs; hand these to ``Engine.cancel`` after the transaction."""
    flagged = (
        sa.update(table)
        .where(table.c.case_id == case_id, table.c.state.in_(_ACTIVE))
        # one that waits for a later hour must not wait with being cancelled
        .values(
            cancel=True,
            updated_at=now,
            wake_at=sa.case((table.c.state == JobState.WANTED, sa.literal(now, Moment())), else_=table.c.wake_at),
        )
        .returning(table.c.id)
    )
    return sorted((await tx.conn.execute(flagged)).scalars())


async def cancel_waiting(tx: Tx, job_id: int, now: datetime) -> Job | None:
    """End a job that is to be cancelled and doesn't run; None if it runs or is over."""
    waiting = (table.c.id == job_id, table.c.state == JobState.WANTED, table.c.cancel)
    return await _change(tx, waiting, state=JobState.CANCELLED, error=None, updated_at=now)


def _ours(job_id: int, run_token: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (table.c.id == job_id, table.c.run_token == run_token, table.c.state == JobState.RUNNING)


async def _change(tx: Tx, guard: Collection[sa.ColumnElement[bool]], **values: Any) -> Job | None:
    changed = sa.update(table).where(*guard).values(**values).returning(*_COLUMNS)
    row = (await tx.conn.execute(changed)).mappings().one_or_none()
    return None if row is None else _job(row)


def _job(row: sa.RowMapping) -> Job:
    return Job(**{**row, "state": JobState(row["state"])})
