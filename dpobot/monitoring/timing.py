"""How long jobs run and how that ends, without the engine knowing that anybody counts."""

import asyncio
import time
from collections.abc import Callable, Mapping

from dpobot.engine import outcome
from dpobot.engine.api import JobFunction, JobRun
from dpobot.engine.outcome import Drop, End, Outcome, PutBack, TryAgain, Wait
from dpobot.pulse import PROCESS, Pulse

_DONE, _STOPPED = "done", "stopped"
_BAD = ("failed", "held")


def timed(
    functions: Mapping[str, JobFunction], pulse: Pulse = PROCESS, monotonic: Callable[[], float] = time.monotonic
) -> dict[str, JobFunction]:
    """Return the same jobs, each of whose runs is counted under the job's name."""
    for name in functions:
        for ending in (_DONE, *_BAD):
            pulse.job_runs[name, ending] += 0  # from the start: Prometheus sees no increase from "absent" to 1
    return {name: _timed(name, function, pulse, monotonic) for name, function in functions.items()}


def _timed(name: str, function: JobFunction, pulse: Pulse, monotonic: Callable[[], float]) -> JobFunction:
    async def run(given: JobRun) -> None:
        began, how = monotonic(), _DONE
        try:
            await function(given)
        except asyncio.CancelledError:
            how = _STOPPED
            raise
        except Exception as error:
            how = _word(outcome.of(error))
            raise
        finally:
            pulse.ran(name, how, monotonic() - began)

    return run


def _word(became: Outcome) -> str:
    match became:
        case End():
            return str(became.state)
        case TryAgain():
            return "retried"
        case Wait():
            return "postponed"
        case Drop():
            return "lost"
        case PutBack():
            return _STOPPED
