"""Two runs of one job: a frozen one that wakes up can do at most its step in flight."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from dpobot.engine.api import Cancelled, Halted, Lost, StepResult
from dpobot.engine.journal import Journal
from dpobot.store import jobs
from dpobot.store.database import Database
from tests.unit.engine.rows import START, SetClock, row, want


async def begin(database: Database, job_id: int, token: str) -> Journal:
    """Admit a run and open its journal."""
    admitted = await database.write(
        lambda tx: jobs.admit(tx, job_id, name="export", run_token=token, at_once=1, now=START)
    )
    assert admitted is not None
    return await Journal.open(database, SetClock(), job_id, token)


async def result(value: Any = 1) -> StepResult:
    return {"count": value}


async def test_the_older_of_two_runs_is_lost_at_its_checkpoint(database: Database) -> None:
    """It was in a step when the newer one took over; the newer one's result stands."""
    job_id = await want(database, 1)
    older = await begin(database, job_id, "older")
    inside, thaw = asyncio.Event(), asyncio.Event()

    async def frozen() -> StepResult:
        inside.set()
        await thaw.wait()
        return await result("older")

    step = asyncio.create_task(older.step("one", frozen))
    await inside.wait()
    await database.write(lambda tx: jobs.take_over(tx, START))
    newer = await begin(database, job_id, "newer")
    await newer.step("one", lambda: result("newer"), {"done": 1})
    thaw.set()
    with pytest.raises(Lost):
        await step
    assert older.done("one") is None
    assert await database.read(lambda tx: jobs.steps_of(tx, job_id)) == {"one": {"count": "newer"}}


async def test_a_lost_run_does_no_further_step(database: Database) -> None:
    """It notices before the effect, not after it."""
    job_id = await want(database, 1)
    older = await begin(database, job_id, "older")
    await older.step("one", result)
    await database.write(lambda tx: jobs.take_over(tx, START))
    done: list[str] = []

    async def effect() -> StepResult:
        done.append("two")
        return {}

    with pytest.raises(Lost):
        await older.step("two", effect)
    assert done == []


async def test_a_run_cancelled_in_a_step_keeps_no_result(sqlite_database: Database) -> None:
    """The checkpoint refuses; the row is still the run's, to be ended as cancelled."""
    job_id = await want(sqlite_database, 1)
    journal = await begin(sqlite_database, job_id, "mine")
    case_id = (await row(sqlite_database, job_id)).case_id

    async def cancelled_meanwhile() -> StepResult:
        await sqlite_database.write(lambda tx: jobs.request_cancel(tx, case_id, START))
        return {}

    with pytest.raises(Cancelled):
        await journal.step("one", cancelled_meanwhile)
    assert await sqlite_database.read(lambda tx: jobs.steps_of(tx, job_id)) == {}


async def test_a_finished_step_is_answered_from_the_journal(sqlite_database: Database) -> None:
    """Also after the engine was told to stop, and with the same types as at the first time."""
    job_id = await want(sqlite_database, 1)
    first = await begin(sqlite_database, job_id, "mine")
    at_once: Mapping[str, Any] = await first.step("one", lambda: result((1, 2)))
    resumed = await Journal.open(sqlite_database, SetClock(), job_id, "mine", halted=lambda: True)
    assert await resumed.step("one", _never) == at_once == {"count": [1, 2]}
    assert (first.advanced, resumed.advanced) == (True, False)
    with pytest.raises(Halted):
        await resumed.step("two", _never)


@pytest.mark.parametrize("name", ["", "x" * 256])
async def test_a_step_needs_a_name_that_fits(sqlite_database: Database, name: str) -> None:
    """Refused on both databases alike, before anything is done."""
    job_id = await want(sqlite_database, 1)
    journal = await begin(sqlite_database, job_id, "mine")
    with pytest.raises(ValueError, match="1 to 255"):
        await journal.step(name, _never)


async def test_a_result_that_is_no_json_is_refused(sqlite_database: Database) -> None:
    """A defect of the job, seen at once and not only when it is resumed."""
    job_id = await want(sqlite_database, 1)
    journal = await begin(sqlite_database, job_id, "mine")
    with pytest.raises(TypeError):
        await journal.step("one", lambda: result(b"bytes"))
    assert json.dumps(dict(await sqlite_database.read(lambda tx: jobs.steps_of(tx, job_id)))) == "{}"


async def _never() -> StepResult:
    raise AssertionError("a step that must not be done was done")
