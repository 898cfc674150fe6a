"""A member of staff with a client that nobody of this project wrote works in threads; nothing internal gets out."""

import json
import re
import secrets
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dpobot.demo.synapse import Synapse
from tests.interop.conftest import MakePerson
from tests.interop.driver import JsPerson, Message
from tests.live.bot import RunningBot, StartBot

pytestmark = [pytest.mark.live, pytest.mark.interop, pytest.mark.timeout(600)]

REFERENCE = r"DPO-\d{4}-\d{4,}"
CODE = r"\b[A-HJ-NP-Z2-9]{6}\b"


@dataclass
class Office:
    """The bot, and a member of staff in its room."""

    bot: RunningBot
    dora: JsPerson
    room: str
    planted: list[str] = field(default_factory=list)  # words that must stay in the room

    async def card(self, reference: str) -> Message:
        """Wait for a case's card."""
        return await self.dora.wait_for(self.room, f"^{reference} ·", sender=self.bot.user_id, timeout=60)

    async def inside(self, root: str, text: str) -> None:
        """Say something in a thread that must stay there, with a word that can be looked for."""
        self.planted.append(f"inside{secrets.token_hex(6)}")
        await self.dora.reply_in_thread(self.room, root, f"{text} {self.planted[-1]}")

    async def order(self, root: str, words: str, answer: str = "") -> Message:
        """Say a command in a thread and return the bot's next message there that has ``answer`` in it."""
        said = await self.dora.reply_in_thread(self.room, root, words)
        return await self.dora.wait_for(
            self.room, answer, sender=self.bot.user_id, after=said, thread_root=root, timeout=60
        )

    async def internal(self) -> list[str]:
        """Return all that must not be seen outside: planted words, staff's IDs, codes, and each line of the bot."""
        said = [message for message in await self.dora.messages(self.room) if message.sender == self.bot.user_id]
        texts = "\n".join(message.body or "" for message in said)
        lines = {line.strip(" -*•") for line in texts.splitlines()}
        codes = set(re.findall(CODE, texts))
        return [*self.planted, self.dora.user_id, self.room, *codes, *(line for line in lines if len(line) > 20)]


async def opened(js_person: MakePerson, start_bot: StartBot, *others: str, **sections: dict[str, Any]) -> Office:
    """Start a bot that makes its staff room, and let a member of staff in."""
    dora = await js_person("dora", mode="signed")
    staff = {"members": [dora.user_id, *others], "reply_delay_seconds": 1}
    bot = await start_bot(staff=staff, **sections)
    room = await dora.wait_invite(bot.user_id, timeout=60)
    await dora.join(room)
    return Office(bot, dora, room)


async def raw_events(synapse: Synapse, person: JsPerson, room: str) -> list[dict[str, Any]]:
    """Return every event of a room as the server holds it, the newest first."""
    assert person.session is not None
    endpoint, events = f"/_matrix/client/v3/rooms/{quote(room)}/messages", []
    params = {"dir": "b", "limit": "100"}
    while True:
        page = await synapse.request("GET", endpoint, person.session.access_token, **params)
        events += page["chunk"]
        if "end" not in page:
            return events
        params["from"] = page["end"]


async def nothing_internal(synapse: Synapse, office: Office, person: JsPerson, room: str, files: list[Path]) -> None:
    """Look for every internal word in every event of a person's room, and in every file that they got."""
    stored = await raw_events(synapse, person, room)
    read = await person.messages(room)
    assert {event["event_id"] for event in stored} - {message.event_id for message in read} == set()
    assert [message for message in read if message.failure] == []
    seen = json.dumps([stored, [[message.content, message.body] for message in read]], ensure_ascii=False)
    internal = await office.internal()
    assert len(internal) > 10
    assert [text for text in internal if json.dumps(text, ensure_ascii=False)[1:-1] in seen] == []
    for path in files:
        with zipfile.ZipFile(path) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
        assert [text for text in internal if text.encode() in data] == []


