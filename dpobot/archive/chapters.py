"""Chapters: what an archive tells beside the data itself, in its first volume. One module each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dpobot.archive import bundle, recipients, statement
from dpobot.archive.shelf import Shelf
from dpobot.archive.telling import Telling
from dpobot.archive.volume import Packed

Chapter = Callable[[Telling], Iterable[Packed]]

CHAPTERS: Sequence[Chapter] = (statement.chapter, recipients.chapter, bundle.chapter)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a file of a chapter lies."""

    name: str
    volume: int


def place(telling: Telling, shelf: Shelf) -> list[Placed]:
    """Put all chapters into volumes; return their files in order."""
    return [Placed(entry.name, shelf.place(entry)) for chapter in CHAPTERS for entry in chapter(telling)]
