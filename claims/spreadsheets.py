"""CSV files that a spreadsheet shows as text: a cell that begins like a formula is prefixed, and so never run."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet takes a cell that begins so for a formula, and runs it; East Asian ones the wide signs too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where the comma stands in numbers, it parts cells at semicolons instead, also within one of ours.
_FORMULA_WITHIN = re.compile(r";(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_NUMBER = re.compile(r"-[0-9]+(?:\.[0-9]+)?")


def harmless(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it; an apostrophe in front makes it text. Numbers stay numbers."""
    cell = _FORMULA_WITHIN.sub(";'", cell)
    return "'" + cell if cell.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(cell) else cell


def csv_lines(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the file line by line, titles first."""
    for row in (titles, *rows):
        line = io.StringIO()
        csv.writer(line).writerow([harmless(cell) for cell in row])
        yield line.getvalue()
