"""What templates do with values: dates in plain words, sizes, numbers, bars, names that came from people."""

import gettext
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from dpobot.text.language import translatable

MOST_OF_A_NAME = 80  # characters of a display name or a room name
ELLIPSIS = "…"
_BAR_WIDTH = 20
# of a size, each a thousand times the one before
_UNITS = (translatable("{n} kB"), translatable("{n} MB"), translatable("{n} GB"), translatable("{n} TB"))

# keyed by the number of the month
_MONTHS = (
    "",
    translatable("January"),
    translatable("February"),
    translatable("March"),
    translatable("April"),
    translatable("May"),
    translatable("June"),
    translatable("July"),
    translatable("August"),
    translatable("September"),
    translatable("October"),
    translatable("November"),
    translatable("December"),
)

Translations = gettext.NullTranslations


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


def number(translations: Translations) -> Callable[[float], str]:
    """Return the filter ``number``: its thousands apart as the language does it (``12 345`` with a thin space).

    A broken number has one decimal place.
    """
    gap = translations.pgettext("between thousands", "\u202f")
    mark = translations.pgettext("decimal mark", ".")

    def words(value: float) -> str:
        whole, _, tenths = f"{value:,.1f}".partition(".")
        return whole.replace(",", gap) + (mark + tenths if tenths != "0" else "")

    return words


def size(translations: Translations) -> Callable[[float], str]:
    """Return the filter ``size``: bytes in words, ``512 bytes``, ``3.4 MB`` (decimal units, as file managers do)."""
    units = [translations.gettext(unit) for unit in _UNITS]
    mark = translations.pgettext("decimal mark", ".")

    def words(value: float) -> str:
        if value < 1000:
            return translations.ngettext("{n} byte", "{n} bytes", int(value)).format(n=int(value))
        power = 0
        while value >= 999.95 and power < len(units):
            value, power = value / 1000, power + 1
        return units[power - 1].format(n=f"{value:.1f}".removesuffix(".0").replace(".", mark))

    return words


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


def dates(translations: Translations) -> tuple[Callable[[Any], str], Callable[[Any], str]]:
    """Return the two filters ``day`` (``22 November 2026``) and ``moment`` (the same with ``, 14:05 UTC``)."""

    def day(value: datetime | date | str) -> str:
        at = _moment(value)
        first = translations.pgettext("the first of a month", "{day} {month} {year}")
        layout = first if at.day == 1 else translations.gettext("{day} {month} {year}")
        return layout.format(day=at.day, month=translations.gettext(_MONTHS[at.month]), year=at.year)

    def moment(value: datetime | date | str) -> str:
        time = f"{_moment(value):%H:%M}"
        return translations.gettext("{day}, {time} UTC").format(day=day(value), time=time)

    return day, moment


def left(translations: Translations) -> Callable[[float], str]:
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


def days(translations: Translations) -> Callable[[int], str]:
    """Return the filter ``days``: a number of days in words, ``1 day``, ``12 days``."""
    return lambda count: translations.ngettext("{n} day", "{n} days", count).format(n=count)


def translated(translations: Translations) -> Callable[[object], str]:
    """Return the filter ``translated``, for what is `translatable` in code; unlike of ``_()``, its text is escaped."""

    def words(text: object) -> str:
        return translations.gettext(str(text)) if text else ""  # the empty text is the catalogue's own header

    return words


def all_filters(translations: Translations) -> dict[str, Callable[..., Any]]:
    """Return every filter by the name that templates use."""
    day, moment = dates(translations)
    return {
        "translated": translated(translations),
        "clean": clean,
        "number": number(translations),
        "size": size(translations),
        "bar": bar,
        "day": day,
        "moment": moment,
        "left": left(translations),
        "days": days(translations),
    }
