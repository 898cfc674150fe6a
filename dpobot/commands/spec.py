"""What a command is: data from which help, argument errors and the README's table are made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dpobot.cases.service import Rules
from dpobot.commands.access import Access
from dpobot.commands.parse import Vocabulary
from dpobot.model.records import Incoming, Json, Reply
from dpobot.store.database import Tx
from dpobot.text.notice import Notice

Arguments = Mapping[str, Any]  # name of a parameter -> value; absent if not given


class ParameterKind(StrEnum):
    """What a parameter takes, and what `Arguments` then holds."""

    CHOICE = "choice"  # one of some words: str
    CHOICES = "choices"  # any of some words: frozenset[str]
    DATE = "date"  # a day, month or year after a keyword: dates.Period
    CASE = "case"  # a reference: Reference
    TEXT = "text"  # all the rest, as it was written: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. ``words``: what people write -> the value (choices), or the keywords before it (dates)."""

    name: str
    kind: ParameterKind
    shown: str  # in a usage line, e.g. `[since DATE]`
    words: Mapping[str, str] = field(default_factory=dict)
    most_words: int | None = None  # a longer text isn't for this command, it only begins with its name


class Commands(Mapping[str, "Command"]):
    """All commands by name; ``vocabulary`` leads to them."""

    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Context:
    """What a command may touch: one open transaction and the facts of this moment."""

    tx: Tx
    now: datetime
    language: str
    rules: Rules
    notice: Notice
    commands: "Commands"


Run = Callable[[Context, Incoming, Arguments], Awaitable[Sequence[Reply]]]
Plan = Callable[[Context, Incoming, Arguments], Awaitable[Json]]
Perform = Callable[[Context, Incoming, Json], Awaitable[Sequence[Reply]]]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that people can say.

    An ordinary command has ``run``. A ``destructive`` one has ``plan`` (what would happen; changes nothing) and
    ``perform`` (does exactly what the plan says) instead; between them stands a typed code.
    """

    name: str
    summary: str  # one sentence without a full stop, in English; also the key of its translation
    run: Run | None = None
    aliases: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()  # whole phrases in any language
    parameters: tuple[Parameter, ...] = ()
    access: Access = field(default_factory=Access)
    destructive: bool = False
    plan: Plan | None = None
    perform: Perform | None = None

    @property
    def usage(self) -> str:
        """How it is written: ``status [case]``."""
        return " ".join([self.name, *(parameter.shown for parameter in self.parameters)])

    def parameter(self, kind: ParameterKind) -> Parameter | None:
        """Return its first parameter of a kind."""
        return next((parameter for parameter in self.parameters if parameter.kind is kind), None)
