"""Evidence as people look at it: the report's own header and lines as tables. Pure: kept text in, cells out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claims import report_lines, words
from models import EvidenceLine

_LONG_CELL = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a report line, as delivered. `is_key` where it names what the discrepancy is about."""

    text: str
    is_key: bool
    is_long: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `place` is what a person copies to find it: "ledger.txt, line 1,234"."""

    place: str
    number: int
    role: str
    note: str | None
    sha256: str
    cells: tuple[Cell, ...]
    raw: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Lines of one file that share a header. `columns` is empty where the report is no table (JSON): show `raw`."""

    report: str
    file: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def sheets(evidence: Iterable[EvidenceLine], *, keys: Iterable[str | None]) -> list[Sheet]:
    """Return the lines grouped by file, in the order in which the rule named them."""
    wanted = frozenset(key for key in keys if key)
    grouped: dict[tuple[str, str, str], list[EvidenceLine]] = {}
    for line in evidence:
        grouped.setdefault((line.report_type, line.file, line.header), []).append(line)
    return [_sheet(report, file, header, lines, wanted) for (report, file, header), lines in grouped.items()]


def _sheet(report: str, file: str, header: str, lines: Sequence[EvidenceLine], keys: frozenset[str]) -> Sheet:
    columns = tuple(report_lines.cells(header, header)) if report_lines.is_table(header) else ()
    return Sheet(words.report_name(report), file, columns, tuple(_line(line, columns, keys) for line in lines))


def _line(line: EvidenceLine, columns: Sequence[str], keys: frozenset[str]) -> Line:
    texts = report_lines.cells(line.text, line.header) if columns else []
    texts += [""] * (len(columns) - len(texts))
    return Line(
        place=f"{line.file}, line {line.line:,}",
        number=line.line,
        role=words.evidence_role_name(line.role),
        note=line.note,
        sha256=line.sha256,
        cells=tuple(_cell(column, text, line, keys) for column, text in zip(columns, texts, strict=False)),
        raw=line.text,
    )


def _cell(column: str, text: str, line: EvidenceLine, keys: frozenset[str]) -> Cell:
    is_its_quantity = "quantity" in column.lower() and text.lstrip("-") == str(line.quantity)
    return Cell(text, text in keys or is_its_quantity, len(text) > _LONG_CELL)
