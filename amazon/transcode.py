"""A working copy in UTF-8 of text that polars cannot scan: older encodings, lines ended by a carriage return alone."""

import codecs
import gzip
from collections.abc import Iterator
from pathlib import Path

from amazon.intake import Bytes
from amazon.sniff import legacy_encoding

_BLOCK = 1 << 20


def encoding_of(taken: Bytes, *, is_japan: bool) -> str:
    """Return the older encoding that fits all bytes of a file that is not UTF-8."""
    return legacy_encoding(blocks_of(taken.path, is_gzip=taken.is_gzip), is_japan=is_japan)


def to_utf8(taken: Bytes, encoding: str, folder: Path) -> tuple[Path, int]:
    """Write the text in UTF-8 into `folder`; return where, and how many physical lines it has."""
    target = folder / f"utf8-{taken.sha256}"
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    feeds = 0
    last = ""
    with target.open("wb") as file:
        for text in _pieces(decoder, blocks_of(taken.path, is_gzip=taken.is_gzip)):
            feeds += text.count("\n")
            last = text[-1:] or last
            file.write(text.encode())
    if feeds == 0:
        return _with_line_feeds(target)
    return target, feeds + (last not in ("", "\n"))


def blocks_of(path: Path, *, is_gzip: bool) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file."""
    with gzip.open(path) if is_gzip else path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _pieces(decoder: codecs.IncrementalDecoder, blocks: Iterator[bytes]) -> Iterator[str]:
    for block in blocks:
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _with_line_feeds(path: Path) -> tuple[Path, int]:
    target = path.with_name(path.name + "-lines")
    feeds = 0
    last = b""
    with target.open("wb") as file:
        for block in blocks_of(path, is_gzip=False):
            feeds += block.count(b"\r")
            last = block[-1:]
            file.write(block.replace(b"\r", b"\n"))
    return target, feeds + (last not in (b"", b"\r"))
