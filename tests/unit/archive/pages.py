"""Reads pages as a browser would: what runs, what loads, where links lead."""

import posixpath
from html.parser import HTMLParser
from urllib.parse import unquote

_LOADS = {"src", "href", "srcset", "poster", "data", "action", "formaction", "background", "cite", "ping"}
_TAGS = [
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "header",
    "main",
    "footer",
    "nav",
    "h1",
    "h2",
    "h3",
    "p",
    "ul",
    "ol",
    "li",
    "b",
    "br",
    "span",
    "div",
    "section",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "dl",
    "dt",
    "dd",
    "time",
    "details",
    "summary",
    "pre",
    "bdi",
    "img",
    "video",
    "audio",
    "svg",
    "desc",
    "rect",
    "text",
    "path",
    "circle",
    "figure",
    "caption",
    "q",
]
# the panel of the program, in index.html only; its scripts are counted beside
_PANEL = ["form", "label", "input", "select", "option", "button", "progress", "noscript", "script"]


class Page(HTMLParser):
    """Collects faults and links."""

    def __init__(self, panel: bool) -> None:
        super().__init__()
        self.allowed = {*_TAGS, *(_PANEL if panel else ())}
        self.scripts: list[dict[str, str | None]] = []
        self.faults: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.allowed:
            self.faults.append(f"element {tag}")
        if tag == "script":
            self.scripts.append(dict(attrs))
        if tag not in ("meta", "br", "img", "input"):
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.faults.append(f"attribute {name}")
            if name in _LOADS:
                self.addresses.append(value or "")
                if ":" in (value or "").split("/")[0] or (value or "").startswith("//"):
                    self.faults.append(f"address {value}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"end of {tag}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str, panel: bool = False) -> Page:
    """Return what a page holds; ``panel``: it is an index, which may have the program's panel."""
    page = Page(panel)
    page.feed(text)
    page.close()
    page.faults += [f"never closed: {tag}" for tag in page.open]
    return page


def links(name: str, text: str) -> list[str]:
    """Return what a page links to in its own volume, as names of entries."""
    found = [unquote(address.split("#")[0]) for address in read(text).addresses if not address.startswith("#")]
    paths = [posixpath.normpath(posixpath.join(posixpath.dirname(name), address)) for address in found]
    return [path for path in paths if not path.startswith("..")]
