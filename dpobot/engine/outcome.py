"""What the end of a run means: one pure table from the error a job raised to what becomes of its row."""

import re
from dataclasses import dataclass

from dpobot.engine.api import Cancelled, Halted, Hold, Lost, Postponed
from dpobot.errors import Refusal, Rejected, Tripwire, Unavailable
from dpobot.model.words import JobState

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True)
class End:
    """The job is over; ``code`` says why unless all went well."""

    state: JobState
    code: str | None = None


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The job waits and goes on after its finished steps."""

    code: str
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Wait:
    """The job waits so many seconds; that is no failure, and none is counted."""

    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Another run has the job: whatever this one thinks no longer counts."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """The engine stops: the job goes on at the next start."""


Outcome = End | TryAgain | Wait | Drop | PutBack


def of(error: Exception) -> Outcome:
    """Return what becomes of a job that raised ``error``; a task group's errors count by the gravest of them."""
    if isinstance(error, ExceptionGroup):
        return min((of(part) for part in error.exceptions), key=_gravity)
    match error:
        case Lost():
            return Drop()
        case Halted():
            return PutBack()
        case Cancelled():
            return End(JobState.CANCELLED)
        case Hold() | Tripwire():
            return End(JobState.HELD, stable(error.code, "held"))
        case Postponed():
            return Wait(stable(error.code, "postponed"), error.seconds)
        case Unavailable():
            return TryAgain(stable(error.code, "unavailable"), error.retry_after)
        case Rejected() | Refusal():
            return End(JobState.FAILED, stable(error.code, "rejected"))
        case _:
            return End(JobState.FAILED, stable(f"bug.{type(error).__name__}", "bug"))


def stable(code: str, otherwise: str) -> str:
    """Return ``code`` if it looks like one; another side's free text must not reach a row, a log or an alert."""
    return code if _CODE.fullmatch(code) else otherwise


def _gravity(outcome: Outcome) -> int:
    """Order: lost, held, failed, cancelled, put back, try again, wait. A tripwire must not hide behind a time-out."""
    match outcome:
        case Drop():
            return 0
        case End(state=state):
            return {JobState.HELD: 1, JobState.FAILED: 2}.get(state, 3)
        case PutBack():
            return 4
        case TryAgain():
            return 5
        case Wait():
            return 6
