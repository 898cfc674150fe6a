"""A real client's encrypted rooms, exported, then opened in a real browser and in a terminal: all that it reads."""

import asyncio
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, Page

from dpobot.demo.synapse import Synapse
from dpobot.unlocking import key_export
from dpobot.unlocking.command import Given, run
from dpobot.unlocking.event import plaintext
from dpobot.unlocking.ring import Ring
from tests.browser import reading
from tests.browser.conftest import chromium
from tests.browser.visitor import Visitor
from tests.interop.conftest import MakePerson
from tests.interop.driver import JsPerson, Message, SentFile
from tests.interop.test_export import volumes
from tests.live.bot import StartBot

__all__ = ["chromium"]  # a fixture

pytestmark = [pytest.mark.live, pytest.mark.interop, pytest.mark.timeout(300)]

PASSPHRASE = "what the keys were exported with ☕"
WAIT = 60


@dataclass
class Past:
    """What a client can read of what its person sent, and the archive of it."""

    sent: dict[str, Message]  # by event ID
    picture: SentFile
    recovery_key: str
    keys: Path
    volumes: list[Path]
    folder: Path  # where they are unpacked


def picture() -> bytes:
    data = io.BytesIO()
    Image.effect_noise((300, 200), 90).save(data, "PNG")
    return data.getvalue()


async def live(ann: JsPerson, eve: JsPerson, folder: Path) -> tuple[list[str], SentFile]:
    """Two encrypted rooms: edits, a reply, a thread, reactions, a redaction, three sessions, a picture."""
    kitchen = await ann.create_room("Kitchen", eve.user_id)
    await eve.join(await eve.wait_invite(ann.user_id))
    await ann.wait_membership(kitchen, eve.user_id)
    first = await ann.send(kitchen, "the soup is ready")
    await eve.wait_for(kitchen, "soup")
    answer = await eve.send(kitchen, "not hers: I am coming")
    await ann.edit(kitchen, first, "the soup was ready 🍲")
    await ann.react(kitchen, answer, "🎉")
    await ann.call("reply", room=kitchen, event=first, text="and it is getting cold")
    for number in range(2):
        await ann.call("newSession", room=kitchen)
        for word in ("one", "two", "three"):
            await ann.send(kitchen, f"session {number} {word} \u202e<script>alert(1)</script>")
    await ann.reply_in_thread(kitchen, first, "in its thread")
    await ann.redact(kitchen, await ann.send(kitchen, "said too much"))
    (folder / "plate.png").write_bytes(picture())
    sent = await ann.call(
        "sendFile",
        60,
        room=kitchen,
        path=str(folder / "plate.png"),
        name="plate.png",
        mimetype="image/png",
        msgtype="m.image",
    )
    cellar = await ann.create_room("Cellar")
    await ann.react(cellar, await ann.send(cellar, "nobody else is here"), "👀")
    return [kitchen, cellar], SentFile(**sent)


async def backed_up(synapse: Synapse, ann: JsPerson, keys: int) -> None:
    """Wait until the server holds every key that the client has: it uploads them by and by."""
    assert ann.session is not None
    for _ in range(WAIT * 4):
        answer = await synapse.request("GET", "/_matrix/client/v3/room_keys/version", ann.session.access_token)
        if answer["count"] == keys:
            return
        await asyncio.sleep(0.25)
    raise AssertionError("the client did not back up all keys")


def unpack(paths: list[Path], folder: Path) -> Path:
    for path in paths:
        with zipfile.ZipFile(path) as packed:
            packed.extractall(folder)
    return folder


@pytest.fixture
async def past(synapse: Synapse, js_person: MakePerson, start_bot: StartBot, tmp_path: Path) -> Past:
    """A life, exported by the running bot from a real homeserver, unpacked."""
    bot = await start_bot()
    ann, eve = await asyncio.gather(js_person("ann", mode="signed", backup=True), js_person("eve", mode="signed"))
    assert ann.session is not None
    assert ann.session.recovery_key is not None
    rooms, sent = await live(ann, eve, tmp_path)
    room = await ann.create_dm(bot.user_id)
    for _ in range(2):  # once the bot is in the room, a new session begins: it has to be backed up before "export"
        asked = await ann.send(room, "rights")
        await ann.wait_for(room, sender=bot.user_id, after=asked, type="m.room.message", timeout=WAIT)
    keys = tmp_path / "element-keys.txt"
    await backed_up(synapse, ann, await ann.call("exportKeys", path=str(keys), passphrase=PASSPHRASE))
    await ann.send(room, "export")
    archive = [volume.path for volume in await volumes(ann, room, bot, tmp_path)]
    own = [message for each in [*rooms, room] for message in await ann.messages(each) if message.sender == ann.user_id]
    readable = {message.event_id: message for message in own if message.encrypted and not message.redacted}
    assert [message for message in readable.values() if message.failure] == []
    return Past(readable, sent, ann.session.recovery_key, keys, archive, unpack(archive, tmp_path / "unpacked"))


