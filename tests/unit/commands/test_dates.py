"""What people write for a day."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.commands.dates import period

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("29.2.2024", "2024-02-29", "2024-03-01"),
        ("9 March 2024", "2024-03-09", "2024-03-10"),
        ("1st of May 2020", "2020-05-01", "2020-05-02"),
        ("March 3, 2024", "2024-03-03", "2024-03-04"),
        ("3. März 2024", "2024-03-03", "2024-03-04"),
        ("1er août 2023", "2023-08-01", "2023-08-02"),
        ("Dec 2023", "2023-12-01", "2024-01-01"),
        ("today", "2026-11-23", "2026-11-24"),
        ("Gestern", "2026-11-22", "2026-11-23"),
        ("last month", "2026-10-23", "2026-10-24"),
        ("last  year", "2025-11-23", "2025-11-24"),
    ],
)
def test_a_period_in_words_or_figures(text: str, start: str, end: str) -> None:
    """A day, a month or a year, from its first moment to the first moment after it, in UTC."""
    assert period(text, NOW) == (_day(start), _day(end))


@pytest.mark.parametrize(
    "text", ["", "03/04/2024", "2024-02-30", "2023-02-29", "31.4.2024", "2024-13", "0999", "99999", "soon"]
)
def test_what_nobody_could_tell_is_none(text: str) -> None:
    """With slashes, Americans and Europeans mean different days."""
    assert period(text, NOW) is None


@given(st.text(max_size=40))
def test_any_text_gives_an_answer(text: str) -> None:
    """None, or a period that begins before it ends."""
    found = period(text, NOW)
    assert found is None or found[0] < found[1]
