"""Retention: what the bot no longer needs to know is deleted (Art. 5(1)(e) GDPR; docs/privacy.md lists it)."""

import asyncio
from datetime import datetime, timedelta

from dpobot import log
from dpobot.cases import expiry
from dpobot.cases.service import Conflict
from dpobot.errors import Unavailable
from dpobot.jobs.parts import Parts
from dpobot.jobs.thread_removal import ThreadRemoval
from dpobot.model.records import Case
from dpobot.store import expiring, inbox, letters, outbox, prompts
from dpobot.store.database import Tx

KEPT = timedelta(days=90)  # that an event came and was answered; what it said is dropped much earlier
# so long whoever types a code hears "expired" and not "unknown"
_CODES_KEPT = {"staff_code": timedelta(days=1), "erase_code": timedelta(days=1)}
_LETTERS_KEPT = timedelta(days=1)  # so long a repeat of what was sent is known
_PAUSE = 3600.0  # seconds
_AT_ONCE = 500  # cases in an hour: a backlog of years is worked off in days, and nobody waits for it
_LONGEST = timedelta(minutes=30)  # then the other duties come first again
_GIVE_UP_AFTER = 3  # cases in a row whose thread can't be reached: the homeserver is away
_logger = log.get(__name__)


class Retention:
    """Deletes old rows and reduces closed cases to their line in the register, every hour."""

    def __init__(self, parts: Parts, removal: ThreadRemoval | None = None) -> None:
        self._database = parts.database
        self._clock = parts.clock
        self._removal = removal or ThreadRemoval(parts)
        self._closed_kept = timedelta(days=parts.config.retention.closed_days)
        self._receipts_kept = timedelta(days=parts.config.retention.receipt_days)
        self._late: set[int] = set()  # cases that could not be taken back: the next time they come last

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
        gone += await inbox.forget(tx, before) + await outbox.forget(tx, before)
        gone += await letters.forget(tx, now - _LETTERS_KEPT)
        gone += await expiry.forget_receipts(tx, now - self._receipts_kept)
        return gone + await expiring.forget_people(tx, before)

    async def _expire(self) -> int:
        """Reduce what is old enough; what can't be taken back now is tried again an hour later, after the others."""
        began = self._clock.now()
        most = _AT_ONCE + len(self._late)
        cases = await self._database.read(lambda tx: expiry.due_for_expiry(tx, began - self._closed_kept, most))
        total = failed = 0
        for case in sorted(cases, key=lambda case: case.id in self._late):
            if failed == _GIVE_UP_AFTER or self._clock.now() - began > _LONGEST:
                break
            try:
                total += await self._one(case)
            except Unavailable as trouble:
                _logger.warning("retention.not_now", case_id=case.id, code=trouble.code)
                self._late.add(case.id)
                failed += 1
            else:
                self._late.discard(case.id)
                failed = 0
        return total

    async def _one(self, case: Case) -> bool:
        """Take back what the staff room was told of a case, then reduce it; False if it has to stay for now."""
        began = self._clock.now()
        if await self._database.read(lambda tx: expiry.must_stay(tx, case.person)):
            return False
        await self._removal.remove(case.id)
        try:
            return await self._database.write(lambda tx: self._reduce(tx, case, began))
        except Conflict:  # somebody is at work on it: an hour later is soon enough
            return False

    async def _reduce(self, tx: Tx, case: Case, began: datetime) -> bool:
        if await outbox.staff_hear(tx, case.id, began):  # said meanwhile: that is taken back, too
            return False
        await expiry.expire(tx, self._clock.now(), case)
        return True
