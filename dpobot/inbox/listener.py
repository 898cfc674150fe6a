"""The ear: sync, and one transaction for all that it brought, the token included. Nothing is acted on here."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.delivery.messages import Address, key, post
from dpobot.delivery.rooms import ROOM_NOT_SAFE
from dpobot.errors import Rejected, Unavailable
from dpobot.inbox import intake
from dpobot.inbox.late import received, resolve
from dpobot.matrix.api import Matrix, Received, SyncBatch
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import Reply
from dpobot.pulse import PROCESS
from dpobot.store import bot_state, inbox, notices, wakes
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import InboxRow, NewEvent
from dpobot.text.render import Renderer

_SLOWEST_RETRY = 30.0  # seconds
_ROUND = 600.0  # seconds that a /sync, its gaps filled and all taken in, can need at the very worst
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Hearing:
    """How the listener treats what it hears."""

    key_wait: timedelta  # how long a late key is waited for
    per_minute: int  # messages of one person; beyond it they wait in line
    poll: timedelta = timedelta(seconds=30)  # how long one /sync waits for news


class Listener:
    """Brings events from Matrix into the inbox, each exactly once."""

    def __init__(
        self,
        database: Database,
        matrix: Matrix,
        renderer: Renderer,
        clock: Clock,
        hearing: Hearing,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._matrix = matrix
        self._renderer = renderer
        self._clock = clock
        self._hearing = hearing
        self._wake = wake

    async def run(self) -> None:
        """Listen until cancelled; a homeserver that is away is asked again, ever more slowly."""
        pause = 1.0
        wait = int(self._hearing.poll / timedelta(milliseconds=1))
        timeout = 0  # the first sync only looks: one-time keys may be due
        while True:
            PROCESS.round_within(timeout / 1000 + _ROUND)
            try:
                await self.once(timeout)
                pause, timeout = 1.0, wait
            except Unavailable as trouble:
                _logger.warning("sync.unavailable", code=trouble.code)
                await self._rest("unavailable", trouble.retry_after or pause)
                pause = min(pause * 2, _SLOWEST_RETRY)
            except Rejected as refusal:
                if refusal.status in (401, 403):
                    raise  # our own token is no longer good: an admin must look, asking again can't help
                _logger.warning("sync.rejected", code=refusal.code)
                await self._rest("rejected", pause)
                pause = min(pause * 2, _SLOWEST_RETRY)

    async def _rest(self, outcome: str, seconds: float) -> None:
        PROCESS.syncs[outcome] += 1
        PROCESS.round_within(seconds + _ROUND)
        await asyncio.sleep(seconds)

    async def once(self, timeout_ms: int) -> SyncBatch:
        """Sync once and commit what it brought."""
        since = await self._database.read(bot_state.sync_token)
        batch = await self._matrix.sync(since, timeout_ms)
        fresh = batch if since is not None else await self._without_the_past(batch)
        now = self._clock.now()
        staff_room = await self._staff_room()
        rows = self._rows(fresh, now, staff_room)
        arrived = intake.arrivals(fresh, self._matrix.user_id)
        await self._database.write(lambda tx: self._take_in(tx, rows, arrived, fresh.next_batch, now))
        PROCESS.synced(self._clock.now())
        if fresh.new_sessions:
            await self._late_keys(fresh.new_sessions)
        if rows or arrived or fresh.new_sessions:
            self._wake()
        return batch

    async def _without_the_past(self, batch: SyncBatch) -> SyncBatch:
        """A brand-new store ignores what was said before it was made: it may have been answered by the old one."""
        born = await self._database.read(bot_state.born_at)
        return replace(batch, events=tuple(event for event in batch.events if event.sent_at >= born))

    async def _staff_room(self) -> RoomId | None:
        found = await self._database.read(lambda tx: bot_state.get(tx, bot_state.STAFF_ROOM))
        return None if found is None else RoomId(found)

    def _rows(self, batch: SyncBatch, now: datetime, staff_room: RoomId | None) -> list[NewEvent]:
        invites = [intake.invite_row(invite, batch.next_batch, now) for invite in batch.invites]
        me, key_wait = self._matrix.user_id, self._hearing.key_wait
        events = [intake.event_row(event, me, now, key_wait, staff_room) for event in batch.events]
        return invites + [row for row in events if row is not None]

    async def _take_in(
        self, tx: Tx, rows: Sequence[NewEvent], arrived: frozenset[UserId], next_batch: str, now: datetime
    ) -> None:
        await inbox.take_in(tx, await self._in_line(tx, rows, now), next_batch)
        if arrived:  # whose delivery waits for a safe room may have just made one
            await wakes.for_people(tx, arrived, ROOM_NOT_SAFE, now)
            await notices.arrived(tx, arrived, now)  # or is who is to be told of an erasure

    async def _in_line(self, tx: Tx, rows: Sequence[NewEvent], now: datetime) -> list[NewEvent]:
        """Give the messages of whoever floods later turns: none is lost, and others are served meanwhile."""
        heard: Counter[UserId] = Counter()
        for sender in {row.sender for row in rows}:
            heard[sender] = await inbox.received_since(tx, sender, now - timedelta(minutes=1))
        placed: list[NewEvent] = []
        for row in rows:
            heard[row.sender] += 1
            beyond = heard[row.sender] - self._hearing.per_minute
            if beyond <= 0:
                placed.append(row)
                continue
            if beyond == 1:
                await self._say_slow(tx, row.sender, row.room_id, now)
            wait = timedelta(seconds=beyond * 60 / self._hearing.per_minute)
            placed.append(replace(row, not_before=max(row.not_before or now, now + wait)))
        return placed

    async def _say_slow(self, tx: Tx, sender: UserId, room_id: RoomId, now: datetime) -> None:
        if room_id == await bot_state.get(tx, bot_state.STAFF_ROOM):
            return  # a sentence to one person has no place there
        reply = Reply("too_fast", {"per_minute": self._hearing.per_minute}, notice=True)
        once_in_ten_minutes = key("too_fast", sender, int(now.timestamp()) // 600)
        await post(tx, self._renderer, now, Address(sender, room_id), reply, once_in_ten_minutes)

    async def _late_keys(self, sessions: frozenset[str]) -> None:
        waiting = await self._database.read(lambda tx: inbox.waiting_for(tx, sessions))
        for row in waiting:
            readable = await self._matrix.decrypt(received(row))
            if readable.undecryptable is None:
                await self._resolve(row, readable)

    async def _resolve(self, row: InboxRow, readable: Received) -> None:
        await self._database.write(lambda tx: resolve(tx, row, readable, self._clock.now()))
