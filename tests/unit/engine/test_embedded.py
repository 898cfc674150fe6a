"""What the engine in the bot's process does when things around it break."""

import asyncio
from collections.abc import Mapping

import pytest

from dpobot.engine.api import JobFunction, JobRun, Postponed, StepResult
from dpobot.engine.embedded import EmbeddedEngine
from dpobot.engine.recording import OnEnd
from dpobot.engine.retry import LIMIT
from dpobot.errors import Unavailable
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import alerts, jobs
from dpobot.store.database import Database
from dpobot.store.tx import Tx
from tests.unit.engine.rows import START, SetClock, row, want


async def quiet(tx: Tx, job: Job, state: JobState) -> None:
    """An end that means nothing for the case."""


async def nothing(run: JobRun) -> None:
    """A job that has nothing to do."""


def engine(
    database: Database, work: JobFunction, on_end: OnEnd = quiet, clock: SetClock | None = None
) -> EmbeddedEngine:
    """Return an engine that sweeps when told to, or woken."""
    functions: Mapping[str, JobFunction] = {"export": work}
    return EmbeddedEngine(
        database,
        functions,
        clock=clock or SetClock(),
        at_once={"export": 2},
        on_end=on_end,
        sweep_seconds=3600,
        grace_seconds=0.1,
        jitter=lambda: 0.0,
    )


async def run_all(runner: EmbeddedEngine) -> None:
    """Start, let what is due end, stop. The grace of `stop` is what a job of no step at most needs."""
    await runner.start()
    tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("job ")]
    await asyncio.gather(*tasks)
    await runner.stop()


async def codes(database: Database) -> list[str]:
    return [alert.code for alert in await database.read(alerts.list_open)]


async def test_the_case_moves_with_the_end_of_its_job(database: Database) -> None:
    """What `on_end` writes is in the transaction that ends the job, and it sees the ended row."""
    job_id = await want(database, 1)
    seen: list[tuple[JobState, JobState]] = []

    async def on_end(tx: Tx, job: Job, state: JobState) -> None:
        stored = await jobs.get(tx, job.id)
        assert stored is not None
        seen.append((stored.state, state))
        await alerts.open(tx, key="moved", code="moved", now=START, case_id=job.case_id)

    await run_all(engine(database, nothing, on_end))
    assert seen == [(JobState.DONE, JobState.DONE)]
    assert (await row(database, job_id)).state is JobState.DONE
    assert await codes(database) == ["moved"]


async def test_a_case_that_cannot_move_does_not_lose_the_job(database: Database) -> None:
    """Its half-written change is rolled back, the job ends alone, staff are told."""
    job_id = await want(database, 1)

    async def on_end(tx: Tx, job: Job, state: JobState) -> None:
        await alerts.open(tx, key="half", code="half", now=START)
        raise KeyError("moved by hand")

    await run_all(engine(database, nothing, on_end))
    assert (await row(database, job_id)).state is JobState.DONE
    assert await codes(database) == ["job_end_failed"]


async def test_a_broken_cancellation_does_not_stop_the_sweep(sqlite_database: Database) -> None:
    """The cancelled job ends and the one behind it runs."""
    cancelled, other = [await want(sqlite_database, number) for number in (1, 2)]
    case_id = (await row(sqlite_database, cancelled)).case_id
    await sqlite_database.write(lambda tx: jobs.request_cancel(tx, case_id, START))

    async def on_end(tx: Tx, job: Job, state: JobState) -> None:
        if state is JobState.CANCELLED:
            raise KeyError("moved by hand")

    await run_all(engine(sqlite_database, nothing, on_end))
    states = [(await row(sqlite_database, job_id)).state for job_id in (cancelled, other)]
    assert states == [JobState.CANCELLED, JobState.DONE]


async def test_an_end_that_cannot_be_recorded_is_recorded_later(sqlite_database: Database) -> None:
    """The database goes away at a job's end: it stays ours, and a later sweep ends it without doing steps again."""
    job_id = await want(sqlite_database, 1)
    clock = SetClock()
    did: list[str] = []
    away = True

    async def effect() -> StepResult:
        did.append("one")
        return {}

    async def work(run: JobRun) -> None:
        await run.steps.step("one", effect)

    async def on_end(tx: Tx, job: Job, state: JobState) -> None:
        if away:
            raise Unavailable("disk_full")

    runner = engine(sqlite_database, work, on_end, clock)
    await runner.start()
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == f"job {job_id}"]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable]
    assert (await row(sqlite_database, job_id)).state is JobState.RUNNING
    away = False
    await runner.sweep()
    assert (await row(sqlite_database, job_id)).state is JobState.WANTED
    clock.move(3601)
    assert await runner.sweep() == 1
    await asyncio.gather(*[task for task in asyncio.all_tasks() if task.get_name() == f"job {job_id}"])
    await runner.stop()
    assert ((await row(sqlite_database, job_id)).state, did) == (JobState.DONE, ["one"])


