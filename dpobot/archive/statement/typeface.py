"""The typeface of what is printed, and what becomes of characters that it lacks: they are named, never dropped.

DejaVu Sans of the machine if it is there (Latin, Greek, Cyrillic and more), else Vera, which comes with the library
(Latin-1 and little more). What is written from right to left, and signs that are put together of several, need
more than a typeface: they are named as well.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import reportlab  # type: ignore[import-untyped] # ships no types
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped] # ships no types
from reportlab.pdfbase.ttfonts import TTFError, TTFont  # type: ignore[import-untyped] # ships no types

_DEJAVU = (
    Path("/usr/share/fonts/truetype/dejavu"),  # Debian
    Path("/usr/share/fonts/dejavu-sans-fonts"),  # Fedora
    Path("/usr/share/fonts/TTF"),  # Arch
    Path("/usr/share/fonts/dejavu"),  # Alpine
)
_VERA = Path(reportlab.__file__).parent / "fonts"
_ALIKE = {"\u202f": "\u00a0", "\u2011": "-"}  # narrow blank, unbreakable hyphen: what looks the same
_TOGETHER = frozenset({"Mn", "Mc", "Me", "Cf"})  # combining signs, and what can't be seen
_BACKWARDS = frozenset({"R", "AL", "AN"})  # Unicode Annex 9


@dataclass(frozen=True, slots=True)
class Typeface:
    """A typeface that the PDF library knows by the names ``plain`` and ``bold``."""

    plain: str
    bold: str
    known: frozenset[int]

    def shown(self, text: str) -> str:
        """Return ``text`` with each character that can't be drawn as its number: ``[U+4E2D]``."""
        return "".join(self._shown(character) for character in unicodedata.normalize("NFC", text))

    def lacks(self, text: str) -> bool:
        """Whether something in ``text`` has to be named."""
        return any(not self._drawn(_ALIKE.get(each, each)) for each in unicodedata.normalize("NFC", text))

    def _shown(self, character: str) -> str:
        alike = _ALIKE.get(character, character)
        return alike if self._drawn(alike) else f"[U+{ord(character):04X}]"

    def _drawn(self, character: str) -> bool:
        together = unicodedata.category(character) in _TOGETHER
        return ord(character) in self.known and not together and unicodedata.bidirectional(character) not in _BACKWARDS


@cache
def typeface() -> Typeface:
    """Return the best typeface that this machine has."""
    for folder in _DEJAVU:
        found = _load("DejaVuSans", folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf")
        if found is not None:
            return found
    return vera()


@cache
def vera() -> Typeface:
    """Return the typeface that comes with the library."""
    found = _load("Vera", _VERA / "Vera.ttf", _VERA / "VeraBd.ttf")
    if found is None:
        raise RuntimeError("the PDF library has lost its typeface")
    return found


def _load(name: str, plain: Path, bold: Path) -> Typeface | None:
    if not plain.is_file() or not bold.is_file():
        return None
    try:
        fonts = [TTFont(name, str(plain)), TTFont(f"{name}-Bold", str(bold))]
    except TTFError:
        return None
    for font in fonts:
        pdfmetrics.registerFont(font)
    known = frozenset(fonts[0].face.charToGlyph) & frozenset(fonts[1].face.charToGlyph)
    return Typeface(name, f"{name}-Bold", known)
