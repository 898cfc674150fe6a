"""What is said unasked, when its time has come: to people, to staff, and to everybody about a new notice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from dpobot import log
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.announcing import Announcing
from dpobot.jobs.answering import Answering
from dpobot.jobs.cooling import Cooling
from dpobot.jobs.digest import Digest
from dpobot.jobs.overdue import Overdue
from dpobot.jobs.parts import Parts
from dpobot.jobs.staff_line import Staffing, StaffLine, nobody
from dpobot.jobs.staff_reminders import StaffReminders
from dpobot.jobs.updates import Updates

_PAUSE = 60.0  # seconds
_logger = log.get(__name__)


class Reminders:
    """Looks every minute. What has been said is a row, so that it is said once, also across restarts.

    ``staffing`` says who is staff now; they are notified when a case is overdue.
    """

    def __init__(self, parts: Parts, staffing: Staffing = nobody) -> None:
        self._clock = parts.clock
        line = StaffLine(parts)
        self._duties: Sequence[Callable[[datetime], Awaitable[int]]] = (
            Updates(parts).once,
            Cooling(parts).once,
            StaffReminders(parts, line).once,
            Overdue(parts, line, staffing).once,
            Digest(parts, line).once,
            Announcing(parts, line).once,
            Answering(parts).once,
        )

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(_PAUSE)

    async def once(self) -> int:
        """Say what is due now; return how many messages that were. What can't be said now is tried again later."""
        now = self._clock.now()
        return sum([await self._patiently(duty, now) for duty in self._duties])

    async def _patiently(self, duty: Callable[[datetime], Awaitable[int]], now: datetime) -> int:
        try:
            return await duty(now)
        except (Unavailable, Rejected) as trouble:  # one that fails keeps none of the others from their work
            _logger.warning("reminders.not_now", code=trouble.code)
            return 0