async def test_it_gives_up_in_the_end(sqlite_database: Database) -> None:
    """After two days of failures without a step the job has failed, and staff are told with the last code."""
    job_id = await want(sqlite_database, 1)
    clock = SetClock()
    tries = 0

    async def work(run: JobRun) -> None:
        nonlocal tries
        tries += 1
        raise Unavailable("http_503")

    runner = engine(sqlite_database, work, clock=clock)
    for _ in range(LIMIT + 3):
        await run_all(runner)
        clock.move(901)
    ended = await row(sqlite_database, job_id)
    assert (ended.state, ended.error, tries) == (JobState.FAILED, "http_503", LIMIT + 1)
    assert await codes(sqlite_database) == ["http_503"]


async def test_progress_makes_the_failures_count_from_the_start(sqlite_database: Database) -> None:
    """A long export over a weak line must not give up because of failures that it got over."""
    job_id = await want(sqlite_database, 1)
    clock = SetClock()

    async def step() -> StepResult:
        return {}

    async def work(run: JobRun) -> None:
        if run.job.attempts == 3:
            await run.steps.step("one", step)
        raise Unavailable("http_503")

    runner = engine(sqlite_database, work, clock=clock)
    counts = []
    for _ in range(5):
        await run_all(runner)
        after = await row(sqlite_database, job_id)
        counts.append((after.attempts, (after.wake_at - clock.now()).total_seconds()))
        clock.move(901)
    assert counts == [(1, 5), (2, 10), (3, 20), (1, 5), (2, 10)]


async def test_a_job_cancelled_while_it_fails_does_not_wait(sqlite_database: Database) -> None:
    """Unavailable and cancelled at once: it ends now instead of in a quarter of an hour."""
    job_id = await want(sqlite_database, 1)
    case_id = (await row(sqlite_database, job_id)).case_id

    async def work(run: JobRun) -> None:
        await sqlite_database.write(lambda tx: jobs.request_cancel(tx, case_id, START))
        raise Unavailable("http_503")

    await run_all(engine(sqlite_database, work))
    assert (await row(sqlite_database, job_id)).state is JobState.CANCELLED


async def test_a_job_that_awaits_something_cancelled_has_failed(sqlite_database: Database) -> None:
    """A stray `CancelledError` is a bug of the job, not a stop of the engine: no endless loop."""
    job_id = await want(sqlite_database, 1)

    async def work(run: JobRun) -> None:
        raise asyncio.CancelledError

    await run_all(engine(sqlite_database, work))
    after = await row(sqlite_database, job_id)
    assert (after.state, after.error) == (JobState.FAILED, "bug.CancelledError")


async def test_a_job_of_a_newer_version_is_told_not_run(sqlite_database: Database) -> None:
    """It waits for the version that knows it, and staff hear of it once."""
    job_id = await want(sqlite_database, 1, name="teleport")
    for _ in range(2):
        await run_all(engine(sqlite_database, nothing))
    assert (await row(sqlite_database, job_id)).state is JobState.WANTED
    assert await codes(sqlite_database) == ["job_unknown"]


async def test_a_step_in_flight_may_end_within_the_grace(sqlite_database: Database) -> None:
    """Stopping lets a short step be checkpointed instead of done twice, and begins no other."""
    job_id = await want(sqlite_database, 1)
    inside = asyncio.Event()

    async def short() -> StepResult:
        inside.set()
        await asyncio.sleep(0)
        return {}

    async def work(run: JobRun) -> None:
        for name in ("one", "two"):
            await run.steps.step(name, short)

    runner = EmbeddedEngine(
        sqlite_database, {"export": work}, clock=SetClock(), at_once={}, on_end=quiet, grace_seconds=30
    )
    await runner.start()
    await inside.wait()
    await runner.stop()
    assert (await row(sqlite_database, job_id)).state is JobState.WANTED
    assert await sqlite_database.read(lambda tx: jobs.steps_of(tx, job_id)) == {"one": {}}


@pytest.mark.parametrize("started", [False, True])
async def test_an_engine_that_does_not_run_starts_nothing(sqlite_database: Database, started: bool) -> None:
    """Before the start and after the stop a sweep finds nothing to do."""
    runner = engine(sqlite_database, nothing)
    if started:
        await runner.start()
        await runner.stop()
    job_id = await want(sqlite_database, 1)
    await runner.submit(job_id)
    assert await runner.sweep() == 0
    assert (await row(sqlite_database, job_id)).state is JobState.WANTED


async def test_a_postponed_job_waits_without_end(database: Database) -> None:
    """It is asked again after the time it named, however often, and no failure is counted."""
    job_id, clock = await want(database, 1), SetClock()

    async def work(run: JobRun) -> None:
        raise Postponed("deliveries_paused", 60)

    for _ in range(3):
        await run_all(engine(database, work, clock=clock))
        job = await row(database, job_id)
        assert (job.state, job.attempts, job.error) == (JobState.WANTED, 0, "deliveries_paused")
        assert (job.wake_at - clock.now()).total_seconds() == 60
        clock.move(60)
    assert await codes(database) == []


async def test_a_job_that_is_cancelled_while_it_is_postponed_ends(database: Database) -> None:
    """The wish to stop came while it ran: it does not wait first."""
    job_id = await want(database, 1)

    async def work(run: JobRun) -> None:
        await database.write(lambda tx: jobs.request_cancel(tx, run.job.case_id, START))
        raise Postponed("deliveries_paused", 60)

    await run_all(engine(database, work))
    assert (await row(database, job_id)).state is JobState.CANCELLED
