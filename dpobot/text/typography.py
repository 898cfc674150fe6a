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
    """Rewrites the text between the tags of a page or message; what ``{% trans %}`` or ``<code>`` hold is left alone."""

    quotes: ClassVar[tuple[str, str]] = ("“", "”")
    before_marks: ClassVar[str] = ""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Pass the template's tokens on, with the marks in its text changed."""
        html = (stream.name or "").endswith(".html")
        sentence = code = False
        for token, following in pairwise([*stream, Token(0, "eof", "")]):
            if token.type == "block_begin" and following.value in ("trans", "endtrans"):
                sentence = following.value == "trans"
            if html and token.type == "data" and not sentence:
                yield Token(token.lineno, token.type, self._written(token.value, code, following.type == "block_begin"))
                code = token.value.rfind("<code>") > token.value.rfind("</code>") or (
                    code and "</code>" not in token.value
                )
            else:
                yield token

    def _written(self, text: str, code: bool, block_follows: bool) -> str:
        """Change what is no code: that is to be typed as it stands. ``code``: the text begins within some.

        A mark may be the last of its text before ``{% endif %}``, but not before a value: that may be ``a:b``.
        """
        parts = re.split(r"(<code>.*?(?:</code>|$))", ("<code>" * code) + text + (" " * block_follows), flags=re.DOTALL)
        written = "".join(part if part.startswith("<code>") else self._marked(part) for part in parts)
        return written[len("<code>") * code : len(written) - block_follows]

    def _marked(self, text: str) -> str:
        opening, closing = self.quotes
        spaced = _MARK.sub(lambda found: found[0] if found[0][0] == "&" else self.before_marks + found[0], text)
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
