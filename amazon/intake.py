"""The one pass over a delivered file's bytes: its hash, its lines, and whether it is whole."""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amazon import limits
from amazon.problems import FileRefused

_BLOCK = 4 << 20
_PACKED_BLOCK = 256 << 10
_GZIP = 31


@dataclass(frozen=True, slots=True)
class Bytes:
    """What the bytes of a delivered file are. lines: physical lines, of the unpacked text."""

    path: Path
    sha256: str
    is_gzip: bool
    lines: int
    size: int


def take_in(path: Path, *, is_gzip: bool) -> Bytes:
    """Read a file once from end to end. Raises FileRefused where it cannot be read, is cut short, or is a bomb."""
    try:
        return _counted(path, is_gzip=is_gzip)
    except OSError as error:
        raise FileRefused("unreadable", f"It cannot be read: {error.strerror or error}.") from error


def _counted(path: Path, *, is_gzip: bool) -> Bytes:
    digest = hashlib.sha256()
    blocks = _unpacked(path, digest) if is_gzip else _plain(path, digest)
    line_feeds = size = 0
    last = b""
    for block in blocks:
        line_feeds += block.count(b"\n")
        size += len(block)
        last = bytes(block[-1:]) or last
    lines = line_feeds + (1 if last not in (b"", b"\n") else 0)
    return Bytes(path, digest.hexdigest(), is_gzip, lines, size)


def _plain(path: Path, digest: "hashlib._Hash") -> Iterator[bytearray]:
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while read := file.readinto(buffer):
            digest.update(view[:read])
            yield buffer if read == _BLOCK else buffer[:read]


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
