"""Exports as CSV that a spreadsheet shows as text: a cell that begins like a formula is prefixed."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it; an apostrophe in front makes it text."""
    return "'" + cell if cell.startswith(_FORMULA_STARTS) else cell


def csv_lines(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the file line by line, titles first."""
    for row in (titles, *rows):
        line = io.StringIO()
        csv.writer(line).writerow([harmless(cell) for cell in row])
        yield line.getvalue()
