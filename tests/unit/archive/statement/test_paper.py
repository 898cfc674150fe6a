"""The statement to print: all words of the page, none dropped, the same bytes again."""

import re
import zlib
from itertools import pairwise

import pytest

from dpobot.archive.spool import Room, Spool
from dpobot.archive.statement.paper import paper
from dpobot.archive.statement.reading import Block, Kind, blocks
from dpobot.archive.statement.typeface import Typeface, typeface, vera
from tests.unit.archive.conftest import Make, entry, facts, message

PAGE = """<header><nav>elsewhere</nav><h1>Title &amp; more</h1></header><main>
<h2>Heading</h2><dl><dt>Why</dt><dd>because <bdi>of</bdi>
it</dd></dl><table><tr><th>A</th><th>B</th></tr><tr><th>1</th><td>2</td></tr></table><ul><li>point</li></ul>
<p>{}</p></main><footer><p>the end</p></footer>"""


def bare(text: str) -> str:
    """Return a text without what breaking lines changes."""
    return "".join(text.split())


def test_a_page_is_read_as_blocks() -> None:
    """Header and main part in order; what leads elsewhere, and the footer, are no part of it."""
    assert blocks(PAGE.format("words")) == [
        Block(Kind.TITLE, "Title & more"),
        Block(Kind.HEADING, "Heading"),
        Block(Kind.FACT, rows=[["Why", "because of it"]]),
        Block(Kind.TABLE, rows=[["A", "B"], ["1", "2"]]),
        Block(Kind.POINT, "point"),
        Block(Kind.PARAGRAPH, "words"),
    ]


@pytest.mark.parametrize("face", [vera(), typeface()], ids=["the library's", "the machine's"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zürich, l\u2019œuvre “x” \u2013 5 €", "Zürich, l\u2019œuvre “x” \u2013 5 €"),
        ("voici\u202f: 12\u202f345", "voici\u00a0: 12\u00a0345"),
        ("e\u0301t\u00e9", "\u00e9t\u00e9"),
        ("中", "[U+4E2D]"),
        ("a\u202eb", "a[U+202E]b"),
        ("שלום", "[U+05E9][U+05DC][U+05D5][U+05DD]"),
        ("🎉", "[U+1F389]"),
    ],
)
def test_what_the_typeface_lacks_is_named(face: Typeface, text: str, shown: str) -> None:
    """Never dropped, never drawn in a wrong order, and told as such."""
    assert face.shown(text) == shown
    assert face.lacks(text) is ("[U+" in shown)


@pytest.mark.parametrize(("text", "told"), [("words", False), ("中", True)])
def test_a_note_explains_the_numbers(text: str, told: bool) -> None:
    """Only where there are some; the file says its language and title to readers aloud."""
    made = paper(PAGE.format(text), facts(language="de"), vera(), squeezed=False)
    plain = paper(PAGE.format("words"), facts(language="de"), vera(), squeezed=False)
    assert (len(made) > len(plain) + 100) is told
    assert b"/Lang (de)" in made
    assert b"/DisplayDocTitle true" in made
    assert b"/Title (Heading)" in made  # in the outline


async def test_what_is_printed_is_the_page(rich: Spool, make: Make) -> None:
    """Every word of the page, in its order, in a file that is the same when it is made again."""
    rich.rooms([Room(1, "!a:example.org", "a", "join", False)])
    rich.append(1, 0, [message(1, type="org.例.event")])
    made, again = make(), make(folder="again")
    assert entry(made, "statement.pdf") == entry(again, "statement.pdf")
    page = entry(made, "statement.html").decode()
    printed = paper(page, facts(), vera(), squeezed=False)
    said = bare(text_of(printed))
    places = [said.find(bare(vera().shown(part))) for block in blocks(page) for part in parts(block)]
    assert -1 not in places
    headings = [said.find(bare(block.text)) for block in blocks(page) if block.kind is Kind.HEADING]
    assert all(before < after for before, after in pairwise(headings))
    assert "[U+4F8B]" in said


def parts(block: Block) -> list[str]:
    """Return what a block says, a cell a part."""
    return [block.text] if block.text else [cell for row in block.rows for cell in row]


def text_of(pdf: bytes) -> str:
    """Return what a PDF with uncompressed pages draws: codes of embedded fonts, turned back by their own tables."""
    fonts = _fonts(pdf)
    text = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        current: dict[int, str] = {}
        for name, codes in re.findall(rb"/(F[\d+]+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) Tj", stream, re.DOTALL):
            if name:
                current = fonts.get(name, {})
            else:
                text.append("".join(current.get(code, "") for code in _unescaped(codes)))
    return " ".join(text)


def _unescaped(codes: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        return (
            bytes([int(found[1], 8)]) if found[1] else {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(found[2], found[2])
        )

    return re.sub(rb"\\(?:([0-7]{3})|(.))", one, codes, flags=re.DOTALL)


def _fonts(pdf: bytes) -> dict[bytes, dict[int, str]]:
    objects = dict(re.findall(rb"\n(\d+) 0 obj\s(.*?)endobj", pdf, re.DOTALL))
    found = {}
    for body in objects.values():
        name = re.search(rb"/Name /(F[\d+]+)", body)
        table = re.search(rb"/ToUnicode (\d+) 0 R", body)
        if name and table:
            found[name[1]] = _table(objects[table[1]])
        elif name and b"/WinAnsiEncoding" in body:
            found[name[1]] = {code: bytes([code]).decode("cp1252", "replace") for code in range(256)}
    return found


def _table(body: bytes) -> dict[int, str]:
    raw = re.search(rb"stream\r?\n(.*?)endstream", body, re.DOTALL)
    assert raw is not None
    data = zlib.decompress(raw[1]) if b"FlateDecode" in body else raw[1]
    return {
        int(code, 16): chr(int(sign, 16)) for code, sign in re.findall(rb"<([0-9A-Fa-f]{2})> +<([0-9A-Fa-f]{4})>", data)
    }
