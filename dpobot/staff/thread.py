"""What the thread of a case is told: the person's words and files, and what happened without staff. Pure."""

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from operator import itemgetter
from typing import Any

from dpobot.cases.progress import Progress
from dpobot.model.ids import UserId
from dpobot.model.records import Case, FileRef, Reply
from dpobot.staff import erasure_lines, notice_lines
from dpobot.store.audit_rows import AuditRow
from dpobot.store.case_messages import CaseMessage

# What one message can hold of words: they stand in it twice, and the event has a bound (see `text.render.MOST_BYTES`).
MOST_BYTES = 14_000
_MOST_LINES = 150
_LINE = 1_000  # characters; longer lines go on in the next one

# actions of the audit trail that staff hear of in the thread, unless they did it themselves
_TOLD = {
    "case.approved": "approved",
    "case.withdrawn": "withdrawn",
    "case.resumed": "resumed",
    "case.received": "received",
    "delivery.expired": "expired",
    "export.started": "started",
    "export.delivered": "delivered",
    "export.held": "held",
    "export.failed": "failed",
    "restriction.in_force": "restricted",
    "restriction.lifted": "lifted",
    "rectification.done": "rectified",
    "erasure.on_hold": "on_hold",
    "erasure.not_counted": "not_counted",
    "erasure.held": "stopped",
    "restriction.held": "stopped",
    "rectification.held": "stopped",
}
_BY_ANYBODY = frozenset({"policy", "bot", "admin"})


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of one message of the person; ``more``: they go on in the next message.

    ``who``: who wrote it, if it was somebody else, such as the contact of another homeserver.
    """

    at: datetime
    lines: tuple[str, ...] = field(repr=False)
    more: bool = False
    who: UserId | None = None


def how_many(messages: Sequence[CaseMessage], most: int) -> int:
    """Return how many of the first messages have together about ``most`` characters; one at least, if there is any."""
    lengths = accumulate(len(message.text) for message in messages)
    return max(sum(length <= most for length in lengths), min(1, len(messages)))


def words(messages: Sequence[CaseMessage]) -> list[Reply]:
    """Return what the person has written as few quotations as possible, each small enough to be sent.

    A burst of short messages becomes one quotation, a very long message becomes several: nothing is cut away.
    """
    pages: list[list[Lines]] = []
    room = 0
    for piece in (piece for message in messages for piece in _pieces(message)):
        size = _size(piece)
        if not pages or size > room:
            pages.append([])
            room = MOST_BYTES
        pages[-1].append(piece)
        room -= size
    return [Reply("staff/thread_words", {"messages": [_values(piece) for piece in page]}) for page in pages]


def file(sent: FileRef) -> Reply:
    """Return the line that stands before a file of the person."""
    name, media_type, size = sent.name, sent.media_type, sent.file.size
    return Reply("staff/thread_file", {"file_name": name, "media_type": media_type, "size": size}, notice=True)


def events(case: Case, rows: Sequence[AuditRow], progress: Progress | None = None) -> list[tuple[int, Reply]]:
    """Return a line for each thing that happened to a case without staff, with the number of its audit row."""
    by_others = [row for row in rows if _not_by_staff(case, row)]
    plain = [(row.seq, _event(row)) for row in by_others if row.action in _TOLD]
    erased = erasure_lines.events(by_others, progress)
    return sorted([*plain, *erased, *notice_lines.events(by_others)], key=itemgetter(0))


def _not_by_staff(case: Case, row: AuditRow) -> bool:
    return row.actor in _BY_ANYBODY or row.actor == case.person


def _event(row: AuditRow) -> Reply:
    code = row.detail.get("code")
    return Reply("staff/event_case", {"what": _TOLD[row.action], "code": code, "at": row.at}, notice=True)


def _pieces(message: CaseMessage) -> Iterator[Lines]:
    """Cut a message where it doesn't fit into one of ours."""
    piece = Lines(message.at, (), who=message.author)
    for line in _lines(message.text):
        longer = replace(piece, lines=(*piece.lines, line))
        if piece.lines and (_size(longer) > MOST_BYTES or len(longer.lines) > _MOST_LINES):
            yield replace(piece, more=True)
            longer = Lines(message.at, (line,), who=message.author)
        piece = longer
    yield piece


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines() or [""]:
        yield from (line[first : first + _LINE] for first in range(0, max(len(line), 1), _LINE))


def _size(piece: Lines) -> int:
    """Return about how many bytes a piece takes in an event, once as text and once as escaped HTML, halved."""
    return sum(len(json.dumps(html.escape(line))) + 20 for line in piece.lines) + 100


def _values(piece: Lines) -> dict[str, Any]:
    return {"at": piece.at, "lines": piece.lines, "more": piece.more, "who": piece.who}
