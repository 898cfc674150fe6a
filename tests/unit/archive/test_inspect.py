"""The tripwire: a finished archive that holds anything it must not is found, whoever put it there."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dpobot.archive.inspect import inspect
from dpobot.archive.spool import Room, Spool
from dpobot.errors import Tripwire
from dpobot.model.ids import UserId
from dpobot.model.words import Scope
from tests.unit.archive.conftest import ALICE, BOB, Make, message

Files = dict[str, bytes]
EVENTS = "rooms/0001-Kitchen-b/events.jsonl"


def rewrite(path: Path, change: Callable[[Files], None], honest: bool = True) -> Path:
    """Change a volume's files; with ``honest`` the manifest is brought up to date, as a faulty writer would."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    manifest = json.loads(files.get("manifest.json", b"{}"))
    if honest and isinstance(manifest.get("files"), list):
        for line in manifest["files"]:
            if line["path"] in files:
                line["sha256"] = hashlib.sha256(files[line["path"]]).hexdigest()
        files["manifest.json"] = json.dumps(manifest).encode()
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return changed


def _first_event(**changes: Any) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        first, rest = files[EVENTS].split(b"\n", 1)
        files[EVENTS] = json.dumps(json.loads(first) | changes).encode() + b"\n" + rest

    return change


def _manifest(**changes: Any) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | changes).encode()

    return change


def put(name: str, data: bytes) -> Callable[[Files], None]:
    return lambda files: files.update({name: data})


def drop(name: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        del files[name]

    return change


def _nested(**unsigned: Any) -> Callable[[Files], None]:
    return _first_event(unsigned=unsigned)


_REDACTION = {"event_id": "$r", "type": "m.room.redaction", "sender": BOB, "content": {"reason": "rude"}}
_FOREIGN = {"records": [{"deep": [{"sender": BOB, "event_id": "$x", "content": {}}]}]}


async def test_a_sound_archive_passes(rich: Spool, make: Make) -> None:
    """What we make is what the check expects, and it counts the same."""
    result = make()
    seen = inspect([volume.path for volume in result.volumes], ALICE, Scope.MINE)
    assert (seen.volumes, seen.events, seen.rooms, seen.media) == (1, 6, 2, 2)
    assert (seen.size, seen.anomalies) == (result.totals.size, ())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_first_event(sender=BOB), "foreign_sender"),
        (_first_event(sender=None), "foreign_sender"),
        (_first_event(room_id="!other:example.org"), "wrong_room"),
        (_first_event(event_id=None), "not_an_event"),
        (put(EVENTS, b"[1]\n"), "not_an_event"),
        (put(EVENTS, b"{broken\n"), "not_an_event"),
        (_nested(redacted_because=_REDACTION), "foreign_nested"),
        (_nested(redacted_because={"event_id": "$r", "reason": "rude"}), "foreign_nested"),
        (_nested(prev_content={"name": "x"}), "foreign_nested"),
        (_nested(prev_content={"name": "x"}, prev_sender=BOB), "foreign_nested"),
        (_nested(**{"m.relations": {"m.thread": {"latest_event": {}}}}), "foreign_nested"),
        (_nested(**{"m.relations": {"m.annotation": {"chunk": []}}}), "foreign_nested"),
        (_nested(invite_room_state=[]), "foreign_nested"),
        (_nested(anything=[{"deeper": {"sender": BOB}}]), "foreign_nested"),
        (_nested(anything={"content": {}}), "foreign_nested"),
        (_first_event(prev_content={}), "foreign_nested"),
        (put("account/devices.json", json.dumps(_FOREIGN).encode()), "foreign_account"),
        (put("account/devices.json", b"{"), "unreadable"),
        (put("extra.txt", b"x"), "unlisted"),
        (put("rooms/0001-x/events.jsonl", b""), "unlisted"),
        (put("../evil.txt", b"x"), "unsafe_name"),
        (put("README.TXT", b"x"), "twice"),
        (drop("index.html"), "absent"),
        (drop("manifest.json"), "unreadable"),
        (_manifest(person="@bob:example.org"), "wrong_person"),
        (_manifest(scope="visible"), "scope"),
        (_manifest(volume=2), "volumes"),
        (_manifest(volumes=[]), "volumes"),
        (_manifest(files=5), "unreadable"),
        (_manifest(rooms=[{}]), "unreadable"),
        (_manifest(totals={"events": 5}), "counts"),
        (put("rooms/0001-Kitchen-b/room.json", b'{"room_id": "!other:example.org"}'), "wrong_room"),
        (put(EVENTS, b""), "counts"),
    ],
)
async def test_violations(rich: Spool, make: Make, change: Callable[[Files], None], code: str) -> None:
    """Each kind of violation is found, even if the manifest was made to fit."""
    changed = rewrite(make().volumes[0].path, change)
    with pytest.raises(Tripwire) as raised:
        inspect([changed], ALICE, Scope.MINE)
    assert raised.value.code == code


async def test_changed_bytes(rich: Spool, make: Make) -> None:
    """A file that is not what the manifest says is found."""
    changed = rewrite(make().volumes[0].path, put("index.html", b"changed"), honest=False)
    with pytest.raises(Tripwire, match="digest"):
        inspect([changed], ALICE, Scope.MINE)


async def test_broken_zip(rich: Spool, make: Make) -> None:
    """A volume that does not open, or whose bytes are damaged, is never sent."""
    path = make().volumes[0].path
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(Tripwire, match="unreadable"):
        inspect([path], ALICE, Scope.MINE)


async def test_a_volume_is_missing(rich: Spool, make: Make) -> None:
    """No volumes, or one that tells of more, is no archive."""
    with pytest.raises(Tripwire, match="counts"):
        inspect([], ALICE, Scope.MINE)
    path = make().volumes[0].path
    with pytest.raises(Tripwire, match="volumes"):
        inspect([path, path], ALICE, Scope.MINE)


async def test_another_persons_archive(rich: Spool, make: Make) -> None:
    """An archive is released to the person it is about only."""
    with pytest.raises(Tripwire, match="wrong_person"):
        inspect([make().volumes[0].path], UserId("@eve:example.org"), Scope.MINE)


async def test_scope_visible_is_not_checked_here(rich: Spool, make: Make) -> None:
    """What this check can't judge it does not pass."""
    with pytest.raises(Tripwire, match="scope"):
        inspect([make().volumes[0].path], ALICE, Scope.VISIBLE)


def test_what_is_unusual_is_told(spool: Spool, make: Make) -> None:
    """Events beyond the size that Matrix allows, and files that expand enormously, are reported."""
    spool.rooms([Room(1, "!a:example.org", "a", "join")])
    spool.append(1, 0, [message(n, content={"body": "x" * 1_000_000}) for n in range(6)])
    result = make()
    assert inspect([volume.path for volume in result.volumes], ALICE, Scope.MINE).anomalies == ("large_event", "ratio")
