"""By when a request must be answered. Pure: the calendar and the zone are handed in.

Both jurisdictions count a month alike: the day of receipt does not count, the time ends with the last hour of the day
of the next month that bears the same date, or of that month's last day if it has no such date; if that day is a
Saturday, Sunday or public holiday, with the last hour of the next working day.
EU: Art. 12(3) GDPR with Regulation (EEC, Euratom)
1182/71, Art. 3(1), (2)(c) and (4). UK: Art. 12A UK GDPR, and the ICO's guidance on the right of access.

They differ in complaints: section 164A of the UK's Data Protection Act 2018 wants them acknowledged within 30 days.
"""

import calendar
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

Jurisdiction = Literal["eu", "uk"]

_SATURDAY = 5
_LAST_SECOND = time(23, 59, 59)
_ACKNOWLEDGE: dict[Jurisdiction, timedelta | None] = {"eu": None, "uk": timedelta(days=30)}


def due(received_at: datetime, jurisdiction: Jurisdiction, holidays: Collection[date], zone: tzinfo) -> datetime:
    """Return the last second (UTC) in which an answer is in time. Raises `ValueError` for a naive moment.

    ``received_at`` counts by the date it had in ``zone``; ``holidays`` are public holidays there.
    """
    if jurisdiction not in _ACKNOWLEDGE:
        raise ValueError("unknown jurisdiction")
    day = _next_working_day(month_later(_local_date(received_at, zone)), holidays)
    return _end_of(day, zone)


def acknowledge_by(received_at: datetime, jurisdiction: Jurisdiction, zone: tzinfo) -> datetime | None:
    """Return the last second (UTC) in which a complaint is acknowledged in time, None where no law sets one.

    Working days play no part: the sooner date is the safe one.
    """
    days = _ACKNOWLEDGE[jurisdiction]
    return None if days is None else _end_of(_local_date(received_at, zone) + days, zone)


def month_later(day: date) -> date:
    """Return the same date of the next month, or that month's last day."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


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
