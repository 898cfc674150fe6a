"""All recipients in one table (RFC 4180), for spreadsheets and programs.

UTF-8 with a byte order mark: without one Excel reads it in the code page of the machine. Names come from other servers,
and a spreadsheet takes what begins like a formula for one, quoted or not: an apostrophe before it keeps it a text.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

COLUMNS = ("kind", "name", "network_or_app", "own_server", "rooms", "events", "devices", "first", "last", "came_later")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Row = Mapping[str, Any]


def table(found: Row) -> bytes:
    """Return the table of what `recipients.kept` gives: a recipient a line, times in ISO 8601 (UTC)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in _lines(found):
        writer.writerow([cell(line.get(column)) for column in COLUMNS])
    return out.getvalue().encode("utf-8-sig", "replace")


def cell(value: object) -> str:
    """Return a value as a cell that no program takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(found: Row) -> Iterator[Row]:
    yield from (_server(row) for row in found["servers"])
    yield from (_service(row) for row in found["services"])
    for row in found["push"]:
        yield {"kind": "push", "name": row["host"], "network_or_app": row["app"], "devices": row["devices"]}
    yield from _identity(found["identity"])


def _server(row: Row) -> Row:
    return {
        "kind": "server",
        "name": row["server"],
        "own_server": row["own"],
        "rooms": row["rooms"],
        "events": row["events"],
        "came_later": row["later"],
        **_times(row),
    }


def _service(row: Row) -> Row:
    named = {"kind": row["kind"], "name": row["user_id"], "network_or_app": row["network"], "rooms": row["rooms"]}
    return {**named, **_times(row)}


def _identity(rows: Iterable[Row]) -> Iterator[Row]:
    return ({"kind": "identity", "name": row["host"]} for row in rows)


def _times(row: Row) -> Row:
    return {name: _moment(row[name]) for name in ("first", "last")}


def _moment(millis: int | None) -> str | None:
    """Return a moment in ISO 8601; one that no calendar has as the number that it is."""
    if millis is None:
        return None
    try:
        return datetime.fromtimestamp(millis // 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(millis)
