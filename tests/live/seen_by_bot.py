"""An erasure as a person gets it: a message to the running bot, a typed code, and the account is gone."""

import asyncio
import re
from pathlib import Path
from typing import Any

from dpobot.errors import Rejected
from tests.live.bot import RunningBot
from tests.live.guest import Guest
from tests.live.http import Client
from tests.live.seen_life import Life

AT_ONCE: dict[
    str, dict[str, Any]
] = {  # no day of cooling off, and nobody of staff: what is waited for is the homeserver
    "policy": {"approve": ["export", "erasure"]},
    "erasure": {"cooling_off_hours": 0, "new_device_hours": 0, "at_once": 2},
}
_SECONDS = 120
_CODE = re.compile(r"write this code: `([A-HJ-NP-Z2-9]{6})`")


async def erase_by_bot(bot: RunningBot, admin: Client, life: Life, folder: Path, options: str) -> None:
    """Let the person ask for ``erase options`` and type the code; return when the account has left every room."""
    guest = await Guest.arrive(life.federation.home, life.alice.credentials, bot.user_id, folder)
    try:
        await guest.say(f"erase {options}")
        plan = await guest.hear("write this code", seconds=_SECONDS)
        [code] = _CODE.findall(str(plan.content["body"]))
        await guest.say(code)
        async with asyncio.timeout(_SECONDS):
            await _gone(guest)
            while (await admin.admin("GET", "v1", "users", life.alice.user_id, "joined_rooms"))["total"]:
                await asyncio.sleep(0.1)  # the server tells nobody
    finally:
        await guest.leave()


async def _gone(guest: Guest) -> None:
    """Return as soon as the account's token no longer holds."""
    try:
        while True:
            await guest.listen()
    except Rejected:
        return


async def verified(bot: RunningBot, times: int) -> None:
    """Return as soon as the bot itself has looked so many times what is left."""
    async with asyncio.timeout(_SECONDS):
        while _looked(bot) < times:
            await asyncio.sleep(0.1)  # there is nobody left whom it could tell


def _looked(bot: RunningBot) -> int:
    ended = [line for line in bot.lines() if line.get("job") == "verify_erasure" and line["action"] == "job_ended"]
    return sum(line["state"] == "done" for line in ended)
