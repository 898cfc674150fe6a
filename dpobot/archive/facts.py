"""What a package is told and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from dpobot.archive.layout import SCHEMA_VERSION
from dpobot.config import OperatorConfig
from dpobot.model.ids import Reference, UserId
from dpobot.model.words import Scope, Section

Progress = Callable[[int], None]  # events packed so far; what it raises ends the packing


class Pages(Protocol):
    """Renders a template of ``templates/`` with everything escaped (`text.render.Renderer`)."""

    def page(self, template: str, language: str, **values: object) -> str:
        """Return the page."""
        ...


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """Whose archive it is, what was asked for, and what its pages say about the service."""

    reference: Reference
    person: UserId
    operator: OperatorConfig
    created_at: datetime
    notice_version: str
    scope: Scope = Scope.MINE
    pseudonyms: bool = False  # other people are called Person 1, Person 2 (scope visible)
    sections: frozenset[Section] = frozenset()  # empty: all
    since: datetime | None = None
    until: datetime | None = None
    language: str = "en"
    schema_version: str = SCHEMA_VERSION

    def asked(self, section: Section) -> bool:
        """Whether the person asked for this section."""
        return not self.sections or section in self.sections

    @property
    def only_statement(self) -> bool:
        """Whether everything was looked at and counted, but only the statement is handed out."""
        return self.sections == {Section.STATEMENT}


@dataclass(frozen=True, slots=True)
class Holding:
    """What the archive holds of one category; ``incomplete`` counts single things that are missing, by reason."""

    category: str
    title: str
    count: int
    truncated: bool = False
    missing: str | None = None
    incomplete: Mapping[str, int] = field(default_factory=dict)
    page: str | None = None
    volume: int | None = None

    def manifest(self) -> dict[str, Any]:
        """Return the category as the manifest says it."""
        return {
            "category": self.category,
            "title": self.title,
            "count": self.count,
            "truncated": self.truncated,
            "missing": self.missing,
            "incomplete": dict(self.incomplete),
            "nothing_held": self.count == 0 and self.missing is None and not self.incomplete,
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole archive in numbers; ``size`` bytes of all volumes."""

    events: int
    rooms: int  # that hold at least one event
    media: int  # whose bytes are in it
    size: int
    categories: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """A finished volume; ``sha256`` hex, of the ZIP."""

    number: int
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """What `package.package` made."""

    volumes: tuple[VolumeFile, ...]
    totals: Totals
    holdings: tuple[Holding, ...]
