"""Rooms on their way into volumes: events as they are, and pages of messages by day, side by side."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from dpobot.archive import layout
from dpobot.archive.facts import Progress
from dpobot.archive.media import Media, MediumShown
from dpobot.archive.messages import Shown, safe, shown, urls
from dpobot.archive.pages import Writer
from dpobot.archive.shelf import RoomPart, Shelf
from dpobot.archive.spool import Room, Spool, encode
from dpobot.archive.volume import Draft, Stage, pack
from dpobot.errors import Rejected

PAGE_EVENTS = 500
PAGE_BYTES = 400_000  # of events; keeps a page small whatever they hold
_PART_COST = 8_000  # room.json, headers of the events file, the room's line in the index


@dataclass(frozen=True, slots=True)
class Line:
    """An event on a page. ``number`` counts from 1 in its room."""

    number: int
    event: Shown
    medium: MediumShown | None
    about: str  # anchors of the events of this page that it is about and that it answers
    answers: str


@dataclass(slots=True)
class Chunk:
    """Events that go on one page together."""

    first: int
    lines: list[bytes]
    events: list[dict[str, Any]]


@dataclass(slots=True)
class RoomTotal:
    """Where a room's events lie at the end."""

    room: Room
    events: int = 0
    first_volume: int = 0
    last_volume: int = 0
    page: str = ""


