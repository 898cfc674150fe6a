"""The whole story with a client that nobody of this project wrote: asked for, delivered, opened, acknowledged, gone."""

import asyncio
import hashlib
import json
import os
import re
import secrets
import signal
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from tests.interop.conftest import MakePerson
from tests.interop.driver import JsError, JsPerson, Message
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register

pytestmark = [pytest.mark.live, pytest.mark.interop, pytest.mark.timeout(600)]

REFERENCE = r"DPO-\d{4}-\d{4,}"
MESSAGES = 500  # fifty steps at ten a page: the export is still under way when it is looked at
MEDIUM = 2_500_000  # bytes: larger than two volumes of 1 MB


@dataclass(frozen=True)
class Volume:
    """A delivered volume: its message, and where it was decrypted to."""

    message: Message
    path: Path

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass
class Past:
    """What the person did before they asked, and what others said near them."""

    own: set[str] = field(default_factory=set)  # event IDs
    texts: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # strings that must not be handed out


async def say(synapse: Synapse, token: str, room: str, text: str) -> str:
    path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/{secrets.token_hex(8)}"
    answer = await synapse.request("PUT", path, token, {"msgtype": "m.text", "body": text})
    return str(answer["event_id"])


async def create(synapse: Synapse, token: str, **body: Any) -> str:
    answer = await synapse.request("POST", "/_matrix/client/v3/createRoom", token, body)
    return str(answer["room_id"])


async def live_a_little(synapse: Synapse, ann: JsPerson, eve: Credentials, folder: Path) -> Past:
    """A busy public room, one left and forgotten, an encrypted one with a large file."""
    assert ann.session is not None
    token, past = ann.session.access_token, Past()
    square = await create(synapse, eve.access_token, preset="public_chat", name="The square")
    await synapse.request("POST", f"/_matrix/client/v3/join/{square}", token, {})
    few = asyncio.Semaphore(8)

    async def one(room: str) -> None:
        async with few:
            past.texts.append(f"own words {secrets.token_hex(8)}")
            past.own.add(await say(synapse, token, room, past.texts[-1]))

    for _ in range(20):
        past.foreign.append(f"not hers {secrets.token_hex(8)}")
        await say(synapse, eve.access_token, square, past.foreign[-1])
    await asyncio.gather(*(one(square) for _ in range(MESSAGES)))
    gone = await create(synapse, token, preset="private_chat", name="Left behind")
    await one(gone)
    for step in ("leave", "forget"):
        await synapse.request("POST", f"/_matrix/client/v3/rooms/{gone}/{step}", token, {})
    secret_room = await ann.create_dm(eve.user_id)
    past.own.add(await ann.send(secret_room, "in confidence"))
    (folder / "medium").write_bytes(os.urandom(MEDIUM))
    past.own.add((await ann.send_file(secret_room, folder / "medium", "holiday.bin")).event_id)
    return past


