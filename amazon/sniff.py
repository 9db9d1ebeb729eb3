"""What a delivered file is, judged by its first bytes: encoding, cells, header."""

import codecs
import csv
import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amazon.catalogue import Header, recognise
from amazon.problems import FileRefused

_HEAD = 256 << 10
_HEADER_WITHIN = 20
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1a")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PACKED = {
    b"PK": "It is a workbook or a damaged zip archive. Save it as CSV or tab-separated text, or download it again.",
    b"\x1f\x8b": "It is compressed twice. Unpack it once.",
    b"%PDF": "It is a PDF. Download the report as CSV or text.",
}
UTF8 = "utf-8"


@dataclass(frozen=True, slots=True)
class Table:
    """How a delimited file is to be read.

    encoding: a Python codec. header_line: physical line of the header, from 1. is_quoted: a double quote at the start
    of a cell wraps it; else it is a letter. all_quoted: every cell of the header and of the first row is wrapped, so
    that a bare end of a row is a row cut short. sample: the first rows' cells.
    """

    header: Header
    cells: tuple[str, ...]
    encoding: str
    separator: str
    header_line: int
    is_quoted: bool
    all_quoted: bool
    has_bare_cr: bool
    sample: tuple[tuple[str, ...], ...]


def head_of(path: Path, *, is_gzip: bool) -> bytes:
    """Return the first bytes of the unpacked file. Raises FileRefused for what is no text."""
    with gzip.open(path) if is_gzip else path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise FileRefused("empty", "It is empty. Download it again.")
    for magic, message in _PACKED.items():
        if head.startswith(magic):
            raise FileRefused("binary", message)
    if not head.startswith(_UTF16) and _CONTROL.intersection(head):
        raise FileRefused("binary", "It is not text. Download the report as text, CSV or JSON.")
    return head


def is_json(head: bytes) -> bool:
    """Tell whether the text is JSON rather than a table."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")


def encoding_of(head: bytes, *, is_japan: bool) -> str:
    """Return the encoding of the first bytes: strict UTF-8, else `legacy_encoding`."""
    if head.startswith(_UTF16):
        return "utf-16"
    try:
        codecs.getincrementaldecoder(UTF8)().decode(head)
    except UnicodeDecodeError:
        return legacy_encoding([head], is_japan=is_japan)
    return UTF8


def legacy_encoding(blocks: Sequence[bytes] | Iterator[bytes], *, is_japan: bool) -> str:
    """Return which of Amazon's older encodings fits bytes that are not UTF-8.

    CP932 bytes are mostly valid CP1252 and the reverse, so Japan's marketplace tries CP932 first, the others CP1252.
    """
    order = ["cp932", "cp1252"] if is_japan else ["cp1252", "cp932"]
    decoders: dict[str, Callable[[bytes], str]] = {name: codecs.getincrementaldecoder(name)().decode for name in order}
    for block in blocks:
        for name in list(decoders):
            try:
                decoders[name](block)
            except UnicodeDecodeError:
                del decoders[name]
    return next((name for name in order if name in decoders), "latin-1")


def table(head: bytes, *, is_japan: bool) -> Table:
    """Return how to read the delimited file that begins with `head`.

    Raises FileRefused where no line near the top is the header of a known report, or a required column is missing.
    """
    encoding = encoding_of(head, is_japan=is_japan)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head).removeprefix("\ufeff")
    has_bare_cr = "\n" not in text and "\r" in text
    lines = (text.replace("\r", "\n") if has_bare_cr else text.replace("\r\n", "\n")).split("\n")
    nearly: Header | None = None
    for number, line in enumerate(lines[:_HEADER_WITHIN], 1):
        for separator in "\t", ",":
            cells = split(line, separator, is_quoted=True)
            header = recognise(cells)
            if header is None:
                continue
            if header.lacks:
                nearly = nearly or header
                continue
            is_wrapped = _all_wrapped(line, separator)
            is_quoted = separator == "," or header.report.quoted or is_wrapped
            rows = [row for row in lines[number:-1] or lines[number:] if row.strip()]
            sample = tuple(tuple(split(row, separator, is_quoted=is_quoted)) for row in rows[:300])
            all_quoted = is_wrapped and bool(rows) and _all_wrapped(rows[0], separator)
            return Table(header, tuple(cells), encoding, separator, number, is_quoted, all_quoted, has_bare_cr, sample)
    raise _no_header(nearly, next((line for line in lines if line.strip()), ""))


def split(line: str, separator: str, *, is_quoted: bool) -> list[str]:
    """Return the cells of one line."""
    if not is_quoted:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _all_wrapped(line: str, separator: str) -> bool:
    cell = '"(?:[^"]|"")*"'
    return re.fullmatch(f"{cell}(?:{separator}{cell})*\r?", line) is not None


def _no_header(nearly: Header | None, first: str) -> FileRefused:
    if nearly is None:
        start = first.replace("\t", ", ").strip()[:80]
        return FileRefused(
            "unknown_header", f"It begins with '{start}', which is the header of no report that Recoup reads."
        )
    missing = " and ".join(f"'{column.header}'" for column in nearly.lacks)
    return FileRefused(
        "missing_columns",
        f"It looks like {nearly.report.type} but lacks the column {missing}. Download it with all columns.",
    )
