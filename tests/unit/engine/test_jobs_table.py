"""The job table: guards, fences and limits, on both databases."""

from datetime import datetime, timedelta

import pytest

from dpobot.model.words import JobState
from dpobot.store import jobs
from dpobot.store.database import Database
from dpobot.store.jobs import Standing
from tests.unit.engine.rows import START, add_case, row, want

LATER = START + timedelta(hours=1)


async def admit(
    database: Database, job_id: int, run: str = "t1", at_once: int = 10, name: str = "export", now: datetime = START
) -> bool:
    admitted = await database.write(
        lambda tx: jobs.admit(tx, job_id, name=name, run_token=run, at_once=at_once, now=now)
    )
    return admitted is not None


async def checkpoint(database: Database, job_id: int, token: str, step: str = "one") -> Standing:
    return await database.write(
        lambda tx: jobs.checkpoint(tx, job_id, token, step=step, result={"count": 3}, progress={"done": 1}, now=START)
    )


async def test_wanting_twice_gives_the_same_job(database: Database) -> None:
    """A case has at most one active job of a name; another name or an ended job makes a new one."""
    case_id = await database.write(lambda tx: add_case(tx, 1, "@a:example.org"))

    async def wanted(name: str) -> int:
        return await database.write(
            lambda tx: jobs.want(tx, case_id=case_id, name=name, person="@a:example.org", wake_at=START, now=START)
        )

    first = await wanted("export")
    assert await wanted("export") == first
    assert await wanted("erase") != first
    await admit(database, first)
    assert await wanted("export") == first
    await database.write(lambda tx: jobs.finish(tx, first, "t1", JobState.DONE, None, START))
    second = await wanted("export")
    assert second != first
    names = [(job.name, job.state) for job in await database.read(lambda tx: jobs.of_case(tx, case_id))]
    assert names == [
        ("export", JobState.DONE),
        ("erase", JobState.WANTED),
        ("export", JobState.WANTED),
    ]


async def test_a_person_has_one_running_job(database: Database) -> None:
    """The second job of a person waits until the first is over; other persons don't."""
    first, second = [await want(database, n, person="@a:example.org") for n in (1, 2)]
    other = await want(database, 3)
    assert [await admit(database, job) for job in (first, second, other)] == [True, False, True]
    await database.write(lambda tx: jobs.finish(tx, first, "t1", JobState.DONE, None, START))
    assert await admit(database, second)


async def test_a_name_has_so_many_at_once(database: Database) -> None:
    """The limit counts running jobs of that name only."""
    exports = [await want(database, n) for n in (1, 2, 3)]
    erasure = await want(database, 4, name="erase")
    assert [await admit(database, job, at_once=2) for job in exports] == [True, True, False]
    assert await admit(database, erasure, at_once=1, name="erase")
    assert await database.read(lambda tx: jobs.count_running(tx, "export")) == 2


async def test_a_repeated_admission_is_the_same_one(database: Database) -> None:
    """A transaction whose COMMIT got lost is run again: the run still has its job. Another run does not get it."""
    job_id = await want(database, 1)
    assert [await admit(database, job_id, token) for token in ("t1", "t1", "t2")] == [True, True, False]


async def test_a_job_is_not_admitted_before_its_time(database: Database) -> None:
    """``wake_at`` is a promise to wait."""
    job_id = await want(database, 1, wake_at=LATER)
    assert not await admit(database, job_id)
    assert await database.read(lambda tx: jobs.next_wake(tx, START)) == LATER


async def test_due_jobs_come_in_the_order_of_their_time(database: Database) -> None:
    """Longest due first; not those of unknown names, of busy persons or of the future."""
    late = await want(database, 1, wake_at=START - timedelta(minutes=1))
    early = await want(database, 2, wake_at=START - timedelta(minutes=5))
    await want(database, 3, wake_at=LATER)
    await want(database, 4, name="unheard_of")
    running = await want(database, 5, person="@busy:example.org")
    await want(database, 6, person="@busy:example.org")
    await admit(database, running)
    due = await database.read(lambda tx: jobs.due(tx, START, 10, {"export"}))
    assert [job.id for job in due] == [early, late]
    assert [job.id for job in await database.read(lambda tx: jobs.due(tx, START, 1, {"export"}))] == [early]


async def test_a_checkpoint_keeps_step_and_progress(database: Database) -> None:
    """Both are in one transaction; running it again changes nothing; it ends a row of failures."""
    job_id = await want(database, 1)
    await admit(database, job_id)
    await database.write(lambda tx: jobs.retry_later(tx, job_id, "t1", START, "http_503", START))
    assert (await row(database, job_id)).attempts == 1
    await admit(database, job_id, "t2")
    assert [await checkpoint(database, job_id, "t2") for _ in range(2)] == [Standing.OURS] * 2
    assert await database.read(lambda tx: jobs.steps_of(tx, job_id)) == {"one": {"count": 3}}
    after = await row(database, job_id)
    assert (after.progress, after.attempts, after.error) == ({"done": 1}, 0, None)


