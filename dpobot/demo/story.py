"""`dpobot demo`: a whole conversation on a throwaway homeserver, ending with an archive on disk."""

import asyncio
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from dpobot.demo import farewell, world
from dpobot.demo.client import Client
from dpobot.demo.narrator import Narrator, text_of
from dpobot.demo.process import BotProcess
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import ConfigurationError
from dpobot.matrix.api import Received
from dpobot.model.ids import RoomId, UserId
from dpobot.receipt import key

# what takes days elsewhere: a demo is looked at in one go
_AT_ONCE: Mapping[str, Mapping[str, Any]] = {
    "erasure": {"cooling_off_hours": 0, "new_device_hours": 0},
    "policy": {"approve": ["access", "export", "erasure"]},
}
KEYS = "element-keys.txt"
PASSPHRASE = "demo"  # of a throwaway person's keys; printed at the end


async def tell(target: Path, *, quiet: bool = False) -> int:
    """Play the story; the archive lies unpacked in ``target`` afterwards. Returns the exit status."""
    if target.exists() and any(target.iterdir()) and not (target / "index.html").exists():
        raise ConfigurationError(
            [f"{target} is not empty and holds no earlier demo; name another folder with --target"]
        )
    narrator = Narrator(quiet=quiet)
    with tempfile.TemporaryDirectory(prefix="dpobot-demo-") as folder:
        narrator.scene("Starting a throwaway Synapse on this machine only")
        synapse = Synapse(Path(folder) / "synapse")
        await synapse.start()
        try:
            return await _play(Path(folder), synapse, target, narrator)
        finally:
            await synapse.stop()


async def _play(folder: Path, synapse: Synapse, target: Path, narrator: Narrator) -> int:
    admin = await synapse.register("admin", admin=True)
    dora_account = await synapse.register("dora")
    staff = {"members": [dora_account.user_id], "reply_delay_seconds": 1}
    sections = {"staff": staff, **_AT_ONCE}
    bot = BotProcess(folder / "bot", synapse, await synapse.register("dpo"), admin, sections)
    narrator.scene("Starting the bot: it logs in, makes its device and its cross-signing keys")
    await bot.start()
    try:
        account = await synapse.register("anna")
        narrator.scene(
            "Anna has used this server for a while: rooms, messages, an edit, a reaction, a picture, a room she left"
        )
        life = await world.build(synapse, world.Resident(synapse, account))
        async with AsyncExitStack() as stack:
            anna = await _client(stack, synapse, account, folder / "anna")
            dora = await _client(stack, synapse, dora_account, folder / "dora")
            staff_room = await dora.accept(UserId(bot.user_id))
            await _family(anna, life.family, folder)
            room_id = await _conversation(anna, UserId(bot.user_id), target, narrator)
            await _keys(anna, target)
            await _complaint(anna, room_id, dora, staff_room, UserId(bot.user_id), narrator)
            code = await farewell.erase(anna, room_id, UserId(bot.user_id), narrator)
            friend = await _client(stack, synapse, await synapse.register("friend"), folder / "friend")
            await farewell.fetch(friend, UserId(bot.user_id), code, key.load(bot.data).public, target, narrator)
    finally:
        await bot.stop()
    print(f"The archive is in {target}: open {(target / 'index.html').resolve()}")
    print(f"Her encrypted messages open there, too, with {(target / KEYS).resolve()} and the passphrase {PASSPHRASE};")
    print(f"or in a terminal: dpobot open {target} --keys {target / KEYS}")
    print(f"The receipt of the erasure is beside it: open {(target / 'receipt.html').resolve()}")
    return 0


async def _family(anna: Client, room_id: RoomId, folder: Path) -> None:
    """Let Anna write where only she and her family can read: the homeserver has ciphertext of it, and no keys."""
    for words in ("Only we can read this.", "The recipe: much more butter than you think.", "And nutmeg."):
        await anna.say(room_id, words)
    picture = folder / "kitchen.png"
    picture.write_bytes(world.picture())
    await anna.attach(room_id, picture, "image/png")


