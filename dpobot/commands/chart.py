"""A small picture of how many cases there are of each kind. Pillow is loaded when the first one is wanted."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_WIDTH = 640  # pixels, as all that follows
_ROW = 34
_MARGIN = 16
_LABELS = 130  # for the names at the left
_FIGURES = 60  # for the sums at the right
_TEXT = 15
_PAPER, _INK = "#ffffff", "#202020"
# open, overdue, closed: told apart without colour vision, too (Okabe and Ito, 2008)
_COLOURS = {"open": "#0072b2", "overdue": "#d55e00", "closed": "#bbbbbb"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind: how many cases are open and in time, open and overdue, closed."""

    name: str
    open: int
    overdue: int
    closed: int

    @property
    def parts(self) -> Sequence[tuple[str, int]]:
        """The parts in the order in which they are drawn."""
        return (("open", self.open), ("overdue", self.overdue), ("closed", self.closed))

    @property
    def total(self) -> int:
        """All of them."""
        return self.open + self.overdue + self.closed


def png(bars: Sequence[Bar]) -> bytes:
    """Return the picture as a PNG."""
    from PIL import Image, ImageDraw, ImageFont  # costs 10 MB and 50 ms: only who asks for a picture pays for it

    image = Image.new("RGB", (_WIDTH, 2 * _MARGIN + _ROW * (len(bars) + 1)), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.font = ImageFont.load_default(_TEXT)
    longest = max((bar.total for bar in bars), default=0)
    for row, bar in enumerate(bars):
        _draw_bar(pen, _MARGIN + row * _ROW, bar, longest)
    _draw_legend(pen, _MARGIN + len(bars) * _ROW)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def lengths(bar: Bar, longest: int) -> Sequence[tuple[str, int]]:
    """Return the pixels of each part; what is there at all is seen."""
    room = _WIDTH - 2 * _MARGIN - _LABELS - _FIGURES
    return [(name, max(2, count * room // longest) if count else 0) for name, count in bar.parts]


def _draw_bar(pen: "ImageDraw", top: int, bar: Bar, longest: int) -> None:
    pen.text((_MARGIN, top + 6), bar.name, fill=_INK)
    left = _MARGIN + _LABELS
    for name, length in lengths(bar, longest):
        if length:
            pen.rectangle((left, top + 4, left + length - 1, top + _ROW - 8), fill=_COLOURS[name])
            left += length
    pen.text((left + 6, top + 6), str(bar.total), fill=_INK)


def _draw_legend(pen: "ImageDraw", top: int) -> None:
    left = _MARGIN + _LABELS
    for name, colour in _COLOURS.items():
        pen.rectangle((left, top + 9, left + 11, top + 20), fill=colour)
        pen.text((left + 18, top + 6), name, fill=_INK)
        left += 120
