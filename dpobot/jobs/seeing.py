"""Seeing: what a person may read of others (scope `visible`), fetched as they and checked again by rules of our own.

For each room three things are read into folders beside the spool: the person's own events, what the server gives to
them, and the room's story as the admin sees it. Then they become the room's events: the person's own, and what the
server and `archive.visibility` both let them read. If the server gave anything that our rules deny, nothing leaves.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from dpobot import log
from dpobot.archive.clean import visible_event
from dpobot.archive.package import SEEN
from dpobot.archive.permits import Permits
from dpobot.archive.pseudonyms import Pseudonyms
from dpobot.archive.spool import Room, Spool
from dpobot.archive.visibility import Verdict, outline, verdicts
from dpobot.engine.api import Hold, StepResult, Steps
from dpobot.homeserver.api import Homeserver, Told
from dpobot.jobs.progress import Tally
from dpobot.jobs.reading import Line, Page, Source
from dpobot.model.ids import RoomId, UserId

DISAGREEMENT = "visible_disagreement"  # why a package is held: the server gave what our rules deny
_PEOPLE = "people"  # in the spool: who has which pseudonym
_AT_A_TIME = 500  # events that are written together
_NOW = "now"

_logger = log.get(__name__)


def pseudonyms(spool: Spool) -> bool:
    """Whether other people are called by pseudonyms in what was seen."""
    return bool((spool.kept(SEEN) or {}).get("pseudonyms", True))


def permits(spool: Spool) -> Permits:
    """Return what the second check let pass."""
    return Permits(spool.folder, pseudonyms=pseudonyms(spool))


class Seeing:
    """The rooms of one person, as far as they may read them. ``name`` makes a step's name of its parts."""

    def __init__(
        self,
        homeserver: Homeserver,
        spool: Spool,
        steps: Steps,
        person: UserId,
        names: str,
        page_events: int,
        in_time: Callable[[object], bool],
    ) -> None:
        self._homeserver = homeserver
        self._spool = spool
        self._steps = steps
        self._person = person
        self._pseudonyms = names == "pseudonyms"
        self._page_events = page_events
        self._in_time = in_time
        self._permits = Permits(spool.folder, pseudonyms=self._pseudonyms)
        self._generation = spool.generation()
        self.own = Spool(spool.folder / "read-own")
        self._asked = Spool(spool.folder / "read-visible")
        self._story = Spool(spool.folder / "read-story")

    def sources(self) -> list[Source]:
        """Return what is read of each room, behind the person's own events."""
        return [
            Source("visible", self._asked, self._ask_visible, self._kept, counted=False),
            Source("story", self._story, self._ask_story, _as_they_are, counted=False),
        ]

    async def room(self, room: Room, tally: Tally) -> None:
        """Make a room's events of what was read of it. Raises `Hold` if the server and our rules disagree."""
        name = f"{self._generation}:seen:{room.number}"
        fresh = self._steps.done(name) is None
        result = await self._steps.step(name, lambda: self._see(room), tally.progress().to_json())
        tally.events += result["count"]
        tally.size += result["size"]
        tally.step(fresh=fresh)
        for read in (self.own, self._asked, self._story):
            await asyncio.to_thread(read.append, room.number, 0, [])

    async def end(self, rooms: list[Room]) -> None:
        """Note what was seen, for the pages, and remove what was read."""
        seen = [(room.number, self._steps.done(f"{self._generation}:seen:{room.number}")) for room in rooms]
        results = {number: result for number, result in seen if result is not None}
        note = {
            "pseudonyms": self._pseudonyms,
            "people": len(self._spool.kept(_PEOPLE) or ()),
            "others": sum(result["others"] for result in results.values()),
            "left_out": {str(number): result["left_out"] for number, result in results.items() if result["left_out"]},
        }
        await asyncio.to_thread(self._spool.keep, SEEN, note)
        for read in (self.own, self._asked, self._story):
            await asyncio.to_thread(read.remove)

    async def _ask_visible(self, room: Room, start: str | None) -> Page:
        page = await self._homeserver.visible_events(RoomId(room.room_id), self._person, start, self._page_events)
        return Page(page.events, page.next)

    def _kept(self, room: Room, page: Page) -> list[Line]:
        room_id = RoomId(room.room_id)
        return [visible_event(event, self._person, room_id) for event in page.lines if self._in_time(event)]

    async def _ask_story(self, room: Room, start: str | None) -> Page:
        page = await self._homeserver.story(RoomId(room.room_id), self._person, start, self._page_events)
        lines: list[dict[str, Any]] = [
            {name: value for name, value in asdict(told).items() if value is not None} for told in page.told
        ]
        if lines and page.visibility is not None:
            lines[0][_NOW] = page.visibility
        return Page(lines, page.next)

    async def _see(self, room: Room) -> StepResult:
        result = await asyncio.to_thread(self._merge, room)
        if result["denied"]:
            # which room and how many: what was in it stays in the spool, and out of the log
            _logger.warning("export.visible_disagreement", room=room.number, events=result["denied"])
            raise Hold(DISAGREEMENT)
        return result

    def _merge(self, room: Room) -> StepResult:
        """Write a room's events and permits. Constant memory: everything is read in the story's order, side by side."""
        merged = _Merged(self._told(room), _Read(self.own, room), _Read(self._asked, room), self._person)
        people = Pseudonyms(self._person, self._spool.kept(_PEOPLE) or ()) if self._pseudonyms else None
        offset = count = 0
        with self._permits.room(room.room_id) as permit:
            events = merged.events(self._first(room), room.membership)
            while chunk := list(islice(events, _AT_A_TIME)):
                for event in chunk:
                    permit(event["event_id"])
                lines = [people.replaced(event) for event in chunk] if people else chunk
                appended = self._spool.append(room.number, offset, lines)
                offset, count = appended.offset, count + appended.count
        if not count:
            self._spool.append(room.number, 0, [])  # nothing of an earlier run
        if people:
            self._spool.keep(_PEOPLE, people.known())
        return {
            "count": count,
            "size": offset,
            "others": merged.others,
            "left_out": merged.left_out,
            "denied": merged.denied,
        }

    def _first(self, room: Room) -> str | None:
        """Return the history visibility that is in force now, as the story's first line has it."""
        line = next(self._story.events(room.number), None)
        return None if line is None else json.loads(line).get(_NOW)

    def _told(self, room: Room) -> Callable[[], Iterator[Told]]:
        def read() -> Iterator[Told]:
            for line in self._story.events(room.number):
                said = json.loads(line)
                said.pop(_NOW, None)
                yield Told(**said)

        return read


