"""Wrong phrase, wrong file, keys that are missing: a sentence that helps, and whatever could be opened is shown."""

import zipfile
from pathlib import Path

import pytest

from dpobot.archive.package import package
from dpobot.archive.spool import Room, Spool
from dpobot.text.render import Renderer, templates_folder
from tests.author import Author, key_file
from tests.browser import reading
from tests.browser.visitor import Visitor
from tests.unit.archive.conftest import facts

ROOM, PASSPHRASE, PHRASE = "!kitchen:example.org", "of the file", "a phrase that is long enough"


class Home:
    """An unpacked archive of one room with three sessions of four messages each; the last two are in no backup."""

    def __init__(self, folder: Path) -> None:
        self.author, self.folder = Author(), folder / "unpacked"
        events = []
        for number in range(12):
            if number % 4 == 0:
                self.author.turn(ROOM)
            events.append(self.author.write(ROOM, f"words {number}"))
        spool = Spool(folder / "spool")
        spool.rooms([Room(1, ROOM, "Kitchen", "join", True)])
        spool.append(1, 0, events)
        spool.account("account_data", self.author.account_data(PHRASE))
        spool.account("key_backup", self.author.key_backup()[:2])
        (volume,) = package(spool, folder / "out", facts(), 90_000_000, Renderer(templates_folder(), {})).volumes
        with zipfile.ZipFile(volume.path) as packed:
            packed.extractall(self.folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


async def test_what_the_backup_lacks_is_told_and_the_rest_shown(browser_page: Visitor, home: Home) -> None:
    """After wrong ones: a mistyped key, another account's, another phrase. The right phrase then opens what it can."""
    page = await browser_page.open(home.folder / "index.html")
    key = Author().recovery_key
    mistyped = key[:-1] + ("1" if key[-1] != "1" else "2")
    wrong = {mistyped: "mistyped", key: "wrong-key", "no phrase of mine": "wrong-phrase", "": "nothing-typed"}
    for typed, code in wrong.items():
        said = await reading.open_with_key(page, typed)
        assert (typed, said) == (typed, await reading.word(page, f"problem-{code}"))
    assert await reading.rooms(page) == {}
    assert await reading.open_with_key(page, PHRASE) == "4 of 12 encrypted messages opened. For 8 the key is missing."
    lines = (await reading.rooms(page))["Kitchen"]
    assert lines[:4] == [f"words {number}" for number in range(4)]
    assert set(lines[4:]) == {await reading.word(page, "why-missing")}
    assert await browser_page.settled() == []


async def test_a_file_completes_what_the_backup_began(browser_page: Visitor, home: Home, tmp_path: Path) -> None:
    """Wrong files and a wrong passphrase are told; keys from both ways count together."""
    page = await browser_page.open(home.folder / "index.html")
    keys = home.author.exported()
    files = {
        "holiday.png": (b"\x89PNG\r\n", "not-a-key-file"),
        "half.txt": (key_file(keys, PASSPHRASE)[:-80], "not-a-key-file"),
        "empty.txt": (key_file([], PASSPHRASE), "empty-key-file"),
    }
    for name, (content, code) in files.items():
        (tmp_path / name).write_bytes(content)
        said = await reading.open_with_file(page, tmp_path / name, PASSPHRASE)
        assert (name, said) == (name, await reading.word(page, f"problem-{code}"))
    (tmp_path / "keys.txt").write_bytes(key_file(keys[1:2], PASSPHRASE))
    said = await reading.open_with_file(page, tmp_path / "keys.txt", "not it")
    assert said == await reading.word(page, "problem-wrong-passphrase")
    said = await reading.open_with_file(page, tmp_path / "keys.txt", PASSPHRASE)
    assert said == "4 of 12 encrypted messages opened. For 8 the key is missing."
    assert (await reading.rooms(page))["Kitchen"][4:8] == [f"words {number}" for number in range(4, 8)]
    said = await reading.open_with_key(page, PHRASE)
    assert said == "8 of 12 encrypted messages opened. For 4 the key is missing."
    assert await browser_page.settled() == []
