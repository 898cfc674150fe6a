"""Pages of the archive: values in, entries out. Every sentence is in ``templates/archive``."""

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence

from dpobot.archive import layout
from dpobot.archive.facts import PackageFacts, Pages
from dpobot.archive.viewer import Viewer
from dpobot.archive.volume import Draft, Packed, pack

_END = "<!--end-->"  # where a room's page is cut; a text in it can't hold this, its "<" is escaped


class Writer:
    """Renders pages with what all of them share: style, security policy, whose archive it is."""

    def __init__(self, pages: Pages, facts: PackageFacts) -> None:
        self._pages, self._language, self.facts = pages, facts.language, facts
        self.viewer = Viewer(pages)
        style = pages.page("archive/style.css", facts.language)
        digest = _digest(style)
        self._shared: dict[str, object] = {
            "style": style,
            "policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' file:; media-src 'self' file:; "
                "base-uri 'none'; form-action 'none'"
            ),
            "lang": facts.language,
            "facts": facts,
            "operator": facts.operator,
        }

    def room(self, name: str, values: Mapping[str, object]) -> Draft:
        """Return a page of messages up to where it says which page follows."""
        head, _, tail = self._render("room", "../../", values).partition(_END)
        self._tail = tail
        return Draft(name, head.encode())

    def room_end(self, following: str, continued: bool) -> bytes:
        """Return the end of a page of messages; ``continued``: the room goes on in the next volume."""
        link = following.rsplit("/", 1)[-1]
        end = self._pages.page("archive/room_end.html", self._language, following=link, continued=continued)
        return (end + self._tail).encode()

    def page(self, template: str, name: str, values: Mapping[str, object]) -> Packed:
        """Return a whole page."""
        return pack(name, self.text(template, name, values).encode())

    def text(self, template: str, name: str, values: Mapping[str, object]) -> str:
        """Return a whole page as text, for what is made of it beside the page itself."""
        return self._render(template, "../" * name.count("/"), values)

    def index(self, values: Mapping[str, object], contents: Mapping[str, object] | None) -> Packed:
        """Return index.html; with ``contents``, what the program is told of the volume, it carries the program."""
        if contents is None:
            return self.page("index", layout.INDEX, {**values, "viewer": None})
        style = f"{self._shared['style']}{self.viewer.style}"
        program = {
            "viewer": self.viewer.values(contents),
            "style": style,
            "policy": self.viewer.policy(_digest(style)),
        }
        return self.page("index", layout.INDEX, {**values, **program})

    def readme(self) -> Packed:
        """Return README.txt."""
        text = self._pages.page("archive/readme.txt", self._language, **self._shared)
        return pack(layout.README, html.unescape(text).encode())

    def _render(self, template: str, up: str, values: Mapping[str, object]) -> str:
        return self._pages.page(f"archive/{template}.html", self._language, **{**self._shared, "up": up, **values})


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def numbered(what: str, pages: int, current: int) -> Sequence[tuple[int, str, bool]]:
    """Return number, file and whether it is the current one, for each page of a list."""
    return [(number, layout.list_page(what, number), number == current) for number in range(1, pages + 1)]
