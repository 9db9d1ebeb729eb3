"""The kept copy of a delivered file: in UTF-8, line for line the delivered one, but without buyers' data."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from amazon.catalogue import catalogue
from amazon.reading import Read
from amazon.rows import Rows
from amazon.sniff import UTF8, Table
from amazon.transcode import blocks_of, to_utf8

_LEVEL = 6
_MOST_TEXT = 4000
_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class LineText:
    """The text of one line as kept, its file's header, and the SHA-256 of the delivered file."""

    header: str
    text: str
    sha256: str


def write(file: Read, target: Path, folder: Path) -> str:
    """Write the kept copy, compressed; return the SHA-256 of its bytes. `folder` is for a working copy in UTF-8."""
    path, is_gzip = file.taken.path, file.taken.is_gzip
    if file.encoding != UTF8 or (file.table and file.table.has_bare_cr):
        path, _ = to_utf8(file.taken, file.encoding, folder)
        is_gzip = False
    personal = _personal(file.table) if file.table else frozenset()
    if file.table and personal:
        blocks = _cut(path, file.table, personal, is_gzip=is_gzip)
    else:
        blocks = blocks_of(path, is_gzip=is_gzip)
    digest = hashlib.sha256()
    with target.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as copy:
        for block in blocks:
            digest.update(block)
            copy.write(block)
    return digest.hexdigest()


def texts(path: Path, sha256: str, lines: set[int], header_line: int | None) -> dict[int, LineText]:
    """Return the text of some physical lines of a kept copy, reading it once and no further than the last of them.

    sha256: of the delivered file. header_line: None for JSON. A row that runs on over several lines is shown whole.
    """
    header = ""
    found: dict[int, str] = {}
    last = max(*lines, header_line or 0)
    growing: int | None = None
    with gzip.open(path, "rt", encoding=UTF8, errors="replace", newline="\n") as file:
        for number, line in enumerate(islice(file, last + _MOST_LINES), 1):
            if number == header_line:
                header = line.strip("\ufeff\r\n")
            if number in lines:
                growing = number
                found[number] = line
            elif growing:
                found[growing] += line
            if growing and (header_line is None or found[growing].count('"') % 2 == 0):
                growing = None
            if number >= last and not growing:
                break
    return {number: LineText(header, text.rstrip("\r\n")[:_MOST_TEXT], sha256) for number, text in found.items()}


def _personal(table: Table) -> frozenset[int]:
    known = catalogue()
    columns = enumerate(zip(table.cells, table.header.columns, strict=True))
    return frozenset(place for place, (cell, column) in columns if known.is_personal(cell, column))


def _cut(path: Path, table: Table, personal: frozenset[int], *, is_gzip: bool) -> Iterator[bytes]:
    """Yield the lines without the cells of some columns. A row that could not be told apart becomes an empty line."""
    separator = table.separator.encode()

    def left(cells: list[bytes]) -> bytes:
        return separator.join(cell for place, cell in enumerate(cells) if place not in personal)

    with gzip.open(path) if is_gzip else path.open("rb") as source:
        for _ in range(table.header_line - 1):
            yield source.readline()
        yield left(source.readline().rstrip(b"\r\n").split(separator)) + b"\n"
        rows = Rows(source, table)
        for row in rows:
            text = b"" if row.problem else left(rows.cells_of(row))
            yield text + b"\n" * (row.raw.count(b"\n") - text.count(b"\n"))
