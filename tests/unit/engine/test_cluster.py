"""What the engine of many machines does when machines die, come back, are cut off, or are many at once."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dpobot.engine import choosing
from dpobot.engine.api import JobFunction, JobRun, Lost, StepResult
from dpobot.engine.cluster import ClusterEngine
from dpobot.engine.heartbeat import Heartbeat
from dpobot.engine.journal import Journal
from dpobot.engine.queue import Queue
from dpobot.engine.running import Running
from dpobot.errors import ConfigurationError
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import bot_state, heartbeats, jobs, tables
from dpobot.store.connect import driver_settings
from dpobot.store.database import Database
from dpobot.store.migrations.compare import OPTIONS
from dpobot.store.tx import Tx
from tests.test_shape import ROOT
from tests.unit.engine.rows import START, SetClock, row, want

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def quiet(tx: Tx, job: Job, state: JobState) -> None:
    """An end that means nothing for the case."""


async def nothing(job_id: int) -> None:
    """What a process does that takes nothing."""


def engine(
    database: Database, url: str, function: JobFunction, machine: str, *, works: bool = True, at_once: int = 500
) -> ClusterEngine:
    """Return one machine; it sweeps when told to, or woken."""
    functions: Mapping[str, JobFunction] = {"export": function}
    return ClusterEngine(
        database,
        functions,
        settings=driver_settings(url),
        clock=SetClock(),
        at_once={"export": at_once},
        on_end=quiet,
        jobs_at_once=2,
        dead_after=60,
        machine=machine,
        works=works,
        sweep_seconds=3600,
        grace_seconds=5,
    )


@asynccontextmanager
async def queue_of(database: Database, url: str) -> AsyncIterator[Queue]:
    """Open the queue of a process that takes nothing."""
    queue = Queue(driver_settings(url), nothing)
    await queue.open(database)
    try:
        yield queue
    finally:
        await queue.close()


async def run_under(database: Database, job_id: int, token: str) -> None:
    """Let a job run under a token, on whichever machine."""
    await database.write(lambda tx: jobs.admit(tx, job_id, name="export", run_token=token, at_once=99, now=START))


async def silent_for(database: Database, job_id: int, seconds: float | None) -> None:
    """Let a job's last heartbeat be so long ago by the database's clock; None: there never was one."""
    ago = None if seconds is None else sa.func.clock_timestamp() - timedelta(seconds=seconds)
    await database.write(
        lambda tx: tx.conn.execute(sa.update(tables.job).where(tables.job.c.id == job_id).values(heartbeat_at=ago))
    )


async def queued(database: Database) -> list[tuple[str, int]]:
    """Return the rows of the queue: status and job."""
    found = sa.text("SELECT status::text, (args->>'job_id')::int FROM procrastinate_jobs ORDER BY id")
    return await database.read(lambda tx: _rows(tx, found))


async def _rows(tx: Tx, query: sa.TextClause) -> list[tuple[str, int]]:
    return [(str(status), int(job_id)) for status, job_id in await tx.conn.execute(query)]


async def test_the_queue_is_made_once_by_many_that_start_at_once(database: Database, migrated_url: str) -> None:
    """Each then puts jobs into the same one."""
    queues = [Queue(driver_settings(migrated_url), nothing) for _ in range(4)]
    await asyncio.gather(*(queue.open(database) for queue in queues))
    assert sorted(await asyncio.gather(*(queue.put(7) for queue in queues))) == [False, False, False, True]
    for queue in queues:
        await queue.close()
    assert await queued(database) == [("todo", 7)]


@pytest.mark.parametrize(
    ("known", "sentence"),
    [("99.00.00_01_pre_x.sql", "a newer"), ("00.00.00_01_initial.sql", "an older"), (None, "did not make")],
)
async def test_another_version_of_the_queue_is_refused(
    database: Database, migrated_url: str, known: str | None, sentence: str
) -> None:
    """With a sentence and a cure; nobody's tables are touched."""
    async with queue_of(database, migrated_url):
        pass
    if known is None:
        await database.write(lambda tx: bot_state.drop(tx, "queue.schema"))
    else:
        await database.write(lambda tx: bot_state.set(tx, "queue.schema", known))
    with pytest.raises(ConfigurationError, match=sentence):
        await Queue(driver_settings(migrated_url), nothing).open(database)


