"""Files on their way into volumes: whole if they fit, else in pieces to be joined (README.txt says how)."""

from dataclasses import dataclass, replace
from pathlib import Path

from dpobot.archive import layout
from dpobot.archive.shelf import Shelf
from dpobot.archive.volume import BLOCK, Packed, Stage, store

_SQUEEZED = ("text/", "application/json", "application/xml", "image/svg", "image/bmp", "audio/wav", "audio/x-wav")
_PIECE_COST = 2_000  # headers and manifest line of a piece


@dataclass(frozen=True, slots=True)
class Whole:
    """A file to be laid: its ``name`` in the archive, and its bytes in ``path``."""

    name: str
    path: Path
    media_type: str
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Laid:
    """Where a file lies: the number of the (first) volume, and the names of its pieces if it is in several."""

    volume: int
    pieces: tuple[str, ...] = ()


def lay(shelf: Shelf, file: Whole, stage: Path) -> Laid:
    """Put a file into the open volume or the next; what is larger than a volume goes in pieces into several."""
    entry = _entry(file, stage)
    return Laid(shelf.place(entry)) if entry.cost <= shelf.capacity else _split(shelf, file)


def _entry(file: Whole, stage_path: Path) -> Packed:
    if not layout.plain_type(file.media_type).startswith(_SQUEEZED):
        return store(file.name, file.path)
    stage = Stage(stage_path)
    with file.path.open("rb") as source:
        while block := source.read(BLOCK):
            stage.offer(block)
            stage.keep()
    return stage.finish(file.name)


def _split(shelf: Shelf, file: Whole) -> Laid:
    start, names, first = 0, list[str](), 0
    while start < file.size:
        if shelf.left - _PIECE_COST < min(file.size - start, shelf.capacity // 4):
            shelf.turn()
        length = min(file.size - start, shelf.left - _PIECE_COST)
        name = layout.part_file(file.name, len(names) + 1)
        shelf.put(replace(store(file.name, file.path, start, length), name=name))
        first = first or shelf.number
        shelf.contents.pieces[name] = {
            "of": file.name,
            "number": len(names) + 1,
            "start": start,
            "whole_size": file.size,
            "whole_sha256": file.sha256,
        }
        names.append(name)
        start += length
    return Laid(first, tuple(names))
