"""Dates, sizes, numbers, bars and names."""

import gettext
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.text import filters, language

FILTERS = filters.all_filters(gettext.NullTranslations())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 11, 22, 14, 5, tzinfo=UTC), "22 November 2026, 14:05 UTC"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "31 December 2025, 23:30 UTC"),
        ("2026-03-09T00:00:00+00:00", "9 March 2026, 00:00 UTC"),
    ],
)
def test_moments_are_in_plain_words_and_utc(value: datetime | str, expected: str) -> None:
    """A moment names its zone; others are converted."""
    assert FILTERS["moment"](value) == expected


def test_a_date_is_a_day() -> None:
    """Dates without a time work, too."""
    assert FILTERS["day"](date(2024, 2, 29)) == "29 February 2024"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (3_449_000, "3.4 MB"),
        (999_960_000, "1 GB"),
        (10**13, "10 TB"),
    ],
)
def test_sizes(value: int, expected: str) -> None:
    """Decimal units, one decimal place, none where it would be zero."""
    assert filters.size(value) == expected


def test_numbers_have_narrow_gaps() -> None:
    """Thousands are told apart in every language."""
    assert filters.number(7_700_000) == "7\u202f700\u202f000"


@pytest.mark.parametrize(
    ("done", "total", "expected"), [(0, 0, "0 %"), (1, 2, "50 %"), (9, 3, "100 %"), (-1, 3, "0 %")]
)
def test_the_bar_never_leaves_its_frame(done: int, total: int, expected: str) -> None:
    """Twenty blocks whatever the figures are."""
    blocks, _, percent = filters.bar(done, total).partition(" ")
    assert (len(blocks), percent) == (20, expected)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(5, "less than a minute"), (61, "about 1 minute"), (600, "about 10 minutes"), (9000, "about 2 hours")],
)
def test_time_left_is_rough(seconds: int, expected: str) -> None:
    """Nobody needs seconds."""
    assert FILTERS["left"](seconds) == expected


def test_a_name_is_one_short_line() -> None:
    """Line breaks become blanks, invisible characters vanish, the rest is cut."""
    assert filters.clean("a\u2028b\u200bc\u2067\n\td" + "e" * 200) == "a bc d" + "e" * 73 + "…"


def test_joined_emoji_stay_whole() -> None:
    """A family is not torn apart."""
    assert filters.clean("👨\u200d👩\u200d👧") == "👨\u200d👩\u200d👧"


@given(st.text(), st.integers(2, 300))
def test_any_text_becomes_harmless(text: str, most: int) -> None:
    """Never longer than allowed, never with a line break or a direction mark, and cleaning twice changes nothing."""
    shown = filters.clean(text, most)
    assert len(shown) <= most
    assert not set(shown) & set("\n\r\x00\x1b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert filters.clean(shown, most) == shown


@pytest.mark.parametrize("text", ["en", "EN", " english ", "en-GB", "en_US", "Englisch"])
def test_a_language_has_many_names(text: str) -> None:
    """Code, region, own name, and what others call it."""
    assert language.normalise(text) == "en"


@pytest.mark.parametrize("text", ["", "klingon", "e", "eng lish", "../en"])
def test_an_unknown_language_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert language.normalise(text) is None


def test_english_is_always_there() -> None:
    """It is what the templates are written in."""
    assert language.available()["en"] == "English"