async def test_the_cure_for_another_version_is_what_the_page_says(database: Database, migrated_url: str) -> None:
    """After the statements of docs/scale.md the next start makes the queue anew."""
    async with queue_of(database, migrated_url):
        pass
    cure = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "scale.md").read_text("utf-8"), re.DOTALL)
    assert len(cure) == 1
    with psycopg.connect(migrated_url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(cure[0].encode())
    async with queue_of(database, migrated_url) as queue:
        assert await queue.put(7)


async def test_the_jobs_of_the_silent_are_put_back(database: Database) -> None:
    """Also those without any heartbeat; those of the living stay, and a token that was shut out is worth nothing."""
    dead, old, alive = [await want(database, number) for number in range(3)]
    for job_id in (dead, old, alive):
        await run_under(database, job_id, f"run {job_id}")
    await silent_for(database, dead, 46)
    await silent_for(database, old, None)
    await silent_for(database, alive, 44)
    back = await database.write(lambda tx: heartbeats.put_back_silent(tx, timedelta(seconds=45), START))
    assert back == [dead, old]
    assert await database.write(lambda tx: heartbeats.beat(tx, [f"run {n}" for n in (dead, alive)])) == {f"run {alive}"}
    journal = await Journal.open(database, SetClock(), dead, f"run {dead}")
    with pytest.raises(Lost):
        await journal.step("one", _never)


async def test_a_run_that_others_have_taken_over_is_broken_off(database: Database) -> None:
    """A machine that was frozen finds its job with somebody else: it stops in the middle of its step."""
    job_id = await want(database, 1)
    inside = asyncio.Event()

    async def forever(run: JobRun) -> None:
        inside.set()
        await asyncio.Event().wait()

    running = Running(
        database,
        {"export": forever},
        clock=SetClock(),
        at_once={},
        on_end=quiet,
        ended=lambda: None,
        machine="frozen",
    )
    running.halted = False
    task = await running.admit(job_id, "export")
    assert task is not None
    await inside.wait()
    await silent_for(database, job_id, 46)
    heartbeat = Heartbeat(database, SetClock(), running, 60, lambda: None, _no_tidying)
    await database.write(lambda tx: heartbeats.put_back_silent(tx, timedelta(seconds=45), START))
    await run_under(database, job_id, "another")
    await heartbeat.round()
    await heartbeat.round()
    await asyncio.wait([task])
    assert task.cancelled()
    await running.put_back_idle(timedelta())
    assert (await row(database, job_id)).run_token == "another"


async def test_whom_nobody_hears_breaks_its_runs_off(database: Database) -> None:
    """A machine that is cut off from the database can't know whether others go on with its jobs."""
    job_id = await want(database, 1)
    inside = asyncio.Event()

    async def forever(run: JobRun) -> None:
        inside.set()
        await asyncio.Event().wait()

    running = Running(
        database, {"export": forever}, clock=SetClock(), at_once={}, on_end=quiet, ended=lambda: None, machine="cut off"
    )
    running.halted = False
    task = await running.admit(job_id, "export")
    assert task is not None
    await inside.wait()
    now = 1000.0
    heartbeat = Heartbeat(database, SetClock(), running, 60, lambda: None, _no_tidying, monotonic=lambda: now)
    await heartbeat.round()
    now += 44
    heartbeat.mind_silence()
    assert not task.cancelling()
    now += 2
    heartbeat.mind_silence()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_what_a_dead_process_had_taken_leaves_the_queue(database: Database, migrated_url: str) -> None:
    """Whatever it had taken and not begun is still wanted: the next sweep hands it out again."""
    job_id = await want(database, 1)
    async with queue_of(database, migrated_url) as queue:
        await queue.put(job_id)
        taken = (
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '50 seconds')",
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)",
        )
        for statement in taken:
            await database.write(lambda tx, statement=statement: tx.conn.execute(sa.text(statement)))  # type: ignore[misc]  # bound per turn
        await queue.remove_dead(45)
        assert await queued(database) == []