async def test_staff_work_in_a_thread_and_only_a_reply_reaches_the_person(
    synapse: Synapse, js_person: MakePerson, start_bot: StartBot
) -> None:
    """A complaint: its card changes with the case, notes stay inside, `reply` arrives trusted, answers come back."""
    office = await opened(js_person, start_bot)
    dora, bot = office.dora, office.bot
    ann = await js_person("ann", mode="signed")
    room = await ann.create_dm(bot.user_id)
    asked = await ann.send(room, "complaint my name is wrong in your letters")
    receipt = await ann.wait_for(room, REFERENCE, sender=bot.user_id, after=asked, timeout=60)
    (reference,) = set(re.findall(REFERENCE, receipt.body or ""))
    card = await office.card(reference)
    relayed = await dora.wait_for(office.room, "my name is wrong", sender=bot.user_id, thread_root=card.event_id)
    await dora.reply_in_thread(office.room, card.event_id, "claim")
    claimed = await dora.wait_shown(card.event_id, f"Assigned to: `{dora.user_id}`")
    await office.inside(card.event_id, "she is right, we have known it for a year")
    await office.inside(card.event_id, "note: three others wrote the same")
    await office.inside(card.event_id, "verify: seen at the desk, with a letter")
    await office.inside(card.event_id, "hold: the court has asked for it")
    await dora.wait_shown(card.event_id, "legal hold")
    await dora.reply_in_thread(office.room, card.event_id, "reply We are sorry; the next letter has your right name.")
    answer = await ann.wait_for(room, "the next letter has your right name", sender=bot.user_id, timeout=60)
    await ann.send(room, "and what of the letters before?")
    more = await dora.wait_for(office.room, "letters before", sender=bot.user_id, thread_root=card.event_id)
    await office.order(card.event_id, "close")
    closed = await dora.wait_shown(card.event_id, "State: closed")
    said = [message for message in await dora.messages(office.room) if message.sender == bot.user_id]
    assert (card.thread_root, claimed.edited, closed.event_id) == (None, True, card.event_id)
    assert {message.shield for message in (card, relayed, claimed, answer, more, closed)} == {"none"}
    assert [message for message in said if message.failure or (message.msgtype and message.shield != "none")] == []
    assert (
        len([message for message in said if (message.body or "").startswith(f"{reference} ·") and not message.replaces])
        == 1
    )
    assert "reply" not in (answer.body or "")
    await nothing_internal(synapse, office, ann, room, [])
    assert bot.leaks(*office.planted, "my name is wrong", "your right name") == []


async def test_an_export_that_policy_does_not_approve_is_approved_by_a_typed_code(
    synapse: Synapse, js_person: MakePerson, start_bot: StartBot, tmp_path: Path
) -> None:
    """A reaction or a wrong code does nothing; the typed code of staff delivers the archive."""
    office = await opened(js_person, start_bot, policy={"approve": []})
    dora, bot = office.dora, office.bot
    ann = await js_person("ann", mode="signed")
    room = await ann.create_dm(bot.user_id)
    asked = await ann.send(room, "export account")
    receipt = await ann.wait_for(room, REFERENCE, sender=bot.user_id, after=asked, timeout=60)
    (reference,) = set(re.findall(REFERENCE, receipt.body or ""))
    card = await office.card(reference)
    await office.inside(card.event_id, "looks like her")
    await dora.react(office.room, card.event_id, "✅")
    await dora.wait_for(
        office.room, "is not approved by one", sender=bot.user_id, after=card.event_id, thread_root=card.event_id
    )
    await office.order(card.event_id, "approve ABCDEF")
    plan = await office.order(card.event_id, "approve", CODE)
    before = [message for message in await ann.messages(room) if message.msgtype == "m.file"]
    (code,) = set(re.findall(CODE, plan.body or ""))
    await dora.reply_in_thread(office.room, card.event_id, f"approve {code}")
    volume = await ann.wait_for(room, msgtype="m.file", sender=bot.user_id, timeout=120)
    got = await ann.download(volume, tmp_path / "1.zip")
    await ann.wait_for(room, got.sha256, sender=bot.user_id, msgtype="m.text", timeout=60)
    shown = await dora.wait_shown(card.event_id, "State: delivered")
    await ann.send(room, "received")
    await dora.wait_shown(card.event_id, "State: closed")
    assert (before, volume.shield, shown.edited) == ([], "none", True)
    await nothing_internal(synapse, office, ann, room, [got.path])


async def test_a_device_without_a_signature_of_its_owner_is_refused(js_person: MakePerson, start_bot: StartBot) -> None:
    """A member of staff with the power, on a device that they have not verified: told so, and nothing is done."""
    eve = await js_person("eve", mode="all", cross_sign=False)
    office = await opened(js_person, start_bot, eve.user_id)
    await eve.join(await eve.wait_invite(office.bot.user_id))
    ann = await js_person("ann", mode="signed")
    room = await ann.create_dm(office.bot.user_id)
    await ann.send(room, "complaint my name is wrong in your letters")
    receipt = await ann.wait_for(room, REFERENCE, sender=office.bot.user_id, timeout=60)
    (reference,) = set(re.findall(REFERENCE, receipt.body or ""))
    card = await office.card(reference)
    levels = await office.dora.power_levels(office.room)
    await eve.reply_in_thread(office.room, card.event_id, "reply this must not arrive")
    told = await office.dora.wait_for(office.room, "a device that you have not verified", timeout=60)
    await office.order(card.event_id, "reply this arrives")
    await ann.wait_for(room, "this arrives", sender=office.bot.user_id, timeout=60)
    said = [message.body or "" for message in await ann.messages(room)]
    assert (levels[eve.user_id], told.sender, told.thread_root) == (50, office.bot.user_id, card.event_id)
    assert [text for text in said if "must not arrive" in text] == []