class Rooms:
    """Packs one room after the other."""

    def __init__(
        self, spool: Spool, shelf: Shelf, media: Media, writer: Writer, stage: Path, progress: Progress | None
    ) -> None:
        self._spool, self._shelf, self._media, self._writer = spool, shelf, media, writer
        self._stage_path, self._progress = stage, progress
        self._room: RoomTotal | None = None
        self._part: RoomPart | None = None
        self._stage: Stage | None = None
        self._draft: Draft | None = None
        self._parts = self._pages = 0
        self.events = 0
        shelf.before_turn = self._close_part

    def pack(self, room: Room) -> RoomTotal:
        """Pack a room's events; return where they lie."""
        self._room = RoomTotal(room)
        self._parts = self._pages = 0
        for chunk in self._chunks(room.number):
            self._add(chunk)
            if self._progress:
                self._progress(self.events)
        total, self._room = self._room, None
        self._close_part()
        return total

    def _chunks(self, room: int) -> Iterator[Chunk]:
        """Cut a room's events into pages; a page shows at most a quarter of a volume's worth of new media."""
        chunk, size, media = Chunk(1, [], []), 0, 0
        for line in self._spool.events(room):
            event = json.loads(line)
            new = sum(self._media.waiting(url) for url in urls(event))
            full = len(chunk.lines) >= PAGE_EVENTS or size + len(line) > PAGE_BYTES
            if chunk.lines and (full or (new and media + new > self._shelf.capacity // 4)):
                yield chunk
                chunk, size, media = Chunk(chunk.first + len(chunk.lines), [], []), 0, 0
            chunk.lines.append(line)
            chunk.events.append(event)
            size, media = size + len(line), media + new
        if chunk.lines:
            yield chunk

    def _add(self, chunk: Chunk) -> None:
        for event in chunk.events:
            for url in urls(event):
                self._media.place(url)
        if self._fits(chunk):
            return
        if not self._alone():
            self._shelf.turn()
            if self._fits(chunk):
                return
        self._halve(chunk)

    def _alone(self) -> bool:
        """Whether the open volume holds nothing yet, so that turning to the next would give no more room."""
        contents = self._shelf.contents
        begun = self._part is not None and self._part.events > 0
        return not (begun or contents.media or contents.rooms or contents.account or contents.pieces)

    def _halve(self, chunk: Chunk) -> None:
        if len(chunk.lines) == 1:
            raise Rejected("event_too_large")
        middle = len(chunk.lines) // 2
        self._add(Chunk(chunk.first, chunk.lines[:middle], chunk.events[:middle]))
        self._add(Chunk(chunk.first + middle, chunk.lines[middle:], chunk.events[middle:]))

    def _fits(self, chunk: Chunk) -> bool:
        """Add a page's worth of events to the open volume if they fit with all that is staged already."""
        part, stage = self._open_part()
        page = layout.room_page(part.folder, self._pages + 1)
        draft = self._writer.room(page, self._view(chunk, part))
        staged = stage.offer(b"".join(chunk.lines))
        if draft.cost + staged > self._shelf.left:
            return False
        self._place_draft(page)
        stage.keep()
        self._draft = draft
        self._shelf.held += draft.cost + staged
        self._note(part, page, len(chunk.lines))
        return True

    def _note(self, part: RoomPart, page: str, count: int) -> None:
        assert self._room  # noqa: S101  a page is only made while a room is packed
        self._pages += 1
        part.pages.append(page)
        part.events += count
        self._shelf.contents.events += count
        self.events += count
        self._room.events += count
        self._room.first_volume = self._room.first_volume or self._shelf.number
        self._room.last_volume = self._shelf.number
        self._room.page = self._room.page or page

    def _open_part(self) -> tuple[RoomPart, Stage]:
        if self._part is None or self._stage is None:
            assert self._room  # noqa: S101  as above
            room = self._room.room
            self._parts += 1
            folder = layout.room_folder(room.number, room.name)
            self._part = RoomPart(room.number, room.room_id, safe(room.name), folder, self._parts)
            self._stage = Stage(self._stage_path)
            self._shelf.held += _PART_COST
        return self._part, self._stage

    def _place_draft(self, following: str) -> None:
        """Write the page that waited to learn which one follows it."""
        if self._draft:
            draft, self._draft = self._draft, None
            self._shelf.held -= draft.cost
            self._shelf.put(
                draft.finish(self._writer.room_end(following, continued=not following and bool(self._room)))
            )

    def _close_part(self) -> None:
        if self._part is None or self._stage is None:
            return
        self._place_draft("")
        part, stage = self._part, self._stage
        self._part = self._stage = None
        entry = stage.finish(layout.events_file(part.folder, part.part))
        self._shelf.held = 0
        if not part.events:
            self._parts -= 1
            return
        self._shelf.put(entry)
        about = {"room_id": part.room_id, "name": part.name, "part": part.part, "events": part.events}
        self._shelf.put(pack(layout.room_file(part.folder, part.part), encode(about)))
        self._shelf.contents.rooms.append(part)

    def _view(self, chunk: Chunk, part: RoomPart) -> dict[str, object]:
        lines = self._lines(chunk)
        days = [(day, list(group)) for day, group in groupby(lines, key=lambda line: line.event.day)]
        return {
            "room": part,
            "first": chunk.first,
            "last": chunk.first + len(chunk.lines) - 1,
            "page_number": self._pages + 1,
            "previous": part.pages[-1].rsplit("/", 1)[1] if part.pages else "",
            "continues": part.part > 1 and not part.pages,
            "days": days,
        }

    def _lines(self, chunk: Chunk) -> Sequence[Line]:
        views = [shown(event) for event in chunk.events]
        anchors = {view.event_id: f"#e{number}" for number, view in enumerate(views, chunk.first)}
        return [
            Line(
                number,
                view,
                self._media.shown(view.url, "../../") if view.url else None,
                anchors.get(view.target, ""),
                anchors.get(view.reply, ""),
            )
            for number, view in enumerate(views, chunk.first)
        ]


def room_rows(totals: Iterable[RoomTotal]) -> Iterator[dict[str, Any]]:
    """Yield each room as ``rooms.json`` says it."""
    for total in totals:
        room = total.room
        yield {
            "number": room.number,
            "room_id": room.room_id,
            "name": room.name,
            "membership": room.membership,
            "encrypted": room.encrypted,
            "missing": room.missing,
            "events": total.events,
            "volumes": list(range(total.first_volume, total.last_volume + 1)) if total.events else [],
            "folder": layout.room_folder(room.number, room.name) if total.events else None,
        }
