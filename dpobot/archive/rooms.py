"""Rooms on their way into volumes: events as they are, and pages of messages by day, side by side."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from dpobot.archive import layout
from dpobot.archive.facts import Progress
from dpobot.archive.media import Media
from dpobot.archive.messages import safe, urls
from dpobot.archive.months import Months
from dpobot.archive.pages import Writer
from dpobot.archive.relations import Place, Relations
from dpobot.archive.script import literal
from dpobot.archive.shelf import RoomPart, Shelf
from dpobot.archive.spool import Room, Spool, encode
from dpobot.archive.talk import Line, Talk, Written
from dpobot.archive.viewer_data import RoomScripts, Scripts, searched
from dpobot.archive.volume import Draft, Stage, pack
from dpobot.errors import Rejected
from dpobot.model.words import Scope

PAGE_EVENTS = 500
PAGE_BYTES = 400_000  # of events; keeps a page small whatever they hold
_decode = json.JSONDecoder().decode
_PART_COST = 8_000  # room.json, headers of the events file, the room's line in the index


@dataclass(slots=True)
class Chunk:
    """Events that go on one page together."""

    first: int
    lines: list[bytes] = field(default_factory=list)
    events: list[Written] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)  # of the media that they show

    def half(self, second: bool) -> "Chunk":
        """Return its first or second half."""
        middle = len(self.lines) // 2
        if second:
            return Chunk(self.first + middle, self.lines[middle:], self.events[middle:])
        return Chunk(self.first, self.lines[:middle], self.events[:middle])


@dataclass(slots=True)
class _Open:
    """The part of the room that is being packed, and what is staged for it."""

    part: RoomPart
    stage: Stage
    scripts: RoomScripts


@dataclass(slots=True)
class RoomTotal:
    """Where a room's events lie at the end."""

    room: Room
    events: int = 0
    first_volume: int = 0
    last_volume: int = 0
    page: str = ""
    encrypted: bool = False  # holds encrypted events


