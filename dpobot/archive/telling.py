"""What a chapter is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from dpobot.archive.facts import Holding, PackageFacts
from dpobot.archive.pages import Writer
from dpobot.archive.spool import Spool


@dataclass(frozen=True, slots=True)
class Telling:
    """What a chapter is told: all that was collected, and what is held of each category, messages and media too."""

    spool: Spool
    facts: PackageFacts
    writer: Writer
    holdings: Sequence[Holding]
