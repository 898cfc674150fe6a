"""The world of `benchmarks.day`: the fakes of the stories, with a long poll, something to export, and a clock."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from benchmarks.day_clock import FastClock
from dpobot.matrix.api import Received, SyncBatch
from dpobot.model.ids import EventId, RoomId, UserId
from tests.fakes.changes import FakeChanges
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.leftovers import FakeLeftovers
from tests.fakes.matrix import FakeMatrix, FakeServer

BOT = UserId("@dpo:dpobot.test")
STAFF = (UserId("@dora:dpobot.test"), UserId("@emil:dpobot.test"))
_MESSAGES = 12  # that each person has in a room of their own


class DayServer(FakeServer):
    """The homeserver: its time is the day's, and what is said wakes who waits."""

    clock: FastClock

    def say(self, room_id: RoomId, sender: UserId, content: Mapping[str, Any], **more: Any) -> EventId:
        """Put an event into a room, now."""
        self.now = self.clock.now()
        event_id = super().say(room_id, sender, content, **more)
        self.by_room[room_id].append(self.timeline[-1])
        self.news.set()
        return event_id

    def begin(self, clock: FastClock) -> None:
        """Set the clock; before anything is said."""
        self.clock = clock
        self.news = asyncio.Event()
        self.by_room: defaultdict[RoomId, list[Received]] = defaultdict(list)


class DayMatrix(FakeMatrix):
    """The bot's account: `sync` waits for news, and its cost does not grow with the day."""

    server: DayServer

    def __init__(self, server: DayServer) -> None:
        super().__init__(server, BOT)
        self.transactions: dict[EventId, str] = {}

    async def sync(self, since: str | None, timeout_ms: int) -> SyncBatch:
        """Return what came after ``since``; waits like a server."""
        start = int(since) if since else 0
        until = asyncio.get_running_loop().time() + timeout_ms / 1000 / self.server.clock.speed
        while len(self.server.timeline) <= start and not self._invited(start):
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                break
            self.server.news.clear()
            try:
                async with asyncio.timeout(left):
                    await self.server.news.wait()
            except TimeoutError:
                break
        return self._batch(start)

    def _batch(self, start: int) -> SyncBatch:
        fresh = self.server.timeline[start:]
        rooms = self.server.rooms
        mine = [event for event in fresh if rooms[event.room_id].members.get(BOT) == "join"]
        entered = {event.room_id for event in mine if event.type == "m.room.member" and event.sender == BOT}
        earlier = [event for room in sorted(entered) for event in self.server.by_room[room]]
        known = {event.event_id for event in earlier}
        events = (*earlier, *(event for event in mine if event.event_id not in known))
        return SyncBatch(str(start + len(fresh)), events, tuple(self._invited(start)), frozenset())

    def _invited(self, start: int) -> list[Any]:
        found = []
        for at, person, invite in reversed(self.server.invites):
            if at < start:
                break
            if person == BOT and self.server.rooms[invite.room_id].members.get(BOT) == "invite":
                found.append(invite)
        return found[::-1]

    def _send(self, room_id: RoomId, content: Mapping[str, Any], txn_id: str, type_: str) -> EventId:
        event_id = super()._send(room_id, content, txn_id, type_)
        self.transactions[event_id] = txn_id
        return event_id


class World:
    """Everything outside the bot."""

    def __init__(self, clock: FastClock, people: int) -> None:
        self.clock = clock
        self.server = DayServer()
        self.server.begin(clock)
        self.matrix = DayMatrix(self.server)
        self.homeserver = FakeHomeserver()
        self.people = [UserId(f"@person{number}:dpobot.test") for number in range(people)]
        for person in self.people:
            self._settle(person)

    def _settle(self, person: UserId) -> None:
        self.homeserver.add_account(person)
        room = self.homeserver.add_room(RoomId(f"!of-{person[1:]}"), "Garden")
        self.homeserver.set_membership(room, person, "join")
        for number in range(_MESSAGES):
            self.homeserver.say(room, person, f"the beans are up {number}")

    def targets(self) -> dict[str, Any]:
        """Return what the bot can call, by name."""
        return {
            "matrix": self.matrix,
            "homeserver": self.homeserver,
            "changes": FakeChanges(self.homeserver),
            "left": FakeLeftovers(self.homeserver),
        }
