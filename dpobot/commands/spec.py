"""What a command is: data from which help, argument errors and the README's table are made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dpobot.cases.service import Rules
from dpobot.commands.access import Access
from dpobot.commands.parse import Vocabulary
from dpobot.model.records import Attachment, Case, Incoming, Json, Reply, StaffMessage, ToPerson
from dpobot.model.words import Kind
from dpobot.store.database import Tx
from dpobot.text.notice import Notice

Arguments = Mapping[str, Any]  # name of a parameter -> value; absent if not given
ReceiptPage = Callable[[str, str], Attachment]  # a receipt and a language -> the page that shows and checks it


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
    evidence_bytes: int = 50_000_000  # the largest file that is taken into a case
    receipt_page: "ReceiptPage | None" = None
    visible: bool = False  # whether a copy of what others wrote may be asked for
    notices: bool = False  # whether other servers can be told of an erasure


@dataclass(frozen=True, slots=True)
class StaffRules:
    """What the configuration says of the staff room's commands; ``server``: whose accounts are ours to write to."""

    second_approver: frozenset[Kind] = frozenset()
    code_valid: timedelta = timedelta(minutes=30)
    reply_delay: timedelta = timedelta(seconds=10)
    server: str = ""


@dataclass(frozen=True, slots=True)
class StaffContext:
    """What a staff command may touch. ``case``: the one that the thread or the words name, None if neither does."""

    tx: Tx
    now: datetime
    language: str
    rules: Rules
    staff_rules: StaffRules
    notice: Notice
    commands: "StaffCommands"
    case: Case | None = None
    evidence_bytes: int = 50_000_000  # the largest file that is taken into a case


Outcome = Reply | ToPerson  # said where it was asked, or to the person of a case
StaffRun = Callable[[StaffContext, StaffMessage, Arguments], Awaitable[Sequence[Outcome]]]
StaffPlan = Callable[[StaffContext, StaffMessage, Arguments], Awaitable[Json]]
StaffPerform = Callable[[StaffContext, StaffMessage, Json], Awaitable[Sequence[Outcome]]]


@dataclass(frozen=True, slots=True)
class StaffCommand:
    """One thing that staff can say. ``needs_case``: only in a case's thread, or with its reference first.

    As with `Command`: ``run``, or ``plan`` and ``perform`` with a typed code between them.
    """

    name: str
    summary: str
    run: StaffRun | None = None
    aliases: tuple[str, ...] = ()
    parameters: "tuple[Parameter, ...]" = ()
    needs_case: bool = True
    plan: StaffPlan | None = None
    perform: StaffPerform | None = None

    @property
    def usage(self) -> str:
        """How it is written: ``extend MONTHS reason``."""
        return " ".join([self.name, *(parameter.shown for parameter in self.parameters)])


class StaffCommands(Mapping[str, StaffCommand]):
    """All staff commands by name; ``vocabulary`` leads to them."""

    vocabulary: Vocabulary


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
