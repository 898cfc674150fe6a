"""Files that staff add from systems that have no interface (the shop, the access logs) on their way into volumes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dpobot.archive import layout
from dpobot.archive.facts import Holding
from dpobot.archive.messages import safe
from dpobot.archive.pieces import Whole, lay
from dpobot.archive.shelf import Shelf
from dpobot.archive.spool import Added, Spool
from dpobot.errors import Unavailable

OTHER = "other_systems"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an added file lies. ``file`` is its name in the archive; ``volume`` 0: nowhere, it could not be had."""

    added: Added
    file: str
    volume: int = 0
    pieces: tuple[str, ...] = ()

    def listed(self) -> dict[str, Any]:
        """Return it as the manifest says it."""
        files = list(self.pieces) or ([self.file] if self.volume else [])
        return asdict(self.added) | {"files": files, "volume": self.volume or None}

    @property
    def name(self) -> str:
        """Its name as a page may show it."""
        return safe(self.added.name) or self.file.removeprefix("other/")


def place(spool: Spool, shelf: Shelf, stage: Path) -> list[Placed]:
    """Put all added files into volumes; return where they lie. Raises Unavailable("spool_lost")."""
    return [_place(spool, added, shelf, stage) for added in spool.added()]


def holding(placed: list[Placed]) -> list[Holding]:
    """Return what is held of this category, nothing if no file was added: who was not asked holds not nothing."""
    if not placed:
        return []
    held = sum(item.added.missing is None for item in placed)
    missing: dict[str, int] = {}
    for item in placed:
        if item.added.missing is not None:
            missing[item.added.missing] = missing.get(item.added.missing, 0) + 1
    return [Holding(OTHER, "Data from other systems", held, incomplete=missing)]


def _place(spool: Spool, added: Added, shelf: Shelf, stage: Path) -> Placed:
    name = layout.other_file(added.number, added.name, added.media_type)
    if added.missing is not None:
        return Placed(added, name)
    path = spool.added_path(added.number)
    if not path.is_file() or path.stat().st_size != added.size:
        raise Unavailable("spool_lost")
    laid = lay(shelf, Whole(name, path, added.media_type, added.size, added.sha256), stage)
    shelf.contents.other += 1
    return Placed(added, name, laid.volume, laid.pieces)
