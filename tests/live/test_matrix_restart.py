"""The account's process dies or its device is taken away: what survives."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from tests.live.conftest import Register
from tests.live.people import Client, joined, opened

pytestmark = pytest.mark.live

# Syncs once, so that the keys are stored and the events were handed out, and is killed before anything is committed.
_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from dpobot.matrix.session import Session

async def main(url, user_id, password, folder, since):
    session = await Session.open(homeserver_url=url, user_id=user_id, password=lambda: password,
                                 device_name="test", folder=Path(folder))
    batch = await session.sync(since, 0)
    assert any(event.content.get("body") == "command" for event in batch.events)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(*sys.argv[1:]))
"""


async def _killed_after_sync(synapse: Synapse, account: Credentials, folder: Path, since: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _KILLED,
        *(synapse.url, account.user_id, account.password, str(folder), since),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def test_kill_loses_nothing(synapse: Synapse, register: Register, tmp_path: Path) -> None:
    """Killed between receiving and committing, three times over: each start gets the same command, decrypted."""
    account, folder = await register("bot"), tmp_path / "bot"
    bot = Client(await opened(synapse, account, folder))
    vic = Client(await opened(synapse, await register("vic"), tmp_path / "vic"))
    await bot.sync()
    await vic.sync()
    room = await joined(vic, bot)
    await bot.session.close()
    await vic.say(room, "command")
    assert bot.token is not None
    for _ in range(3):
        assert await _killed_after_sync(synapse, account, folder, bot.token) == -signal.SIGKILL
    bot.session = await opened(synapse, account, folder)
    try:
        await bot.until("command")
        await bot.say(room, "done")
        await vic.until("done")
    finally:
        await bot.session.close()
        await vic.session.close()


async def test_a_device_that_was_logged_out_is_replaced(synapse: Synapse, register: Register, tmp_path: Path) -> None:
    """Somebody ends the session from elsewhere: the next start is a new device of the same identity."""
    account, folder = await register("bot"), tmp_path / "bot"
    first = await opened(synapse, account, folder)
    await first._http.call("POST", "/_matrix/client/v3/logout", {})
    await first.close()
    second = await opened(synapse, account, folder)
    await second.close()
    assert (second.device_id == first.device_id, second.master_key) == (False, first.master_key)


async def test_a_lost_key_store_is_a_lost_device(synapse: Synapse, register: Register, tmp_path: Path) -> None:
    """Without its keys the old device would be deaf: a new one takes its place, and is understood."""
    account, folder = await register("bot"), tmp_path / "bot"
    first = await opened(synapse, account, folder)
    await first.close()
    for file in folder.glob("keys.sqlite*"):
        file.unlink()
    bot = Client(await opened(synapse, account, folder))
    vic = Client(await opened(synapse, await register("vic"), tmp_path / "vic"))
    try:
        await bot.sync()
        room = await joined(vic, bot)
        await vic.say(room, "hello again")
        await bot.until("hello again")
        assert (bot.session.device_id == first.device_id, bot.session.master_key) == (False, first.master_key)
    finally:
        await bot.session.close()
        await vic.session.close()
