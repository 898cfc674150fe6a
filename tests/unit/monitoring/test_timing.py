"""How long runs of jobs take and how they end, as whoever watches sees it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import pytest

from dpobot.engine.api import Cancelled, Halted, Hold, JobRun, Lost, Postponed
from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import UserId
from dpobot.model.records import Job
from dpobot.model.words import JobState
from dpobot.monitoring.timing import timed
from dpobot.pulse import BOUNDS, Durations, Pulse, outcome_class
from tests.fakes.journal import Journal
from tests.unit.monitoring.conftest import NOW


def _run() -> JobRun:
    job = Job(7, 1, "export", UserId("@anna:example.org"), JobState.RUNNING, "token", False, 0, 0, NOW, {}, None)
    return JobRun(job, Journal())


def _raising(error: BaseException | None) -> Callable[[JobRun], Awaitable[None]]:
    async def job(_given: JobRun) -> None:
        if error is not None:
            raise error

    return job


@pytest.fixture
def seconds() -> Callable[[], float]:
    """A clock on which two seconds pass between two looks."""
    ticks: Iterator[int] = count(0, 2)
    return lambda: float(next(ticks))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "done"),
        (Unavailable("http_502"), "retried"),
        (Postponed("room", 60), "postponed"),
        (Rejected("M_FORBIDDEN", 403), "failed"),
        (ValueError("a bug"), "failed"),
        (Hold("over_share"), "held"),
        (Cancelled(), "cancelled"),
        (Lost(), "lost"),
        (Halted(), "stopped"),
        (asyncio.CancelledError(), "stopped"),
    ],
)
async def test_a_run_is_counted_by_its_end(
    seconds: Callable[[], float], error: BaseException | None, outcome: str
) -> None:
    """Under the job's name; what it raised is raised on."""
    pulse = Pulse()
    job = timed({"export": _raising(error)}, pulse, seconds)["export"]
    if error is None:
        await job(_run())
    else:
        with pytest.raises(type(error)) as raised:
            await job(_run())
        assert raised.value is error
    nothing = {("export", ending): 0 for ending in ("done", "failed", "held")}
    assert dict(pulse.job_runs) == nothing | {("export", outcome): 1}
    assert (pulse.job_seconds["export"].total, sum(pulse.job_seconds["export"].counts)) == (2.0, 1)


def test_durations_fall_where_they_belong() -> None:
    """A bound belongs to what it bounds; what is beyond all of them is counted, too."""
    durations = Durations()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] + 0.01, BOUNDS[-1] + 1):
        durations.add(seconds)
    assert durations.counts == [2, 1, *[0] * (len(BOUNDS) - 2), 1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "ok"),
        (302, "ok"),
        (400, "refused"),
        (404, "refused"),
        (429, "limited"),
        (500, "failed"),
        (None, "unreachable"),
    ],
)
def test_answers_fall_into_five_classes(status: int | None, expected: str) -> None:
    """However many statuses there are."""
    assert outcome_class(status) == expected