def _as_they_are(_: Room, page: Page) -> list[Line]:
    return list(page.lines)


class _Read:
    """Events that were read of a room, of which only the next one is looked at."""

    def __init__(self, spool: Spool, room: Room) -> None:
        self._events = (json.loads(line) for line in spool.events(room.number))
        self._next: dict[str, Any] | None = next(self._events, None)

    def take(self, event_id: str) -> dict[str, Any] | None:
        """Return the next event if it is the one with that ID."""
        if self._next is None or self._next["event_id"] != event_id:
            return None
        taken, self._next = self._next, next(self._events, None)
        return taken

    def rest(self) -> int:
        """Return how many events nobody has taken."""
        return sum(1 for _ in self._events) + (self._next is not None)


class _Merged:
    """A room's events: the person's own, and those of others that the server gave and our rules allow."""

    def __init__(self, story: Callable[[], Iterator[Told]], own: _Read, asked: _Read, person: UserId) -> None:
        self._story = story
        self._own = own
        self._asked = asked
        self._person = person
        self.others = self.left_out = self.denied = 0

    def events(self, visibility_now: str | None, membership_now: str) -> Iterator[Mapping[str, Any]]:
        """Yield them, oldest first; what the room's story doesn't know of is counted as denied."""
        known = outline(self._story(), visibility_now, membership_now)
        for event_id, verdict in verdicts(self._story(), known):
            own, asked = self._own.take(event_id), self._asked.take(event_id)
            if own is not None:
                yield own
            elif asked is not None and asked.get("sender") == self._person:
                yield asked
            elif asked is not None and verdict is Verdict.ALLOWED:
                self.others += 1
                yield asked
            elif asked is not None:
                self.left_out += verdict is Verdict.GENEROUS
                self.denied += verdict is Verdict.DENIED
        self.denied += self._own.rest() + self._asked.rest()