class Rooms:
    """Packs one room after the other."""

    def __init__(
        self,
        spool: Spool,
        shelf: Shelf,
        media: Media,
        writer: Writer,
        scripts: Scripts,
        progress: Progress | None,
    ) -> None:
        self._spool, self._shelf, self._media, self._writer = spool, shelf, media, writer
        self._scripts, self._progress = scripts, progress
        self._facts = writer.facts
        self._room: RoomTotal | None = None
        self._relations: Relations | None = None
        self._open: _Open | None = None
        self._draft: Draft | None = None
        self._parts = self._pages = 0
        self.events = 0
        self.months = Months()
        shelf.before_turn = self._close_part

    def pack(self, room: Room) -> RoomTotal:
        """Pack a room's events; return where they lie."""
        self._room = total = RoomTotal(room)
        self._parts = self._pages = 0
        with self._spool.reading(room.number) as file:
            self._relations = relations = Relations(file)
            total.encrypted = relations.encrypted
            for chunk in self._chunks(room.number, relations):
                self._add(chunk)
                if self._progress:
                    self._progress(self.events)
        self._room = self._relations = None
        self._close_part()
        return total

    def _chunks(self, room: int, relations: Relations) -> Iterator[Chunk]:
        """Cut a room's events into pages; a page shows at most a quarter of a volume's worth of new media."""
        chunk, size, media, start = Chunk(1), 0, 0, 0
        for line in self._spool.events(room):
            event = _decode(line.decode())
            shows = urls(event)
            new = sum(map(self._media.waiting, shows)) if shows else 0
            weight = len(line) + relations.weight(str(event.get("event_id")))
            full = len(chunk.lines) >= PAGE_EVENTS or size + weight > PAGE_BYTES
            if chunk.lines and (full or (new and media + new > self._shelf.capacity // 4)):
                yield chunk
                chunk, size, media = Chunk(chunk.first + len(chunk.lines)), 0, 0
            chunk.lines.append(line)
            chunk.events.append(Written(event, start))
            chunk.urls += shows
            size, media, start = size + weight, media + new, start + len(line)
        if chunk.lines:
            yield chunk

    def _add(self, chunk: Chunk) -> None:
        for url in chunk.urls:
            self._media.place(url)
        if self._fits(chunk):
            return
        if not self._alone():
            self._shelf.turn()
            if self._fits(chunk):
                return
        if len(chunk.lines) == 1:
            raise Rejected("event_too_large")
        self._add(chunk.half(second=False))
        self._add(chunk.half(second=True))

    def _alone(self) -> bool:
        """Whether the open volume holds nothing yet, so that turning to the next would give no more room."""
        begun = self._open is not None and self._open.part.events > 0
        return not begun and self._shelf.bare

    def _fits(self, chunk: Chunk) -> bool:
        """Add a page's worth of events to the open volume if they fit with all that is staged already."""
        at = self._begin()
        page = layout.room_page(at.part.folder, self._pages + 1)
        lines = self._lines(chunk)
        draft = self._writer.room(page, self._view(chunk, lines, at.part))
        staged = at.stage.offer(b"".join(chunk.lines))
        scripted = at.scripts.offer(self._searched(chunk, lines, page), _encrypted(chunk, lines))
        if draft.cost + staged + scripted > self._shelf.left:
            return False
        self._place_draft(page)
        at.stage.keep()
        before = at.scripts.held
        at.scripts.keep()
        self._draft = draft
        self._shelf.held += draft.cost + staged + at.scripts.held - before
        self._note(at.part, page, chunk, lines)
        return True

    def _note(self, part: RoomPart, page: str, chunk: Chunk, lines: Sequence[Line]) -> None:
        assert self._room and self._relations  # noqa: S101, PT018  a page is only made while a room is packed
        self._pages += 1
        count = len(chunk.lines)
        part.pages.append(page)
        part.events += count
        self._shelf.contents.events += count
        self.events += count
        self._room.events += count
        self._room.first_volume = self._room.first_volume or self._shelf.number
        self._room.last_volume = self._shelf.number
        self._room.page = self._room.page or page
        for line, (event, start) in zip(lines, chunk.events, strict=True):
            place = Place(line.number, self._pages, self._shelf.number, start)
            self._relations.place(str(event.get("event_id")), place)
            if event.get("sender") == self._facts.person:
                self.months.count(line.first)

    def _begin(self) -> _Open:
        if self._open is None:
            assert self._room  # noqa: S101  as above
            room = self._room.room
            self._parts += 1
            folder = layout.room_folder(room.number, room.name)
            self._open = _Open(
                RoomPart(room.number, room.room_id, safe(room.name), folder, self._parts),
                Stage(self._scripts.stages / "events"),
                RoomScripts(self._scripts, room.number, room.room_id, self._parts),
            )
            self._shelf.held += _PART_COST
        return self._open

    def _place_draft(self, following: str) -> None:
        """Write the page that waited to learn which one follows it."""
        if self._draft:
            draft, self._draft = self._draft, None
            self._shelf.held -= draft.cost
            self._shelf.put(
                draft.finish(self._writer.room_end(following, continued=not following and bool(self._room)))
            )

    def _close_part(self) -> None:
        if self._open is None:
            return
        self._place_draft("")
        part, stage, scripts = self._open.part, self._open.stage, self._open.scripts
        self._open = None
        entry = stage.finish(layout.events_file(part.folder, part.part))
        self._shelf.held = 0
        if not part.events:
            self._parts -= 1
            return
        self._shelf.put(entry)
        scripts.close()
        about = {"room_id": part.room_id, "name": part.name, "part": part.part, "events": part.events}
        self._shelf.put(pack(layout.room_file(part.folder, part.part), encode(about)))
        self._shelf.contents.rooms.append(part)

    def _lines(self, chunk: Chunk) -> list[Line]:
        assert self._relations  # noqa: S101  as above
        visible = self._facts.scope is Scope.VISIBLE
        talk = Talk(self._relations, lambda url: self._media.shown(url, "../../"), visible)
        return talk.lines(chunk.first, chunk.events, self._pages + 1, self._shelf.number)

    def _searched(self, chunk: Chunk, lines: Sequence[Line], page: str) -> list[bytes]:
        ids = self._room is not None and self._room.encrypted
        return [
            literal(searched(line.number, event, line.first, page, ids))
            for line, (event, _) in zip(lines, chunk.events, strict=True)
        ]

    def _view(self, chunk: Chunk, lines: Sequence[Line], part: RoomPart) -> dict[str, object]:
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


def _encrypted(chunk: Chunk, lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [item.event for item, line in zip(chunk.events, lines, strict=True) if line.first.kind == "encrypted"]


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
