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

# a mark that ends something; not the end of an entity, not the colon of an address
_MARK = re.compile(r"&#?\w+;|(?<![\s\u202f])[:;!?](?=[\s<])")


class Typography(Extension):
    """Rewrites the text between the tags of a page or message; what ``{% trans %}`` holds is left alone."""

    quotes: ClassVar[tuple[str, str]] = ("“", "”")
    before_marks: ClassVar[str] = ""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Pass the template's tokens on, with the marks in its text changed."""
        html = (stream.name or "").endswith(".html")
        sentence = False
        for token, following in pairwise([*stream, Token(0, "eof", "")]):
            if token.type == "block_begin" and following.value in ("trans", "endtrans"):
                sentence = following.value == "trans"
            if html and token.type == "data" and not sentence:
                yield Token(token.lineno, token.type, self._written(token.value, following.type == "block_begin"))
            else:
                yield token

    def _written(self, text: str, block_follows: bool) -> str:
        """A mark may be the last of its text before ``{% endif %}``, but not before a value: that may be ``a:b``."""
        opening, closing = self.quotes
        text += " " * block_follows
        spaced = _MARK.sub(lambda found: found[0] if found[0][0] == "&" else self.before_marks + found[0], text)
        spaced = spaced[: len(spaced) - block_follows]
        return spaced.translate({ord("“"): opening, ord("”"): closing})


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
