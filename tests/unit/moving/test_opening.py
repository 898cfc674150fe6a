"""An archive is opened however it was kept, and what is none is refused with a hint."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.archive import bundle as writing
from dpobot.moving import parcel as reading
from dpobot.moving.opening import opened
from dpobot.moving.parcel import parse, shown
from dpobot.moving.stopped import ImportStopped

SMALLEST = {"format": "dpobot.portable", "version": "1.0", "user_id": "@me:old.example"}


def written(folder: Path, **changes: Any) -> Path:
    """Write a bundle and a picture into a folder."""
    (folder / "media").mkdir(parents=True)
    (folder / "media" / "1.png").write_bytes(b"picture")
    (folder / "portable.json").write_text(json.dumps(SMALLEST | changes))
    return folder


def zipped(folder: Path) -> Path:
    volume = folder.with_suffix(".zip")
    with zipfile.ZipFile(volume, "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder).as_posix())
    return volume


def test_volume_folder_and_file_are_the_same(tmp_path: Path) -> None:
    """Parcel, digest and picture come out alike."""
    folder = written(tmp_path / "archive")
    found = [opened([path]) for path in (folder, zipped(folder), folder / "portable.json")]
    assert {each.digest for each in found} == {found[0].digest}
    assert [each.parcel.user_id for each in found] == ["@me:old.example"] * 3
    assert [each.picture("media/1.png") for each in found] == [b"picture"] * 3
    assert [each.picture("media/2.png") for each in found] == [None] * 3


def test_a_picture_in_another_volume_is_found_if_that_is_named(tmp_path: Path) -> None:
    """In any order."""
    first = written(tmp_path / "first")
    (first / "media" / "1.png").unlink()
    second = tmp_path / "second"
    written(second)
    (second / "portable.json").unlink()
    assert opened([zipped(second), zipped(first)]).picture("media/1.png") == b"picture"


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "media/../../secret", ""])
def test_a_name_in_an_archive_never_leads_out_of_it(tmp_path: Path, name: str) -> None:
    """Whatever portable.json says of the picture's file."""
    (tmp_path / "secret").write_text("secret")
    folder = written(tmp_path / "archive")
    assert [opened([path]).picture(name) for path in (folder, zipped(folder))] == [None, None]


def test_what_is_no_archive_is_refused_with_a_hint(tmp_path: Path) -> None:
    """Another file, nothing, no bundle in it, another format, another version, damage: each has its sentence."""
    (tmp_path / "x.txt").write_text("x")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ImportStopped, match=r"x\.txt is not an archive of dpobot; name the first volume"):
        opened([tmp_path / "x.txt"])
    with pytest.raises(ImportStopped, match=r"there is no file gone\.zip"):
        opened([tmp_path / "gone.zip"])
    with pytest.raises(ImportStopped, match=r"there is no portable\.json in it"):
        opened([empty])
    with pytest.raises(ImportStopped, match=r"is no portable\.json of dpobot"):
        opened([written(tmp_path / "other", format="else")])
    with pytest.raises(ImportStopped, match=r"of version 2\.0, and this dpobot reads version 1; use a newer dpobot"):
        opened([written(tmp_path / "newer", version="2.0")])
    with pytest.raises(ImportStopped, match=r"damaged at rooms\.0\.room_id"):
        opened([written(tmp_path / "damaged", rooms=[{"room_id": 7}])])
    broken = zipped(written(tmp_path / "broken"))
    broken.write_bytes(broken.read_bytes().replace(b'"format"', b'"f0rmat"'))
    with pytest.raises(ImportStopped, match=r"broken\.zip is damaged"):
        opened([broken])


def test_a_newer_minor_version_is_read() -> None:
    """It has only members that are not known here."""
    assert parse(json.dumps(SMALLEST | {"version": "1.7", "news": [1]}).encode()).user_id == "@me:old.example"


def test_reader_and_writer_speak_of_the_same_format() -> None:
    """They share no code, so this holds them together."""
    assert (writing.FORMAT, writing.VERSION.split(".")[0]) == (reading.FORMAT, reading.MAJOR)


@given(st.text())
def test_nothing_that_is_shown_can_move_a_terminal(text: str) -> None:
    """Control, format and direction characters never come through."""
    assert all(character.isprintable() for character in shown(text))
