"""The program in index.html as a person uses it: a packed archive, unpacked onto a disk, opened in a browser."""

import base64
import hashlib
import random
import shutil
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from dpobot.archive.package import package
from dpobot.archive.spool import Medium, Room, Spool
from dpobot.text.render import Renderer, templates_folder
from tests.author import Author, key_file, seal_file
from tests.browser import reading
from tests.browser.visitor import Visitor
from tests.unit.archive.conftest import PIXEL, facts, message

KITCHEN, GARDEN, SHED = "!kitchen:example.org", "!garden:example.org", "!shed:example.org"
PICTURE = PIXEL + bytes(4_250_000)  # read in two parts; what follows the end of a PNG is not looked at
VOLUME = 4_600_000


@dataclass
class Archive:
    """Its ZIP files, and the folders that they were unpacked into, beside each other."""

    author: Author
    zips: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)


def talk(author: Author, file: dict[str, Any]) -> list[dict[str, Any]]:
    """An encrypted conversation: an edit, an answer, reactions, a deleted message, one without its key, a picture."""
    tea = author.write(KITCHEN, "tea or coffee?")
    edited = {"rel_type": "m.replace", "event_id": tea["event_id"]}
    new = {"m.new_content": {"msgtype": "m.text", "body": "tea, coffee or água?"}, "m.relates_to": edited}
    answer = {"m.relates_to": {"m.in_reply_to": {"event_id": tea["event_id"]}}}
    events = [tea, author.write(KITCHEN, "* tea, coffee or água?", **new)]
    events.append(author.write(KITCHEN, "both", **answer))
    for _ in range(2):
        said = {"m.relates_to": {"rel_type": "m.annotation", "event_id": tea["event_id"], "key": "🍵"}}
        events.append(author.seal(KITCHEN, said, {"type": "m.reaction"}))
    events.append(author.write(KITCHEN, "nobody reads this"))
    events[-1]["content"] = {}
    events[-1]["unsigned"] = {"redacted_because": {"event_id": "$gone"}}
    info = {"mimetype": "image/png", "size": len(PICTURE)}
    picture = {"msgtype": "m.image", "body": "the cup", "filename": "cup.png", "info": info, "file": file}
    events.append(author.seal(KITCHEN, picture))
    stranger = Author()
    events.append(stranger.write(KITCHEN, "without a key") | {"event_id": "$keyless"})
    return events


@pytest.fixture(scope="module")
async def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Volumes: kitchen, garden and a part of the shed; the rest of it; the kitchen's picture. Only to be read."""
    folder = tmp_path_factory.mktemp("archive")
    made = Archive(Author())
    sealed = seal_file(PICTURE, "mxc://example.org/1")
    spool = Spool(folder / "spool")
    rooms = [(KITCHEN, "Kitchen", True), (GARDEN, "Garden", False), (SHED, "Shed", False)]
    spool.rooms(
        [Room(number, room_id, name, "join", secret) for number, (room_id, name, secret) in enumerate(rooms, 1)]
    )
    spool.append(1, 0, talk(made.author, sealed.file))
    words = ["the café in the garden", "Größe der Beete"]
    spool.append(
        2, 0, [message(n, GARDEN, content={"msgtype": "m.text", "body": text}) for n, text in enumerate(words)]
    )
    shed = [message(n, SHED, content={"msgtype": "m.text", "body": f"spade {filling(n)}"}) for n in range(140)]
    spool.append(3, 0, shed)
    spool.account("account_data", made.author.account_data())
    spool.account("key_backup", made.author.key_backup())
    medium = Medium(1, "mxc://example.org/1", "application/octet-stream", 0, None, None, None, None)
    await spool.medium(medium, 0, parts(sealed.ciphertext))
    packed = package(spool, folder / "out", facts(), VOLUME, Renderer(templates_folder(), {}))
    made.zips = [volume.path for volume in packed.volumes]
    for path in made.zips:
        target = folder / "unpacked" / path.stem
        with zipfile.ZipFile(path) as held:
            held.extractall(target)
        made.folders.append(target)
    return made


def filling(number: int) -> str:
    """Return text that does not get shorter by packing."""
    return base64.b64encode(random.Random(number).randbytes(30_000)).decode()


