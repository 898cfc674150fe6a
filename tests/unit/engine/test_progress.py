"""How far a job is."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.engine.progress import Progress
from tests.unit.engine.rows import START

HALF = Progress(done=50, total=100, started_at=START, rooms=3, rooms_total=7, events=1200, size=12_340_000)


def test_the_message_says_what_is_done_and_left() -> None:
    """Half the work in ten minutes leaves ten minutes."""
    assert HALF.values(START + timedelta(minutes=10)) == {
        "bar": "██████████░░░░░░░░░░",
        "percent": 50,
        "rooms": 3,
        "rooms_total": 7,
        "events": 1200,
        "megabytes": 12.3,
        "minutes_left": 10,
    }


def test_an_outage_is_no_work() -> None:
    """A run that goes on at 40 of 100 and does 10 in a minute needs five more for the rest."""
    resumed = replace(HALF, done_before=40)
    assert resumed.left(START + timedelta(minutes=1)) == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("progress", "seconds"),
    [
        (replace(HALF, done=1), 60),  # too little is known
        (replace(HALF, done_before=50), 60),  # nothing done in this run yet
        (HALF, 0),
        (HALF, -5),  # a clock that was set back
        (replace(HALF, total=0), 60),
    ],
)
def test_a_guess_is_not_shown(progress: Progress, seconds: float) -> None:
    """No time left rather than a wrong one."""
    assert progress.left(START + timedelta(seconds=seconds)) is None


@pytest.mark.parametrize(
    ("done", "bar"),
    [(0, "░░░░"), (1, "░░░░"), (4, "▏░░░"), (25, "█░░░"), (30, "█▏░░"), (99, "███▉"), (100, "████"), (250, "████")],
)
def test_the_bar_has_eighths(done: float, bar: str) -> None:
    """Always as wide as asked; full only when all is done."""
    assert replace(HALF, done=done).bar(4) == bar


@given(done=st.floats(0, 1e12), total=st.floats(0, 1e12), width=st.integers(1, 60))
def test_the_bar_is_always_as_wide_as_asked(done: float, total: float, width: int) -> None:
    """Whatever the figures are."""
    assert len(replace(HALF, done=done, total=total).bar(width)) == width


def test_it_comes_back_from_the_row() -> None:
    """What a job's row stores is what it was; a job that has said nothing has none."""
    assert Progress.from_json(HALF.to_json()) == HALF
    assert Progress.from_json({}) is None
