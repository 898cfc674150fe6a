"""Deadlines: one calendar month, as the law counts it."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.cases import deadlines
from dpobot.cases.deadlines import Jurisdiction
from dpobot.cases.holidays import holidays_after, zone_of

LONDON, BERLIN = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(datetime(2018, 5, 25), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
JURISDICTIONS: st.SearchStrategy[Jurisdiction] = st.sampled_from(["eu", "uk"])
FREE = st.frozensets(st.dates(date(2018, 6, 1), date(2090, 3, 1)), max_size=5)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-03-02T09:00+00:00", "2026-04-02T22:59:59+00:00"),  # same date; summer time began in between
        ("2026-09-03T09:00+00:00", "2026-10-05T22:59:59+00:00"),  # the ICO's example: 3 October is a Saturday
        ("2026-01-31T09:00+00:00", "2026-03-02T23:59:59+00:00"),  # 28 February is a Saturday
        ("2024-01-31T09:00+00:00", "2024-02-29T23:59:59+00:00"),  # leap year: the last day
        ("2026-11-25T09:00+00:00", "2026-12-28T23:59:59+00:00"),  # Christmas, then a Saturday (Boxing Day), a Sunday
        ("2026-12-15T09:00+00:00", "2027-01-15T23:59:59+00:00"),  # over the year's end
        ("2026-06-30T23:30+00:00", "2026-08-03T22:59:59+00:00"),  # received on 1 July in London; 1 August is a Saturday
    ],
)
def test_known_dates_in_london(received: str, expected: str) -> None:
    """Dates worked out by hand, with England's and everybody's holidays."""
    moment = datetime.fromisoformat(received)
    free = {date(2026, 12, 25), date(2027, 1, 1)}
    assert deadlines.due(moment, "uk", free, LONDON) == datetime.fromisoformat(expected)


def test_christmas_moves_a_deadline_by_the_library_s_calendar() -> None:
    """With the real holidays of Germany: 25 and 26 December 2025 are free, then comes a week-end."""
    received = datetime(2025, 11, 25, 12, tzinfo=UTC)
    free = holidays_after(received.date(), "DE")
    due = deadlines.due(received, "eu", free, zone_of("DE"))
    assert due.astimezone(BERLIN) == datetime(2025, 12, 29, 23, 59, 59, tzinfo=BERLIN)


@given(MOMENTS, JURISDICTIONS, FREE)
def test_a_deadline_is_the_first_working_day_from_the_same_date_on(
    received: datetime, jurisdiction: Jurisdiction, free: frozenset[date]
) -> None:
    """A working day, not before the same date next month (or its last day), with none in between."""
    day = received.astimezone(LONDON).date()
    due = deadlines.due(received, jurisdiction, free, LONDON).astimezone(LONDON)
    first_of_next = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    same_date = first_of_next.replace(day=min(day.day, calendar.monthrange(first_of_next.year, first_of_next.month)[1]))
    skipped = [same_date + timedelta(days=n) for n in range((due.date() - same_date).days)]
    assert due.weekday() < 5
    assert due.date() not in free
    assert due.date() >= same_date
    assert all(each.weekday() >= 5 or each in free for each in skipped)
    assert (due.hour, due.minute, due.second) == (23, 59, 59)


@given(MOMENTS, MOMENTS, JURISDICTIONS, FREE)
def test_who_asks_later_is_never_answered_sooner(
    one: datetime, other: datetime, jurisdiction: Jurisdiction, free: frozenset[date]
) -> None:
    """Deadlines keep the order of receipts."""
    earlier, later = sorted((one, other))
    assert deadlines.due(earlier, jurisdiction, free, BERLIN) <= deadlines.due(later, jurisdiction, free, BERLIN)


@given(MOMENTS)
def test_complaints_are_acknowledged_within_thirty_days(received: datetime) -> None:
    """In the UK, counted from the day after receipt; the EU's law sets no such time."""
    by = deadlines.acknowledge_by(received, "uk", LONDON)
    assert by is not None
    assert by.astimezone(LONDON).date() - received.astimezone(LONDON).date() == timedelta(days=30)
    assert deadlines.acknowledge_by(received, "eu", LONDON) is None


def test_a_naive_moment_is_refused() -> None:
    """Without a zone nobody knows on which day a request came."""
    with pytest.raises(ValueError, match="naive"):
        deadlines.due(datetime(2026, 1, 1), "uk", (), LONDON)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(("country", "zone"), [("GB", "Europe/London"), ("DE", "Europe/Berlin"), ("BR", "UTC")])
def test_each_country_has_its_zone(country: str, zone: str) -> None:
    """Those that the table doesn't hold count in UTC."""
    assert zone_of(country).key == zone


def test_an_unknown_country_has_no_holidays() -> None:
    """The deadline is then the sooner one; a known country has some, over the year's end too."""
    assert holidays_after(date(2026, 12, 1), "XX") == frozenset()
    assert {date(2026, 12, 25), date(2027, 1, 1)} <= set(holidays_after(date(2026, 12, 1), "GB"))


