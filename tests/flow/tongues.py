"""How the stories hear in which language something was said."""

import re
from collections.abc import Sequence

# English words that neither German nor French has; quotations, codes and addresses are in nobody's language
_ENGLISH = re.compile(r"\b(the|you|your|and|with|this|is|of|it|are|has)\b", re.IGNORECASE)
_QUOTED = re.compile(r"`[^`]*`|“[^”]*”|„[^“]*“|«[^»]*»|https?://\S+|^│.*$", re.MULTILINE)
FRENCH = re.compile(r"\b(le|la|les|vous|votre|vos|est|une?|des?)\b", re.IGNORECASE)
GERMAN = re.compile(r"\b(der|die|das|Sie|Ihre?|ist|ein|nicht|und|am|um|hat|noch)\b", re.IGNORECASE)


def english(said: Sequence[str]) -> list[tuple[str, str]]:
    """Return what has an English word in it, each with that word."""
    found = ((sentence, _ENGLISH.search(_QUOTED.sub("", sentence))) for sentence in said)
    return [(match[0], sentence) for sentence, match in found if match is not None]


def other_than(language: re.Pattern[str], said: Sequence[str]) -> list[str]:
    """Return whole sentences that have no word of a language."""
    return [sentence for sentence in said if len(sentence) > 60 and not language.search(sentence)]
