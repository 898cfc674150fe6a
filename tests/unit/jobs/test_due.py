"""When something is to be said: pure windows, in the operator's zone, around changes of the clock."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.jobs import due

LONDON, BERLIN = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
DAYS = st.lists(st.integers(0, 60), max_size=5)


def _names(windows: Sequence[due.Window], moment: datetime) -> list[str]:
    return [window.what for window in windows if window.start <= moment < window.end]


@pytest.mark.parametrize(
    ("age", "said"),
    [(0, []), (6, []), (7, ["update7"]), (10, ["update7"]), (11, []), (20, []), (21, ["update21"]), (25, [])],
)
def test_updates_come_on_their_day_or_a_few_days_late(age: int, said: list[str]) -> None:
    """On day 7 and day 21 after receipt; after a long absence of the bot not at all."""
    assert _names(due.updates(NOON, LONDON), NOON - timedelta(days=age)) == said


def test_days_begin_at_midnight_of_the_zone() -> None:
    """A request of half past eleven in the evening UTC came in the next day in Berlin."""
    received = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert _names(due.updates(datetime(2026, 3, 9, 12, tzinfo=UTC), LONDON), received) == ["update7"]
    assert _names(due.updates(datetime(2026, 3, 9, 12, tzinfo=UTC), BERLIN), received) == []
    assert due.day_of(received, BERLIN) == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("days", "said"), [(0, ["due1"]), (1, ["due1"]), (2, ["due3"]), (3, ["due3"]), (7, ["due7"]), (8, []), (-1, [])]
)
def test_staff_are_reminded_by_the_nearest_mark(days: int, said: list[str]) -> None:
    """What is due tomorrow is said to be due tomorrow, once, whatever other marks have passed."""
    assert _names(due.before("due", NOON, (7, 3, 1), LONDON), NOON + timedelta(days=days)) == said


@given(MOMENTS, DAYS)
def test_windows_follow_each_other_without_a_gap(now: datetime, days: list[int]) -> None:
    """From now to the end of the last day each moment is in exactly one, also where the clock is changed."""
    windows = due.before("due", now, days, BERLIN)
    assert [window.start for window in windows[:1]] == [now for _ in windows[:1]]
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))
    assert [due.days_until(now, window.end - timedelta(seconds=1), BERLIN) for window in windows] == sorted(set(days))


@given(MOMENTS, st.integers(0, 23))
def test_the_hour_counts_on_the_wall(now: datetime, hour: int) -> None:
    """A digest of eight o'clock is not written at seven in winter and nine in summer."""
    assert due.is_time(now, hour, LONDON) == (now.astimezone(LONDON).hour >= hour)
