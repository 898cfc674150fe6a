"""When something is to be said unasked: pure windows of days, counted in the operator's zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

UPDATES = (7, 21)  # days after receipt (product.md: the case that must never happen again)
_LATE = 3  # days after which an update that was missed is no longer worth saying


@dataclass(frozen=True, slots=True)
class Window:
    """Moments from ``start`` to before ``end``; ``what`` names what is said of cases that fall into it."""

    what: str
    start: datetime
    end: datetime


def day_of(moment: datetime, zone: tzinfo) -> date:
    """Return the day that a moment belongs to."""
    return moment.astimezone(zone).date()


def days_until(now: datetime, then: datetime, zone: tzinfo) -> int:
    """Return how many calendar days lie between two moments; negative if ``then`` is over."""
    return (day_of(then, zone) - day_of(now, zone)).days


def is_time(now: datetime, hour: int, zone: tzinfo) -> bool:
    """Say whether the clock on the wall shows ``hour`` or later."""
    return now.astimezone(zone).hour >= hour


def updates(now: datetime, zone: tzinfo) -> Sequence[Window]:
    """Return when cases must have come in for their people to be told now how they stand."""
    today = day_of(now, zone)
    return [
        Window(f"update{days}", _midnight(today - timedelta(days + _LATE), zone), _next(today - timedelta(days), zone))
        for days in UPDATES
    ]


def before(what: str, now: datetime, remind_days: Sequence[int], zone: tzinfo) -> Sequence[Window]:
    """Return by when something must be due for staff to be reminded now, one window for each of ``remind_days``.

    They don't overlap: what is due tomorrow is in the window of one day, not in that of seven as well.
    """
    today, windows, start = day_of(now, zone), list[Window](), now
    for days in sorted(set(remind_days)):
        end = _next(today + timedelta(days), zone)
        windows.append(Window(f"{what}{days}", start, end))
        start = end
    return windows


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _next(day: date, zone: tzinfo) -> datetime:
    return _midnight(day + timedelta(days=1), zone)
