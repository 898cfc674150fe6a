"""The whole bot on PostgreSQL: the same conversation, the same archive."""

import zipfile
from pathlib import Path

import pytest

from dpobot.demo.client import Client
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.demo.world import Resident
from dpobot.model.ids import UserId
from tests.live.bot import RunningBot
from tests.live.conftest import Register

pytestmark = pytest.mark.live


async def test_an_export_on_postgresql(
    synapse: Synapse, admin: Credentials, register: Register, postgres_url: str, tmp_path: Path
) -> None:
    """Asked, collected, delivered, opened; the person's words are in it."""
    account = await register("paula")
    paula = Resident(synapse, account)
    room = await paula.room("Garden")
    await paula.say(room, "the beans are up")
    bot = await RunningBot.begin(tmp_path / "bot", synapse, admin, data={"database_url": postgres_url})
    client = await Client.open(synapse, account, tmp_path / "paula")
    try:
        direct = await client.direct_message(UserId(bot.user_id))
        await client.say(direct, "export")
        event = await client.wait(bot.user_id, lambda heard: heard.content.get("msgtype") == "m.file")
        path = await client.fetch(dict(event.content), tmp_path / "volume.zip")
        with zipfile.ZipFile(path) as archive:
            lines = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".jsonl"))
        assert b"the beans are up" in lines
        assert await bot.stop() == 0
    finally:
        await client.close()
        await bot.kill()
