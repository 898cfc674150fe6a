"""Collecting: everything the homeserver holds of a person goes into the spool, a category or a page a step."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dpobot.archive.clean import own_event
from dpobot.archive.spool import Medium, Room, Spool
from dpobot.clock import from_millis
from dpobot.engine.api import StepResult, Steps
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.api import Homeserver, MediaItem, RoomSeen
from dpobot.jobs.progress import Tally
from dpobot.jobs.reading import Line, Page, Reading, Source
from dpobot.jobs.seeing import Seeing
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.model.records import ExportOptions
from dpobot.model.words import Scope, Section

_MEDIA_PAGE = 500
# without these, nobody could ever read the encrypted messages that an archive holds
_FOR_MESSAGES = frozenset({"key_backup", "account_data"})


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
        visible_names: str = "pseudonyms",
    ) -> None:
        self._homeserver = homeserver
        self._spool = spool
        self._steps = steps
        self._person = person
        self._options = options
        self._page_events = page_events
        self._generation = spool.generation()
        self._seeing: Seeing | None = None
        if options.scope is Scope.VISIBLE:
            self._seeing = Seeing(homeserver, spool, steps, person, visible_names, page_events, self._in_time)

    async def all(self, tally: Tally) -> None:
        """Collect what the options ask for; finished steps are not done again. Raises `Hold` as `seeing` does."""
        rooms = await self._rooms(tally) if self._wants(Section.MESSAGES) else []
        categories = self._categories()
        tally.rooms_total = len(rooms)
        tally.steps_total = len(rooms) * (4 if self._seeing else 1) + len(categories) + 4
        async with asyncio.TaskGroup() as group:  # small questions go beside large ones
            group.create_task(self._account(categories, tally))
            group.create_task(self._events(rooms, tally))
        if self._wants(Section.MEDIA):
            await self._media(tally)

    def _categories(self) -> list[str]:
        asked = self._homeserver.categories
        if self._wants(Section.ACCOUNT):
            return list(asked)
        return [name for name in asked if name in _FOR_MESSAGES and self._wants(Section.MESSAGES)]

    def _wants(self, section: Section) -> bool:
        return self._options.wants(section) or self._options.only_statement

    def _name(self, *parts: object) -> str:
        return ":".join([self._generation, *(str(part) for part in parts)])

    # account-level categories

    async def _account(self, categories: Sequence[str], tally: Tally) -> None:
        for category in categories:
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
        reading = Reading(self._steps, self._name, tally)
        seeing = self._seeing
        if seeing is None:
            own = Source("events", self._spool, self._ask_own, self._own)
            await reading.all(rooms, [own], _nothing_more)
        else:
            own = Source("events", seeing.own, self._ask_own, self._own, counted=False)
            await reading.all(rooms, [own, *seeing.sources()], lambda room: seeing.room(room, tally))
            await seeing.end(rooms)
        refused = {room.number: reading.refusal(own, room) for room in rooms}
        if any(refused.values()):
            self._spool.rooms([replace(room, missing=refused[room.number]) for room in rooms])

    async def _ask_own(self, room: Room, start: str | None) -> Page:
        page = await self._homeserver.own_events(RoomId(room.room_id), self._person, start, self._page_events)
        return Page(page.events, page.next)

    def _own(self, room: Room, page: Page) -> list[Line]:
        room_id = RoomId(room.room_id)
        return [own_event(event, self._person, room_id) for event in page.lines if self._in_time(event)]

    def _in_time(self, event: object) -> bool:
        millis = event.get("origin_server_ts") if isinstance(event, dict) else None
        return self._between(from_millis(millis) if isinstance(millis, int) else None)

    def _between(self, moment: datetime | None) -> bool:
        """What has no usable time is the person's all the same: it stays in."""
        if moment is None:
            return True
        since, until = self._options.since, self._options.until
        return (since is None or moment >= since) and (until is None or moment < until)

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


async def _nothing_more(_: Room) -> None:
    """A room is done with its last page."""


def _room(number: int, seen: RoomSeen) -> Room:
    return Room(
        number, seen.room_id, seen.name, seen.membership, seen.encrypted, alias=seen.alias, join_rule=seen.join_rule
    )


def _medium(item: MediaItem, number: int) -> Medium:
    created = item.created_at.isoformat() if item.created_at else None
    return Medium(number, Mxc(item.url), item.media_type, item.size, item.name, created, None, None)


def _row(tally: Tally) -> dict[str, object]:
    return tally.progress().to_json()
