"""A bot that loses its disk is put back from a backup: a new device, the old identity, no reference given twice."""

import asyncio
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dpobot.matrix.api import Received
from dpobot.model.words import Trust
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import Arrive, Guest

pytestmark = pytest.mark.live

_KEPT = {"seal.keys": "seal.keys", "receipt.key": "receipt.key", "matrix/recovery-key.txt": "recovery-key.txt"}
_UNREADABLE = "read your last message"
_PUT_BACK = "My database had to be put back from a backup."


async def _command(bot: RunningBot, *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dpobot", *arguments, "--config", str(bot.config_path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode, out.decode()


def _reference(number: int) -> str:
    return f"DPO-{datetime.now(UTC).year}-{number:04d}"


async def _back_up(bot: RunningBot, safe: Path) -> None:
    """Copy the database of the running bot, and its keys, to a safe place."""
    safe.mkdir(mode=0o700)
    status, out = await _command(bot, "backup", str(safe / "dpobot.sqlite"))
    assert status == 0, out
    for name, copy in _KEPT.items():
        shutil.copyfile(bot.data / name, safe / copy)


def _put_back(bot: RunningBot, safe: Path) -> None:
    """Take a new disk and put on it what was kept."""
    shutil.rmtree(bot.data)
    bot.data.mkdir(mode=0o700)
    for name in ("dpobot.sqlite", "seal.keys", "receipt.key"):
        shutil.copyfile(safe / name, bot.data / name)
        (bot.data / name).chmod(0o600)
    (safe / "recovery-key.txt").chmod(0o600)
    text = bot.config_path.read_text()
    named = f'[matrix]\nrecovery_key_file = "{safe / "recovery-key.txt"}"'
    bot.config_path.write_text(text.replace("[matrix]", named))


async def _told(guest: Guest, words: str, number: int) -> Received:
    """Let a guest ask for something that opens a case, and hear its reference."""
    await guest.say(words)
    return await guest.hear(_reference(number))


async def test_a_lost_disk_and_last_nights_backup(
    start_bot: StartBot, arrive: Arrive, register: Register, tmp_path: Path
) -> None:
    """It answers from a new device of the same identity; what was said since the backup is not done again."""
    bot = await start_bot()
    anna, bert = await arrive(bot, await register("anna")), await arrive(bot, await register("bert"))
    before = await _told(anna, "complaint somebody reads my letters", 1)
    known = await anna.client.session.trust(anna.bot, before.origin, None)
    await _back_up(bot, tmp_path / "safe")
    await _told(bert, "complaint I am not answered", 2)  # of this the backup knows nothing
    await bot.kill()

    _put_back(bot, tmp_path / "safe")
    status, out = await _command(bot, "restored")
    assert (status, out) == (0, "references go on above 2000; 1 people with open requests will be told\n")
    await bot.start()

    await anna.hear(_PUT_BACK)
    await bert.hear(_UNREADABLE)
    await anna.say("cases")
    answer = await anna.hear(_reference(1), 2)
    trust = await anna.client.session.trust(anna.bot, answer.origin, known.master_key)
    await _told(bert, "complaint I am still not answered", 2001)
    assert (trust.trust, trust.master_key) == (Trust.SIGNED, known.master_key)
    assert answer.origin is not None
    assert before.origin is not None
    assert answer.origin.signing_key != before.origin.signing_key
    assert (len(anna.heard(_PUT_BACK)), len(bert.heard(_PUT_BACK)), len(bert.heard(_reference(2)))) == (1, 0, 1)
    assert (anna.unread(), bert.unread()) == ([], [])
    assert await bot.stop() == 0
    assert [line for line in bot.lines() if line["level"] == "error"] == []
