"""What was measured as a table for people, and the same table as docs/erasure.md holds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.live.seen_observers import Seen

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "erasure.md"
OBSERVERS = (
    "member",
    "joined later",
    "visitor",
    "member elsewhere",
    "joined later elsewhere",
    "first of a new server",
    "admin",
    "admin, one event",
)
NEVER = "-"


@dataclass(frozen=True)
class Row:
    """A line of the table: marks of one sort, in these rooms."""

    title: str
    what: str
    rooms: Sequence[str]


_IN = ("public", "private", "home before", "home after")
_LEFT = ("left", "kicked", "banned")
_DIRECT = ("direct", "direct encrypted", "across", "across encrypted")
ROWS = (
    Row("messages, edits, replies: rooms they are in", "messages", _IN),
    Row("the same: a room that was replaced by a new one", "messages", ("tombstoned",)),
    Row("the same: direct messages, encrypted or not", "messages", _DIRECT),
    Row("the same: rooms they left, or were removed from", "messages", _LEFT),
    Row("the last word in a thread", "thread", (*_IN, "tombstoned", *_LEFT)),
    Row("reactions, stickers, polls, other events", "reactions", _IN),
    Row("name, topic and other state: rooms they are in", "state", (*_IN, "tombstoned")),
    Row("the same: rooms they left, or were removed from", "state", _LEFT),
    Row("name, topic, picture in the directory of rooms", "directory", ("public",)),
    Row("files that others can see, by address", "file", ("public",)),
    Row("the same, if the other server has fetched them", "file, fetched", ("public",)),
    Row("files that only they could see, by address", "private file", ("address",)),
    Row("display name: rooms they joined", "display name", ("public", "tombstoned", "home before", "home after")),
    Row("the same: a room they were invited to", "display name", ("private",)),
    Row("the same: rooms they left, or were removed from", "display name", _LEFT),
    Row("user name", "user name", (*_IN, "tombstoned", *_LEFT)),
    Row("a room that only they were in", "messages", ("sole",)),
)


def table(seen: Seen) -> list[str]:
    """Return the lines of a table; a cell that is not the same for all that it stands for holds all of it."""
    head = ["what", *OBSERVERS]
    lines = [_line(head), _line(["---"] * len(head))]
    return lines + [_line([row.title, *(_cell(seen, row, observer) for observer in OBSERVERS)]) for row in ROWS]


def _cell(seen: Seen, row: Row, observer: str) -> str:
    sights = {
        sight
        for (name, mark), sight in seen.items()
        if name == observer and mark.what == row.what and mark.room in row.rooms
    }
    return " or ".join(sorted(sights)) or NEVER


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def documented() -> Mapping[str, list[str]]:
    """Return the tables of the document by the heading above them."""
    tables: dict[str, list[str]] = {}
    heading = ""
    for line in DOCUMENT.read_text("utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            tables.setdefault(heading, []).append(line)
    return tables