# 2026 in London: Good Friday 3 April, Easter Monday 6 April, bank holidays 4 and 25 May
SPRING = frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 4), date(2026, 5, 25)})


@pytest.mark.parametrize(
    ("received", "months", "expected"),
    [
        ("2026-03-02T09:00+00:00", 1, "2026-05-05T22:59:59+00:00"),  # 2 May is a Saturday, 4 May a bank holiday
        ("2026-03-02T09:00+00:00", 2, "2026-06-02T22:59:59+00:00"),  # three months from the original start
        ("2025-11-30T09:00+00:00", 2, "2026-03-02T23:59:59+00:00"),  # 28 February, the last day, is a Saturday
        ("2023-11-30T09:00+00:00", 2, "2024-02-29T23:59:59+00:00"),  # leap year
        ("2026-10-31T09:00+00:00", 2, "2027-02-01T23:59:59+00:00"),  # 31 January 2027 is a Sunday
    ],
)
def test_extensions_worked_out_by_hand(received: str, months: int, expected: str) -> None:
    """Counted from the receipt, not from the first deadline."""
    moment = datetime.fromisoformat(received)
    assert deadlines.extended(moment, months, "uk", SPRING, LONDON) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("months", [-1, 0, 3])
def test_an_extension_has_one_or_two_months(months: int) -> None:
    """Three months in all are the most that Art. 12(3) allows."""
    with pytest.raises(ValueError, match="one or two"):
        deadlines.extended(datetime(2026, 3, 2, tzinfo=UTC), months, "eu", (), LONDON)


@given(MOMENTS, JURISDICTIONS, FREE)
def test_an_extension_is_never_shorter(received: datetime, jurisdiction: Jurisdiction, free: frozenset[date]) -> None:
    """One month, two, three: each later than the one before, each a working day within its month and what follows."""
    all_three = [
        deadlines.due(received, jurisdiction, free, LONDON),
        *(deadlines.extended(received, months, jurisdiction, free, LONDON) for months in (1, 2)),
    ]
    assert all_three == sorted(set(all_three))
    for months, due in enumerate(all_three, 1):
        day = due.astimezone(LONDON).date()
        assert (day.weekday() < 5, day in free) == (True, False)
        assert day >= deadlines.months_later(received.astimezone(LONDON).date(), months)


def test_the_clock_stops_for_the_days_that_the_answer_takes() -> None:
    """The ICO's example: due on 15 March, asked on 20 February, answered on 22 February: due on 17 March."""
    due = datetime(2027, 3, 15, 23, 59, 59, tzinfo=UTC)
    asked, answered = datetime(2027, 2, 20, 16, tzinfo=UTC), datetime(2027, 2, 22, 9, tzinfo=UTC)
    assert deadlines.after_pause(due, asked, answered, (), LONDON) == datetime(2027, 3, 17, 23, 59, 59, tzinfo=UTC)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)), FREE)
def test_a_pause_gives_its_days(paused: datetime, length: timedelta, free: frozenset[date]) -> None:
    """As many as went by on the calendar, then the next working day; a pause within a day gives none."""
    due = deadlines.due(paused, "eu", free, BERLIN)
    later = deadlines.after_pause(due, paused, paused + length, free, BERLIN)
    days = (paused + length).astimezone(BERLIN).date() - paused.astimezone(BERLIN).date()
    gained = later.astimezone(BERLIN).date() - due.astimezone(BERLIN).date()
    assert gained >= days >= timedelta(days=length.days - 1)
    assert (later == due) is (days == timedelta(0))
    assert later.astimezone(BERLIN).weekday() < 5
    assert later.astimezone(BERLIN).date() not in free


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=90)), st.timedeltas(timedelta(0), timedelta(days=90)), FREE)
def test_who_takes_longer_is_not_answered_sooner(
    paused: datetime, one: timedelta, other: timedelta, free: frozenset[date]
) -> None:
    """Deadlines keep the order of answers."""
    due = deadlines.due(paused, "uk", free, LONDON)
    shorter, longer = sorted((one, other))
    results = [deadlines.after_pause(due, paused, paused + length, free, LONDON) for length in (shorter, longer)]
    assert results == sorted(results)


@given(MOMENTS)
def test_a_breach_is_told_within_72_hours(aware: datetime) -> None:
    """Hours of the clock: neither week-ends nor summer time play a part."""
    assert deadlines.breach_by(aware.astimezone(LONDON)) - aware == timedelta(hours=72)


def test_a_breach_on_the_eve_of_easter() -> None:
    """Known on Thursday evening: due on Sunday evening, which is summer time, holidays or not."""
    aware = datetime(2024, 3, 28, 20, tzinfo=LONDON)
    assert deadlines.breach_by(aware).astimezone(LONDON) == datetime(2024, 3, 31, 21, tzinfo=LONDON)
    with pytest.raises(ValueError, match="naive"):
        deadlines.breach_by(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
