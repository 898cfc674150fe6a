"""The bot as a black box: its own process, started as an admin starts it; what it logs is looked at afterwards."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from dpobot.demo.process import BotProcess
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.store.database import Database
from dpobot.store.seal import load_or_create

StartBot = Callable[..., Awaitable["RunningBot"]]


class RunningBot(BotProcess):
    """One bot with an account of its own."""

    @classmethod
    async def begin(
        cls,
        folder: Path,
        synapse: Synapse,
        admin: Credentials,
        account: Credentials | None = None,
        **sections: dict[str, Any],
    ) -> Self:
        """Register an account if none is given, write the files into ``folder``, start and wait until it is ready.

        ``sections`` override parts of the configuration: ``export={"page_events": 10}``.
        """
        account = account or await synapse.register(f"dpo-{secrets.token_hex(4)}")
        bot = cls(folder, synapse, account, admin, sections)
        await bot.start()
        return bot

    async def shows(self, sign: str, seconds: float = 60) -> None:
        """Wait until the log shows a sign, over all starts."""
        async with asyncio.timeout(seconds):
            while sign not in self.log():
                await asyncio.sleep(0.05)

    async def ended(self, seconds: float = 30) -> int:
        """Wait until the process ends by itself; return its exit status."""
        assert self._process is not None
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    def lines(self) -> list[dict[str, Any]]:
        """Return the log as parsed lines, over all starts; a line that is not JSON is an error of the bot."""
        return [json.loads(line) for line in self.log().splitlines()]

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Open the stopped bot's database, to look at what it holds."""
        assert not self.running
        url = f"sqlite+aiosqlite:///{self.data / 'dpobot.sqlite'}"
        database = Database(url, load_or_create(self.data / "seal.keys"))
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    def leaks(self, *private: str) -> list[str]:
        """Return those of ``private`` that the log holds."""
        written = self.log()
        return [text for text in private if text in written]


@pytest.fixture
async def start_bot(synapse: Synapse, admin: Credentials, tmp_path: Path) -> AsyncIterator[StartBot]:
    """Start bots: `await start_bot(export={"page_events": 10})`; all are ended after the test.

    With ``account=`` an account that exists already, such as one that was invited to a staff room.
    """
    started: list[RunningBot] = []

    async def start(account: Credentials | None = None, **sections: dict[str, Any]) -> RunningBot:
        bot = await RunningBot.begin(tmp_path / f"bot-{len(started)}", synapse, admin, account, **sections)
        started.append(bot)
        return bot

    yield start
    for bot in started:
        await bot.kill()