async def _keys(anna: Client, target: Path) -> None:
    """Save Anna's keys as her client would (in Element: Settings, Encryption, Export keys)."""
    keys = target / KEYS
    keys.unlink(missing_ok=True)
    await anna.session.export_keys(keys, PASSPHRASE)


async def _client(stack: AsyncExitStack, synapse: Synapse, account: Credentials, folder: Path) -> Client:
    client = await Client.open(synapse, account, folder)
    stack.push_async_callback(client.close)
    return client


async def _conversation(anna: Client, bot: UserId, target: Path, narrator: Narrator) -> RoomId:
    narrator.scene("Anna opens an end-to-end-encrypted direct message with the bot")
    room_id = await anna.direct_message(bot)
    narrator.line("dpo", text_of(await anna.wait(bot, _is_text)))
    for words in ("rights", "copies"):
        await _ask(anna, bot, room_id, words, narrator)
    narrator.line("dpo", text_of(await anna.wait(bot, _is_text)))
    await anna.wait(bot, _is_file)
    await _ask(anna, bot, room_id, "export", narrator)
    narrator.scene("The bot collects, packs, reads back, and delivers")
    volumes = await _receive(anna, bot, target.parent / f".{target.name}.part", narrator)
    _unpack(volumes, target)
    for words in ("status", "received"):
        await _ask(anna, bot, room_id, words, narrator)
    narrator.scene("Anna has confirmed: the bot deletes the server's copy")
    await _until_gone(anna, bot)
    return room_id


async def _complaint(
    anna: Client, room_id: RoomId, dora: Client, staff_room: RoomId, bot: UserId, narrator: Narrator
) -> None:
    """Show what the other side sees: one member of staff, one case, one thread."""
    narrator.scene("Dora of the DPO team sits in the staff room, where each request is a thread")
    await _ask(anna, bot, room_id, "complaint I had to wait too long for this", narrator)
    card = await dora.wait(bot, lambda event: event.room_id == staff_room and "complaint" in text_of(event))
    narrator.line("card", text_of(card))
    for words in ("claim", "note she is right: it took a month", "reply We are sorry. From now on this takes minutes."):
        narrator.line("dora", words)
        await dora.say(staff_room, words, thread=card.event_id)
    narrator.scene("Only what follows “reply” reaches Anna")
    narrator.line("dpo", text_of(await anna.wait(bot, lambda event: "takes minutes" in text_of(event))))


async def _ask(anna: Client, bot: UserId, room_id: RoomId, words: str, narrator: Narrator) -> None:
    narrator.line("anna", words)
    await anna.say(room_id, words)
    narrator.line("dpo", text_of(await anna.wait(bot, _is_text)))


async def _receive(anna: Client, bot: UserId, folder: Path, narrator: Narrator) -> list[Path]:
    """Fetch volumes until the message that says all are there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    volumes: list[Path] = []
    while True:
        event = await anna.wait(bot, lambda event: event.type == "m.room.message")
        if not _is_file(event):
            narrator.line("dpo", text_of(event))
            if volumes and event.content.get("msgtype") == "m.text":
                return volumes
            continue
        path = await anna.fetch(dict(event.content), folder / f"{len(volumes) + 1:03d}.zip")
        narrator.scene(f"Anna's client decrypts a volume: {path.stat().st_size} bytes")
        volumes.append(path)


def _unpack(volumes: list[Path], target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    for number, path in enumerate(reversed(volumes), start=1):
        place = target if number == len(volumes) else target / path.stem
        place.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path) as archive:
            archive.extractall(place)
    shutil.rmtree(volumes[0].parent)


async def _until_gone(anna: Client, bot: UserId) -> None:
    files = [event for event in anna.heard if event.sender == bot and _is_volume(event)]
    async with asyncio.timeout(60):
        for event in files:
            while await anna.session.media_exists(event.content["file"]["url"]):
                await asyncio.sleep(0.3)


def _is_text(event: Received) -> bool:
    return event.type == "m.room.message" and event.content.get("msgtype") in ("m.text", "m.notice")


def _is_file(event: Received) -> bool:
    return event.content.get("msgtype") == "m.file"


def _is_volume(event: Received) -> bool:
    return _is_file(event) and str(event.content.get("body")).endswith(".zip")
