"""The privacy notice: dated files in ``templates/notice``, filled with the operator's facts, read by section."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dpobot.config import OperatorConfig

_MOST_FOUND = 6
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, or one list of points."""

    lines: tuple[str, ...]
    points: bool = False


@dataclass(frozen=True, slots=True)
class NoticeSection:
    """One section, its facts filled in. ``topics`` name what it covers, for the test that nothing is missing."""

    id: str
    number: str
    title: str
    text: str
    topics: tuple[str, ...] = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The text as paragraphs and lists."""
        return tuple(_block(part) for part in self.text.strip().split("\n\n"))


@dataclass(frozen=True, slots=True)
class NoticeVersion:
    """The whole notice as it applied from ``effective`` on."""

    id: str
    effective: date
    changes: str
    sections: tuple[NoticeSection, ...]


class Notice:
    """All versions of the notice, oldest first."""

    def __init__(self, versions: Sequence[NoticeVersion]) -> None:
        if not versions:
            raise ValueError("there is no privacy notice in templates/notice")
        self.versions = tuple(sorted(versions, key=lambda version: version.effective))

    def in_force(self, day: date) -> NoticeVersion | None:
        """Return the version that applied on ``day``, or None before the first."""
        return next((version for version in reversed(self.versions) if version.effective <= day), None)

    def current(self, day: date) -> NoticeVersion:
        """Return the version to show on ``day``: the one in force, or the first that will be."""
        return self.in_force(day) or self.versions[0]


def section(version: NoticeVersion, wanted: str) -> NoticeSection | None:
    """Return the section with this number, id or exact title."""
    plain = wanted.strip().casefold().rstrip(".")
    return next((each for each in version.sections if plain in (each.number, each.id, each.title.casefold())), None)


def search(version: NoticeVersion, words: str) -> list[NoticeSection]:
    """Return the sections that speak of the words, best first, at most six; a word in the title counts most."""
    wanted = {word for word in _WORD.findall(words.casefold()) if len(word) > 2}
    scored = [(_score(each, wanted), each) for each in version.sections]
    found = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    return [each for _, each in found[:_MOST_FOUND]]


def load(folder: Path, operator: OperatorConfig) -> Notice:
    """Read every version in ``folder`` (``templates/notice``) and fill in the operator's facts.

    Raises `ValueError` or `KeyError` if a file is not a notice or names a fact that doesn't exist.
    """
    facts = _facts(operator)
    return Notice([_version(tomllib.loads(path.read_text("utf-8")), facts) for path in sorted(folder.glob("*.toml"))])


def _facts(operator: OperatorConfig) -> dict[str, str]:
    facts = {key: str(value) for key, value in operator.model_dump().items()}
    return {**facts, "hosting": ", ".join(operator.hosting) or operator.name}


def _version(raw: Mapping[str, Any], facts: Mapping[str, str]) -> NoticeVersion:
    sections = tuple(
        NoticeSection(
            id=each["id"],
            number=each["number"],
            title=each["title"],
            text=each["text"].format_map(facts),
            topics=tuple(each.get("topics", ())),
        )
        for each in raw["section"]
    )
    return NoticeVersion(id=raw["id"], effective=raw["effective"], changes=raw["changes"], sections=sections)


def _block(part: str) -> Block:
    lines = part.strip().split("\n")
    if all(line.startswith("- ") for line in lines):
        return Block(tuple(line[2:] for line in lines), points=True)
    return Block((" ".join(lines),))


def _score(each: NoticeSection, wanted: set[str]) -> int:
    """Count words; a beginning is enough (``cookie`` finds ``cookies``), which forgives plurals."""
    title, text = (_WORD.findall(part.casefold()) for part in (f"{each.title} {each.id}", each.text))
    return sum(
        5 * any(word.startswith(stem) or stem.startswith(word) for word in title if len(word) > 2)
        + any(word.startswith(stem) for word in text)
        for stem in wanted
    )
