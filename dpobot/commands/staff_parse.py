"""The text of a message in the staff room -> a command and its words, or talk. Pure; any input gives an answer."""

from dataclasses import dataclass

from dpobot.commands.parse import MOST_TEXT, PREFIX, Vocabulary, normal, without_fallback


@dataclass(frozen=True, slots=True)
class StaffSaid:
    """A command. ``text`` is what follows its name, as it was written.

    ``prefixed``: ``!`` or ``!dpo`` stood before it; ``marked``: a colon or a line's end follows the name. Either shows
    that it was meant as a command, whatever its words look like.
    """

    command: str
    text: str = ""
    prefixed: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """``!word`` where no command is called that."""

    word: str


def said_in(body: str) -> str:
    """Return what a message says, without the quotation that older clients put before a reply."""
    return without_fallback(body[:MOST_TEXT]).strip()


def parse_staff(text: str, vocabulary: Vocabulary) -> StaffSaid | UnknownCommand | None:
    """Find the command that ``text`` (of `said_in`) begins with; None if it is talk."""
    line, prefixed = _without_prefix(text)
    first, rest, marked = _first_word(line)
    if not _talks(first):
        second, after, marked_later = _first_word(rest)
        longer = vocabulary.phrases.get(f"{normal(first)} {normal(second)}")
        if longer is not None and not (marked or _talks(second)):
            return StaffSaid(longer, after, prefixed, marked_later)
        name = vocabulary.words.get(normal(first))
        if name is not None:
            return StaffSaid(name, rest, prefixed, marked)
    return UnknownCommand(first) if prefixed and first else None


def _first_word(text: str) -> tuple[str, str, bool]:
    """Return the first word, what follows it, and whether a colon or a line's end parts the two."""
    words = text.split(maxsplit=1)
    if not words:
        return "", "", False
    first, rest = words[0], words[1] if len(words) > 1 else ""
    between = text[len(first) :][: len(text) - len(first) - len(rest)]
    return first, rest, first.endswith(":") or "\n" in between


def _talks(word: str) -> bool:
    """Say whether a word's punctuation is a sentence's (`close?`, `close, but`): then it is no command."""
    return word[-1:] in "?,;)…" if word else False


def _without_prefix(text: str) -> tuple[str, bool]:
    if text[: len(PREFIX)].casefold() == PREFIX and text[len(PREFIX) : len(PREFIX) + 1].strip() == "":
        return text[len(PREFIX) :].strip(), True
    return (text[1:], True) if text.startswith("!") and text[1:2].isalpha() else (text, False)
