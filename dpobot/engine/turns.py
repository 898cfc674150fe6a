"""Working through rows that are due: several people at a time, one row of a person at a time, in their order."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from dpobot import log
from dpobot.errors import Unavailable
from dpobot.model.ids import UserId

_LOOK_AGAIN = 1.0  # seconds; a wake-up comes sooner
_logger = log.get(__name__)


class Numbered(Protocol):
    """A row of a table."""

    @property
    def id(self) -> int:
        """Its number."""
        ...


Row = TypeVar("Row", bound=Numbered)


class Turns(ABC, Generic[Row]):
    """Whoever works through a table: the subclass says what is due, whose it is, and what to do with it."""

    name: str  # of the table, for the log

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._look_again = _LOOK_AGAIN  # a subclass may be in more of a hurry
        self._busy: dict[UserId, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    @abstractmethod
    async def _due(self, limit: int, busy: frozenset[UserId]) -> Sequence[Row]:
        """Return at most ``limit`` rows that are due, none of anybody who is busy, one of each person."""

    @abstractmethod
    def _person(self, row: Row) -> UserId:
        """Return whose row it is."""

    @abstractmethod
    async def _work(self, row: Row) -> None:
        """Deal with a row; it may raise `Unavailable` if not even "later" can be written down."""

    def wake(self) -> None:
        """Say that there may be new rows."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; then what is in hand is finished."""
        try:
            while True:
                self._wake.clear()
                if not await self._patiently():
                    await self._pause()
        finally:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def once(self) -> int:
        """Begin with what is due; return how many rows were begun."""
        free = self._at_once - len(self._busy)
        if free <= 0:
            return 0
        rows = await self._due(free, frozenset(self._busy))
        for row in rows:
            self._busy[self._person(row)] = asyncio.create_task(self._one(row))
        return len(rows)

    async def drain(self) -> int:
        """Deal with all that is due now, and what becomes due meanwhile; return how many rows that were."""
        total = 0
        while (begun := await self.once()) or self._busy:
            total += begun
            if self._busy:
                await asyncio.wait(self._busy.values())
        return total

    async def _patiently(self) -> int:
        """Begin; a database that is away or full is waited for, the bot goes on."""
        try:
            return await self.once()
        except Unavailable as trouble:
            _logger.warning(f"{self.name}.unavailable", code=trouble.code)
            await asyncio.sleep(_LOOK_AGAIN)
            return 0

    async def _one(self, row: Row) -> None:
        try:
            await self._work(row)
        except Unavailable as trouble:  # the row stays due
            _logger.warning(f"{self.name}.not_noted", row_id=row.id, code=trouble.code)
            await asyncio.sleep(_LOOK_AGAIN)
        finally:
            del self._busy[self._person(row)]
            self._wake.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._look_again):
                await self._wake.wait()
        except TimeoutError:
            return
