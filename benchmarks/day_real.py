"""The smaller day: people with real sessions and real encryption, on a real Synapse, and the bot as its own process.

Five waves of questions; after one the homeserver is stopped and started, after another the database (that ends the bot,
which has lost its lock), after another the bot is killed. At the wall's speed: a homeserver's clock can't be hurried.
"""

import asyncio
import contextlib
import logging
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from benchmarks.measure import Figures
from dpobot.demo.synapse import Synapse
from dpobot.errors import Unavailable
from tests import postgres
from tests.live.bot import RunningBot
from tests.live.crowd import Crowd

WAVES = 5
_PATIENCE = 600.0  # seconds for all answers of a wave


@dataclass(frozen=True, slots=True)
class Stage:
    """What can be interrupted."""

    synapse: Synapse
    database: postgres.Server
    bot: RunningBot

    async def trouble(self, wave: int) -> None:
        """Interrupt something, another thing in each wave; the first and the last pass undisturbed."""
        if wave == 1:
            await self.synapse.stop()
            await self.synapse.start()
        elif wave == 2:
            await asyncio.to_thread(self.database.restart, "immediate")
            await self._again()
        elif wave == 3:
            await self.bot.kill()
            await self._again()

    async def _again(self) -> None:
        """Wait until the bot has ended, as it does without its lock, and start it again, as a service manager does."""
        async with asyncio.timeout(_PATIENCE):
            while self.bot.running:
                await asyncio.sleep(0.2)
            while not self.bot.running:
                with contextlib.suppress(Unavailable):  # a busy machine may not have it ready in time
                    await self.bot.start()


async def run(people: int) -> tuple[dict[str, Figures], dict[str, bool]]:
    """Let the waves pass; return figures and goals."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="dpobot-day-real-") as name, postgres.server() as database:
        folder = Path(name)
        synapse = Synapse(folder / "synapse")
        await synapse.start()
        try:
            admin = await synapse.register("admin", admin=True)
            bot = await RunningBot.begin(folder / "bot", synapse, admin, data={"database_url": database.url})
            try:
                crowd = await Crowd.gather(synapse, bot, folder, people, "person")
                await _waves(crowd, Stage(synapse, database, bot))
                return _result(crowd)
            finally:
                await bot.stop()
        finally:
            await synapse.stop()


async def _waves(crowd: Crowd, stage: Stage) -> None:
    for wave in range(WAVES):
        await crowd.ask(1)
        await stage.trouble(wave)
        await crowd.hear(_PATIENCE)


def _result(crowd: Crowd) -> tuple[dict[str, Figures], dict[str, bool]]:
    sent, heard = (sum(map(len, parts)) for parts in zip(*((a.asked, a.answers()) for a in crowd.people), strict=True))
    wrong = crowd.wrong()
    times = [] if wrong else crowd.seconds()
    figures: Figures = {"sent": sent, "answers": heard, "people_with_a_fault": len(wrong)}
    if times:
        figures |= {"p50_s": round(statistics.median(times), 2), "p95_s": round(times[int(len(times) * 0.95)], 2)}
    trouble = {"homeserver_restarts": 1, "database_restarts": 1, "bot_starts_after_it": 1, "bot_kills": 1}
    return {"commands": figures, "trouble": trouble}, {"every command answered once, in order": not wrong}
