"""An invoice as a PDF file: the page of `billing.page`, drawn. The same invoice gives the same bytes."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from billing.page import Group, Page, Party, Row
from claims import words

_FONTS: Final = Path(__file__).parent / "fonts"
_PLAIN, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
# Chinese, Japanese and Korean, which DejaVu lacks: 4 MB, read only where a text needs it.
_EAST_ASIAN = "DroidSansFallbackFull"

_MARGIN = 18 * mm
_FRAME = 6  # points that the library leaves free within its margins
_WIDTH = A4[0] - 2 * _MARGIN
_GREY, _LINE, _HEAD = colors.HexColor("#555555"), colors.HexColor("#bbbbbb"), colors.HexColor("#eeeeee")
_WATERMARK = colors.HexColor("#e4e4e4")
# Approved, what, units, recovered, rate, fee; together the width between the margins.
_COLUMNS = [21 * mm, _WIDTH - 99 * mm, 16 * mm, 24 * mm, 15 * mm, 23 * mm]
_HEADS = ("Approved", "Claim · Amazon's case · product · reimbursement", "Units", "Recovered", "Rate", "Fee")
_FIRST_NUMBER = 2
_TIGHT: Final = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
]


def _style(size: float, font: str = _PLAIN, **more: Any) -> ParagraphStyle:
    # CJK wrapping would break words of other scripts; long ids without a blank are split where they must be.
    return ParagraphStyle("", fontName=font, fontSize=size, leading=size * 1.3, splitLongWords=1, **more)


_STYLES: Final = {
    "agency": _style(13, _BOLD),
    "title": _style(17, _BOLD),
    "head": _style(9, _BOLD, spaceAfter=2),
    "plain": _style(7.5),
    "plain_right": _style(7.5, alignment=TA_RIGHT),
    "bold": _style(7.5, _BOLD),
    "bold_right": _style(7.5, _BOLD, alignment=TA_RIGHT),
    "heads": _style(7, _BOLD),
    "heads_right": _style(7, _BOLD, alignment=TA_RIGHT),
    "total": _style(10.5, _BOLD),
    "total_right": _style(10.5, _BOLD, alignment=TA_RIGHT),
    "small": _style(8, spaceAfter=2.5),
    "quiet": _style(7.5, textColor=_GREY),
    "tiny": _style(7, textColor=_GREY),
}


def rendered(page: Page) -> bytes:
    """Return the PDF file of an invoice: A4, embedded fonts, heads repeated on each page, "page x of y"."""
    _register_fonts()
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN - _FRAME,
        rightMargin=_MARGIN - _FRAME,
        topMargin=_MARGIN - _FRAME,
        bottomMargin=_MARGIN + 2 * mm,
        title=page.title,
        author=page.agency.name,
        subject=f"Invoice for {page.client.name}",
        invariant=1,
        initialFontName=_PLAIN,
    )
    mark = _marker(page)
    document.build(_story(page), onFirstPage=mark, onLaterPages=mark, canvasmaker=_canvas(page))
    return out.getvalue()


def _story(page: Page) -> list[Flowable]:
    story: list[Flowable] = [
        _text(page.agency.name, _STYLES["agency"]),
        *(_text(line, _STYLES["quiet"]) for line in page.agency.lines),
        Spacer(0, 9 * mm),
        _parties(page),
        Spacer(0, 7 * mm),
        _text(page.title, _STYLES["title"]),
        Spacer(0, 4 * mm),
        _lines(page),
        Spacer(0, 5 * mm),
        KeepTogether(_sums(page)),
        Spacer(0, 7 * mm),
    ]
    if page.notes:
        story += _section("Not billed", page.notes)
    story += _section("Terms", page.terms)
    story.append(KeepTogether([_text("Questions", _STYLES["head"]), _text(page.how_to_query, _STYLES["small"])]))
    return story


def _parties(page: Page) -> Table:
    facts = Table(
        [[_text(label, _STYLES["quiet"]), _text(value, _STYLES["plain"])] for label, value in page.facts],
        colWidths=[36 * mm, 46 * mm],
        style=TableStyle(_TIGHT),
    )
    client = [_text("For", _STYLES["quiet"]), *_party(page.client)]
    return Table(
        [[client, facts]],
        colWidths=[_WIDTH - 82 * mm, 82 * mm],
        style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_TIGHT]),
    )


def _party(party: Party) -> list[Flowable]:
    return [_text(party.name, _STYLES["bold"]), *(_text(line, _STYLES["plain"]) for line in party.lines)]


def _lines(page: Page) -> Table:
    """Return the table of lines: a head for each claim type, its lines, its sums."""
    cells: list[list[Any]] = [[_cell(head, n, "heads") for n, head in enumerate(_HEADS)]]
    marks: list[tuple[Any, ...]] = [
        ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
        ("LINEBELOW", (0, 0), (-1, 0), 0.75, colors.black),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    for group in page.groups:
        marks += [("SPAN", (0, len(cells)), (-1, len(cells))), ("TOPPADDING", (0, len(cells)), (-1, len(cells)), 6)]
        # The name of a claim type never stands alone at the foot of a page, nor do its sums at the top of one.
        marks.append(("NOSPLIT", (0, len(cells)), (-1, len(cells) + 1)))
        cells.append([_text(group.name, _STYLES["bold"]), *[""] * 5])
        cells += [_row(row) for row in group.rows]
        marks.append(("NOSPLIT", (0, len(cells) - 1), (-1, len(cells))))
        marks += [
            ("LINEABOVE", (_FIRST_NUMBER, len(cells)), (-1, len(cells)), 0.5, _LINE),
            ("LINEBELOW", (0, len(cells)), (-1, len(cells)), 0.5, _LINE),
        ]
        cells.append(_subtotal(group))
    return Table(cells, colWidths=_COLUMNS, repeatRows=1, style=TableStyle(marks))


def _row(row: Row) -> list[Any]:
    what = _text(f"{row.what}: {row.about}" if row.is_credit else row.about, _STYLES["plain"])
    numbers = (row.units, row.recovered, row.rate, row.fee)
    day = _text(words.day(row.approved_on), _STYLES["plain"])
    return [day, what, *(_cell(number, n, "plain") for n, number in enumerate(numbers, _FIRST_NUMBER))]


def _subtotal(group: Group) -> list[Any]:
    label = _text(f"{group.name}, together", _STYLES["quiet"])
    return ["", label, "", _cell(group.recovered, 3, "bold"), "", _cell(group.fee, 5, "bold")]


def _sums(page: Page) -> list[Flowable]:
    label, amount = page.total
    cells = [[_text(name, _STYLES["plain"]), _text(value, _STYLES["plain_right"])] for name, value in page.sums]
    cells.append([_text(label, _STYLES["total"]), _text(f"{amount} {page.currency}", _STYLES["total_right"])])
    last = len(cells) - 1
    style = TableStyle(
        [
            ("LINEABOVE", (0, last), (-1, last), 1, colors.black),
            ("LINEBELOW", (0, last), (-1, last), 1, colors.black),
            ("TOPPADDING", (0, last), (-1, last), 5),
            ("BOTTOMPADDING", (0, last), (-1, last), 6),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    table = Table(cells, colWidths=[68 * mm, 40 * mm], hAlign="RIGHT", style=style)
    return [table, Spacer(0, 2 * mm), _text(page.to_do, _STYLES["plain_right"])] if page.to_do else [table]


def _section(title: str, sentences: Sequence[str]) -> list[Flowable]:
    first, *rest = [_text(sentence, _STYLES["small"]) for sentence in sentences]
    return [KeepTogether([_text(title, _STYLES["head"]), first]), *rest, Spacer(0, 4 * mm)]


def _cell(text: str, column: int, style: str) -> Paragraph:
    """Return a cell of the table; numbers stand at the right edge."""
    return _text(text, _STYLES[f"{style}_right" if column >= _FIRST_NUMBER else style])


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    """Return a paragraph of plain text: nothing in it is markup, and each letter has a font that knows it."""
    parts = (
        escape(part) if is_known else f'<font name="{_east_asian()}">{escape(part)}</font>'
        for is_known, part in _runs(text)
    )
    return Paragraph("".join(parts), style)


def _runs(text: str) -> Iterable[tuple[bool, str]]:
    known = _known_letters()
    for is_known, letters in groupby(text, key=lambda letter: ord(letter) in known):
        yield is_known, "".join(letters)


@cache
def _known_letters() -> frozenset[int]:
    _register_fonts()
    return frozenset(pdfmetrics.getFont(_PLAIN).face.charToGlyph)


@cache
def _register_fonts() -> None:
    for name in (_PLAIN, _BOLD):
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(_PLAIN, normal=_PLAIN, bold=_BOLD, italic=_PLAIN, boldItalic=_BOLD)


@cache
def _east_asian() -> str:
    pdfmetrics.registerFont(TTFont(_EAST_ASIAN, str(_FONTS / f"{_EAST_ASIAN}.ttf")))
    return _EAST_ASIAN


def _marker(page: Page) -> Callable[[Canvas, Any], None]:
    """Return what marks each page, beneath its text, of an invoice that is not to be paid."""
    word = "DRAFT" if page.is_draft else "VOID" if page.is_void else ""

    def mark(canvas: Canvas, _document: Any) -> None:
        if not word:
            return
        canvas.saveState()
        canvas.setFont(_BOLD, 120)
        canvas.setFillColor(_WATERMARK)
        canvas.translate(A4[0] / 2, A4[1] / 2)
        canvas.rotate(45)
        canvas.drawCentredString(0, -40, word)
        canvas.restoreState()

    return mark


def _canvas(page: Page) -> Callable[..., Canvas]:
    """Return a maker of canvases that write the foot of each page when the number of pages is known."""

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 (reportlab's name)
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            count = len(self._pages)
            for number, state in enumerate(self._pages, 1):
                self.__dict__.update(state)
                _draw_foot(self, page, number, count)
                super().showPage()
            super().save()

    return Numbered


def _draw_foot(canvas: Canvas, page: Page, number: int, count: int) -> None:
    foot = _text(f"{page.agency.name} · {page.title} · {page.client.name}", _STYLES["tiny"])
    foot.wrapOn(canvas, _WIDTH - 30 * mm, 10 * mm)
    foot.drawOn(canvas, _MARGIN, 12 * mm)
    canvas.setFont(_PLAIN, _STYLES["tiny"].fontSize)
    canvas.setFillColor(_GREY)
    canvas.drawRightString(_MARGIN + _WIDTH, 12 * mm + 2, f"Page {number} of {count}")
