"""Several people at once: each command is answered once and in order, live and from a backlog."""

import secrets
from pathlib import Path

import pytest

from dpobot.demo.synapse import Synapse
from tests.live.bot import StartBot
from tests.live.crowd import Crowd

pytestmark = pytest.mark.live

PEOPLE = TIMES = 5


async def test_every_command_is_answered_once(synapse: Synapse, start_bot: StartBot, tmp_path: Path) -> None:
    """Five people send five commands each, to the running bot and again while it is away."""
    bot = await start_bot()
    crowd = await Crowd.gather(synapse, bot, tmp_path, PEOPLE, f"crowd{secrets.token_hex(3)}")
    await crowd.ask(TIMES)
    await crowd.hear(60)
    assert crowd.wrong() == []
    assert await bot.stop() == 0
    await crowd.ask(TIMES)
    await bot.start()
    await crowd.hear(60)
    assert crowd.wrong() == []
    assert [len(asker.answers()) for asker in crowd.people] == [2 * TIMES] * PEOPLE
    await crowd.leave()
