"""Media on their way into volumes: beside the page that shows them, or in pieces if larger than a volume."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dpobot.archive import layout
from dpobot.archive.messages import safe
from dpobot.archive.pieces import Whole, lay
from dpobot.archive.script import literal
from dpobot.archive.shelf import Shelf
from dpobot.archive.spool import Medium, Spool, encode
from dpobot.errors import Unavailable

_LINE = 40  # bytes of a medium's line in the data file, beside what it says


@dataclass(frozen=True, slots=True)
class MediumShown:
    """What a page says about a medium. ``href`` is empty if its bytes are not a file of this volume."""

    show: str
    href: str
    name: str
    media_type: str
    size: int
    volume: int
    pieces: int
    missing: str
    created_at: str


@dataclass(slots=True)
class _Placed:
    medium: Medium
    file: str = ""
    volume: int = 0  # 0: not yet in one
    pieces: tuple[str, ...] = ()


class Media:
    """All media of the spool. Memory grows by about half a kilobyte for each, whatever their size."""

    def __init__(self, spool: Spool, shelf: Shelf, stage: Path) -> None:
        self._spool, self._shelf, self._stage = spool, shelf, stage
        self._index = {medium.url: _Placed(medium) for medium in spool.media()}
        self.held = sum(placed.medium.missing is None for placed in self._index.values())

    def __len__(self) -> int:
        return len(self._index)

    def missing(self) -> dict[str, int]:
        """Return how many could not be had, by reason."""
        counts: dict[str, int] = {}
        for placed in self._index.values():
            if placed.medium.missing is not None:
                counts[placed.medium.missing] = counts.get(placed.medium.missing, 0) + 1
        return counts

    def waiting(self, url: str) -> int:
        """Return bytes of a medium that is not in a volume yet, else 0."""
        placed = self._index.get(url)
        return placed.medium.size if placed and not placed.volume and placed.medium.missing is None else 0

    def place(self, url: str) -> None:
        """See to it that a medium is in a volume: the open one if it fits."""
        placed = self._index.get(url)
        if placed is None or placed.volume or placed.medium.missing is not None:
            return
        medium = placed.medium
        path = self._spool.medium_path(medium.number)
        if not path.is_file() or path.stat().st_size != medium.size:
            raise Unavailable("spool_lost")
        placed.file = layout.medium_file(medium.number, medium.name, medium.media_type)
        whole = Whole(placed.file, path, medium.media_type, medium.size, medium.sha256)
        laid = lay(self._shelf, whole, self._stage)
        placed.volume, placed.pieces = laid.volume, laid.pieces
        self._shelf.contents.media += 1
        if not placed.pieces:
            self._shelf.promised += len(encode(self._known(placed))) + len(url) + _LINE

    def place_rest(self) -> None:
        """Place what no page showed."""
        for url in self._index:
            self.place(url)

    def whole_in(self, volume: int) -> bool:
        """Whether a medium lies whole in a volume."""
        return any(placed.volume == volume and not placed.pieces for placed in self._index.values())

    def script(self, volume: int) -> Iterator[bytes]:
        """Yield the data file that tells the program which media lie whole in a volume; nothing if none does."""
        opening = b'dpobot({"kind":"media","media":{\n'
        for url, placed in self._index.items():
            if placed.volume == volume and not placed.pieces:
                yield opening + encode(url) + b":" + literal(self._known(placed))
                opening = b",\n"
        if opening == b",\n":
            yield b"\n}})\n"

    def _known(self, placed: _Placed) -> dict[str, Any]:
        medium = placed.medium
        return {
            "file": placed.file,
            "size": medium.size,
            "type": safe(medium.media_type, 100),
            "name": safe(medium.name) or placed.file.removeprefix("media/"),
        }

    def shown(self, url: str, up: str) -> MediumShown | None:
        """Return what a page says about a medium; ``up`` leads from the page to the top of the volume."""
        placed = self._index.get(url)
        return None if placed is None else self._shown(placed, up)

    def all_shown(self) -> Iterator[MediumShown]:
        """Yield what the list of media says about each; what lies whole in another volume is found beside this one."""
        for placed in self._index.values():
            shown = self._shown(placed, "")
            if placed.volume and not placed.pieces and not shown.href:
                href = f"../{self._shelf.folder(placed.volume)}/{placed.file}"
                shown = replace(shown, href=href, show=layout.shown_as(placed.medium.media_type))
            yield shown

    def all_held(self) -> Iterator[Medium]:
        """Yield each medium whose bytes are in the archive."""
        return (placed.medium for placed in self._index.values() if placed.medium.missing is None)

    def listed(self) -> Iterator[dict[str, Any]]:
        """Yield each medium as ``media.json`` says it."""
        for placed in self._index.values():
            files = list(placed.pieces) or ([placed.file] if placed.volume else [])
            yield asdict(placed.medium) | {"files": files, "volume": placed.volume or None}

    def _shown(self, placed: _Placed, up: str) -> MediumShown:
        medium = placed.medium
        here = placed.volume == self._shelf.number and not placed.pieces
        return MediumShown(
            show=layout.shown_as(medium.media_type) if here else "file",
            href=up + placed.file if here else "",
            name=safe(medium.name) or placed.file.removeprefix("media/"),
            media_type=safe(medium.media_type, 100),
            size=medium.size,
            volume=placed.volume,
            pieces=len(placed.pieces),
            missing=medium.missing or "",
            created_at=safe(medium.created_at),
        )
