"""Time that runs faster than the wall: the same for the bot, its event loop and the world around it."""

import asyncio
import selectors
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAWN = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FastClock:
    """A `Clock` that was at `DAWN` at ``began`` (seconds of `time.time`) and runs ``speed`` times as fast."""

    began: float
    speed: float

    def now(self) -> datetime:
        """Return the simulated moment."""
        return DAWN + timedelta(seconds=(time.time() - self.began) * self.speed)


class _Selector(selectors.DefaultSelector):
    """Waits a ``speed``-th of what it is asked to."""

    speed = 1.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `selectors.BaseSelector.select`."""
        return super().select(timeout / self.speed if timeout and timeout > 0 else timeout)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop by whose time all that sleeps, polls or runs out does so ``speed`` times as soon."""

    def __init__(self, speed: float) -> None:
        selector = _Selector()
        selector.speed = speed
        self._speed = speed
        super().__init__(selector)

    def time(self) -> float:
        """Return the loop's own seconds."""
        return super().time() * self._speed
