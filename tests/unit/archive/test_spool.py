"""The spool holds what was collected, at the offsets that the journal knows."""

import errno
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dpobot.archive import spool as spooling
from dpobot.archive.spool import Appended, Room, Spool, encode
from dpobot.errors import Gone, Unavailable
from tests.unit.archive.conftest import blocks, medium, message


def _ids(spool: Spool, room: int) -> list[str]:
    return [json.loads(line)["event_id"] for line in spool.events(room)]


def test_append_repeats_a_page_after_a_crash(spool: Spool) -> None:
    """A page written but not journaled is written again in the same place."""
    first = spool.append(1, 0, [message(1), message(2)])
    spool.append(1, first.offset, [message(3), message(4)])
    again = spool.append(1, first.offset, [message(3)])
    assert (first.count, again.count, _ids(spool, 1)) == (2, 1, ["$1", "$2", "$3"])
    assert again.offset == (spool.folder / "rooms/1.jsonl").stat().st_size


def test_append_half_a_line(spool: Spool) -> None:
    """Half a line behind the journaled offset is cut off."""
    first = spool.append(1, 0, [message(1)])
    with (spool.folder / "rooms/1.jsonl").open("ab") as file:
        file.write(b'{"event_id": "$2"')
    assert spool.append(1, first.offset, []) == Appended(first.offset, 0)
    assert _ids(spool, 1) == ["$1"]


def test_shorter_than_the_journal_says(spool: Spool) -> None:
    """A spool that lost what the journal knows is never filled up with holes."""
    with pytest.raises(Unavailable, match="spool_lost"):
        spool.append(1, 10, [message(1)])


def test_private(spool: Spool) -> None:
    """Only we may read a spool."""
    spool.account("devices", [])
    spool.rooms([])
    spool.append(1, 0, [message(1)])
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in [spool.folder, *spool.folder.rglob("*")]}
    assert modes == {True: 0o700, False: 0o600}


async def test_media_round_trip(spool: Spool) -> None:
    """A medium's size and SHA-256 are those of the bytes that came, not those that were promised."""
    appended, noted = await spool.medium(medium(1, "a", "text/plain"), 0, blocks(b"x" * 200_000))
    assert (noted.size, noted.sha256) == (200_000, hashlib.sha256(b"x" * 200_000).hexdigest())
    await spool.medium(medium(2, "b", "text/plain", "gone"), appended.offset, None)
    assert [(item.number, item.missing) for item in spool.media()] == [(1, None), (2, "gone")]


async def test_media_that_break_off_leave_nothing(spool: Spool) -> None:
    """Bytes that break off are no medium, and the error is the caller's to judge."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise Gone("M_NOT_FOUND", 404)

    with pytest.raises(Gone):
        await spool.medium(medium(1, "a", "text/plain"), 0, broken())
    assert (list((spool.folder / "media").iterdir()), list(spool.media())) == ([], [])


def test_category_is_replaced_whole(spool: Spool) -> None:
    """A category collected twice is there once."""
    spool.account("devices", [{"a": 1}], title="Devices")
    spool.account("devices", [{"a": 2}, {"a": 3}], truncated=True)
    category = spool.category("devices")
    assert (category.records, category.truncated, spool.categories()) == ([{"a": 2}, {"a": 3}], True, ["devices"])


def test_full_disk_keeps_the_old(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is something to wait for, and what was there stays."""
    spool.rooms([Room(1, "!a", None, "join")])

    def full(_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spooling, "_settle", full)
    with pytest.raises(Unavailable, match="disk_full"):
        spool.rooms([])
    with pytest.raises(Unavailable, match="disk_full"):
        spool.append(1, 0, [message(1)])
    assert len(spool.room_list()) == 1


def test_other_faults_of_the_disk_are_not_hidden(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a full disk is waited for."""

    def broken(_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(spooling, "_settle", broken)
    with pytest.raises(OSError, match="Input/output"):
        spool.rooms([])


def test_remove(spool: Spool, tmp_path: Path) -> None:
    """Removing leaves nothing and may be repeated."""
    spool.account("devices", [])
    spool.remove()
    spool.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": "é"}, '{"a":"é"}'.encode()),
        ({"a": "\ud800"}, b'{"a":"\\ud800"}'),
        ({"a": [float("nan"), float("inf"), 1.5]}, b'{"a":[null,null,1.5]}'),
        ({"a": ["\ud800", float("nan")]}, b'{"a":["\\ud800",null]}'),
    ],
)
def test_encode_what_json_lacks(value: object, expected: bytes) -> None:
    """Lone surrogates, NaN and infinities never make a line that others can't read."""
    assert encode(value) == expected
