"""A spool becomes volumes that a person can open and a program can check."""

import errno
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dpobot.archive import package as packing
from dpobot.archive.inspect import inspect
from dpobot.archive.spool import Room, Spool
from dpobot.archive.volume import Volume
from dpobot.errors import Rejected, Unavailable
from dpobot.model.words import Scope, Section
from tests.unit.archive.conftest import ALICE, PIXEL, Make, blocks, entries, entry, events_of, medium, message, noise
from tests.unit.archive.pages import links


async def test_everything_comes_back(rich: Spool, make: Make) -> None:
    """Events, media and account data are in the archive as they were spooled."""
    result = make()
    assert {event["event_id"] for event in events_of(result)} == {f"${number}" for number in range(1, 7)}
    assert entry(result, "media/00001-cat.png") == PIXEL
    assert json.loads(entry(result, "account/devices.json"))["records"][0]["device_id"] == "A"
    assert (result.totals.events, result.totals.rooms, result.totals.media) == (6, 2, 2)
    assert result.totals.categories == {
        "account": 1,
        "delayed_events": 0,
        "devices": 2,
        "pushers": 0,
        "receipts": 1,
        "messages": 6,
        "media": 2,
    }


async def test_zip_is_sound_and_private(rich: Spool, make: Make) -> None:
    """The standard library reads every volume, its SHA-256 is the one told, and only we may read the file."""
    volume = make().volumes[0]
    with zipfile.ZipFile(volume.path) as archive:
        assert archive.testzip() is None
    assert hashlib.sha256(volume.path.read_bytes()).hexdigest() == volume.sha256
    assert volume.path.stat().st_size == volume.size
    assert volume.path.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in volume.path.parent.iterdir()) == ["DPO-2026-0042-01.zip"]


def _validators() -> dict[str, Draft202012Validator]:
    folder = Path(packing.__file__).parent / "schemas"
    schemas = {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.glob("*.json")}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    return {name: Draft202012Validator(schema) for name, schema in schemas.items()}


def _documents(name: str, data: bytes) -> list[tuple[str, Any]]:
    if name.startswith("schemas/") or not name.endswith((".json", ".jsonl")):
        return []
    if name.endswith(".jsonl"):
        return [("event", json.loads(line)) for line in data.splitlines()]
    if name.startswith("account/"):
        return [("account", json.loads(data))]
    stem = name.rsplit("/", 1)[-1].split(".")[0].split("-")[0]
    return [(stem, json.loads(data))]


async def test_every_file_keeps_its_schema(rich: Spool, make: Make) -> None:
    """Manifest, account data, events, room and media lists are as their JSON Schemas say."""
    validators = _validators()
    documents = [item for _, name, data in entries(make()) for item in _documents(name, data)]
    assert {kind for kind, _ in documents} == set(validators)
    assert [error.message for kind, value in documents for error in validators[kind].iter_errors(value)] == []


