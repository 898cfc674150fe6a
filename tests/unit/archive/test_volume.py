"""The ZIP writer, read back with the standard library, also beyond what the classic format can say."""

import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dpobot.archive.volume import Draft, Stage, Volume, pack, store

AT = datetime(2026, 11, 22, 12, 30, 10, tzinfo=UTC)
GIGABYTE = 1 << 30


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    made = Volume(tmp_path / "v.zip", AT)
    made.create()
    return made


def test_entries_of_each_sort(volume: Volume, tmp_path: Path) -> None:
    """Deflated in memory, staged in blocks, drafted with a late end, a piece of a file: all read back, dated."""
    source = tmp_path / "source"
    source.write_bytes(b"0123456789")
    stage = Stage(tmp_path / "stage")
    for block in (b"one\n", b"two\n", b"three\n"):
        assert stage.offer(block) > 0
        if block != b"two\n":
            stage.keep()
    volume.add(pack("packed.txt", b"x" * 1000))
    volume.suspend()
    volume.resume()
    volume.add(stage.finish("staged.txt"))
    volume.add(Draft("draft.txt", b"head ").finish(b"tail"))
    volume.add(store("piece.bin", source, 3, 4))
    assert volume.close() == volume.path.stat().st_size
    with zipfile.ZipFile(volume.path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "packed.txt": b"x" * 1000,
            "staged.txt": b"one\nthree\n",
            "draft.txt": b"head tail",
            "piece.bin": b"3456",
        }
        info = archive.getinfo("packed.txt")
        assert (info.date_time, info.external_attr >> 16) == ((2026, 11, 22, 12, 30, 10), 0o100644)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "stage", "v.zip"]


def test_costs_are_upper_bounds(volume: Volume) -> None:
    """What an entry is said to cost is at least what it takes, so that volumes never grow beyond their size."""
    costs = 0
    for number in range(50):
        entry = pack(f"rooms/{'ü' * 40}/{number}.txt", bytes(range(number)))
        volume.add(entry)
        costs += entry.cost
    assert volume.close() < costs


def test_more_entries_than_the_classic_format_can_count(volume: Volume) -> None:
    """70,000 entries need the ZIP64 end of central directory."""
    entry = pack("x", b"x")
    for number in range(70_000):
        volume.add(replace(entry, name=str(number)))
    volume.close()
    with zipfile.ZipFile(volume.path) as archive:
        assert len(archive.namelist()) == 70_000
        assert archive.read("69999") == b"x"


def test_beyond_four_gigabytes(volume: Volume) -> None:
    """Entries behind the first four gigabytes, and larger than that, are found and say their true size."""
    volume.position = 5 * GIGABYTE  # a hole in the file: takes no disk
    volume.add(pack("far.txt", b"far away"))
    volume.add(replace(pack("large.txt", b"pretends"), size=6 * GIGABYTE))
    volume.close()
    with zipfile.ZipFile(volume.path) as archive:
        assert archive.read("far.txt") == b"far away"
        assert archive.getinfo("large.txt").file_size == 6 * GIGABYTE


def test_a_file_that_shrinks_is_noticed(volume: Volume, tmp_path: Path) -> None:
    """A file that lost bytes between measuring and packing never becomes an entry that lies."""
    source = tmp_path / "source"
    source.write_bytes(b"0123456789")
    entry = store("x", source)
    source.write_bytes(b"0")
    with pytest.raises(OSError, match="shorter"):
        volume.add(entry)
