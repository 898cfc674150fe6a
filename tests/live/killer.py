"""Ends the bot without warning, at moments that nobody chose."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.live.bot import RunningBot

Ear = Callable[[int], Awaitable[None]]


class Killer:
    """Kills the bot at moments that a seeded dice chooses, and starts it again. ``ears`` listen after each start."""

    def __init__(self, bot: RunningBot, dice: random.Random, ears: Sequence[Ear]) -> None:
        self._bot = bot
        self._dice = dice
        self._ears = ears
        self.moments: list[str] = []

    async def strike(self, phase: str, up_to: float, sign: str | None = None) -> None:
        """Kill up to so many seconds after the log says ``sign``, or from now on if it does not come."""
        seen = self._bot.log().count(f'"{sign}"')
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5 if sign else 0):
                while self._bot.log().count(f'"{sign}"') == seen:
                    await asyncio.sleep(0.01)
        pause = self._dice.uniform(0, up_to)
        await asyncio.sleep(pause)
        await self._bot.kill()
        last = self._bot.lines()[-1]["action"] if self._bot.log().endswith("\n") else "within a line"
        self.moments.append(f"{phase}: {pause:.3f} s, after {last}")
        await self._bot.start()
        for ear in self._ears:
            await ear(0)
