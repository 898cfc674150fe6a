"""The text of a message -> a command and its words, or free text. Pure; any input gives an answer."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "!dpo"
MOST_TEXT = 65_536  # characters; an event holds no more (spec 4.2.8)
MOST_COMMAND = 4_000  # characters in which a command with its arguments is looked for
MOST_WORDS = 64

_FALLBACK = re.compile(r"> (?:\* )?<@[^>\n]*>")  # first line of a rich reply's quotation (spec 11.17.1)
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'"})  # noqa: RUF001 the look-alikes are the point
_NOT_PLAIN = re.compile(r"[^\w' -]+")
# Around a request, these change nothing about what is asked.
_POLITE = re.compile(
    r"^(?:(?:hello|hi|hey|dear bot|please|kindly|can you|could you|would you|i want to|i want you to|i would like to"
    r"|i'd like to|i need to|i want|i would like|i'd like|i need|hallo|guten tag|bitte|ich möchte|ich will"
    r"|ich hätte gern|bonjour|je voudrais|je souhaite|je veux|merci de|s'il vous plaît|veuillez) )+"
    r"|(?: (?:please|thanks|thank you|now|bitte|danke|s'il vous plaît|s'il te plaît|merci))+$"
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is understood: first words (names and aliases) and whole phrases, normalised -> name of the command."""

    words: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """A command. ``words`` are what follows, quotation marks resolved; ``text`` is the same as it was written."""

    command: str
    words: tuple[str, ...] = ()
    text: str = ""
    prefixed: bool = False  # `!dpo` stood before it, or it was a known phrase: surely meant as a command


@dataclass(frozen=True, slots=True)
class FreeText:
    """Anything else, as it was written. ``meant`` names a command that the words resemble."""

    text: str
    meant: str | None = None


def normal(text: str) -> str:
    """Return ``text`` for comparison: NFKC, case-folded, single spaces, hardly any punctuation."""
    folded = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold()
    return " ".join(_NOT_PLAIN.sub(" ", folded).split())


def parse(body: str, vocabulary: Vocabulary) -> Said | FreeText:
    """Find the command in the text of a message; never raises."""
    text = without_fallback(body[:MOST_TEXT]).strip()
    line, prefixed = _without_prefix(text[:MOST_COMMAND])
    phrase = _phrase(line, vocabulary)
    if phrase is not None:
        return Said(phrase, prefixed=True)
    first, _, rest = line.partition(" ")
    first, _, more = first.partition("\n")
    command = vocabulary.words.get(normal(first.removeprefix("!")))
    if command is None:
        return FreeText(text, _resembles(line, vocabulary))
    whole = _without_prefix(text)[0][len(first) :].strip()
    return Said(command, words_of(f"{more} {rest}" if more else rest), whole, prefixed)


def without_fallback(body: str) -> str:
    """Return ``body`` without the quotation that older clients put before a reply."""
    if not _FALLBACK.match(body):
        return body
    lines = body.split("\n")
    start = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[start:])


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of ``text``; what stands between quotation marks is one word."""
    found = (match[1] if match[1] is not None else match[2] for match in _WORD.finditer(text.translate(_QUOTES)))
    return tuple(word for word, _ in zip(found, range(MOST_WORDS), strict=False))


def _without_prefix(line: str) -> tuple[str, bool]:
    if line[: len(PREFIX)].casefold() == PREFIX and line[len(PREFIX) : len(PREFIX) + 1].strip() == "":
        return line[len(PREFIX) :].strip(), True
    return line, False


def _phrase(line: str, vocabulary: Vocabulary) -> str | None:
    """Return the command that the whole of ``line`` means, as it stands or without the courtesies around it."""
    plain = normal(line)
    bare = _POLITE.sub("", plain)
    return vocabulary.phrases.get(plain) or vocabulary.phrases.get(bare) or vocabulary.words.get(bare)


def _resembles(line: str, vocabulary: Vocabulary) -> str | None:
    """Return the command whose longest phrase stands somewhere in ``line``."""
    plain = f" {normal(line)} "
    inside = [phrase for phrase in vocabulary.phrases if " " in phrase and f" {phrase} " in plain]
    return vocabulary.phrases[max(inside, key=len)] if inside else None
