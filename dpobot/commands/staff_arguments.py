"""The words behind a staff command -> its typed arguments, by their places."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dpobot.commands.dates import period
from dpobot.commands.parse import normal
from dpobot.commands.prose import reads_like_talk
from dpobot.commands.spec import Parameter, ParameterKind, StaffCommand
from dpobot.commands.staff_parse import StaffSaid
from dpobot.errors import StaffRefusal

# How each command looks when it is right; shown where it was not.
EXAMPLES: Mapping[str, str] = {
    "queue": "queue due",
    "show": "show DPO-2026-0042",
    "assign": "assign @colleague:example.org",
    "approve": "approve",
    "refuse": "refuse identity We could not establish who is asking.",
    "extend": "extend 2 the request covers several years of messages",
    "pause": "pause: Which of your two accounts is this about?",
    "verify": "verify called back on the number in the account",
    "reply": "reply Thank you, we are looking into it.",
    "note": "note the person called, too",
    "hold": "hold court order of 3 May",
    "assess": "assess nature high it reveals a medical condition",
    "open": "open export @ada:example.org e-mail 2026-11-20",
    "close": "close: Your address is corrected.",
    "plan": "plan redact media",
    "exceptional": "exceptional state !room:example.org",
    "lift": "lift: The correction of your data is done.",
    "trail": "trail DPO-2026-0042",
    "register": "register 2026-01-01 2026-12-31",
    "notice announce": "notice announce 2026-11-22",
    "pause-deliveries": "pause-deliveries suspected break-in",
    "help": "help refuse",
}
_MOST_OF_A_DATE = 3  # words: 9 March 2026


def bind(command: StaffCommand, said: StaffSaid, now: datetime, *, in_thread: bool) -> dict[str, Any]:
    """Return the arguments of a command.

    Raises `StaffRefusal`: ``extra_words``, ``missing_words``, ``not_one_of``, ``bad_date``, ``reads_like_talk``.
    """
    found: dict[str, Any] = {}
    rest = said.text.strip()
    for parameter in command.parameters:
        if parameter.kind is ParameterKind.CASE:
            continue  # was taken before
        if not rest:
            if not parameter.shown.startswith("["):
                raise StaffRefusal("missing_words", **_shown(command, in_thread), missing=parameter.shown)
            break
        found[parameter.name], rest = _take(command, parameter, rest, now, in_thread)
        if _is_open_text(parameter) and reads_like_talk(said, found[parameter.name]):
            raise StaffRefusal("reads_like_talk", **_shown(command, in_thread), words=said.text)
    if rest:
        raise StaffRefusal("extra_words", **_shown(command, in_thread), words=rest)
    return found


def takes_text_first(command: StaffCommand) -> bool:
    """Say whether free words follow the command's name at once: then all of them are the words."""
    return bool(command.parameters) and _is_open_text(command.parameters[0])


def required(command: StaffCommand) -> bool:
    """Say whether a command means nothing without words behind it."""
    return any(not parameter.shown.startswith("[") for parameter in command.parameters)


def is_one_word(text: str) -> bool:
    """Say whether ``text`` is a single word."""
    return len(text.split()) == 1


def _is_open_text(parameter: Parameter) -> bool:
    return parameter.kind is ParameterKind.TEXT and parameter.most_words is None


def _take(command: StaffCommand, parameter: Parameter, rest: str, now: datetime, in_thread: bool) -> tuple[Any, str]:
    """Return one argument, and what is left."""
    if _is_open_text(parameter):
        return rest, ""
    if parameter.kind is ParameterKind.DATE:
        return _date(command, rest, now, in_thread)
    if parameter.kind is ParameterKind.CHOICES:
        return _choices(command, parameter, rest, in_thread)
    word, after = split_word(rest)
    if parameter.kind is ParameterKind.TEXT:
        return word, after
    return _choice(command, parameter, word, in_thread), after


def _choice(command: StaffCommand, parameter: Parameter, word: str, in_thread: bool) -> str:
    value = parameter.words.get(normal(word))
    if value is None:
        known = sorted(set(parameter.words.values()))
        raise StaffRefusal("not_one_of", **_shown(command, in_thread), word=word, known=known)
    return value


def _choices(command: StaffCommand, parameter: Parameter, rest: str, in_thread: bool) -> tuple[frozenset[str], str]:
    """Take all the words: every one of them is a choice."""
    words = rest.replace(",", " ").split()
    return frozenset(_choice(command, parameter, word, in_thread) for word in words), ""


def _date(command: StaffCommand, rest: str, now: datetime, in_thread: bool) -> tuple[Any, str]:
    """Take as many words as make a day, month or year."""
    for count in range(_MOST_OF_A_DATE, 0, -1):
        words = rest.split(maxsplit=count)
        found = period(" ".join(words[:count]), now) if len(words) >= count else None
        if found is not None:
            return found, words[count] if len(words) > count else ""
    raise StaffRefusal("bad_date", **_shown(command, in_thread), word=rest.split()[0])


def split_word(text: str) -> tuple[str, str]:
    """Return the first word and the rest."""
    words = text.split(maxsplit=1)
    return (words[0], words[1] if len(words) > 1 else "") if words else ("", "")


def _shown(command: StaffCommand, in_thread: bool) -> Mapping[str, Any]:
    """Return how the command is written right; in a thread the words may have been meant as a note."""
    example = EXAMPLES.get(command.name, command.name)
    return {"command": command.name, "usage": command.usage, "example": example, "in_thread": in_thread}
