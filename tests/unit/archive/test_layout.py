"""Names of files in the archive, whatever people called their rooms and files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.archive import layout

HOSTILE = (
    "../../etc/passwd",
    "..\\..\\windows\\system32",
    "/absolute",
    "C:\\con.txt",
    "con",
    "LPT1.jpg",
    "dots...",
    "space ",
    "line\nbreak\r\x00\x1b[31m",
    "right\u202eleft gpj.exe",
    "🎉🎉🎉",
    "x" * 300,
    "界" * 300,
    "",
    ".",
    "..",
    ".htaccess",
    'a:b|c?d*e<f>g"h',
    "\ud800lone",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_their_folder(name: str) -> None:
    """No name of a room or a file leaves its folder or breaks on any system."""
    assert layout.safe_entry(layout.room_page(layout.room_folder(1, name), 1))
    assert layout.safe_entry(layout.part_file(layout.medium_file(1, name, "image/png"), 1))


@given(name=st.text(), media_type=st.text())
def test_any_name_is_safe_and_harmless(name: str, media_type: str) -> None:
    """Whatever a file is called, its entry is safe, short and has an ending that nothing runs."""
    file = layout.medium_file(7, name, media_type)
    assert layout.safe_entry(file)
    assert file.startswith("media/00007-")
    assert len(file) < 90
    assert file.rsplit(".", 1)[1] in layout._HARMLESS


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("cat.PNG", "image/png", "media/00001-cat.png"),
        ("page.html", "text/html", "media/00001-page.html.txt"),
        ("logo.svg", "image/svg+xml", "media/00001-logo.svg.txt"),
        ("run.exe", "application/octet-stream", "media/00001-run.exe.bin"),
        ("photo.jpg.exe", "image/jpeg", "media/00001-photo-jpg.exe.bin"),
        ("macro.docm", "application/msword", "media/00001-macro.docm.bin"),
        ("no ending", "text/plain; charset=utf-8", "media/00001-no-ending.txt"),
        (None, "text/html", "media/00001-file.bin"),
        ("Über uns.pdf", "application/pdf", "media/00001-Über-uns.pdf"),
    ],
)
def test_endings(name: str | None, media_type: str, expected: str) -> None:
    """What a browser or a desktop would run gets .txt or .bin; the rest keeps its ending."""
    assert layout.medium_file(1, name, media_type) == expected


def test_case_and_equal_names_do_not_collide() -> None:
    """Numbers keep files apart where case, forms of letters or cut ends would not."""
    names = [layout.room_folder(n, name) for n, name in enumerate(["Room", "room", "ROOM", "x" * 300, "x" * 301], 1)]
    assert len({name.casefold() for name in names}) == 5


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "a/../b", "a\\b", "c:x", "con", "a/aux.txt", "a.", "b /c", "x\x00", "x\u202e", ""]
)
def test_unsafe_entries(name: str) -> None:
    """The check of entry names knows each way out of a folder."""
    assert not layout.safe_entry(name)


@pytest.mark.parametrize("name", ["../x", "A", "", "con", "a.b", "a/b"])
def test_categories_are_named_by_us(name: str) -> None:
    """A category's name is never turned into a path unseen."""
    with pytest.raises(ValueError, match="category"):
        layout.spool_category(name)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [("image/png", "image"), ("image/svg+xml", "file"), ("VIDEO/mp4; x=1", "video"), ("text/html", "file")],
)
def test_what_a_page_shows(media_type: str, expected: str) -> None:
    """Raster images, sound and film are shown in place; documents, SVG among them, are not."""
    assert layout.shown_as(media_type) == expected
