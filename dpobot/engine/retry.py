"""When a job that met an unavailable server or database is tried again. Pure: the time and the dice are handed in."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = 5.0  # seconds: a restart of the homeserver takes about this long
CAP = 15 * 60.0  # seconds: nobody notices a quarter of an hour in a deadline of a month
SPREAD = 0.25  # up to a quarter earlier, so that a hundred waiting jobs don't come back at the same moment
LIMIT = 230  # failures in a row: at the cap about two days, a week-end's outage
AFTER_DEATHS = tuple(timedelta(minutes=pause) for pause in (*[0] * 20, 1, 5, 15, 15, 15))
"""How long a job waits after each death of a machine that ran it. One that dies again and again may take the job with
it, or the other way round: later on others must have their turn. After one more, staff must look."""
LONGEST = 24 * 3600.0  # seconds: what another side may make us wait at most


@dataclass(frozen=True, slots=True)
class Later:
    """Try again at this moment."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It has been tried for two days: staff must look."""


def decide(attempts: int, *, retry_after: float | None, now: datetime, jitter: float) -> Later | GiveUp:
    """Say when to try again after ``attempts`` earlier failures without progress in between.

    ``retry_after`` is what the other side asked for, in seconds: never earlier than that, and a day at most.
    ``jitter`` is a random number in [0, 1).
    """
    if attempts >= LIMIT:
        return GiveUp()
    wait = min(CAP, FIRST * 2.0 ** min(attempts, 32)) * (1 - SPREAD * jitter)
    return Later(now + timedelta(seconds=max(wait, _asked(retry_after))))


def _asked(retry_after: float | None) -> float:
    if retry_after is None or math.isnan(retry_after):
        return 0.0
    return min(LONGEST, retry_after)
