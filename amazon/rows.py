"""The rows of a delimited file taken apart line by line: slow, exact, and able to say which line is wrong."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from amazon.sniff import Table

# A cell that runs on over more lines than this was never closed.
_MOST_LINES = 50
_STRAY_QUOTE = "A double quote stands where none belongs, so that its cells cannot be told apart"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its first physical line, all of its bytes, and its cells with their quotes, or what is wrong with it.

    cells is None also for a line that is a row by itself beyond doubt, which `Rows.cells_of` takes apart on demand.
    """

    line: int
    raw: bytes
    cells: list[bytes] | None = None
    problem: str | None = None


class Rows:
    """The rows of an open UTF-8 file from the line after its header on. It need not be read to the end."""

    def __init__(self, source: BinaryIO | gzip.GzipFile, table: Table) -> None:
        self._lines = _Lines(source, table.header_line)
        self._separator = table.separator.encode()
        self._width = len(table.cells)
        self._is_quoted = table.is_quoted
        mark = re.escape(self._separator)
        cell = rb'("(?:[^"]|"")*"|[^"%(mark)s\r\n][^%(mark)s\r\n]*|)' % {b"mark": mark}
        self._row = re.compile(rb"%(cell)s(?:%(mark)s%(cell)s)*\r?\n?" % {b"cell": cell, b"mark": mark})
        self._cell = re.compile(rb"(?:^|%(mark)s)%(cell)s" % {b"cell": cell, b"mark": mark})

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows from front to back."""
        for line in self._lines:
            yield Row(self._lines.line, line) if self._is_sound(line) else self._judged(line)

    def cells_of(self, row: Row) -> list[bytes]:
        """Return the cells of a row that has no problem."""
        if row.cells is not None:
            return row.cells
        text = row.raw.rstrip(b"\r\n")
        return self._cell.findall(text) if self._is_quoted and b'"' in text else text.split(self._separator)

    def _is_sound(self, line: bytes) -> bool:
        """Tell quickly whether a line is a row: no quote at all, or around each of its cells and nowhere else."""
        quotes = line.count(b'"') if self._is_quoted else 0
        if quotes == 0:
            return line.count(self._separator) < self._width
        is_wrapped = line.startswith(b'"') and line.rstrip(b"\r\n").endswith(b'"')
        inner = line.count(b'"' + self._separator + b'"')
        return is_wrapped and quotes == 2 * self._width and inner == self._width - 1

    def _judged(self, line: bytes) -> Row:
        """Return the row that begins with `line`, which may take more lines, or what is wrong with that line."""
        number, text = self._lines.line, line
        if not self._is_quoted:
            return Row(number, line, problem=self._too_long())
        for more in range(_MOST_LINES):
            if self._row.fullmatch(text):
                self._lines.take(more)
                cells = self._cell.findall(text.rstrip(b"\r\n"))
                is_too_long = len(cells) > self._width
                return Row(number, text, cells, self._too_long() if is_too_long else None)
            # A cell that is still open has an odd number of quotes before the line's end.
            ahead = self._lines.peek(more + 1) if line.count(b'"') % 2 else []
            if len(ahead) <= more:
                break
            text += ahead[more]
        return Row(number, line, problem=_STRAY_QUOTE)

    def _too_long(self) -> str:
        return f"The row has more than {self._width} cells"


class _Lines:
    """Physical lines of a file with some read ahead. line: of the last one taken."""

    def __init__(self, source: BinaryIO | gzip.GzipFile, line: int) -> None:
        self._source = source
        self._ahead: list[bytes] = []
        self.line = line

    def __iter__(self) -> Iterator[bytes]:
        while line := self._ahead.pop(0) if self._ahead else self._source.readline():
            self.line += 1
            yield line

    def peek(self, count: int) -> list[bytes]:
        """Return the next lines without taking them; fewer at the end of the file."""
        while len(self._ahead) < count and (line := self._source.readline()):
            self._ahead.append(line)
        return self._ahead[:count]

    def take(self, count: int) -> None:
        """Take lines that were looked at."""
        del self._ahead[:count]
        self.line += count