def said(message: Message) -> str:
    return str(message.content["body"])


async def shown(page: Page, past: Past, status: str) -> list[str]:
    """Check what a page shows of opened rooms; return the names of all of them."""
    rooms = await reading.rooms(page)
    lines = [line for room in rooms.values() for line in room]
    bodies = [message.body or "" for message in past.sent.values()]
    all_ = len(past.sent)
    assert status == f"{all_} of {all_} encrypted messages opened."
    assert [body for body in bodies if not any(body.replace("\u202e", "\ufffd") in line for line in lines)] == []
    assert any("the soup was ready 🍲" in line and "the soup is ready" in line for line in lines)
    assert [line for line in lines if "not hers" in line or "said too much" in line] == []
    assert any("👀" in line and "nobody else is here" in line for line in lines)
    assert len(await reading.search(page, "getting COLD")) == 1
    return sorted(rooms)


async def saved(page: Page, past: Past, target: Path) -> str:
    """Choose the unpacked folder, see the picture, save it; return its SHA-256."""
    await page.set_input_files("#v-folder", past.folder)
    figure = page.locator("#v-gallery figure").filter(has_text="plate.png")
    await figure.locator("img").wait_for(timeout=WAIT * 1000)
    assert await figure.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 300
    async with page.expect_download() as download:
        await figure.get_by_role("button", name=await reading.word(page, "save")).click()
    await (await download.value).save_as(target)
    return hashlib.sha256(target.read_bytes()).hexdigest()


async def in_browser(
    chromium: Browser, past: Past, folder: Path, *, with_file: bool
) -> tuple[list[str], str, list[str]]:
    """Open index.html from the disk and everything in it; return the rooms, the picture's SHA-256, and any deed."""
    context = await chromium.new_context(accept_downloads=True)
    visitor = await Visitor.arrive(context)
    page = await visitor.open(past.folder / "index.html")
    if with_file:
        status = await reading.open_with_file(page, past.keys, PASSPHRASE)
    else:
        status = await reading.open_with_key(page, past.recovery_key)
    rooms = await shown(page, past, status)
    digest = await saved(page, past, folder / "saved.png")
    deeds = await visitor.settled()
    await context.close()
    return rooms, digest, deeds


def decrypted(folder: Path) -> dict[str, dict[str, Any]]:
    lines = [line for path in folder.glob("rooms/*/decrypted.jsonl") for line in path.read_bytes().splitlines()]
    return {event["event_id"]: event for event in map(json.loads, lines)}


def in_terminal(past: Past, folder: Path, *, with_file: bool) -> None:
    """Everything that the client reads is written, with the same content; the picture has the same SHA-256."""
    target, secret = folder / f"plain-{with_file}", folder / f"secret-{with_file}"
    secret.write_text(PASSPHRASE if with_file else past.recovery_key, "utf-8")
    if with_file:
        given = Given(past.volumes, past.keys, secret, None, target)
    else:
        given = Given([past.folder], None, None, secret, target)
    status = run(given)
    events = decrypted(target)
    pictures = [hashlib.sha256(path.read_bytes()).hexdigest() for path in target.glob("media/*plate.png")]
    assert status == 0
    assert {id_: event["content"]["body"] for id_, event in events.items()} == {
        id_: said(message) for id_, message in past.sent.items()
    }
    assert pictures == [past.picture.sha256]


def oracle(past: Past) -> tuple[list[bytes], list[bytes]]:
    """Return the payloads of all the archive's events as we read them, and as libolm does."""
    olm = pytest.importorskip("olm", reason="python-olm has wheels for Python 3.11 and 3.12 only")
    ring, ours, theirs = Ring(), list[bytes](), list[bytes]()
    key_export.load(past.keys, PASSPHRASE, ring)
    for path in sorted(past.folder.glob("rooms/*/events*.jsonl")):
        for event in map(json.loads, path.read_bytes().splitlines()):
            if event["event_id"] in past.sent:
                session = ring.get(event["room_id"], event["content"]["session_id"])
                assert session is not None
                key = session.export_at(session.first_known_index)
                assert key is not None
                reader = olm.InboundGroupSession.import_session(key.to_base64())
                ours.append(plaintext(event["content"], session))
                theirs.append(reader.decrypt(event["content"]["ciphertext"])[0].encode())
    return ours, theirs


async def test_what_the_client_reads_the_archive_shows(past: Past, chromium: Browser, tmp_path: Path) -> None:
    """With the recovery key alone and with exported keys: in Chromium from the disk, and in a terminal."""
    ours, theirs = await asyncio.to_thread(oracle, past)
    assert len(ours) == len(past.sent) > 12
    assert ours == theirs
    for with_file in (False, True):
        await asyncio.to_thread(in_terminal, past, tmp_path, with_file=with_file)
    for with_file in (False, True):
        rooms, digest, deeds = await in_browser(chromium, past, tmp_path, with_file=with_file)
        assert deeds == []
        assert digest == past.picture.sha256
        assert {"Kitchen", "Cellar"} <= set(rooms)
