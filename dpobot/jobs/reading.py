"""Reading rooms page by page into a spool: the next page is fetched while one is written, and each page is a step."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dpobot.archive.spool import Room, Spool
from dpobot.engine.api import StepResult, Steps
from dpobot.errors import DpobotError, Rejected
from dpobot.jobs.progress import Tally

_AHEAD = 1  # pages that wait to be written; one more is being fetched meanwhile

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What a source gave; ``next``: where it goes on, None at the end of the room."""

    lines: Sequence[Line]
    next: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """What is read of each room. ``name`` begins the names of its steps.

    ``ask`` fetches a page; ``kept`` makes of it what is written to ``spool``, inside the step.
    """

    name: str
    spool: Spool
    ask: Callable[[Room, str | None], Awaitable[Page]]
    kept: Callable[[Room, Page], Sequence[Line]]
    counted: bool = True  # as events, in what the person is told of the progress


@dataclass(frozen=True, slots=True)
class _Fetched:
    source: Source
    room: Room
    number: int  # of the page, from 0
    page: Page | None  # None: the server refuses this room
    refusal: str | None = None


_Queue = asyncio.Queue[_Fetched | Room | DpobotError | None]
Then = Callable[[Room], Awaitable[None]]


class Reading:
    """Reads rooms, for each all sources in turn. ``name`` makes a step's name of its parts."""

    def __init__(self, steps: Steps, name: Callable[..., str], tally: Tally) -> None:
        self._steps = steps
        self._name = name
        self._tally = tally

    async def all(self, rooms: Sequence[Room], sources: Sequence[Source], then: Then) -> None:
        """Write page after page while the next ones are being fetched; ``then`` is called behind each room's last."""
        queue: _Queue = asyncio.Queue(maxsize=_AHEAD)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fetch_all(rooms, sources, queue))
            while (item := await queue.get()) is not None:
                if isinstance(item, DpobotError):
                    raise item
                if isinstance(item, Room):
                    await then(item)
                    self._tally.rooms += 1
                else:
                    await self._keep(item)

    def refusal(self, source: Source, room: Room) -> str | None:
        """Return the code with which the server refused a room that was read, None if it didn't."""
        number = 0
        while (done := self._steps.done(self._name(source.name, room.number, number))) is not None:
            if done.get("missing"):
                return str(done["missing"])
            number += 1
        return None

    async def _fetch_all(self, rooms: Sequence[Room], sources: Sequence[Source], queue: _Queue) -> None:
        """Fetch ahead; an error waits in line, so that what was fetched before it is kept and not fetched again."""
        try:
            for room in rooms:
                for source in sources:
                    async for fetched in self._pages(source, room):
                        await queue.put(fetched)
                await queue.put(room)
        except DpobotError as error:
            await queue.put(error)
        else:
            await queue.put(None)

    async def _pages(self, source: Source, room: Room) -> AsyncIterator[_Fetched]:
        number, start = 0, None
        while (done := self._steps.done(self._name(source.name, room.number, number))) is not None:
            self._tally.events += done["count"] if source.counted else 0
            start = done["next"]
            if start is None:
                self._tally.step(fresh=False)
                return
            number += 1
        while True:
            try:
                page = await source.ask(room, start)
            except Rejected as refusal:
                if refusal.status in (401, 403):
                    raise  # that is about our token, not about this room: an archive without rooms must not go out
                yield _Fetched(source, room, number, None, refusal.code)
                return
            yield _Fetched(source, room, number, page)
            if page.next is None:
                return
            number, start = number + 1, page.next

    async def _keep(self, fetched: _Fetched) -> None:
        name = self._name(fetched.source.name, fetched.room.number, fetched.number)
        result = await self._steps.step(name, lambda: self._append(fetched), self._tally.progress().to_json())
        if fetched.source.counted:
            self._tally.events += result["count"]
            self._tally.size += result["size"]
        if result["next"] is None:
            self._tally.step(fresh=True)

    async def _append(self, fetched: _Fetched) -> StepResult:
        source, room = fetched.source, fetched.room
        before = self._steps.done(self._name(source.name, room.number, fetched.number - 1))
        offset = before["offset"] if before else 0
        if fetched.page is None:
            return {"offset": offset, "count": 0, "size": 0, "next": None, "missing": fetched.refusal}
        kept = source.kept(room, fetched.page)
        appended = await asyncio.to_thread(source.spool.append, room.number, offset, kept)
        size = appended.offset - offset
        return {"offset": appended.offset, "count": appended.count, "size": size, "next": fetched.page.next}