async def test_an_older_run_changes_nothing(database: Database) -> None:
    """After a take-over the old token is worth nothing: no step, no end, no retry, no putting back."""
    job_id = await want(database, 1)
    await admit(database, job_id, "old")
    assert await database.write(lambda tx: jobs.take_over(tx, START)) == [job_id]
    await admit(database, job_id, "new")
    assert await checkpoint(database, job_id, "old") is Standing.LOST
    assert await database.write(lambda tx: jobs.finish(tx, job_id, "old", JobState.DONE, None, START)) is None
    assert await database.write(lambda tx: jobs.retry_later(tx, job_id, "old", LATER, "x", START)) is None
    assert await database.write(lambda tx: jobs.put_back(tx, job_id, "old", LATER, START)) is None
    after = await row(database, job_id)
    assert (after.state, after.run_token, after.attempts) == (JobState.RUNNING, "new", 0)
    assert await database.read(lambda tx: jobs.steps_of(tx, job_id)) == {}


async def test_a_finished_job_does_not_finish_again(database: Database) -> None:
    """The second time gives None, so what an end means for the case happens once."""
    job_id = await want(database, 1)
    await admit(database, job_id)
    ends = [
        await database.write(lambda tx: jobs.finish(tx, job_id, "t1", JobState.HELD, "ratio", START)) for _ in range(2)
    ]
    assert [end and (end.state, end.error) for end in ends] == [(JobState.HELD, "ratio"), None]


async def test_a_cancelled_run_stops_and_does_not_wait(database: Database) -> None:
    """The flag stops the checkpoint and the retry of a running job; the run may still end it."""
    job_id = await want(database, 1)
    await admit(database, job_id)
    case_id = (await row(database, job_id)).case_id
    assert await database.write(lambda tx: jobs.request_cancel(tx, case_id, START)) == [job_id]
    assert await checkpoint(database, job_id, "t1") is Standing.CANCELLED
    assert await database.write(lambda tx: jobs.retry_later(tx, job_id, "t1", LATER, "x", START)) is None
    assert await database.write(lambda tx: jobs.cancel_waiting(tx, job_id, START)) is None
    ended = await database.write(lambda tx: jobs.finish(tx, job_id, "t1", JobState.CANCELLED, None, START))
    assert ended is not None
    assert await database.write(lambda tx: jobs.request_cancel(tx, case_id, START)) == []


async def test_a_cancelled_job_that_waits_is_due_at_once(database: Database) -> None:
    """It needs no slot, no known name and no free person to be cancelled."""
    running = await want(database, 1, person="@a:example.org")
    waiting = await want(database, 2, person="@a:example.org", name="unheard_of", wake_at=LATER)
    await admit(database, running)
    case_id = (await row(database, waiting)).case_id
    await database.write(lambda tx: jobs.request_cancel(tx, case_id, START))
    assert [job.id for job in await database.read(lambda tx: jobs.due(tx, START, 10, {"export"}))] == [waiting]
    ended = await database.write(lambda tx: jobs.cancel_waiting(tx, waiting, START))
    assert ended is not None
    assert ended.state is JobState.CANCELLED


async def test_take_over_leaves_what_is_over(database: Database) -> None:
    """Only running jobs are put back, without counting it as a failure."""
    done, running = await want(database, 1), await want(database, 2)
    await admit(database, done)
    await database.write(lambda tx: jobs.finish(tx, done, "t1", JobState.DONE, None, START))
    await admit(database, running)
    assert await database.write(lambda tx: jobs.take_over(tx, START)) == [running]
    assert [(await row(database, job)).state for job in (done, running)] == [JobState.DONE, JobState.WANTED]
    assert await database.read(jobs.names_wanted) == {"export"}


async def test_who_dies_with_a_job_is_counted(database: Database) -> None:
    """Each death may make it wait for longer; steps that were finished in between don't make them undone."""
    job_id = await want(database, 1)
    pauses = [timedelta(), timedelta(minutes=1)]
    waited = []
    now = START
    for step in ("one", "two", "three"):
        await admit(database, job_id, now=now)
        await checkpoint(database, job_id, "t1", step)
        await database.write(lambda tx: jobs.take_over(tx, now, pauses))  # noqa: B023 - runs at once
        after = await row(database, job_id)
        waited.append((after.deaths, after.wake_at - now))
        now = after.wake_at
    assert waited == [(1, timedelta()), (2, timedelta(minutes=1)), (3, timedelta())]
    await admit(database, job_id, now=now)
    await database.write(lambda tx: jobs.put_back(tx, job_id, "t1", now, now))
    assert (await row(database, job_id)).deaths == 3


async def test_a_job_nobody_made_is_none(sqlite_database: Database) -> None:
    """Asking for an unknown job is no error."""
    assert await sqlite_database.read(lambda tx: jobs.get(tx, 99)) is None


@pytest.mark.parametrize("token", ["", "t1' OR 1=1 --"])
async def test_a_strange_token_is_lost(sqlite_database: Database, token: str) -> None:
    """Only the exact token of the run counts."""
    job_id = await want(sqlite_database, 1)
    await admit(sqlite_database, job_id)
    assert await sqlite_database.read(lambda tx: jobs.standing(tx, job_id, token)) is Standing.LOST