async def test_the_bot_hands_out_and_a_worker_works(database: Database, migrated_url: str) -> None:
    """Whoever doesn't work leaves all jobs to others."""
    did: list[str] = []

    def on(machine: str) -> JobFunction:
        async def work(run: JobRun) -> None:
            await run.steps.step("one", lambda: _note(did, machine))

        return work

    bot = engine(database, migrated_url, on("bot"), "bot", works=False)
    worker = engine(database, migrated_url, on("worker"), "worker")
    await bot.start()
    wanted = [await want(database, number) for number in range(3)]
    assert await bot.sweep() == 3
    await worker.start()
    async with asyncio.timeout(60):
        while {(await row(database, job_id)).state for job_id in wanted} != {JobState.DONE}:
            await asyncio.sleep(0.02)
    await worker.stop()
    await bot.stop()
    assert did == ["worker"] * 3


async def test_a_stopping_machine_hands_its_jobs_on(database: Database, migrated_url: str) -> None:
    """The step in hand is finished; then the job lies in the queue for the next one."""
    job_id = await want(database, 1)
    inside, go_on = asyncio.Event(), asyncio.Event()
    did: list[str] = []

    async def slow() -> StepResult:
        inside.set()
        await go_on.wait()
        return await _note(did, "one")

    async def work(run: JobRun) -> None:
        await run.steps.step("one", slow)
        await run.steps.step("two", lambda: _note(did, "two"))

    first = engine(database, migrated_url, work, "first")
    await first.start()
    await inside.wait()
    stopping = asyncio.create_task(first.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    after = await row(database, job_id)
    assert (did, after.state, after.attempts, await queued(database)) == (
        ["one"],
        JobState.WANTED,
        0,
        [("todo", job_id)],
    )


async def test_the_table_stays_the_backlog(database: Database, migrated_url: str) -> None:
    """Of many jobs that are due a limited number is handed out, however many sweep."""
    for number in range(choosing.MOST + 5):
        await want(database, number)
    bots = [engine(database, migrated_url, _never_run, name, works=False) for name in ("one", "two")]
    for bot in bots:
        await bot.start()
    await asyncio.gather(*(bot.sweep() for bot in bots))
    handed_out = await queued(database)
    for bot in bots:
        await bot.stop()
    assert len(handed_out) == len(set(handed_out)) == choosing.MOST


async def test_our_migrations_know_nothing_of_the_queue(database: Database, migrated_url: str) -> None:
    """Comparing the tables with the code finds no difference, though procrastinate's lie beside them."""
    async with queue_of(database, migrated_url):
        pass

    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts=OPTIONS), tables.metadata))

    async def compare(tx: Tx) -> list[object]:
        return await tx.conn.run_sync(differences)

    assert await database.write(compare) == []


async def _note(did: list[str], name: str) -> StepResult:
    did.append(name)
    return {}


async def _never() -> StepResult:
    raise AssertionError("a step that must not be done was done")


async def _never_run(run: JobRun) -> None:
    raise AssertionError("a machine that doesn't work has worked")


async def _no_tidying() -> None:
    """Nothing lies around."""


async def test_two_machines_remove_what_a_dead_one_had_taken(database: Database, database_url: str) -> None:
    """At the same time: whoever is second finds nothing, and that is no trouble."""
    async with queue_of(database, database_url) as one, queue_of(database, database_url) as other:
        for job_id in range(60):
            await one.put(job_id)
        async with await psycopg.AsyncConnection.connect(**driver_settings(database_url), autocommit=True) as plain:
            dead = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
            found = await (await plain.execute(dead)).fetchone()
            assert found is not None
            await plain.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", found)
            await asyncio.gather(one.remove_dead(60), other.remove_dead(60))
            left = await (await plain.execute("SELECT count(*) FROM procrastinate_jobs")).fetchone()
        assert left == (0,)
