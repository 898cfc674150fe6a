"""What templates do with values: dates in plain words, sizes, numbers, bars, names that came from people."""

import gettext
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

MOST_OF_A_NAME = 80  # characters of a display name or a room name
ELLIPSIS = "…"
_BAR_WIDTH = 20

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def clean(text: object, most: int = MOST_OF_A_NAME) -> str:
    """Return ``text`` without control, format, surrogate and private characters, cut at ``most`` characters.

    Line breaks and tabs become spaces. Format characters (category Cf) include all that change the direction of
    writing (Unicode Annex 9) and all that can't be seen.
    """
    shown = "".join(_visible(character) for character in str(text)[: most * 4])
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + ELLIPSIS


def _visible(character: str) -> str:
    if character in "\n\r\t\v\f\x85\u2028\u2029":
        return " "
    if character == "\u200d":  # joins emoji and Arabic letters; harmless
        return character
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") else character


def number(value: float) -> str:
    """Return a number with its thousands apart by a thin, unbreakable space: ``12 345``."""
    return f"{int(value):,}".replace(",", "\u202f")


def size(value: float) -> str:
    """Return a number of bytes in words: ``512 bytes``, ``3.4 MB`` (decimal units, as file managers show them)."""
    if value < 1000:
        return f"{int(value)} bytes"
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}".replace(".0 ", " ")
    return f"{value / 1000:.1f} TB".replace(".0 ", " ")


def bar(done: float, total: float) -> str:
    """Return a progress bar with its percentage; ``total`` 0 counts as nothing done."""
    share = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
    full = int(share * _BAR_WIDTH)
    return f"{'█' * full}{'░' * (_BAR_WIDTH - full)} {int(share * 100)} %"


def _moment(value: datetime | date | str) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def dates(translations: gettext.NullTranslations) -> tuple[Callable[[Any], str], Callable[[Any], str]]:
    """Return the two filters ``day`` (``22 November 2026``) and ``moment`` (the same with ``, 14:05 UTC``)."""

    def day(value: datetime | date | str) -> str:
        at = _moment(value)
        month = translations.gettext(_MONTHS[at.month - 1])
        return translations.gettext("{day} {month} {year}").format(day=at.day, month=month, year=at.year)

    def moment(value: datetime | date | str) -> str:
        return f"{day(value)}, {_moment(value):%H:%M} UTC"

    return day, moment


def left(translations: gettext.NullTranslations) -> Callable[[float], str]:
    """Return the filter ``left``: seconds that something still takes, roughly, in words."""

    def words(seconds: float) -> str:
        if seconds < 60:
            return translations.gettext("less than a minute")
        minutes = round(seconds / 60)
        if minutes < 90:
            return translations.ngettext("about {n} minute", "about {n} minutes", minutes).format(n=minutes)
        hours = round(minutes / 60)
        return translations.ngettext("about {n} hour", "about {n} hours", hours).format(n=hours)

    return words


def all_filters(translations: gettext.NullTranslations) -> dict[str, Callable[..., Any]]:
    """Return every filter by the name that templates use."""
    day, moment = dates(translations)
    return {
        "translated": lambda text: translations.gettext(str(text)),  # unlike _(), what comes out is escaped
        "clean": clean,
        "number": number,
        "size": size,
        "bar": bar,
        "day": day,
        "moment": moment,
        "left": left(translations),
    }
