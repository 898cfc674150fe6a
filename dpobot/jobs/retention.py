"""Retention: what the bot no longer needs to know is deleted (Art. 5(1)(e) GDPR; docs/privacy.md lists it)."""

import asyncio
from datetime import timedelta

from dpobot import log
from dpobot.clock import Clock
from dpobot.errors import Unavailable
from dpobot.store import inbox, outbox, prompts
from dpobot.store.database import Database, Tx

KEPT = timedelta(days=90)  # that an event came and was answered; what it said is dropped much earlier
_PAUSE = 3600.0  # seconds
_logger = log.get(__name__)


class Retention:
    """Deletes old rows, every hour."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Tidy until cancelled; a database that is away is tried again an hour later."""
        while True:
            try:
                await self.once()
            except Unavailable as trouble:
                _logger.warning("retention.unavailable", code=trouble.code)
            await asyncio.sleep(_PAUSE)

    async def once(self) -> int:
        """Delete what is old enough; return how many rows that were."""
        count = await self._database.write(self._forget)
        _logger.info("retention.done", row_count=count)
        return count

    async def _forget(self, tx: Tx) -> int:
        now = self._clock.now()
        before = now - KEPT
        # words that were offered to a human go when their time is over, as the person was told
        return await prompts.forget(tx, now) + await inbox.forget(tx, before) + await outbox.forget(tx, before)
