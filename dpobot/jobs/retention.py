"""Retention: what the bot no longer needs to know is deleted (Art. 5(1)(e) GDPR; docs/privacy.md lists it)."""

import asyncio
from datetime import timedelta

from dpobot import log
from dpobot.cases import expiry
from dpobot.cases.service import Conflict
from dpobot.clock import Clock
from dpobot.config import RetentionConfig
from dpobot.errors import Unavailable
from dpobot.store import inbox, outbox, prompts
from dpobot.store.database import Database, Tx

KEPT = timedelta(days=90)  # that an event came and was answered; what it said is dropped much earlier
_CODES_KEPT = {"staff_code": timedelta(days=1)}  # so long staff hear "expired" and not "unknown"
_PAUSE = 3600.0  # seconds
_PAGE = 100  # cases in one transaction
_PAGES = 50  # in an hour: a backlog of years is worked off in days, and nobody waits for it
_logger = log.get(__name__)


class Retention:
    """Deletes old rows and reduces closed cases to their line in the register, every hour."""

    def __init__(self, database: Database, clock: Clock, config: RetentionConfig | None = None) -> None:
        self._database = database
        self._clock = clock
        self._closed_kept = timedelta(days=(config or RetentionConfig()).closed_days)

    async def run(self) -> None:
        """Tidy until cancelled; a database that is away is tried again an hour later."""
        while True:
            try:
                await self.once()
            except Unavailable as trouble:
                _logger.warning("retention.unavailable", code=trouble.code)
            await asyncio.sleep(_PAUSE)

    async def once(self) -> int:
        """Delete and reduce what is old enough; return how many rows and cases that were."""
        count = await self._database.write(self._forget)
        expired = await self._expire()
        _logger.info("retention.done", row_count=count, case_count=expired)
        return count + expired

    async def _forget(self, tx: Tx) -> int:
        now = self._clock.now()
        before = now - KEPT
        codes = {kind: now - kept for kind, kept in _CODES_KEPT.items()}
        # words that were offered to a human go when their time is over, as the person was told
        gone = await prompts.forget(tx, now, codes)
        return gone + await inbox.forget(tx, before) + await outbox.forget(tx, before)

    async def _expire(self) -> int:
        total = 0
        for _ in range(_PAGES):
            try:
                count = await self._database.write(self._expire_some)
            except Conflict:  # somebody is at work on one of them: an hour later is soon enough
                break
            total += count
            if count < _PAGE:
                break
        return total

    async def _expire_some(self, tx: Tx) -> int:
        now = self._clock.now()
        cases = await expiry.due_for_expiry(tx, now - self._closed_kept, _PAGE)
        for case in cases:
            await expiry.expire(tx, now, case)
        return len(cases)
