"""What the check says of the work: deadlines, alerts, jobs and machines. On SQLite and PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from dpobot.check import work
from dpobot.check.finding import Answer, Standing
from dpobot.model.ids import UserId
from dpobot.model.words import CaseState, Channel, JobState, Kind, Trust
from dpobot.store import alerts, cases, jobs
from dpobot.store.database import Database, Tx
from dpobot.store.tables import job as table
from tests.unit.check.places import NOW, named, place

ANNA = UserId("@anna:example.org")
MINUTE = timedelta(minutes=1)


async def _case(tx: Tx, number: int = 1, due: timedelta = timedelta(days=20)) -> int:
    values = {
        "reference": f"DPO-2026-{number:04d}",
        "person": ANNA,
        "kind": Kind.EXPORT,
        "state": CaseState.WORKING,
        "channel": Channel.MATRIX,
        "trust": Trust.SIGNED,
        "options": {},
        "received_at": NOW - timedelta(days=10),
        "due_at": NOW + due,
        "updated_at": NOW,
    }
    return (await cases.add(tx, values)).id


async def _overdue(tx: Tx) -> None:
    await _case(tx, due=-MINUTE)


async def _due_soon(tx: Tx) -> None:
    await _case(tx, due=timedelta(days=2))


async def _alert(tx: Tx) -> None:
    await alerts.open(tx, key="job_unknown:x", code="job_unknown", now=NOW - timedelta(days=2))


async def _failed(tx: Tx) -> None:
    job = await jobs.want(tx, case_id=await _case(tx), name="export", person=ANNA, wake_at=NOW, now=NOW)
    await jobs.admit(tx, job, name="export", run_token="a", at_once=9, now=NOW)
    await jobs.finish(tx, job, "a", JobState.FAILED, "http_500", NOW)


async def _nobody_works(tx: Tx) -> None:
    early = NOW - 16 * MINUTE
    await jobs.want(tx, case_id=await _case(tx), name="export", person=ANNA, wake_at=early, now=early)


async def _one_works(tx: Tx) -> None:
    await _nobody_works(tx)
    early = NOW - 20 * MINUTE
    other = await jobs.want(tx, case_id=await _case(tx, 2), name="survey", person=ANNA, wake_at=early, now=early)
    await jobs.admit(tx, other, name="survey", run_token="a", at_once=9, now=NOW)


async def _look(database: Database, name: str) -> Answer:
    return await named(work.CHECKS, name).look(place(database=database))


async def test_nothing_to_do_is_fine(database: Database) -> None:
    """Whatever the database: the one of the tests gives up safety for speed, and that is told."""
    found = {check.name: (await check.look(place(database=database))).standing for check in work.CHECKS}
    unsafe = found.pop("database settings")
    assert set(found.values()) == {Standing.OK}
    assert unsafe is (Standing.FAILED if "postgresql" in repr(database) else Standing.OK)


@pytest.mark.parametrize(
    ("happens", "name", "standing", "said"),
    [
        (_overdue, "deadlines", Standing.FAILED, "time for an answer is over: 1"),
        (_due_soon, "deadlines", Standing.WARNING, "due within 3 days: 1"),
        (_alert, "alerts", Standing.WARNING, "look at: 1, the oldest since 2026-11-21"),
        (_failed, "jobs", Standing.WARNING, "failed: 1"),
        (_nobody_works, "machines", Standing.FAILED, "15 minutes ago: 1, and none runs"),
        (_one_works, "machines", Standing.OK, "jobs that run: 1, that wait for their turn: 1"),
    ],
)
async def test_what_is_late_or_has_stopped_is_told(
    happens: Callable[[Tx], Awaitable[None]], name: str, standing: Standing, said: str, database: Database
) -> None:
    """With a number, and with what to do."""
    await database.write(happens)
    answer = await _look(database, name)
    assert (answer.standing, said in answer.sentence, bool(answer.cure)) == (
        standing,
        True,
        standing is not Standing.OK,
    )


async def test_a_silent_machine_is_told(migrated_url: str, database: Database) -> None:
    """By the clock of PostgreSQL; on SQLite one process runs the jobs, and nobody beats."""

    async def silence(tx: Tx) -> None:
        await _one_works(tx)
        await tx.conn.execute(sa.update(table).values(heartbeat_at=datetime(2026, 1, 1, tzinfo=UTC)))

    await database.write(silence)
    wanted = Standing.FAILED if migrated_url.startswith("postgresql") else Standing.OK
    assert (await _look(database, "machines")).standing is wanted
