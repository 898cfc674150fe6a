"""Collecting: everything the homeserver holds of a person goes into the spool, a category or a page a step."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime

from dpobot.archive.clean import own_event
from dpobot.archive.spool import Medium, Room, Spool
from dpobot.clock import from_millis
from dpobot.engine.api import StepResult, Steps
from dpobot.errors import DpobotError, Gone, Rejected
from dpobot.homeserver.api import EventPage, Homeserver, MediaItem, RoomSeen
from dpobot.jobs.progress import Tally
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.model.records import ExportOptions
from dpobot.model.words import Section

_AHEAD = 1  # pages that wait to be written; one more is being fetched meanwhile
_MEDIA_PAGE = 500


@dataclass(frozen=True, slots=True)
class _Fetched:
    room: Room
    number: int  # of the page, from 0
    page: EventPage | None  # None: the server refuses this room
    refusal: str | None = None


_Pages = asyncio.Queue[_Fetched | DpobotError | None]


class Collecting:
    """One person's data on its way into a spool. ``generation`` names the spool: steps of a lost one don't count."""

    def __init__(
        self,
        homeserver: Homeserver,
        spool: Spool,
        steps: Steps,
        person: UserId,
        options: ExportOptions,
        page_events: int,
    ) -> None:
        self._homeserver = homeserver
        self._spool = spool
        self._steps = steps
        self._person = person
        self._options = options
        self._page_events = page_events
        self._generation = spool.generation()

    async def all(self, tally: Tally) -> None:
        """Collect what the options ask for; finished steps are not done again."""
        rooms = await self._rooms(tally) if self._wants(Section.MESSAGES) else []
        tally.rooms_total = len(rooms)
        tally.steps_total = len(rooms) + len(self._homeserver.categories) + 4
        async with asyncio.TaskGroup() as group:  # small questions go beside large ones
            if self._wants(Section.ACCOUNT):
                group.create_task(self._account(tally))
            group.create_task(self._events(rooms, tally))
        if self._wants(Section.MEDIA):
            await self._media(tally)

    def _wants(self, section: Section) -> bool:
        return self._options.wants(section) or self._options.only_statement

    def _name(self, *parts: object) -> str:
        return ":".join([self._generation, *(str(part) for part in parts)])

    # account-level categories

    async def _account(self, tally: Tally) -> None:
        for category in self._homeserver.categories:
            name = self._name("category", category)
            fresh = self._steps.done(name) is None
            await self._steps.step(name, lambda category=category: self._category(category), _row(tally))  # type: ignore[misc] # bound per turn
            tally.step(fresh=fresh)

    async def _category(self, category: str) -> StepResult:
        collected = await self._homeserver.collect(category, self._person)
        count = await asyncio.to_thread(
            self._spool.account,
            category,
            collected.records,
            truncated=collected.truncated,
            missing=collected.missing,
            title=collected.title,
        )
        return {"count": count}

    # rooms and events

    async def _rooms(self, tally: Tally) -> list[Room]:
        await self._steps.step(self._name("rooms"), self._discover, _row(tally))
        tally.step(fresh=True)
        return self._spool.room_list()

    async def _discover(self) -> StepResult:
        found = await self._homeserver.rooms(self._person)
        rooms = [_room(number, seen) for number, seen in enumerate(found.rooms, start=1)]
        self._spool.rooms(rooms)
        ever_joined = sum(room.membership not in ("invite", "knock") for room in rooms)
        short = found.joined_ever is not None and ever_joined < found.joined_ever
        self._spool.account(
            "room_coverage",
            [{"rooms_found": len(rooms), "joined_according_to_server": found.joined_ever}],
            truncated=short,
            title="Rooms found, and how many there must be",
        )
        return {"count": len(rooms), "joined_ever": found.joined_ever}

    async def _events(self, rooms: list[Room], tally: Tally) -> None:
        """Write page after page while the next ones are being fetched."""
        pages: _Pages = asyncio.Queue(maxsize=_AHEAD)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fetch_all(rooms, pages, tally))
            while (fetched := await pages.get()) is not None:
                if isinstance(fetched, DpobotError):
                    raise fetched
                await self._keep(fetched, tally)
        if rooms:
            await self._note_refusals(rooms)

    async def _fetch_all(self, rooms: list[Room], pages: _Pages, tally: Tally) -> None:
        """Fetch ahead; an error waits in line, so that what was fetched before it is kept and not fetched again."""
        try:
            for room in rooms:
                async for fetched in self._pages(room, tally):
                    await pages.put(fetched)
                tally.rooms += 1
        except DpobotError as error:
            await pages.put(error)
        else:
            await pages.put(None)

    async def _pages(self, room: Room, tally: Tally) -> AsyncIterator[_Fetched]:
        number, start = 0, None
        while (done := self._steps.done(self._name("events", room.number, number))) is not None:
            tally.events += done["count"]
            start = done["next"]
            if start is None:
                tally.step(fresh=False)
                return
            number += 1
        while True:
            try:
                page = await self._homeserver.own_events(RoomId(room.room_id), self._person, start, self._page_events)
            except Rejected as refusal:
                if refusal.status in (401, 403):
                    raise  # that is about our token, not about this room: an archive without rooms must not go out
                yield _Fetched(room, number, None, refusal.code)
                return
            yield _Fetched(room, number, page)
            if page.next is None:
                return
            number, start = number + 1, page.next

    async def _keep(self, fetched: _Fetched, tally: Tally) -> None:
        name = self._name("events", fetched.room.number, fetched.number)
        result = await self._steps.step(name, lambda: self._append(fetched), _row(tally))
        tally.events += result["count"]
        tally.size += result["size"]
        if result["next"] is None:
            tally.step(fresh=True)

    async def _append(self, fetched: _Fetched) -> StepResult:
        before = self._steps.done(self._name("events", fetched.room.number, fetched.number - 1))
        offset = before["offset"] if before else 0
        if fetched.page is None:
            return {"offset": offset, "count": 0, "size": 0, "next": None, "missing": fetched.refusal}
        room_id = RoomId(fetched.room.room_id)
        kept = [own_event(event, self._person, room_id) for event in fetched.page.events if self._in_time(event)]
        appended = await asyncio.to_thread(self._spool.append, fetched.room.number, offset, kept)
        size = appended.offset - offset
        return {"offset": appended.offset, "count": appended.count, "size": size, "next": fetched.page.next}

    def _in_time(self, event: object) -> bool:
        millis = event.get("origin_server_ts") if isinstance(event, dict) else None
        return self._between(from_millis(millis) if isinstance(millis, int) else None)

    def _between(self, moment: datetime | None) -> bool:
        """What has no usable time is the person's all the same: it stays in."""
        if moment is None:
            return True
        since, until = self._options.since, self._options.until
        return (since is None or moment >= since) and (until is None or moment < until)

    async def _note_refusals(self, rooms: list[Room]) -> None:
        refused = {room.number: self._refusal(room) for room in rooms}
        if any(refused.values()):
            self._spool.rooms([replace(room, missing=refused[room.number]) for room in rooms])

    def _refusal(self, room: Room) -> str | None:
        number = 0
        while (done := self._steps.done(self._name("events", room.number, number))) is not None:
            if done.get("missing"):
                return str(done["missing"])
            number += 1
        return None

    # media

    async def _media(self, tally: Tally) -> None:
        start: int | None = 0
        offset = number = 0
        while start is not None:
            page = await self._homeserver.media(self._person, start, _MEDIA_PAGE)
            for item in page.items:
                if not self._between(item.created_at):
                    continue
                number += 1
                offset = await self._medium(item, number, offset, tally)
            start = page.next

    async def _medium(self, item: MediaItem, number: int, offset: int, tally: Tally) -> int:
        name = self._name("medium", number, item.url)
        fresh = self._steps.done(name) is None
        result = await self._steps.step(name, lambda: self._download(item, number, offset), _row(tally))
        tally.steps_total += 1
        tally.step(fresh=fresh)
        tally.size += result["size"]
        return int(result["offset"])

    async def _download(self, item: MediaItem, number: int, offset: int) -> StepResult:
        medium = _medium(item, number)
        if self._options.only_statement:  # counted, not fetched
            appended, noted = await self._spool.medium(replace(medium, missing="not_asked"), offset, None)
            return {"offset": appended.offset, "size": 0}
        try:
            appended, noted = await self._spool.medium(medium, offset, self._homeserver.media_bytes(item))
        except Rejected as refusal:
            reason = "quarantined" if item.quarantined else ("gone" if isinstance(refusal, Gone) else "refused")
            appended, noted = await self._spool.medium(replace(medium, missing=reason), offset, None)
        return {"offset": appended.offset, "size": noted.size if noted.missing is None else 0}


def _room(number: int, seen: RoomSeen) -> Room:
    return Room(
        number, seen.room_id, seen.name, seen.membership, seen.encrypted, alias=seen.alias, join_rule=seen.join_rule
    )


def _medium(item: MediaItem, number: int) -> Medium:
    created = item.created_at.isoformat() if item.created_at else None
    return Medium(number, Mxc(item.url), item.media_type, item.size, item.name, created, None, None)


def _row(tally: Tally) -> dict[str, object]:
    return tally.progress().to_json()
