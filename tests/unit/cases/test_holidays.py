"""Public holidays, learnt ahead."""

from datetime import date

from dpobot.cases import holidays


async def test_what_a_child_process_learns_is_what_the_library_says() -> None:
    """Prepared or not, the same days are free, also over the turn of the year."""
    day = date(2026, 11, 22)
    asked = holidays.holidays_after(day, "FR")
    holidays._learnt.clear()
    await holidays.prepare(day, "FR")
    assert sorted({year for _country, year in holidays._learnt}) == [2026, 2027, 2028]
    assert holidays.holidays_after(day, "FR") == asked
    assert {date(2026, 12, 25), date(2027, 1, 1)} <= set(asked)


async def test_a_country_that_nobody_knows_has_no_holidays() -> None:
    """A deadline is then moved by week-ends only."""
    await holidays.prepare(date(2026, 11, 22), "ZZ")
    assert holidays.holidays_after(date(2026, 11, 22), "ZZ") == frozenset()
