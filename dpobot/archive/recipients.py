"""Who received what the person sent (Art. 15(1)(c) GDPR; CJEU C-154/21: the actual recipients): table, CSV, picture."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dpobot.archive import recipients_csv
from dpobot.archive.messages import safe
from dpobot.archive.spool import Spool
from dpobot.archive.telling import Telling
from dpobot.archive.volume import Packed, pack

KEPT = "recipients"  # the spool's note
PAGE, DATA, TABLE = "recipients.html", "recipients.json", "recipients.csv"
_ON_PAGE = 500  # rows of a table on the page; the data files have all
_BARS = 20
_NAME = 255  # characters: the most that a server's name or a user ID may have
_SHORT = 29  # characters of a name that fit beside a bar
_LINE, _LEFT, _WIDTH, _NUMBER = 22, 250, 640, 70  # of the picture, in its own units

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """One server in the picture: where it begins from the top, how long it is, and what stands beside it."""

    top: int
    width: float
    name: str
    events: int


def chapter(telling: Telling) -> Iterable[Packed]:
    """Return ``recipients.html``, ``recipients.json`` and ``recipients.csv``; nothing if nobody has looked."""
    found = kept(telling.spool)
    if found is None:
        return ()
    data = json.dumps({"person": telling.facts.person, **found}, ensure_ascii=False, indent=1).encode()
    return (
        telling.writer.page("recipients", PAGE, _values(found)),
        pack(DATA, data),
        pack(TABLE, recipients_csv.table(found)),
    )


def kept(spool: Spool) -> dict[str, Any] | None:
    """Return what was found out about recipients, its texts without what can't be seen; None if nobody has looked."""
    found = spool.kept(KEPT)
    if found is None:
        return None
    return {name: _clean(value) for name, value in found.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return safe(value, _NAME)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {name: _clean(each) for name, each in value.items()}
    return value


def _values(found: Row) -> dict[str, object]:
    servers = [_dated(row) for row in found["servers"]]
    others = [row for row in servers if row["events"] and not row["own"]]
    bars = _bars(others[:_BARS])
    return {
        "found": found,
        "servers": servers[:_ON_PAGE],
        "services": [_dated(row) for row in found["services"][:_ON_PAGE]],
        "elsewhere": sum(not row["own"] for row in servers),
        "later": sum(row["later"] for row in servers),
        "bars": bars,
        "further": others[_BARS:],
        "left": _LEFT,
        "width": _WIDTH,
        "height": len(bars) * _LINE,
        "on_page": _ON_PAGE,
    }


def _dated(row: Row) -> dict[str, Any]:
    return {**row, "first": day(row["first"]), "last": day(row["last"])}


def day(millis: int | None) -> datetime | None:
    """Return a moment, None for none and for one that no calendar has: clocks of servers say what they like."""
    try:
        return None if millis is None else datetime.fromtimestamp(millis / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _bars(rows: Sequence[Row]) -> list[Bar]:
    most = max((row["events"] for row in rows), default=1)
    room = _WIDTH - _LEFT - _NUMBER
    return [
        Bar(number * _LINE, round(max(room * row["events"] / most, 2), 1), _short(row["server"]), row["events"])
        for number, row in enumerate(rows)
    ]


def _short(name: str) -> str:
    return name if len(name) <= _SHORT else name[: _SHORT - 1] + "…"
