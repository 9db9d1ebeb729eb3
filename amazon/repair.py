"""The slow way round a file that polars refuses: line by line, so that one bad row costs one row."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from amazon.rows import Rows
from amazon.sniff import Table

# The part of a file's rows above which the file is refused as a whole.
MOST_REJECTED = 0.2


@dataclass(frozen=True, slots=True)
class Flaw:
    """One row that cannot be used: its physical line, and why."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Mended:
    """A copy of a file in which every row is sound: where it is, and what was left out.

    broken: the places of the columns whose cells hold line breaks.
    """

    path: Path
    flaws: tuple[Flaw, ...]
    broken: frozenset[int]


def repair(path: Path, table: Table, folder: Path) -> Mended:
    """Write a copy of a quoted UTF-8 file in which every row is sound.

    A row that cannot be told apart leaves an empty line behind, so that every other row keeps its line.
    """
    target = folder / f"mended-{path.name}"
    separator = table.separator.encode()
    flaws: list[Flaw] = []
    broken: set[int] = set()
    with path.open("rb") as packed:
        is_gzip = packed.read(2) == b"\x1f\x8b"
    with gzip.open(path) if is_gzip else path.open("rb") as source, target.open("wb") as copy:
        for _ in range(table.header_line):
            copy.write(source.readline())
        for row in Rows(source, table):
            if row.problem:
                flaws.append(Flaw(row.line, row.problem))
                copy.write(b"\n" * row.raw.count(b"\n"))
            elif row.cells is None:
                copy.write(row.raw)
            else:
                copy.write(separator.join(map(_quoted, row.cells)) + b"\n")
                broken.update(place for place, cell in enumerate(row.cells) if b"\n" in cell)
    return Mended(target, tuple(flaws), frozenset(broken))


def _quoted(cell: bytes) -> bytes:
    if cell.startswith(b'"'):
        return cell
    return b'"' + cell.replace(b'"', b'""') + b'"' if cell else cell
