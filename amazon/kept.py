"""The kept copy of a delivered file: in UTF-8, line for line the delivered one, but without buyers' data."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from amazon.catalogue import catalogue
from amazon.pages import Entry, pages_of, text_of, verbatim
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


def texts(path: Path, lines: set[int], *, sha256: str, header_line: int | None, is_quoted: bool) -> dict[int, LineText]:
    """Return the text of some physical lines of a kept copy, reading it once and no further than the last of them.

    sha256: of the delivered file. header_line: None for JSON. A quoted row that runs on over several lines is shown
    whole, and so is the one event, shipment or item that begins on a line of JSON.
    """
    if header_line is None:
        return {line: LineText("", text, sha256) for line, text in _objects(path, lines).items()}
    header = ""
    found: dict[int, str] = {}
    last = max(*lines, header_line)
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
            if growing and (not is_quoted or found[growing].count('"') % 2 == 0):
                growing = None
            if number >= last and not growing:
                break
    return {number: LineText(header, _short(text), sha256) for number, text in found.items()}


def _objects(path: Path, lines: set[int]) -> dict[int, str]:
    """Return what begins on each of the lines of a JSON file; where that is more than one object, the line itself."""
    text = text_of(path, is_gzip=True)
    starts = [0, *(feed.end() for feed in re.finditer("\n", text))]
    there: dict[int, list[Entry]] = {}
    pages, _ = pages_of(path, is_gzip=True)
    for entry in (entry for page in pages for entry in page.entries if entry.line in lines):
        there.setdefault(entry.line, []).append(entry)
    found = {}
    for line, entries in there.items():
        start = starts[line - 1]
        is_alone = len(entries) == 1
        found[line] = _short(verbatim(entries[0], text, start) if is_alone else text[start:].partition("\n")[0])
    return found


def _short(text: str) -> str:
    return text[:_MOST_TEXT].rstrip("\r\n")


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
