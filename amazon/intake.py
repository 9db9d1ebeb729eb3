"""The one pass over a delivered file's bytes: its hash, its lines, and whether it is whole."""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from amazon import limits
from amazon.problems import FileRefused

_BLOCK = 4 << 20
_PACKED_BLOCK = 256 << 10
_GZIP = 31
_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Bytes:
    """What the bytes of a delivered file are. lines: physical lines, of the unpacked text."""

    path: Path
    sha256: str
    is_gzip: bool
    lines: int


def take_in(path: Path) -> Bytes:
    """Read a file once from end to end. Raises FileRefused where it cannot be read, is cut short, or is a bomb.

    Whether it is compressed is told by its bytes, since names lie.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.read(len(_MAGIC)) == _MAGIC
        return _packed(path) if is_gzip else _plain(path)
    except OSError as error:
        raise FileRefused("unreadable", f"It cannot be read: {error.strerror or error}.") from error


def _plain(path: Path) -> Bytes:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    # Without quotes and separators every line is a row to polars, which counts them faster than Python.
    lines = pl.scan_csv(path, has_header=False, quote_char=None, separator="\x01", schema={"line": pl.String})
    count = lines.select(pl.len()).collect(engine="streaming").item()
    return Bytes(path, sha256, is_gzip=False, lines=count)


def _packed(path: Path) -> Bytes:
    digest = hashlib.sha256()
    line_feeds = 0
    last = b"\n"
    for block in _unpacked(path, digest):
        line_feeds += block.count(b"\n")
        last = block[-1:] or last
    return Bytes(path, digest.hexdigest(), is_gzip=True, lines=line_feeds + (last != b"\n"))


def _unpacked(path: Path, digest: "hashlib._Hash") -> Iterator[bytes]:
    """Yield the unpacked bytes of all members of a gzip file."""
    packed = unpacked = 0
    member = zlib.decompressobj(_GZIP)
    with path.open("rb", buffering=0) as file:
        try:
            while rest := file.read(_PACKED_BLOCK):
                digest.update(rest)
                packed += len(rest)
                block = b"-"
                while rest or (block and not member.eof):
                    block = member.decompress(rest, _BLOCK)
                    unpacked += len(block)
                    limits.check_growth(packed, unpacked)
                    yield block
                    rest = member.unconsumed_tail
                    if member.eof and (rest := member.unused_data.lstrip(b"\0")):
                        member = zlib.decompressobj(_GZIP)
        except zlib.error as error:
            raise FileRefused("unreadable", f"Its compression is damaged ({error}). Download it again.") from error
    if not member.eof:
        raise FileRefused(
            "truncated", "It is cut short: the compressed data end before their end mark. Download it again."
        )