async def test_manifest_names_all_files_and_what_is_missing(rich: Spool, make: Make) -> None:
    """The manifest has every file with its SHA-256, and says missing, truncated and nothing held."""
    result = make()
    files = {name: data for _, name, data in entries(result)}
    manifest = json.loads(files.pop("manifest.json"))
    assert {line["path"]: line["sha256"] for line in manifest["files"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    held = {item["category"]: item for item in manifest["categories"]}
    assert held["pushers"]["nothing_held"]
    assert held["delayed_events"]["missing"] == "not_offered"
    assert held["receipts"]["truncated"]
    assert held["media"]["incomplete"] == {"gone": 1}
    assert held["messages"]["incomplete"] == {"M_FORBIDDEN": 1}
    page = files["index.html"].decode()
    assert "nothing held" in page
    assert "this server does not offer the function" in page
    assert "missing: 1 (the server no longer has it)" in " ".join(page.split())


async def test_same_input_same_bytes(rich: Spool, make: Make) -> None:
    """Packing again gives the same volumes, also over the remains of a packing that broke off."""
    first = [volume.sha256 for volume in make().volumes]
    assert [volume.sha256 for volume in make().volumes] == first
    assert [volume.sha256 for volume in make(folder="elsewhere").volumes] == first


def test_nothing_held(spool: Spool, make: Make) -> None:
    """An account with nothing still gets an archive that says so."""
    result = make()
    assert (len(result.volumes), result.totals.events) == (1, 0)
    assert "Nothing held: the server has no event that you sent." in entry(result, "index.html").decode()
    assert inspect([volume.path for volume in result.volumes], ALICE, Scope.MINE).events == 0


def test_what_was_not_asked_is_not_called_empty(spool: Spool, make: Make) -> None:
    """An export of account data says that messages were not part of the request."""
    result = make(sections=frozenset({Section.ACCOUNT}))
    assert "Messages were not part of this request." in entry(result, "index.html").decode()
    assert {item.category: item.missing for item in result.holdings} == {"messages": "not_asked", "media": "not_asked"}


async def test_volumes_open_alone_and_unpack_together(spool: Spool, make: Make, tmp_path: Path) -> None:
    """Rooms and a large file are split: each volume is below the size, opens alone, and together nothing is lost."""
    spool.rooms([Room(number, f"!{number}:example.org", f"room {number}", "join") for number in (1, 2, 3)])
    for room in (1, 2, 3):
        batch = [
            message(room * 10_000 + n, f"!{room}:example.org", content={"msgtype": "m.text", "body": noise(n, 700)})
            for n in range(900)
        ]
        spool.append(room, 0, batch)
    film = noise(0, 1_500_000).encode()
    small = noise(1, 200_000).encode()
    first, _ = await spool.medium(medium(1, "film.mp4", "video/mp4"), 0, blocks(film))
    await spool.medium(medium(2, "small.bin", "application/octet-stream"), first.offset, blocks(small))
    result = make(volume_bytes=700_000)
    assert len(result.volumes) > 3
    assert all(volume.size <= 700_000 for volume in result.volumes)
    assert len({event["event_id"] for event in events_of(result)}) == 2_700
    together: dict[str, bytes] = {}
    own = {"index.html", "manifest.json", "README.txt"}
    for number, name, data in entries(result):
        if name not in own and not name.startswith("schemas/"):
            assert name not in together, "two volumes hold a file of the same name"
            together[name] = data
        assert number
    pieces = sorted(name for name in together if name.startswith("media/00001-film.mp4.part"))
    assert b"".join(together[name] for name in pieces) == film
    for volume in result.volumes:
        with zipfile.ZipFile(volume.path) as archive:
            assert own <= set(archive.namelist())
            page = archive.read("index.html").decode()
            assert all(other.path.name in page for other in result.volumes)
    looked = inspect([volume.path for volume in result.volumes], ALICE, Scope.MINE)
    assert (looked.events, looked.rooms, looked.anomalies) == (2_700, 3, ())


def test_links_lead_somewhere(spool: Spool, make: Make) -> None:
    """Every link of a page to its own volume names a file that is in it."""
    spool.rooms([Room(1, "!a:example.org", "Käse / 日本 #1?", "join")])
    spool.append(1, 0, [message(n, content={"msgtype": "m.text", "body": noise(n, 400)}) for n in range(2_500)])
    spool.account("receipts", [{"n": n} for n in range(500)])
    result = make(volume_bytes=700_000)
    assert len(result.volumes) > 1
    for volume in result.volumes:
        with zipfile.ZipFile(volume.path) as archive:
            names = set(archive.namelist())
            pages = {name: archive.read(name).decode() for name in names if name.endswith(".html")}
        missing = [(page, link) for page, text in pages.items() for link in links(page, text) if link not in names]
        assert missing == []


def test_volume_too_small(spool: Spool, make: Make) -> None:
    """A size that leaves no room for the data is refused, not run over."""
    with pytest.raises(Rejected, match="volume_too_small"):
        make(volume_bytes=100_000)


def test_event_larger_than_a_volume(spool: Spool, make: Make) -> None:
    """An event that fits nowhere is refused, not dropped."""
    spool.rooms([Room(1, "!a:example.org", "a", "join")])
    spool.append(1, 0, [message(1), message(2, content={"body": noise(1, 1_500_000)})])
    with pytest.raises(Rejected, match="event_too_large"):
        make(volume_bytes=600_000)


async def test_full_disk(rich: Spool, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is something to wait for; afterwards packing gives the archive as if nothing had been."""
    whole = make().volumes[0].sha256
    add = Volume.add

    def full(self: Volume, packed: Any) -> None:
        if len(self.entries) > 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, packed)

    with monkeypatch.context() as patch:
        patch.setattr(Volume, "add", full)
        with pytest.raises(Unavailable, match="disk_full"):
            make()
    assert make().volumes[0].sha256 == whole


async def test_lost_medium(rich: Spool, make: Make) -> None:
    """A medium that vanished from the spool stops the packing: the job has to fetch it again."""
    rich.medium_path(1).unlink()
    with pytest.raises(Unavailable, match="spool_lost"):
        make()
