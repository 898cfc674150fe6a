"""The bot as a black box: its own process, started as an admin starts it; what it logs is looked at afterwards."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import pytest

from dpobot.demo.process import BotProcess
from dpobot.demo.synapse import Credentials, Synapse

StartBot = Callable[..., Awaitable["RunningBot"]]


class RunningBot(BotProcess):
    """One bot with an account of its own."""

    @classmethod
    async def begin(cls, folder: Path, synapse: Synapse, admin: Credentials, **sections: dict[str, Any]) -> Self:
        """Register an account, write the files into ``folder``, start and wait until it is ready.

        ``sections`` override parts of the configuration: ``export={"page_events": 10}``.
        """
        account = await synapse.register(f"dpo-{secrets.token_hex(4)}")
        bot = cls(folder, synapse, account, admin, sections)
        await bot.start()
        return bot

    def lines(self) -> list[dict[str, Any]]:
        """Return the log as parsed lines, over all starts; a line that is not JSON is an error of the bot."""
        return [json.loads(line) for line in self.log().splitlines()]

    def leaks(self, *private: str) -> list[str]:
        """Return those of ``private`` that the log holds."""
        written = self.log()
        return [text for text in private if text in written]


@pytest.fixture
async def start_bot(synapse: Synapse, admin: Credentials, tmp_path: Path) -> AsyncIterator[StartBot]:
    """Start bots: `await start_bot(export={"page_events": 10})`; all are ended after the test."""
    started: list[RunningBot] = []

    async def start(**sections: dict[str, Any]) -> RunningBot:
        bot = await RunningBot.begin(tmp_path / f"bot-{len(started)}", synapse, admin, **sections)
        started.append(bot)
        return bot

    yield start
    for bot in started:
        await bot.kill()
