"""When a failed job is tried again."""

import math
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.engine.retry import CAP, FIRST, LIMIT, LONGEST, GiveUp, Later, decide
from tests.unit.engine.rows import START


def wait(attempts: int, retry_after: float | None = None, jitter: float = 0.0) -> float:
    """Return the seconds to wait."""
    decision = decide(attempts, retry_after=retry_after, now=START, jitter=jitter)
    assert isinstance(decision, Later)
    return (decision.at - START).total_seconds()


def test_the_pauses_double_up_to_the_cap() -> None:
    """5, 10, 20, ... seconds, then a quarter of an hour each."""
    waits = [wait(n) for n in range(12)]
    assert waits[:4] == [5, 10, 20, 40]
    assert all(earlier <= later for earlier, later in pairwise(waits))
    assert waits[-1] == CAP == 900


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_it_gives_up_after_about_two_days(jitter: float) -> None:
    """Long enough for a week-end's outage, short enough for a deadline of a month."""
    assert isinstance(decide(LIMIT, retry_after=None, now=START, jitter=jitter), GiveUp)
    days = timedelta(seconds=sum(wait(n, jitter=jitter) for n in range(LIMIT))) / timedelta(days=1)
    assert 1.7 < days < 2.5


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, FIRST), (0, FIRST), (-7, FIRST), (math.nan, FIRST), (120, 120), (math.inf, LONGEST), (1e9, LONGEST)],
)
def test_what_the_other_side_asks_for_is_kept(asked: float | None, seconds: float) -> None:
    """Never earlier than asked; nonsense is not believed, and nobody parks a job for more than a day."""
    assert wait(0, retry_after=asked) == seconds


@given(
    attempts=st.integers(0, 10_000),
    asked=st.none() | st.floats(),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_the_next_attempt_is_always_ahead(attempts: int, asked: float | None, jitter: float) -> None:
    """Whatever is asked and thrown: between 3.75 seconds and a day, or the end."""
    decision = decide(attempts, retry_after=asked, now=START, jitter=jitter)
    if attempts >= LIMIT:
        assert decision == GiveUp()
    else:
        assert isinstance(decision, Later)
        assert 3.75 <= (decision.at - START).total_seconds() <= LONGEST
