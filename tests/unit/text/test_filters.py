"""Dates, sizes, numbers, bars and names."""

import gettext
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.text import filters, language

FILTERS = filters.all_filters(gettext.NullTranslations())
OF = {code: filters.all_filters(language.translations(code)) for code in ("en", "de", "fr")}


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
    assert FILTERS["size"](value) == expected


def test_numbers_have_narrow_gaps() -> None:
    """Thousands are told apart in every language."""
    assert FILTERS["number"](7_700_000) == "7\u202f700\u202f000"


@pytest.mark.parametrize(
    ("name", "value", "english", "german", "french"),
    [
        ("day", date(2026, 11, 22), "22 November 2026", "22. November 2026", "22 novembre 2026"),
        ("day", date(2026, 3, 1), "1 March 2026", "1. März 2026", "1er mars 2026"),
        (
            "moment",
            datetime(2026, 12, 2, 14, 5, tzinfo=UTC),
            "2 December 2026, 14:05 UTC",
            "2. Dezember 2026, 14:05 UTC",
            "2 décembre 2026 à 14:05 UTC",
        ),
        ("size", 1, "1 byte", "1 Byte", "1 octet"),
        ("size", 512, "512 bytes", "512 Bytes", "512 octets"),
        ("size", 3_449_000, "3.4 MB", "3,4 MB", "3,4 Mo"),
        ("size", 10**12, "1 TB", "1 TB", "1 To"),
        ("number", 7_700_000, "7\u202f700\u202f000", "7.700.000", "7\u202f700\u202f000"),
        ("number", 1200.5, "1\u202f200.5", "1.200,5", "1\u202f200,5"),
        ("number", 12.0, "12", "12", "12"),
        ("left", 9000, "about 2 hours", "etwa 2 Stunden", "environ 2 heures"),
        ("left", 61, "about 1 minute", "etwa 1 Minute", "environ 1 minute"),
        ("days", 0, "0 days", "0 Tage", "0 jour"),
        ("days", 1, "1 day", "1 Tag", "1 jour"),
        ("days", 12, "12 days", "12 Tage", "12 jours"),
        ("translated", "January", "January", "Januar", "janvier"),
    ],
)
def test_each_language_has_its_own_way(name: str, value: Any, english: str, german: str, french: str) -> None:
    """Order of a date, decimal mark, gaps between thousands, units, plural forms."""
    assert [OF[code][name](value) for code in ("en", "de", "fr")] == [english, german, french]


@pytest.mark.parametrize("code", ["en", "de", "fr"])
def test_no_text_stays_no_text(code: str) -> None:
    """The empty text is the name of a catalogue's header, which nobody must see."""
    assert OF[code]["translated"]("") == ""


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


@pytest.mark.parametrize(
    ("text", "code"), [("de-AT", "de"), ("Deutsch", "de"), ("german", "de"), ("FR", "fr"), ("français", "fr")]
)
def test_the_translated_languages_are_found(text: str, code: str) -> None:
    """By what people call them."""
    assert language.normalise(text) == code


@pytest.mark.parametrize("text", ["", "klingon", "e", "eng lish", "../en"])
def test_an_unknown_language_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert language.normalise(text) is None


def test_english_is_always_there() -> None:
    """It is what the templates are written in."""
    assert language.available()["en"] == "English"
