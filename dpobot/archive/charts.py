"""Pictures of the overview: numbers in, places of bars and dots out. Pure; the words are in ``templates/archive``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dpobot.archive.layout import plain_type
from dpobot.archive.messages import safe

WIDTH = 640  # of each picture, in its own units
_HEIGHT = 140  # of the columns
_ROW = 26
_LEFT, _RIGHT = 210, 110  # beside bars that lie: name and number
_WIDEST = 48  # of a column
_MONTHS = 60  # more are shown as years
_YEARS = 60  # before those is one column
_MOST = 10  # rows of a picture; its table has up to _LISTED
_LISTED = 50
_MILLIS = 10**11  # from here on a number of time counts milliseconds


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, standing or lying: its place, what it counts, how many bytes that is; ``label``: a name or a date."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int
    size: int = 0
    kind: str = ""  # ``before`` and ``after``: columns of what lies outside the years shown


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars or dots; ``listed``: what its table has; ``total``: what all of it counts; ``unknown``: without a date."""

    width: int
    height: int
    bars: Sequence[Bar]
    listed: Sequence[Bar]
    total: int
    unknown: int = 0
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that was used: from when (ISO 8601, "" if unknown) until when."""

    name: str
    kind: str
    first: str
    last: str


def columns(months: Mapping[str, int], today: datetime) -> Picture | None:
    """Return messages by month (``2026-03``), by year if there are many; None if there are none."""
    total = sum(months.values())
    if not total:
        return None
    counts = _buckets({month: n for month, n in months.items() if month}, today)
    most = max((n for _, _, n in counts), default=0)
    step = min(WIDTH / max(len(counts), 1), _WIDEST)
    bars = [
        Bar(
            round(place * step, 1),
            round(_HEIGHT - _HEIGHT * n / most, 1) if most else 0,
            round(step * 0.8, 1),
            round(_HEIGHT * n / most, 1) if most else 0,
            label,
            n,
            kind=kind,
        )
        for place, (label, kind, n) in enumerate(counts)
    ]
    unknown = months.get("", 0)
    ends = (counts[0][0], counts[-1][0]) if counts else ("", "")
    return Picture(WIDTH, _HEIGHT, bars, bars, total, unknown, *ends)


def _buckets(months: Mapping[str, int], today: datetime) -> list[tuple[str, str, int]]:
    """Return label, kind and count of each column, empty ones between full ones too.

    Times are what senders say: what they date after today, or long before, is one column each.
    """
    begin, end = f"{today.year - _YEARS + 1:04d}-01", f"{today:%Y-%m}"
    within = {month: n for month, n in months.items() if begin <= month <= end}
    shown = _months(within) if within else []
    if len(shown) > _MONTHS:
        shown = _years(within)
    counts = [(label, "", n) for label, n in shown]
    before = sum(n for month, n in months.items() if month < begin)
    after = sum(n for month, n in months.items() if month > end)
    return [(begin[:4], "before", before)] * bool(before) + counts + [(end, "after", after)] * bool(after)


def _months(within: Mapping[str, int]) -> list[tuple[str, int]]:
    first, last = _index(min(within)), _index(max(within))
    labels = [f"{index // 12:04d}-{index % 12 + 1:02d}" for index in range(first, last + 1)]
    return [(label, within.get(label, 0)) for label in labels]


def _years(within: Mapping[str, int]) -> list[tuple[str, int]]:
    first, last = int(min(within)[:4]), int(max(within)[:4])
    years = dict.fromkeys(range(first, last + 1), 0)
    for month, n in within.items():
        years[int(month[:4])] += n
    return [(f"{year:04d}", n) for year, n in years.items()]


def _index(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def rows(counted: Iterable[tuple[str, int, int]]) -> Picture | None:
    """Return lying bars of names with their counts and bytes, longest first: by bytes where there are any.

    None if there is nothing to show.
    """
    held = sorted(counted, key=lambda item: (-item[2], -item[1], item[0]))
    if not held:
        return None
    most = max((size or n) for _, n, size in held) or 1
    space = WIDTH - _LEFT - _RIGHT
    bars = [
        Bar(_LEFT, place * _ROW, round(max(space * (size or n) / most, 1), 1), _ROW - 8, name, n, size)
        for place, (name, n, size) in enumerate(held[:_LISTED])
    ]
    total = sum(n for _, n, _ in held)
    return Picture(WIDTH, _ROW * min(len(bars), _MOST), bars[:_MOST], bars, total)


def timeline(seen: Iterable[Seen]) -> tuple[Picture, Sequence[Seen]] | None:
    """Return devices and sessions on a line of time, and all that the table lists; None if no time is known.

    A bar reaches from the first to the last time; what has only one is a dot (width 0).
    """
    known = sorted((item for item in seen if item.last), key=lambda item: (item.last, item.name), reverse=True)
    if not known:
        return None
    shown = known[:_MOST]
    times = sorted(_time(moment) for item in shown for moment in (item.first, item.last) if moment)
    begin, span = times[0], max(times[-1] - times[0], 1.0)
    space = WIDTH - _LEFT - 20

    def place(moment: str) -> float:
        return round(_LEFT + 8 + space * (_time(moment) - begin) / span, 1)

    bars = []
    for number, item in enumerate(shown):
        left, right = place(item.first or item.last), place(item.last)
        bars.append(Bar(left, number * _ROW, max(right - left, 0), _ROW - 8, item.name, 1, kind=item.kind))
    ends = (min(item.first or item.last for item in shown), max(item.last for item in shown))
    return Picture(WIDTH, _ROW * len(bars), bars, bars, len(known), 0, *ends), known[:_LISTED]


def _time(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def moment(value: object) -> str:
    """Return a time as the server gave it (milliseconds, seconds or ISO 8601) in ISO 8601, UTC; "" if it is none."""
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            seconds = value // 1000 if value > _MILLIS else value
            return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
    return ""


def media_kind(media_type: str) -> str:
    """Return the first half of a media type, for those that people know by it; else ``other``."""
    first = plain_type(media_type).split("/")[0]
    return first if first in ("image", "video", "audio", "text") else "other"


def record_name(record: Mapping[str, Any], *keys: str) -> str:
    """Return the first of these members that is a text, cut; "" if none is."""
    return next((text for key in keys if (text := safe(record.get(key), 80))), "")
