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
    """Lines of one file that share a header. `columns` are those of the report, or the fields of its JSON.

    Columns in which no line has anything are named in `empty` alone. Both are empty where the text is neither a table
    nor whole JSON: show `raw`. `is_json`: the lines were taken apart, so that `raw` is what Amazon wrote.
    """

    report: str
    file: str
    columns: tuple[str, ...]
    empty: tuple[str, ...]
    is_json: bool
    lines: tuple[Line, ...]


def sheets(evidence: Iterable[EvidenceLine], *, keys: Iterable[str | None]) -> list[Sheet]:
    """Return the lines grouped by file, in the order in which the rule named them."""
    wanted = frozenset(key for key in keys if key)
    grouped: dict[tuple[str, str, str], list[EvidenceLine]] = {}
    for line in evidence:
        grouped.setdefault((line.report_type, line.file, line.header), []).append(line)
    return [_sheet(report, file, header, lines, wanted) for (report, file, header), lines in grouped.items()]


def _sheet(report: str, file: str, header: str, lines: Sequence[EvidenceLine], keys: frozenset[str]) -> Sheet:
    is_table = report_lines.is_table(header)
    names, rows = _of_table(header, lines) if is_table else _of_json(header, lines)
    filled = [at for at in range(len(names)) if any(row[at] for row in rows)]
    columns = tuple(names[at] for at in filled)
    shown = [[row[at] for at in filled] for row in rows]
    return Sheet(
        words.report_name(report),
        file,
        columns,
        empty=tuple(name for at, name in enumerate(names) if at not in filled),
        is_json=bool(columns) and not is_table,
        lines=tuple(_line(line, columns, texts, keys) for line, texts in zip(lines, shown, strict=True)),
    )


def _of_table(header: str, lines: Sequence[EvidenceLine]) -> tuple[list[str], list[list[str]]]:
    """Return the columns, and each line's cells: a short line filled up, a long one cut."""
    names = report_lines.cells(header, header)
    rows = [report_lines.cells(line.text, header)[: len(names)] for line in lines]
    return names, [[*row, *[""] * (len(names) - len(row))] for row in rows]


def _of_json(header: str, lines: Sequence[EvidenceLine]) -> tuple[list[str], list[list[str]]]:
    """Return the fields of all lines, and each line's values; no fields where a line is no whole object."""
    found = [report_lines.fields(line.text) for line in lines if not header]
    names = list(dict.fromkeys(name for each in found for name in each)) if all(found) else []
    return names, [[each.get(name, "") for name in names] for each in found] if names else [[] for _ in lines]


def _line(line: EvidenceLine, columns: Sequence[str], texts: Sequence[str], keys: frozenset[str]) -> Line:
    return Line(
        place=f"{line.file}, line {line.line:,}",
        number=line.line,
        role=words.evidence_role_name(line.role),
        note=line.note,
        sha256=line.sha256,
        cells=tuple(_cell(column, text, line, keys) for column, text in zip(columns, texts, strict=True)),
        raw=line.text,
    )


def _cell(column: str, text: str, line: EvidenceLine, keys: frozenset[str]) -> Cell:
    is_its_quantity = "quantity" in column.lower() and text.lstrip("-") == str(line.quantity)
    return Cell(text, text in keys or is_its_quantity, len(text) > _LONG_CELL)