async def stands_still(synapse: Synapse, seconds: float) -> None:
    """Let the homeserver answer nobody for a while: an export on a fast machine then is slow enough to be watched."""
    assert synapse.pid is not None
    os.kill(synapse.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(synapse.pid, signal.SIGCONT)


async def volumes(person: JsPerson, room: str, bot: RunningBot, folder: Path) -> list[Volume]:
    """Download and decrypt every volume; the first one's manifest says how many there are."""
    found: list[Volume] = []
    wanted = 1
    while len(found) < wanted:
        last = found[-1].message.event_id if found else None
        message = await person.wait_for(room, msgtype="m.file", sender=bot.user_id, after=last, timeout=300)
        got = await person.download(message, folder / f"{len(found)}.zip")
        found.append(Volume(message, got.path))
        assert (got.sha256, got.size) == (found[-1].sha256, message.content["info"]["size"])
        wanted = len(manifest(got.path)["volumes"])
    return found


def manifest(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        read: dict[str, Any] = json.loads(archive.read("manifest.json"))
        return read


def entries(paths: list[Path]) -> dict[str, bytes]:
    """Return every file of every volume, each checked against its volume's manifest; volumes unpack side by side."""
    files: dict[str, bytes] = {}
    for number, path in enumerate(paths):
        stated = {item["path"]: item["sha256"] for item in manifest(path)["files"]}
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            held = {name: archive.read(name) for name in archive.namelist()}
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in held.items() if name != "manifest.json"}
        assert digests == stated
        assert "index.html" in held
        files |= {f"{number}/{name}": data for name, data in held.items()}
    return files


def events(files: dict[str, bytes]) -> list[dict[str, Any]]:
    lines = [data for name, data in files.items() if "/rooms/" in name and name.endswith(".jsonl")]
    return [json.loads(line) for data in lines for line in data.splitlines()]


async def is_gone(person: JsPerson, message: Message, target: Path) -> bool:
    """Whether the server gives the bytes out no more; asked again for half a minute."""
    for _ in range(60):
        try:
            await person.download(message, target)
        except JsError as error:
            return error.status == 404
        await asyncio.sleep(0.5)
    return False


async def test_a_person_who_excludes_insecure_devices_gets_their_data(
    synapse: Synapse, register: Register, js_person: MakePerson, start_bot: StartBot, tmp_path: Path
) -> None:
    """Asked in an encrypted direct message: receipt, progress, volumes that open, all of theirs, nothing else."""
    bot = await start_bot(export={"volume_megabytes": 1, "page_events": 10, "progress_seconds": 2})
    ann, eve = await js_person("ann", mode="signed"), await register("eve")
    past = await live_a_little(synapse, ann, eve, tmp_path)
    room = await ann.create_dm(bot.user_id)
    asked = await ann.send(room, "export")
    receipt = await ann.wait_for(room, REFERENCE, sender=bot.user_id, after=asked, timeout=60)
    await stands_still(synapse, 3)  # the first progress message is due meanwhile
    progress = await ann.wait_for(room, sender=bot.user_id, after=receipt.event_id, type="m.room.message")
    await stands_still(synapse, 3)  # and now its first edit
    archive = await volumes(ann, room, bot, tmp_path)
    final = await ann.wait_for(room, archive[0].sha256, sender=bot.user_id, msgtype="m.text", timeout=60)

    files = await asyncio.to_thread(entries, [volume.path for volume in archive])
    told = events(files)
    said = [item for item in await ann.messages(room) if item.sender == bot.user_id and item.state_key is None]
    assert [volume.sha256 for volume in archive if volume.sha256 not in (final.body or "")] == []
    assert len(archive) > 1
    assert {manifest(volume.path)["reference"] for volume in archive} == set(re.findall(REFERENCE, receipt.body or ""))
    assert {event["sender"] for event in told} == {ann.user_id}
    assert past.own - {event["event_id"] for event in told} == set()
    assert len(told) == len({event["event_id"] for event in told})
    assert [text for text in past.foreign if any(text.encode() in data for data in files.values())] == []
    assert sum(len(data) for name, data in files.items() if "/media/" in name) == MEDIUM
    assert {item.replaces for item in said if item.replaces} == {progress.event_id}
    assert {(item.encrypted, item.shield, item.failure) for item in said} == {(True, "none", None)}
    assert bot.leaks(*past.texts, *past.foreign, "in confidence", "holiday.bin", "The square", "Left behind") == []


async def test_received_deletes_the_archive_from_the_server(
    js_person: MakePerson, start_bot: StartBot, tmp_path: Path
) -> None:
    """`received` takes the bytes from the server and redacts the message; the bot stops cleanly afterwards."""
    bot, ann = await start_bot(), await js_person("ann", mode="signed")
    room = await ann.create_dm(bot.user_id)
    await ann.send(room, "give me my data")
    archive = await volumes(ann, room, bot, tmp_path)
    await ann.wait_for(room, archive[0].sha256, sender=bot.user_id, msgtype="m.text", timeout=60)
    asked = await ann.send(room, "received")
    answer = await ann.wait_for(room, sender=bot.user_id, after=asked, type="m.room.message", timeout=60)
    for volume in archive:
        await ann.wait_for(room, redacts=volume.message.event_id, sender=bot.user_id, timeout=60)
    gone = [await is_gone(ann, volume.message, tmp_path / "again") for volume in archive]
    redacted = {message.event_id for message in await ann.messages(room) if message.redacted}
    assert (answer.shield, answer.failure) == ("none", None)
    assert gone == [True]
    assert redacted == {volume.message.event_id for volume in archive}
    assert await bot.stop() == 0


async def test_a_direct_message_without_encryption_becomes_encrypted(
    js_person: MakePerson, start_bot: StartBot
) -> None:
    """Where the bot has the power to, it switches encryption on; what it says afterwards is encrypted and trusted."""
    bot, ann = await start_bot(), await js_person("ann", mode="signed")
    room = await ann.create_dm(bot.user_id, encrypted=False)
    switched = await ann.wait_for(room, type="m.room.encryption", sender=bot.user_id, timeout=60)
    asked = await ann.send(room, "rights")
    answer = await ann.wait_for(room, sender=bot.user_id, after=asked, type="m.room.message", timeout=60)
    assert switched.content["algorithm"] == "m.megolm.v1.aes-sha2"
    assert (answer.encrypted, answer.shield, answer.failure) == (True, "none", None)


async def test_no_personal_data_in_a_room_that_stays_unencrypted(js_person: MakePerson, start_bot: StartBot) -> None:
    """Where it has no power, the bot says in the clear how to get an encrypted room, and names no case there."""
    bot, ann = await start_bot(), await js_person("ann", mode="signed")
    room = await ann.create_dm(bot.user_id, encrypted=False, powerful=False)
    await ann.wait_membership(room, bot.user_id)
    asked = await ann.send(room, "export")
    answer = await ann.wait_for(room, "[Ee]ncrypt", sender=bot.user_id, after=asked, timeout=60)
    said = [message.body or "" for message in await ann.messages(room) if message.sender == bot.user_id]
    assert (answer.encrypted, answer.shield) == (False, None)
    assert [body for body in said if "DPO-" in body or ann.user_id in body] == []