async def parts(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
async def page(browser_page: Visitor, archive: Archive) -> AsyncIterator[Page]:
    """The first volume, open; in the end it has done nothing but show itself."""
    yield await browser_page.open(archive.folders[0] / "index.html")
    assert await browser_page.settled() == []


async def test_the_recovery_key_opens_the_conversation(page: Page, archive: Archive) -> None:
    """Edit, answer and reactions in their place; what is deleted or has no key is there as such."""
    assert await reading.open_with_key(page, "words") == await reading.word(page, "problem-not-a-key")
    said = await reading.open_with_key(page, archive.author.recovery_key)
    assert said == "6 of 7 encrypted messages opened. For 1 the key is missing."
    kitchen = (await reading.rooms(page))["Kitchen"]
    assert len(kitchen) == 5
    before = "Edited (1): what it said before"
    assert [line for line in kitchen[0].split("\n") if line] == [
        "tea, coffee or água?",
        before,
        "tea or coffee?",
        "🍵 \N{MULTIPLICATION SIGN} 2",
    ]
    assert [line for line in kitchen[1].split("\n") if line] == [
        "In reply to a message",
        "tea, coffee or água?",
        "both",
    ]
    assert kitchen[2] == "Deleted"
    assert kitchen[3].startswith("cup.png · 4.3 MB")
    assert kitchen[4] == "Encrypted; the key is missing"
    assert await page.input_value("#v-key") == ""


async def test_the_search_knows_what_was_opened(page: Page, archive: Archive, tmp_path: Path) -> None:
    """Before: what the server could read. After, with an exported file: the encrypted messages, too."""
    assert await found(page, "GARDEN cafe") == ["the café in the garden"]
    assert await found(page, "grösse") == ["Größe der Beete"]
    assert await found(page, "agua?") == []
    keys = tmp_path / "keys.txt"
    keys.write_bytes(key_file(archive.author.exported(), "words"))
    assert await reading.open_with_file(page, keys, "other") == await reading.word(page, "problem-wrong-passphrase")
    assert "6 of 7" in await reading.open_with_file(page, keys, "words")
    assert await found(page, "agua?") == ["tea, coffee or água?"]
    await page.click("#v-results button")
    await page.wait_for_function("document.activeElement.id === 'v-line-0'")  # the room is read first
    assert await found(page, "Beete") == ["Größe der Beete"]
    await page.click("#v-results a")
    assert page.url.endswith("/rooms/0002-Garden/page-0001.html#e2")


async def test_other_volumes_beside_this_one_and_missing(
    browser_page: Visitor, archive: Archive, tmp_path: Path
) -> None:
    """Beside it they are searched, too; where they are not, the page says which are missing and how to add them."""
    page = await browser_page.open(archive.folders[0] / "index.html")
    assert await found_everywhere(page, "spade") == "140 found."
    alone = shutil.copytree(archive.folders[0], tmp_path / archive.folders[0].name)
    page = await browser_page.open(alone / "index.html")
    said = await found_everywhere(page, "café")
    missing = "Missing: 2. Please unpack each beside this one, into a folder named like its file."
    assert said == f"One found. Not all volumes could be searched. {missing}"


async def found(page: Page, words: str) -> list[str]:
    """Search this volume; return the texts that are shown."""
    await reading.search(page, words)
    return await page.locator("#v-results p").all_text_contents()


async def found_everywhere(page: Page, words: str) -> str:
    """Search all volumes; return what the page says of it."""
    await page.check("#v-others")
    await reading.search(page, words)
    return await page.inner_text("#v-find-status")


@pytest.mark.parametrize("chosen", ["folder", "zips"])
async def test_a_picture_is_opened_and_saved(page: Page, archive: Archive, tmp_path: Path, chosen: str) -> None:
    """From the folder or from the ZIP files: what is saved is what was sent, to the last byte."""
    await reading.open_with_key(page, archive.author.recovery_key)
    folder = archive.folders[0].parent
    await page.set_input_files(f"#v-{chosen}", folder if chosen == "folder" else archive.zips)
    await expect(page.locator("#v-files-status")).to_have_text("1 files of the archive can be read.")
    shown = page.locator("#v-gallery img")
    await expect(shown).to_have_js_property("naturalWidth", 1)
    assert await shown.get_attribute("alt") == "the cup"
    async with page.expect_download() as begun:
        await page.get_by_role("button", name="Save").first.click()
    saved = await begun.value
    assert saved.suggested_filename == "cup.png"
    await saved.save_as(tmp_path / "saved")
    assert hashlib.sha256((tmp_path / "saved").read_bytes()).digest() == hashlib.sha256(PICTURE).digest()
