"""Colons and quotation marks that stand in a template outside of every sentence, as each language writes them.

A sentence has its marks from the catalogue. But ``<code>status</code>: {% trans %}…`` holds a colon that no catalogue
sees, and French puts a narrow unbreakable space before it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

_CODE = re.compile(r"(</?code>)")
# a mark that ends something; not the end of an entity, not the colon of an address
_MARK = re.compile(r"&#?\w+;|(?<![\s\u202f])[:;!?](?=[\s<])")


class Typography(Extension):
    """Rewrites the text between the tags of a page or message.

    What ``{% trans %}`` holds is the catalogue's, and what ``<code>`` holds is to be typed as it stands.
    """

    quotes: ClassVar[tuple[str, str]] = ("“", "”")
    before_marks: ClassVar[str] = ""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Pass the template's tokens on, with the marks in its text changed."""
        text = (stream.name or "").endswith((".html", ".txt"))
        sentence = code = False
        for token, following in pairwise([*stream, Token(0, "eof", "")]):
            if token.type == "block_begin" and following.value in ("trans", "endtrans"):
                sentence = following.value == "trans"
            if text and token.type == "data" and not sentence:
                written, code = self._written(token.value, code, following.type == "block_begin")
                yield Token(token.lineno, token.type, written)
            else:
                yield token

    def _written(self, text: str, code: bool, block_follows: bool) -> tuple[str, bool]:
        """Change what is no code; return it, and whether the text ends within code.

        A mark may be the last of its text before ``{% endif %}``, but not before a value: that may be ``a:b``.
        """
        parts = _CODE.split(text)
        for place, part in enumerate(parts):
            if _CODE.fullmatch(part):
                code = part == "<code>"
            elif not code:
                parts[place] = self._marked(part, ends=block_follows or place < len(parts) - 1)
        return "".join(parts), code

    def _marked(self, text: str, ends: bool) -> str:
        opening, closing = self.quotes
        spaced = _MARK.sub(self._spaced, text + " " if ends else text)
        spaced = spaced[:-1] if ends else spaced
        return spaced.translate({ord("“"): opening, ord("”"): closing})

    def _spaced(self, found: re.Match[str]) -> str:
        return found[0] if found[0].startswith("&") else self.before_marks + found[0]


class German(Typography):
    """„Words“."""

    quotes = ("„", "“")


class French(Typography):
    """« Words » : with narrow unbreakable spaces."""

    quotes = ("«\u202f", "\u202f»")
    before_marks = "\u202f"


_OF_LANGUAGE: dict[str, type[Typography]] = {"de": German, "fr": French}


def of(language: str) -> list[type[Extension]]:
    """Return what Jinja has to load for a language: nothing for those that write as the templates do."""
    return [_OF_LANGUAGE[language]] if language in _OF_LANGUAGE else []
