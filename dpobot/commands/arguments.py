"""The words behind a command -> its typed arguments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dpobot.commands.dates import Period, period
from dpobot.commands.parse import Said, normal
from dpobot.commands.spec import Arguments, Command, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.ids import parse_reference

# Words that change nothing: "export all my messages, please"
_FILLERS = frozenset(
    {"a", "all", "alle", "alles", "and", "bitte", "data", "daten", "de", "des", "die", "données", "et", "everything",
     "for", "me", "meine", "mes", "mir", "moi", "my", "of", "only", "please", "that", "the", "tout", "und"}
)  # fmt: skip
_LONGEST = 3  # words of one choice, such as "without a copy"


def bind(command: Command, said: Said, now: datetime) -> Arguments:
    """Return the arguments of a command.

    Raises `Refusal`: ``unknown_parameter`` for a word that the command has no use for, ``bad_date``, ``future_date``.
    """
    found: dict[str, Any] = {}
    rest, words = said.text, said.words
    if command.parameter(ParameterKind.CASE) and words and (reference := parse_reference(words[0].rstrip(":,"))):
        found["case"] = reference
        rest, words = rest.strip()[len(words[0]) :].strip(), words[1:]
    text = command.parameter(ParameterKind.TEXT)
    if text:
        if text.most_words and len(words) > text.most_words:
            raise Refusal("unknown_parameter", word=words[text.most_words], command=command.name, usage=command.usage)
        return {**found, text.name: rest} if rest else found
    return {**found, **_by_word(command, words, now)}


def understood(command: Command, word: str) -> bool:
    """Say whether a word behind a command has a meaning there, be it that it changes nothing."""
    plain = normal(word)
    return plain in _FILLERS or _parameter_of(command, plain) is not None


def _by_word(command: Command, words: Sequence[str], now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(words):
        parameter, word, length = _next(command, words[at : at + _LONGEST])
        at += length
        if parameter is None:
            if word and word not in _FILLERS:
                raise Refusal("unknown_parameter", word=words[at - 1], command=command.name, usage=command.usage)
        elif parameter.kind is ParameterKind.CHOICE:
            found[parameter.name] = parameter.words[word]
        elif parameter.kind is ParameterKind.CHOICES:
            found[parameter.name] = found.get(parameter.name, frozenset()) | {parameter.words[word]}
        else:
            end = _end_of_date(command, words, at)
            found[parameter.name] = _date(" ".join(words[at:end]).rstrip(","), now)
            at = end
    return found


def _next(command: Command, words: Sequence[str]) -> tuple[Parameter | None, str, int]:
    """Return the parameter that the next words belong to, those words, and how many they are: as many as possible."""
    for length in range(len(words), 0, -1):
        said = normal(" ".join(words[:length]))
        parameter = _parameter_of(command, said)
        if parameter is not None:
            return parameter, said, length
    return None, normal(words[0]), 1


def _parameter_of(command: Command, word: str) -> Parameter | None:
    return next((parameter for parameter in command.parameters if word in parameter.words), None)


def _end_of_date(command: Command, words: Sequence[str], start: int) -> int:
    for at in range(start, len(words)):
        word = normal(words[at])
        if word in _FILLERS or _parameter_of(command, word):
            return at
    return len(words)


def _date(text: str, now: datetime) -> Period:
    found = period(text, now)
    if found is None:
        raise Refusal("bad_date", text=text)
    if found[0] > now:
        raise Refusal("future_date", text=text)
    return found
