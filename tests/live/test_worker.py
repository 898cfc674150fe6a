"""A worker beside the bot: it has no keys of the bot's device, and a person's export arrives all the same."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dpobot.demo.client import Client
from dpobot.demo.process import BotProcess
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.demo.world import Resident
from dpobot.model.ids import UserId
from tests.live.bot import RunningBot
from tests.live.conftest import Register

pytestmark = pytest.mark.live


class Worker(BotProcess):
    """One ``dpobot worker``; it has copies of the bot's keys, and a disk of its own."""

    command = "worker"

    def take_keys(self, bot: BotProcess) -> None:
        """Copy what every machine of an installation has alike."""
        self.data.mkdir(mode=0o700, parents=True)
        for name in ("seal.keys", "receipt.key"):
            shutil.copy(bot.data / name, self.data / name)


async def test_an_export_through_a_worker(
    synapse: Synapse, admin: Credentials, register: Register, postgres_url: str, tmp_path: Path
) -> None:
    """The bot only listens and speaks; the worker collects, packs and uploads; both stop when they are asked to."""
    account, account_of_bot = await register("wanda"), await register("dpo")
    wanda = Resident(synapse, account)
    await wanda.say(await wanda.room("Greenhouse"), "the figs are in")
    sections: dict[str, dict[str, Any]] = {
        "data": {"database_url": postgres_url},
        "cluster": {"enabled": True, "bot_works": False},
    }
    bot = await RunningBot.begin(tmp_path / "bot", synapse, admin, account_of_bot, **sections)
    worker = Worker(tmp_path / "worker", synapse, account_of_bot, admin, sections)
    worker.take_keys(bot)
    client = await Client.open(synapse, account, tmp_path / "wanda")
    try:
        await worker.start("worker.ready")
        await client.say(await client.direct_message(UserId(bot.user_id)), "export")
        event = await client.wait(bot.user_id, lambda heard: heard.content.get("msgtype") == "m.file")
        path = await client.fetch(dict(event.content), tmp_path / "volume.zip")
        with zipfile.ZipFile(path) as archive:
            lines = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".jsonl"))
        assert b"the figs are in" in lines
        assert await worker.stop() == 0
        assert await bot.stop() == 0
        assert ("job_started" in worker.log(), "job_started" in bot.log()) == (True, False)
    finally:
        await client.close()
        await worker.kill()
        await bot.kill()
