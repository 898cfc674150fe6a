"""A page of ours, read again as the blocks it is made of: what is printed can't say anything else than the page."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser


class Kind(StrEnum):
    """What a block is."""

    TITLE = "h1"
    HEADING = "h2"
    TOPIC = "h3"
    PARAGRAPH = "p"
    POINT = "li"
    FACT = "dl"  # two cells: what it is about, and what is said
    TABLE = "table"


@dataclass
class Block:
    """One block. ``rows`` of cells for facts and tables; the first row of a table is its head."""

    kind: Kind
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page's header and main part, in order; what only leads elsewhere (nav) is left out."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [block for block in reader.found if block.text or block.rows]


_SPACES = re.compile(r"[ \t\r\n]+")  # not the unbreakable ones
_TEXTS = {kind.value: kind for kind in (Kind.TITLE, Kind.HEADING, Kind.TOPIC, Kind.PARAGRAPH, Kind.POINT)}
_CELLS = frozenset({"th", "td", "dt", "dd"})
_AROUND = frozenset({"header", "main"})
_LEFT_OUT = frozenset({"nav", "style", "script", "title", "footer"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Block] = []
        self._inside = self._left_out = 0
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside += tag in _AROUND
        self._left_out += tag in _LEFT_OUT
        if not self._inside or self._left_out:
            return
        if tag == "br":
            self.handle_data(" ")
        elif tag == "table":
            self.found.append(Block(Kind.TABLE))
        elif tag == "tr":
            self.found[-1].rows.append([])
        elif tag in _TEXTS or tag in _CELLS:
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        self._left_out -= tag in _LEFT_OUT
        if self._inside and not self._left_out and self._text is not None and (tag in _TEXTS or tag in _CELLS):
            self._end(tag, _SPACES.sub(" ", "".join(self._text)).strip(" "))
            self._text = None
        self._inside -= tag in _AROUND

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._left_out:
            self._text.append(data)

    def _end(self, tag: str, text: str) -> None:
        if tag == "dt":
            self.found.append(Block(Kind.FACT, rows=[[text]]))
        elif tag in _CELLS:
            self.found[-1].rows[-1].append(text)
        else:
            self.found.append(Block(_TEXTS[tag], text))
