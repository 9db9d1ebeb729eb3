"""The slow way round a file that polars refuses: line by line, so that one bad row costs one row."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from amazon.sniff import Table

# A cell that runs on over more lines than this was never closed.
_MOST_LINES = 50
# The part of a file's rows above which the file is refused as a whole.
MOST_REJECTED = 0.2


@dataclass(frozen=True, slots=True)
class Flaw:
    """One row that cannot be used: its physical line, and why."""

    line: int
    problem: str


def repair(path: Path, table: Table, folder: Path) -> tuple[Path, list[Flaw]]:
    """Write a copy of a quoted UTF-8 file in which every row is sound; return where, and what was left out.

    A row that cannot be told apart leaves an empty line behind, so that every other row keeps its line.
    """
    target = folder / f"mended-{path.name}"
    flaws: list[Flaw] = []
    with path.open("rb") as packed:
        is_gzip = packed.read(2) == b"\x1f\x8b"
    with gzip.open(path) if is_gzip else path.open("rb") as source, target.open("wb") as copy:
        for _ in range(table.header_line):
            copy.write(source.readline())
        _mend(_Lines(source, table.header_line), copy, table, flaws)
    return target, flaws


class _Lines:
    """Physical lines of a file with some read ahead."""

    def __init__(self, source: BinaryIO | gzip.GzipFile, read: int) -> None:
        self._source = source
        self._ahead: list[bytes] = []
        self.line = read

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


def _mend(lines: _Lines, copy: BinaryIO, table: Table, flaws: list[Flaw]) -> None:
    separator = re.escape(table.separator.encode())
    cell = rb'("(?:[^"]|"")*"|[^"%(sep)s\r\n][^%(sep)s\r\n]*|)' % {b"sep": separator}
    row = re.compile(rb"%(cell)s(?:%(sep)s%(cell)s)*\r?\n?" % {b"cell": cell, b"sep": separator})
    one_cell = re.compile(rb"(?:^|%(sep)s)%(cell)s" % {b"cell": cell, b"sep": separator})
    width = len(table.cells)
    separator_bytes = table.separator.encode()
    for line in lines:
        if _is_sound(line, separator_bytes, width):
            copy.write(line)
            continue
        found = _whole_row(line, lines, row, one_cell, width)
        if isinstance(found, str):
            flaws.append(Flaw(lines.line, found))
            copy.write(b"\n")
            continue
        text, more = found
        copy.write(table.separator.encode().join(map(_quoted, text)) + b"\n")
        lines.take(more)


def _is_sound(line: bytes, separator: bytes, width: int) -> bool:
    """Tell quickly whether a line is a row by itself: no quote at all, or around each of its cells and nowhere else."""
    quotes = line.count(b'"')
    if quotes == 0:
        return line.count(separator) < width
    is_wrapped = line.startswith(b'"') and line.rstrip(b"\r\n").endswith(b'"')
    return is_wrapped and quotes == 2 * width and line.count(b'"' + separator + b'"') == width - 1


def _whole_row(
    line: bytes, lines: _Lines, row: re.Pattern[bytes], one_cell: re.Pattern[bytes], width: int
) -> tuple[list[bytes], int] | str:
    """Return the cells of the row that begins with `line` and how many more lines it takes, or what is wrong."""
    text = line
    for more in range(_MOST_LINES):
        if row.fullmatch(text):
            found = one_cell.findall(text.rstrip(b"\r\n"))
            if len(found) > width:
                return f"The row has more than {width} cells"
            return found, more
        if more == 0 and line.count(b'"') % 2 == 0:
            break
        ahead = lines.peek(more + 1)
        if len(ahead) <= more:
            break
        text += ahead[more]
    return "A double quote stands where none belongs, so that its cells cannot be told apart"


def _quoted(cell: bytes) -> bytes:
    if cell.startswith(b'"'):
        return cell
    return b'"' + cell.replace(b'"', b'""') + b'"' if cell else cell
