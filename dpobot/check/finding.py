"""What a check is, and what it says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from dpobot.check.settings import Settings
from dpobot.clock import Clock
from dpobot.config import Config
from dpobot.homeserver.http import Http
from dpobot.matrix.http import Http as Client
from dpobot.model.ids import UserId
from dpobot.store.database import Database

Part = TypeVar("Part")

PROMISED = timedelta(days=30)  # privacy notice 2.1.3: what only the person could read is deleted by then


class Standing(StrEnum):
    """How something stands."""

    OK = "ok"
    WARNING = "warning"  # works, but somebody should look
    FAILED = "failed"  # a promise is not kept, or dpobot can't do its work
    UNSEEN = "can't be seen"  # from here; the sentence says where to look


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look brought: a sentence, and what an admin can do about it ("" if nothing is to be done)."""

    standing: Standing
    sentence: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot's account as its access token shows it; nothing is changed with it, and its keys are left alone."""

    user_id: UserId
    http: Client


@dataclass(frozen=True, slots=True)
class Place:
    """Where checks look. What can't be opened is the `Answer` that says why.

    ``settings`` are the homeserver's, ``http`` speaks as the server admin, ``bot`` as the bot.
    """

    config: Config
    settings: Settings | Answer
    http: Http
    rows: Database | Answer
    clock: Clock
    bot: Bot | Answer

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self.clock.now()

    @property
    def database(self) -> Database:
        """The database. Raises `Closed` if it can't be opened."""
        return _there(self.rows)

    @property
    def account(self) -> Bot:
        """The bot's account. Raises `Closed` if there is no token of it."""
        return _there(self.bot)


class Closed(Exception):
    """What a check needs is not there; ``answer`` says so."""

    def __init__(self, answer: "Answer") -> None:
        super().__init__(answer.sentence)
        self.answer = answer


def _there(part: Part | Answer) -> Part:
    if isinstance(part, Answer):
        raise Closed(part)
    return part


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is checked. ``asks`` is a question that "ok" answers with yes."""

    name: str
    asks: str
    look: Callable[[Place], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A check with its answer."""

    check: Check
    answer: Answer

    def to_json(self) -> Mapping[str, str]:
        """Return it for machines."""
        answer = self.answer
        return {
            "check": self.check.name,
            "asks": self.check.asks,
            "standing": answer.standing.value,
            "sentence": answer.sentence,
            "cure": answer.cure,
        }


def ok(sentence: str) -> Answer:
    """Return a good answer."""
    return Answer(Standing.OK, sentence)


def warning(sentence: str, cure: str) -> Answer:
    """Return an answer that somebody should look at."""
    return Answer(Standing.WARNING, sentence, cure)


def failed(sentence: str, cure: str) -> Answer:
    """Return a bad answer."""
    return Answer(Standing.FAILED, sentence, cure)


def unseen(sentence: str, cure: str) -> Answer:
    """Return the answer that there is none, with where to look."""
    return Answer(Standing.UNSEEN, sentence, cure)
