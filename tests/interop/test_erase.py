"""Somebody leaves with a client that nobody of this project wrote, and somebody else fetches the receipt with one."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from dpobot.demo.synapse import Synapse
from dpobot.errors import Rejected
from tests.interop.conftest import MakePerson
from tests.interop.driver import JsPerson, Message
from tests.live.bot import RunningBot, StartBot

pytestmark = [pytest.mark.live, pytest.mark.interop, pytest.mark.timeout(600)]

REFERENCE = r"DPO-\d{4}-\d{4,}"
_RECEIPT = r"(?:[A-HJ-NP-Z2-9]{4}-){4}[A-HJ-NP-Z2-9]{4}"
_AT_ONCE: dict[str, dict[str, Any]] = {
    "erasure": {"cooling_off_hours": 0, "new_device_hours": 0},
    "policy": {"approve": ["export", "erasure"]},
}


async def _last_words(ann: JsPerson, bot: RunningBot, room: str) -> Message:
    """Ask for an erasure, type the code under the plan, and return the last that the client shows of the bot."""
    asked = await ann.send(room, "erase redact media without copy")
    plan = await ann.wait_for(room, "I have counted", sender=bot.user_id, after=asked, timeout=120)
    (code,) = re.findall(r"write this code: `([A-HJ-NP-Z2-9]{6})`", plan.body or "")
    confirmed = await ann.send(room, code)
    last = await ann.wait_for(room, "begins now", sender=bot.user_id, after=confirmed, timeout=120)
    assert {(said.encrypted, said.shield, said.failure) for said in (plan, last)} == {(True, "none", None)}
    return last


async def _receipt(ben: JsPerson, bot: RunningBot, code: str, folder: Path) -> tuple[Path, Path]:
    """Ask until it is there, then download and decrypt the receipt and the page that checks it."""
    room = await ben.create_dm(bot.user_id)
    for _ in range(60):
        asked = await ben.send(room, f"receipt {code}")
        answer = await ben.wait_for(
            room, "Here is the receipt|is not over yet", sender=bot.user_id, after=asked, timeout=60
        )
        if "is not over yet" not in (answer.body or ""):
            break
        await asyncio.sleep(1)
    files = [
        await ben.wait_for(room, rf"^receipt-.*\.{kind}$", msgtype="m.file", timeout=60) for kind in ("json", "html")
    ]
    for message in files:
        await ben.download(message, folder / str(message.body))
    assert {(message.encrypted, message.shield, message.failure) for message in files} == {(True, "none", None)}
    return folder / str(files[0].body), folder / str(files[1].body)


async def _verify(bot: RunningBot, *arguments: str) -> tuple[int | None, str]:
    """Run `dpobot verify` as anybody would; return its exit status and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dpobot", "verify", *arguments,
        cwd=bot.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=dict(os.environ),
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_person_leaves_and_another_has_the_receipt(
    synapse: Synapse, js_person: MakePerson, start_bot: StartBot, tmp_path: Path
) -> None:
    """The last words can be read, then the account is gone, what it sent is redacted, and the receipt is genuine."""
    bot = await start_bot(**_AT_ONCE)
    ann, ben = await js_person("ann", mode="signed"), await js_person("ben", mode="signed")
    club = await ann.create_room("club", ben.user_id)
    await ben.join(await ben.wait_invite(ann.user_id))
    sent = await ann.send(club, "goodbye, in confidence")
    await ben.wait_for(club, "goodbye", sender=ann.user_id)
    assert ann.session is not None
    token, user_id = ann.session.access_token, ann.user_id
    room = await ann.create_dm(bot.user_id)
    last = await _last_words(ann, bot, room)
    (reference,), codes = set(re.findall(REFERENCE, last.body or "")), set(re.findall(_RECEIPT, last.body or ""))
    (code,) = codes

    await ben.wait_for(club, redacts=sent, timeout=120)
    receipt, page = await _receipt(ben, bot, code, tmp_path)
    with pytest.raises(Rejected) as refused:
        await synapse.request("GET", "/_matrix/client/v3/account/whoami", token)
    seen = [message for message in await ben.messages(club) if message.event_id == sent]
    document = json.loads(receipt.read_text("utf-8"))
    assert refused.value.code == "M_UNKNOWN_TOKEN"
    assert [(message.redacted, message.content) for message in seen] == [(True, {})]
    assert document["case"] == reference
    assert document["counts"]["messages"] >= 1

    owner = ("--config", str(bot.config_path), "--subject", code)
    said = [await _verify(bot, str(file), *owner, user_id) for file in (receipt, page)]
    assert [(status, reference in text, text.startswith("VALID")) for status, text in said] == [(0, True, True)] * 2
    assert (await _verify(bot, str(receipt), *owner, ben.user_id))[0] == 1
    forged = tmp_path / "forged.json"
    forged.write_text(receipt.read_text("utf-8").replace('"messages":', '"messages": 1'), "utf-8")
    assert (await _verify(bot, str(forged), "--config", str(bot.config_path)))[0] == 1
    assert bot.leaks("in confidence", code, code.replace("-", ""), "club") == []
