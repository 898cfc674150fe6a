"""By when a request must be answered. Pure: the calendar and the zone are handed in.

Both jurisdictions count a month alike: the day of receipt does not count, the time ends with the last hour of the day
of the next month that bears the same date, or of that month's last day if it has no such date; if that day is a
Saturday, Sunday or public holiday, with the last hour of the next working day.
EU: Art. 12(3) GDPR with Regulation (EEC, Euratom)
1182/71, Art. 3(1), (2)(c) and (4). UK: Art. 12A UK GDPR, and the ICO's guidance on the right of access.

An extension is counted from the original receipt and not from the first deadline: three months in all at most.
While it is the person's turn the clock stands still: for as many days as they took (the ICO's "stop the clock").

They differ in complaints: section 164A of the UK's Data Protection Act 2018 wants them acknowledged within 30 days.

A breach is told to the authority within 72 hours (Art. 33(1)). These are hours as the clock shows them, in both
jurisdictions: Art. 3(4) of Regulation 1182/71 moves no period that is expressed in hours to a working day. Its
Art. 3(1) would not count the hour that has begun, and whether Art. 3(5), "two days or more shall include at least two
working days", also holds for 72 hours is disputed and not decided. Both could only make the time longer: without them
it is never too long.
"""

import calendar
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

Jurisdiction = Literal["eu", "uk"]

LONGEST_EXTENSION = 2  # months, Art. 12(3)
_SATURDAY = 5
_LAST_SECOND = time(23, 59, 59)
_ACKNOWLEDGE: dict[Jurisdiction, timedelta | None] = {"eu": None, "uk": timedelta(days=30)}
_BREACH = timedelta(hours=72)


def due(received_at: datetime, jurisdiction: Jurisdiction, holidays: Collection[date], zone: tzinfo) -> datetime:
    """Return the last second (UTC) in which an answer is in time. Raises `ValueError` for a naive moment.

    ``received_at`` counts by the date it had in ``zone``; ``holidays`` are public holidays there.
    """
    return _months_after(received_at, 1, jurisdiction, holidays, zone)


def extended(
    received_at: datetime, months: int, jurisdiction: Jurisdiction, holidays: Collection[date], zone: tzinfo
) -> datetime:
    """Return the same for a case that was extended by 1 or 2 ``months``. Raises `ValueError` for any other number."""
    if not 1 <= months <= LONGEST_EXTENSION:
        raise ValueError("an extension is one or two months")
    return _months_after(received_at, 1 + months, jurisdiction, holidays, zone)


def after_pause(
    due_at: datetime, paused_at: datetime, resumed_at: datetime, holidays: Collection[date], zone: tzinfo
) -> datetime:
    """Return a deadline that is later by the days of a pause, from the date of the one to the date of the other."""
    return later(due_at, days_paused(paused_at, resumed_at, zone), holidays, zone)


def later(due_at: datetime, days: int, holidays: Collection[date], zone: tzinfo) -> datetime:
    """Return a deadline that is later by whole days; one that isn't moved stays as it is."""
    if days == 0:
        return due_at
    return _end_of(_next_working_day(_local_date(due_at, zone) + timedelta(days=days), holidays), zone)


def days_paused(paused_at: datetime, resumed_at: datetime, zone: tzinfo) -> int:
    """Return how many days a pause lasted: as many midnights of ``zone`` as it went over."""
    return max(0, (_local_date(resumed_at, zone) - _local_date(paused_at, zone)).days)


def acknowledge_by(received_at: datetime, jurisdiction: Jurisdiction, zone: tzinfo) -> datetime | None:
    """Return the last second (UTC) in which a complaint is acknowledged in time, None where no law sets one.

    Working days play no part: the sooner date is the safe one.
    """
    days = _ACKNOWLEDGE[jurisdiction]
    return None if days is None else _end_of(_local_date(received_at, zone) + days, zone)


def breach_by(aware_at: datetime) -> datetime:
    """Return until when (UTC) a breach must be told to the authority. Raises `ValueError` for a naive moment."""
    if aware_at.tzinfo is None:
        raise ValueError("a naive moment")
    return aware_at.astimezone(UTC) + _BREACH


def months_later(day: date, months: int) -> date:
    """Return the same date some months later, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _months_after(
    received_at: datetime, months: int, jurisdiction: Jurisdiction, holidays: Collection[date], zone: tzinfo
) -> datetime:
    if jurisdiction not in _ACKNOWLEDGE:
        raise ValueError("unknown jurisdiction")
    day = _next_working_day(months_later(_local_date(received_at, zone), months), holidays)
    return _end_of(day, zone)


def _next_working_day(day: date, holidays: Collection[date]) -> date:
    while day.weekday() >= _SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day


def _local_date(moment: datetime, zone: tzinfo) -> date:
    if moment.tzinfo is None:
        raise ValueError("a naive moment")
    return moment.astimezone(zone).date()


def _end_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, _LAST_SECOND, zone).astimezone(UTC)
