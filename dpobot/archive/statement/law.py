"""The legal facts of each category, read from ``facts.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dpobot.archive.statement import sentences


@dataclass(frozen=True, slots=True)
class Facts:
    """What Art. 15(1) GDPR wants told of a category, as codes of `sentences`; ``notice``: ID of the notice's section.

    ``ground`` is the letter of Art. 6(1). No ``recipients``: nobody but those who host the service.
    """

    source: tuple[str, ...]
    purposes: tuple[str, ...]
    ground: str
    retention: str
    recipients: tuple[str, ...]
    notice: str

    def __post_init__(self) -> None:
        """Raises ValueError for a code without a sentence."""
        for codes, known in (
            (self.source, sentences.SOURCES),
            (self.purposes, sentences.PURPOSES),
            ((self.ground,), sentences.GROUNDS),
            ((self.retention,), sentences.RETENTIONS),
            (self.recipients, sentences.RECIPIENTS),
        ):
            if unknown := [code for code in codes if code not in known]:
                raise ValueError(f"facts.toml: no sentence for {', '.join(unknown)}")


@cache
def facts() -> Mapping[str, Facts]:
    """Return the facts by the name of the category. Raises ValueError for what has no sentence."""
    raw = tomllib.loads((resources.files("dpobot.archive.statement") / "facts.toml").read_text("utf-8"))
    return {name: _facts(values) for name, values in raw.items()}


def _facts(values: Mapping[str, list[str] | str]) -> Facts:
    return Facts(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})  # type: ignore[arg-type] # checked by the fields' users: a wrong shape has no sentence
