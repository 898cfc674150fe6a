"""The hands: take rows from the inbox, several people at a time, one message of a person at a time."""

import asyncio

from dpobot import log
from dpobot.clock import Clock
from dpobot.errors import Unavailable
from dpobot.inbox.dispatch import Dispatcher
from dpobot.model.ids import UserId
from dpobot.store import inbox
from dpobot.store.database import Database
from dpobot.store.inbox import InboxRow

_LOOK_AGAIN = 1.0  # seconds; a wake-up comes sooner
_logger = log.get(__name__)


class Workers:
    """Runs the dispatcher over what is due."""

    def __init__(self, database: Database, dispatcher: Dispatcher, clock: Clock, at_once: int) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._clock = clock
        self._at_once = at_once
        self._busy: dict[UserId, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be new rows."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; then messages in hand are finished."""
        try:
            while True:
                self._wake.clear()
                if not await self._patiently():
                    await self._pause()
        finally:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _patiently(self) -> int:
        """Take rows; a database that is away or full is waited for, the bot goes on."""
        try:
            return await self._take()
        except Unavailable as trouble:
            _logger.warning("inbox.unavailable", code=trouble.code)
            await asyncio.sleep(_LOOK_AGAIN)
            return 0

    async def drain(self) -> int:
        """Handle all that is due now, and what becomes due meanwhile; return how many rows that were."""
        total = 0
        while (taken := await self._take()) or self._busy:
            total += taken
            if self._busy:
                await asyncio.wait(self._busy.values())
        return total

    async def _take(self) -> int:
        free = self._at_once - len(self._busy)
        if free <= 0:
            return 0
        now, busy = self._clock.now(), frozenset(self._busy)
        rows = await self._database.read(lambda tx: inbox.due(tx, now, free, busy))
        for row in rows:
            self._busy[row.sender] = asyncio.create_task(self._one(row))
        return len(rows)

    async def _one(self, row: InboxRow) -> None:
        try:
            await self._dispatcher.handle(row)
        except Unavailable as trouble:  # not even "later" could be written down: the row stays due
            _logger.warning("inbox.not_noted", inbox_id=row.id, code=trouble.code)
            await asyncio.sleep(_LOOK_AGAIN)
        finally:
            del self._busy[row.sender]
            self._wake.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_AGAIN):
                await self._wake.wait()
        except TimeoutError:
            return
