"""The statement to print: the same words as on its page, as PDF; the same bytes for the same input."""

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor  # type: ignore[import-untyped] # ships no types
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped] # ships no types
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped] # ships no types
from reportlab.platypus import (  # type: ignore[import-untyped] # ships no types
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
)

from dpobot.archive.facts import PackageFacts
from dpobot.archive.statement.reading import Block, Kind, blocks
from dpobot.archive.statement.typeface import Typeface, typeface
from dpobot.text import language
from dpobot.text.language import translatable

_MARGIN = 56  # points
_INDENT = 120  # of a fact's words behind its name
_INK, _SOFT, _LINE = HexColor("#1d2330"), HexColor("#5b6474"), HexColor("#c9ccd2")
_LEVELS = {"heading": 0, "topic": 1}  # in the outline, by the name of the style
_LACKING = translatable(
    "Signs that this file cannot draw stand as their number in Unicode, such as [U+4E2D]. "
    "The page statement.html shows them."
)


def paper(page: str, facts: PackageFacts, face: Typeface | None = None, *, squeezed: bool = True) -> bytes:
    """Return a page as PDF, with title, language and outline; ``squeezed``: its streams are compressed."""
    face = face or typeface()
    found = blocks(page)
    text = " ".join([*(block.text for block in found), *(c for b in found for row in b.rows for c in row)])
    if face.lacks(text):
        found.append(Block(Kind.PARAGRAPH, language.translations(facts.language).gettext(_LACKING)))
    title = next((block.text for block in found if block.kind is Kind.TITLE), "")
    target = BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=face.shown(f"{title} · {facts.reference}"),
        author=face.shown(facts.operator.name),
        subject=facts.reference,
        creator="dpobot",
        lang=facts.language,
        displayDocTitle=True,
        invariant=1,
        pageCompression=int(squeezed),
    )
    document.afterFlowable = _outline(document)
    end = _Footer(face, facts)
    document.build(list(_Layout(face).flow(found)), onFirstPage=end, onLaterPages=end)
    return target.getvalue()


class _Footer:
    """Number and reference below each page."""

    def __init__(self, face: Typeface, facts: PackageFacts) -> None:
        self._face, self._reference = face, facts.reference

    def __call__(self, canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(self._face.plain, 8)
        canvas.setFillColor(_SOFT)
        canvas.drawString(_MARGIN, _MARGIN / 2, self._reference)
        canvas.drawRightString(A4[0] - _MARGIN, _MARGIN / 2, str(document.page))
        canvas.restoreState()


def _outline(document: Any) -> Callable[[Any], None]:
    """Return what puts each heading into the outline as soon as it is drawn."""
    number = count(1)

    def mark(flowable: Any) -> None:
        level = _LEVELS.get(getattr(getattr(flowable, "style", None), "name", ""))
        if level is not None:
            key = f"heading-{next(number)}"
            document.canv.bookmarkPage(key)
            document.canv.addOutlineEntry(flowable.getPlainText(), key, level, closed=True)

    return mark


class _Layout:
    """Turns blocks into what the library lays out."""

    def __init__(self, face: Typeface) -> None:
        self._face = face
        self._styles = _styles(face)

    def flow(self, found: list[Block]) -> Iterator[Any]:
        """Yield what stands on the pages, in order."""
        for block in found:
            match block.kind:
                case Kind.TABLE:
                    yield self._table(block)
                    yield Spacer(0, 6)
                case Kind.FACT:
                    yield self._fact(block)
                case Kind.POINT:
                    yield Paragraph(self._text(block.text), self._styles[block.kind], bulletText="•")
                case _:
                    yield Paragraph(self._text(block.text), self._styles[block.kind])

    def _text(self, text: str) -> str:
        return escape(self._face.shown(text))

    def _fact(self, block: Block) -> Any:
        name, *said = block.rows[0]
        return Paragraph(self._text(" ".join(said)), self._styles[Kind.FACT], bulletText=self._face.shown(name))

    def _table(self, block: Block) -> Any:
        head, body = self._styles[Kind.TABLE], self._styles[Kind.PARAGRAPH]
        rows = [
            [Paragraph(self._text(cell), body if number else head) for cell in row]
            for number, row in enumerate(block.rows)
        ]
        wide = (A4[0] - 2 * _MARGIN - 12) / (len(rows[0]) + 1)  # the first column is twice as wide
        lines = [("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
        return LongTable(rows, colWidths=[2 * wide, *[wide] * (len(rows[0]) - 1)], repeatRows=1, style=lines)


def _styles(face: Typeface) -> dict[Kind, Any]:
    body = {"fontName": face.plain, "fontSize": 9, "leading": 13, "textColor": _INK, "spaceAfter": 3}
    strong = {**body, "fontName": face.bold, "keepWithNext": 1}
    return {
        Kind.TITLE: ParagraphStyle("title", **{**strong, "fontSize": 18, "leading": 23, "spaceAfter": 8}),
        Kind.HEADING: ParagraphStyle("heading", **{**strong, "fontSize": 13, "leading": 17, "spaceBefore": 14}),
        Kind.TOPIC: ParagraphStyle("topic", **{**strong, "fontSize": 10, "spaceBefore": 8}),
        Kind.PARAGRAPH: ParagraphStyle("paragraph", **body),
        Kind.POINT: ParagraphStyle("point", **body, leftIndent=12, bulletFontName=face.plain),
        Kind.FACT: ParagraphStyle(
            "fact", **body, leftIndent=_INDENT, bulletFontName=face.plain, bulletFontSize=9, bulletColor=_SOFT
        ),
        Kind.TABLE: ParagraphStyle("head", **{**body, "fontName": face.bold}),
    }
