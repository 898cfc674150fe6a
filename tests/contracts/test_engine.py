"""What every `Engine` must do, whoever runs the jobs. A new implementation adds itself to ``PLACES`` and passes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from dpobot.engine import retry
from dpobot.engine.api import Engine, Hold, JobFunction, JobRun, StepResult
from dpobot.engine.cluster import ClusterEngine
from dpobot.engine.embedded import EmbeddedEngine
from dpobot.engine.recording import OnEnd
from dpobot.engine.running import MACHINE_DIED
from dpobot.errors import Rejected, Tripwire, Unavailable
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.store import alerts, jobs, tables
from dpobot.store.connect import driver_settings
from dpobot.store.database import Database
from dpobot.store.tx import Tx
from tests.unit.engine.rows import SetClock, row, want

Maker = Callable[[str, Database, Mapping[str, JobFunction], SetClock, Mapping[str, int], OnEnd], Engine]


def embedded(
    url: str,
    database: Database,
    functions: Mapping[str, JobFunction],
    clock: SetClock,
    at_once: Mapping[str, int],
    on_end: OnEnd,
) -> Engine:
    """The engine in the bot's process; it sweeps when told to only."""
    return EmbeddedEngine(
        database, functions, clock=clock, at_once=at_once, on_end=on_end, sweep_seconds=3600, grace_seconds=0.1
    )


def cluster(
    url: str,
    database: Database,
    functions: Mapping[str, JobFunction],
    clock: SetClock,
    at_once: Mapping[str, int],
    on_end: OnEnd,
) -> Engine:
    """The engine of many machines, with one of them."""
    return ClusterEngine(
        database,
        functions,
        settings=driver_settings(url),
        clock=clock,
        at_once=at_once,
        on_end=on_end,
        jobs_at_once=10,
        dead_after=1.0,
        machine="first",
        sweep_seconds=3600,
        grace_seconds=0.1,
    )


PLACES: list[tuple[str, Maker]] = [("sqlite", embedded), ("postgresql", embedded), ("postgresql", cluster)]
pytestmark = pytest.mark.parametrize(
    ("database_url", "make"),
    PLACES,
    ids=["embedded-sqlite", "embedded-postgresql", "cluster"],
    indirect=["database_url"],
)


@dataclass
class Site:
    """A database with an engine over it; ``ended`` says what `on_end` was told, ``did`` which effects happened."""

    url: str
    database: Database
    make: Maker
    clock: SetClock = field(default_factory=SetClock)
    ended: list[tuple[int, JobState, str | None]] = field(default_factory=list)
    did: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, function: JobFunction, at_once: int = 10) -> AsyncIterator[Engine]:
        """Run an engine whose exports and erasures are ``function``."""
        functions = {"export": function, "erase": function}
        engine = self.make(
            self.url, self.database, functions, self.clock, {"export": at_once, "erase": at_once}, self._on_end
        )
        await engine.start()
        try:
            yield engine
        finally:
            await engine.stop()

    async def effect(self, name: str) -> StepResult:
        """Do something outside that can be counted."""
        self.did.append(name)
        return {"count": len(self.did)}

    async def over(self, count: int = 1) -> list[tuple[int, JobState, str | None]]:
        """Wait until so many jobs are over and return how they ended."""
        await self.until(lambda: _now(len(self.ended) >= count))
        return self.ended

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(20):
            while not await holds():
                await asyncio.sleep(0.01)

    async def _on_end(self, tx: Tx, job: Job, state: JobState) -> None:
        self.ended.append((job.id, state, job.error))


async def _now(value: bool) -> bool:
    return value


@pytest.fixture
def site(migrated_url: str, database: Database, make: Maker) -> Site:
    """An engine's surroundings."""
    return Site(migrated_url, database, make)


async def test_a_job_submitted_twice_runs_once(site: Site) -> None:
    """Submitting is a hint, not an order of one more."""

    async def work(run: JobRun) -> None:
        await run.steps.step("only", lambda: site.effect("only"))

    async with site.running(work) as engine:
        job_id = await want(site.database, 1)
        await asyncio.gather(*(engine.submit(job_id) for _ in range(5)))
        assert await site.over() == [(job_id, JobState.DONE, None)]
        await engine.submit(job_id)
        await engine.sweep()
    assert site.did == ["only"]
    assert (await row(site.database, job_id)).state is JobState.DONE


