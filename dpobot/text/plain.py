"""HTML of a message -> the plain text that stands in its ``body``, for clients without HTML and for notifications."""

import re
from html.parser import HTMLParser

_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"})
_MANY_LINES = re.compile(r"\n{3,}")


class _Plain(HTMLParser):
    """Collects the text of a fragment that our own templates made."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._lists: list[int | None] = []  # None: bullets; a number: the next one
        self._link: tuple[str, int] | None = None  # address, where its text began

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _PARAGRAPHS and not self._lists:
            self.parts.append("\n\n")
        if tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self.parts.append("\n" + "  " * (len(self._lists) - 1) + self._bullet())
        elif tag in ("br", "tr"):
            self.parts.append("\n")
        elif tag == "td":
            self.parts.append("  ")
        elif tag == "code":
            self.parts.append("`")
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.parts))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _PARAGRAPHS and not self._lists:
            self.parts.append("\n\n")
        elif tag == "code":
            self.parts.append("`")
        elif tag == "a" and self._link:
            address, start = self._link
            self._link = None
            if address.removeprefix("mailto:") not in "".join(self.parts[start:]):
                self.parts.append(f" ({address})")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def _bullet(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "


def plain_text(html: str) -> str:
    """Return the readable text of a message: paragraphs apart, lists with bullets, addresses behind their links."""
    parser = _Plain()
    parser.feed(html)
    parser.close()
    lines = (line.rstrip() for line in "".join(parser.parts).split("\n"))
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()
