"""The end of the demo: an erasure under a typed code, and its receipt, fetched by somebody else and checked."""

import asyncio
import re
from pathlib import Path

from dpobot.demo.client import Client
from dpobot.demo.narrator import Narrator, text_of
from dpobot.errors import Unavailable
from dpobot.matrix.api import Received
from dpobot.model.ids import RoomId, UserId
from dpobot.receipt import check

_PLAN_CODE = re.compile(r"this code: `?([A-Z2-9]{6})\b")
_RECEIPT_CODE = re.compile(r"receipt ((?:[A-Z2-9]{4}-){4}[A-Z2-9]{4})")
_TRIES, _PAUSE = 60, 1.0  # seconds


async def erase(anna: Client, room_id: RoomId, bot: UserId, narrator: Narrator) -> str:
    """Let Anna be erased; return the code of her receipt."""
    narrator.scene("Anna has her copy, and wants to leave: the bot counts first, and asks for a code under that plan")
    await _say(anna, room_id, "erase redact media", narrator)
    plan = await _hear(anna, bot, _PLAN_CODE, narrator)
    await _say(anna, room_id, plan, narrator)
    narrator.scene("Usually a day passes now, and staff approve; here neither, so that it can be seen")
    code = await _hear(anna, bot, _RECEIPT_CODE, narrator)
    narrator.scene("From here there is no way back: redactions, files, rooms of her own, account")
    return code


async def fetch(friend: Client, bot: UserId, code: str, public_key: str, target: Path, narrator: Narrator) -> None:
    """Let somebody else fetch the receipt, check it offline, and leave it beside the archive."""
    room_id = await friend.direct_message(bot)
    await friend.wait(bot, _said)
    narrator.scene("Anna's account is gone. Somebody who has the code fetches the receipt")
    words = f"receipt {code}"
    for _ in range(_TRIES):
        await friend.say(room_id, words)
        answer = await friend.wait(bot, _said)
        if "not over yet" not in text_of(answer):
            break
        await asyncio.sleep(_PAUSE)
    else:
        raise Unavailable("the receipt did not come in time")
    narrator.line("friend", words)
    narrator.line("dpo", text_of(answer))
    for name in ("receipt.json", "receipt.html"):
        file = await friend.wait(bot, lambda event: event.content.get("msgtype") == "m.file")
        await friend.fetch(dict(file.content), target / name)
    checked = check.verify((target / "receipt.json").read_text("utf-8"), public_key)
    narrator.scene(f"The signature is valid; erased: {sum(checked.counts.values())} things, by kind in the receipt")


async def _say(anna: Client, room_id: RoomId, words: str, narrator: Narrator) -> None:
    narrator.line("anna", words)
    await anna.say(room_id, words)


async def _hear(anna: Client, bot: UserId, wanted: re.Pattern[str], narrator: Narrator) -> str:
    """Quote the bot until it says what is wanted; return that."""
    while True:
        event = await anna.wait(bot, _said)
        narrator.line("dpo", text_of(event))
        found = wanted.search(text_of(event))
        if found is not None:
            return found[1]


def _said(event: Received) -> bool:
    return event.type == "m.room.message" and event.content.get("msgtype") in ("m.text", "m.notice")
