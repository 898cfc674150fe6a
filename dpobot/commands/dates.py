"""What people write for a day -> the period that it is. Pure."""

import re
from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta

Period = tuple[datetime, datetime]  # from inclusive, to exclusive, UTC

_MONTHS = (
    ("january", "jan", "januar", "jänner", "janvier", "janv"),
    ("february", "feb", "februar", "février", "fevrier", "févr"),
    ("march", "mar", "märz", "maerz", "mars"),
    ("april", "apr", "avril", "avr"),
    ("may", "mai"),
    ("june", "jun", "juni", "juin"),
    ("july", "jul", "juli", "juillet", "juil"),
    ("august", "aug", "août", "aout"),
    ("september", "sep", "sept", "septembre"),
    ("october", "oct", "oktober", "okt", "octobre"),
    ("november", "nov", "novembre"),
    ("december", "dec", "dezember", "dez", "décembre", "decembre"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_DAYS_BACK = {
    "today": 0, "heute": 0, "aujourd'hui": 0,
    "yesterday": 1, "gestern": 1, "hier": 1,
}  # fmt: skip
_AGO = {
    "last week": relativedelta(weeks=1), "letzte woche": relativedelta(weeks=1),
    "last month": relativedelta(months=1), "letzten monat": relativedelta(months=1),
    "last year": relativedelta(years=1), "letztes jahr": relativedelta(years=1),
}  # fmt: skip
_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")  # day.month.year; with slashes nobody could tell
_NAMED = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th|er|\.)? )?(?:of )?([^\W\d]+)\.? (\d{4})")
_ENGLISH = re.compile(r"([^\W\d]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")


def period(text: str, now: datetime) -> Period | None:
    """Return the day, month or year that ``text`` names, or None if nobody could tell.

    Understood: ``2024``, ``2024-03``, ``2024-03-09``, ``9.3.2024``, ``9 March 2024``, ``March 2024``, ``yesterday``,
    ``last month`` (the day one month ago). Days are UTC days.
    """
    words = " ".join(text.casefold().split())
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    if words in _DAYS_BACK:
        return _from(today - timedelta(days=_DAYS_BACK[words]), day=True)
    if words in _AGO:
        return _from(today - _AGO[words], day=True)
    parts = _parts(words)
    return _calendar(*parts) if parts else None


def _parts(words: str) -> tuple[int, int | None, int | None] | None:
    """Return year, month, day as written."""
    if match := _ISO.fullmatch(words):
        return int(match[1]), _number(match[2]), _number(match[3])
    if match := _DOTTED.fullmatch(words):
        return int(match[3]), int(match[2]), int(match[1])
    if (match := _NAMED.fullmatch(words)) and match[2] in _MONTH_OF:
        return int(match[3]), _MONTH_OF[match[2]], _number(match[1])
    if (match := _ENGLISH.fullmatch(words)) and match[1] in _MONTH_OF:
        return int(match[3]), _MONTH_OF[match[1]], int(match[2])
    return None


def _calendar(year: int, month: int | None, day: int | None) -> Period | None:
    if not 1970 <= year <= 9000:
        return None
    try:
        start = datetime(year, 1 if month is None else month, 1 if day is None else day, tzinfo=UTC)
    except ValueError:  # the 30th of February
        return None
    return _from(start, month=month is not None, day=day is not None)


def _from(start: datetime, *, month: bool = True, day: bool = False) -> Period:
    length = relativedelta(days=1) if day else relativedelta(months=1) if month else relativedelta(years=1)
    return start, start + length


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