async def test_a_job_goes_on_after_its_finished_steps(site: Site) -> None:
    """An unavailable homeserver costs one step, not the job."""
    down = True

    async def flaky() -> StepResult:
        nonlocal down
        if down:
            down = False
            raise Unavailable("http_503", retry_after=60)
        return await site.effect("second")

    async def work(run: JobRun) -> None:
        first = await run.steps.step("first", lambda: site.effect("first"), {"done": 1})
        second = await run.steps.step("second", flaky)
        assert (first, second) == ({"count": 1}, {"count": 2})

    async with site.running(work) as engine:
        job_id = await want(site.database, 1)
        await engine.submit(job_id)

        async def waits() -> bool:
            return (await row(site.database, job_id)).attempts == 1

        await site.until(waits)
        waiting = await row(site.database, job_id)
        assert (waiting.state, waiting.error, waiting.progress) == (JobState.WANTED, "http_503", {"done": 1})
        assert waiting.wake_at > site.clock.now()
        assert await engine.sweep() == 0
        site.clock.move(61)
        await engine.sweep()
        assert await site.over() == [(job_id, JobState.DONE, None)]
    assert site.did == ["first", "second"]


async def test_a_cancelled_job_stops_before_its_next_step(site: Site) -> None:
    """The step in flight ends; none begins after it."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def long_step() -> StepResult:
        inside.set()
        await go_on.wait()
        return await site.effect("first")

    async def work(run: JobRun) -> None:
        await run.steps.step("first", long_step)
        await run.steps.step("second", lambda: site.effect("second"))

    async with site.running(work) as engine:
        job_id = await want(site.database, 1)
        await engine.submit(job_id)
        await asyncio.wait_for(inside.wait(), 20)
        case_id = (await row(site.database, job_id)).case_id
        for cancelled in await site.database.write(lambda tx: jobs.request_cancel(tx, case_id, site.clock.now())):
            await engine.cancel(cancelled)
        go_on.set()
        assert await site.over() == [(job_id, JobState.CANCELLED, None)]
    assert site.did == ["first"]


async def test_a_waiting_job_is_cancelled_at_once(site: Site) -> None:
    """It never runs, and its case hears of it."""

    async def work(run: JobRun) -> None:
        await run.steps.step("only", lambda: site.effect("only"))

    async with site.running(work) as engine:
        site.clock.move(-3600)
        job_id = await want(site.database, 1)
        case_id = (await row(site.database, job_id)).case_id
        await site.database.write(lambda tx: jobs.request_cancel(tx, case_id, site.clock.now()))
        await engine.cancel(job_id)
        assert site.ended == [(job_id, JobState.CANCELLED, None)]
        site.clock.move(7200)
        assert await engine.sweep() == 0
    assert site.did == []


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (Hold("abnormal_size"), JobState.HELD, "abnormal_size"),
        (Tripwire("foreign_sender"), JobState.HELD, "foreign_sender"),
        (Rejected("M_FORBIDDEN", 403), JobState.FAILED, "M_FORBIDDEN"),
        (Rejected("Alice's words, <b>quoted</b>"), JobState.FAILED, "rejected"),
        (KeyError("Alice"), JobState.FAILED, "bug.KeyError"),
    ],
    ids=["hold", "tripwire", "rejected", "free text", "bug"],
)
async def test_what_a_job_raises_is_where_it_stands(site: Site, error: Exception, state: JobState, code: str) -> None:
    """A safeguard holds, a final no or a bug fails; both tell staff, neither is tried again."""

    async def work(run: JobRun) -> None:
        await site.effect("try")
        raise error

    async with site.running(work) as engine:
        job_id = await want(site.database, 1)
        await engine.submit(job_id)
        assert await site.over() == [(job_id, state, code)]
        site.clock.move(86400)
        await engine.sweep()
    after = await row(site.database, job_id)
    assert (after.state, after.error, site.did) == (state, code, ["try"])
    told = await site.database.read(alerts.list_open)
    assert [(alert.code, alert.case_id) for alert in told] == [(code, after.case_id)]


async def test_a_person_has_one_job_at_a_time(site: Site) -> None:
    """Jobs of one person follow each other, those of others run meanwhile."""
    most: dict[str, int] = {}
    now: dict[str, int] = {}
    together = asyncio.Barrier(2)

    async def work(run: JobRun) -> None:
        person = run.job.person
        first = person not in most
        now[person] = now.get(person, 0) + 1
        most[person] = max(most.get(person, 0), now[person])
        if first:
            await together.wait()  # two persons at once, or this never ends
        await run.steps.step("only", lambda: site.effect(person))
        now[person] -= 1

    async with site.running(work) as engine:
        alice = [await want(site.database, n, person="@alice:example.org") for n in (1, 2, 3)]
        bob = await want(site.database, 4, person="@bob:example.org")
        for job_id in (*alice, bob):
            await engine.submit(job_id)
        ended = await site.over(4)
    assert sorted(ended) == sorted((job_id, JobState.DONE, None) for job_id in (*alice, bob))
    assert most == {"@alice:example.org": 1, "@bob:example.org": 1}
    assert [job_id for job_id, _state, _code in ended if job_id != bob] == alice


async def test_only_so_many_run_at_once(site: Site) -> None:
    """The limit holds while more are wanted, it is used to the full, and all get their turn."""
    now = most = 0
    full = asyncio.Barrier(3)

    async def work(run: JobRun) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await full.wait()  # goes on in threes, or never
        await run.steps.step("only", lambda: site.effect("only"))
        now -= 1

    async with site.running(work, at_once=3) as engine:
        wanted = [await want(site.database, n) for n in range(9)]
        for job_id in wanted:
            await engine.submit(job_id)
        ended = await site.over(9)
    assert most == 3
    assert sorted(job_id for job_id, _state, _code in ended) == wanted


@pytest.mark.parametrize("too_often", [False, True])
async def test_a_job_that_kills_its_machine_again_and_again(site: Site, too_often: bool) -> None:
    """It waits for longer each time, so that others have their turn, and in the end staff must look."""

    async def work(run: JobRun) -> None:
        await run.steps.step("only", lambda: site.effect("only"))

    job_id, deaths = await want(site.database, 1), len(retry.AFTER_DEATHS) - (0 if too_often else 1)
    dead = {"state": JobState.RUNNING, "run_token": "dead", "deaths": deaths}
    of_it = sa.update(tables.job).where(tables.job.c.id == job_id)
    await site.database.write(lambda tx: tx.conn.execute(of_it.values(**dead)))
    async with site.running(work) as engine:
        if not too_often:
            assert await engine.sweep() == 0
            site.clock.move(15 * 60)
            await engine.sweep()
        ended = await site.over()
    told = [alert.code for alert in await site.database.read(alerts.list_open)]
    if too_often:
        assert (ended, site.did, told) == ([(job_id, JobState.FAILED, MACHINE_DIED)], [], [MACHINE_DIED])
    else:
        assert (ended, site.did, told) == ([(job_id, JobState.DONE, None)], ["only"], [])


async def test_a_sweep_finds_what_nobody_submitted(site: Site) -> None:
    """Losing a submit loses nothing; what is not due stays."""

    async def work(run: JobRun) -> None:
        await run.steps.step("only", lambda: site.effect("only"))

    async with site.running(work) as engine:
        job_id = await want(site.database, 1)
        future = await want(site.database, 2, wake_at=site.clock.now().replace(year=2027))
        assert await engine.sweep() == 1
        assert await site.over() == [(job_id, JobState.DONE, None)]
    assert (await row(site.database, future)).state is JobState.WANTED


async def test_a_job_survives_a_stop_in_its_middle(site: Site) -> None:
    """The next start goes on after the finished steps; only the step in flight is done again."""
    inside = asyncio.Event()
    block = True

    async def second() -> StepResult:
        site.did.append("second begun")
        inside.set()
        if block:
            await asyncio.Event().wait()
        return await site.effect("second")

    async def work(run: JobRun) -> None:
        await run.steps.step("first", lambda: site.effect("first"))
        await run.steps.step("second", second)

    async with site.running(work) as engine:
        job_id = await want(site.database, 1)
        await engine.submit(job_id)
        await asyncio.wait_for(inside.wait(), 20)
    stopped = await row(site.database, job_id)
    assert (stopped.state, stopped.attempts, site.ended) == (JobState.WANTED, 0, [])
    block = False
    async with site.running(work):
        assert await site.over() == [(job_id, JobState.DONE, None)]
    assert site.did == ["first", "second begun", "second begun", "second"]


async def test_a_dead_run_is_taken_over_at_the_start(site: Site) -> None:
    """A crash leaves a running row; the next start runs it, and the dead run's token is worth nothing."""
    job_id = await want(site.database, 1)
    await site.database.write(
        lambda tx: jobs.admit(tx, job_id, name="export", run_token="dead", at_once=1, now=site.clock.now())
    )

    async def work(run: JobRun) -> None:
        await run.steps.step("only", lambda: site.effect("only"))

    async with site.running(work):
        assert await site.over() == [(job_id, JobState.DONE, None)]
    standing = await site.database.read(lambda tx: jobs.standing(tx, job_id, "dead"))
    assert (site.did, standing) == (["only"], jobs.Standing.LOST)
