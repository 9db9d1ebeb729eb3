"""The answers of Amazon's APIs as text, taken apart without losing where each object stands."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amazon.problems import FileRefused
from amazon.repair import Flaw
from amazon.transcode import blocks_of

# Objects inside which the lists stand; any other value is passed over.
_WRAPPERS = frozenset({"payload", "FinancialEvents"})
_LISTS = frozenset({"transactions", "ShipmentData", "ItemData"})
_EVENT_LIST = "EventList"
# Of an entry's hash, enough to tell all events of an account apart.
_DIGITS = 32
_BLANKS = re.compile(r"[ \t\r\n]*")
# Fractions stay text, so that no amount goes through a float.
_DECODER = json.JSONDecoder(parse_float=str)
_ENCODER = json.JSONEncoder(sort_keys=True, check_circular=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, shipment or item: the list it stood in, the physical line on which it begins, and what it says.

    digest: of list and value, in hex; equal for the same entry again, however it was laid out.
    """

    listed: str
    line: int
    value: dict[str, Any]
    digest: str


@dataclass(slots=True)
class Page:
    """One answer. kinds: which lists it has, also the empty ones."""

    kinds: set[str] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)

    def digest(self) -> bytes:
        """Return what is equal for the same page again, however it was laid out or wrapped."""
        return hashlib.sha256("".join(entry.digest for entry in self.entries).encode()).digest()


class _Malformed(ValueError):
    """The text is not JSON of a shape that an answer has, from `position` on."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def pages_of(path: Path, *, is_gzip: bool) -> tuple[list[Page], list[Flaw]]:
    """Return the answers in a file, those that come twice once, and the lines of JSON Lines that cannot be read.

    Raises FileRefused where the file as a whole is no JSON.
    """
    text = text_of(path, is_gzip=is_gzip)
    pages, flaws = _line_by_line(text) if _is_json_lines(text) else (_whole(text), [])
    seen: set[bytes] = set()
    once = []
    for page in pages:
        digest = page.digest()
        if not page.entries or digest not in seen:
            once.append(page)
        seen.add(digest)
    return once, flaws


def text_of(path: Path, *, is_gzip: bool) -> str:
    """Return the text of a JSON file."""
    return b"".join(blocks_of(path, is_gzip=is_gzip)).decode("utf-8-sig", errors="replace")


def verbatim(entry: Entry, text: str, line_start: int) -> str:
    """Return an entry as it stands in `text`, on the line that begins at `line_start`."""
    line_end = text.find("\n", line_start) + 1 or len(text)
    for brace in re.compile("{").finditer(text, line_start, line_end):
        try:
            value, end = _DECODER.raw_decode(text, brace.start())
        except ValueError:
            continue
        if _digest(entry.listed, value) == entry.digest:
            return text[brace.start() : end]
    return text[line_start:line_end]


def _digest(listed: str, value: Any) -> str:
    return hashlib.sha256(_ENCODER.encode((listed, value)).encode()).hexdigest()[:_DIGITS]


def _is_json_lines(text: str) -> bool:
    first, _, rest = text.lstrip().partition("\n")
    if not rest.strip():
        return False
    try:
        _DECODER.decode(first)
    except (ValueError, RecursionError):
        return False
    return True


def _line_by_line(text: str) -> tuple[list[Page], list[Flaw]]:
    pages: list[Page] = []
    flaws: list[Flaw] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            pages.extend(_Walk(line, first_line=number).pages())
        except (_Malformed, ValueError, RecursionError):
            flaws.append(Flaw(number, "The line is not valid JSON"))
    return pages, flaws


def _whole(text: str) -> list[Page]:
    try:
        return list(_Walk(text, first_line=1).pages())
    except (_Malformed, json.JSONDecodeError) as error:
        position = error.position if isinstance(error, _Malformed) else error.pos
        line = text.count("\n", 0, position) + 1
        problem = f"From line {line} on it is not JSON as Amazon's APIs give it. Download it again."
        raise FileRefused("unreadable", problem) from error
    except (ValueError, RecursionError) as error:
        raise FileRefused("unreadable", "It is not JSON as Amazon's APIs give it. Download it again.") from error


class _Walk:
    """One walk through a text of one or more JSON values, from front to back."""

    def __init__(self, text: str, *, first_line: int) -> None:
        self._text = text
        self._line = first_line
        self._counted = 0
        self._page = Page()
        self._collected: list[Page] = []

    def pages(self) -> Iterator[Page]:
        """Yield a page for each value, or for each element of a value that is an array."""
        position = self._skip(0)
        while position < len(self._text):
            if self._text[position] == "[":
                position = self._array(position, self._collect)
                yield from self._collected
                self._collected = []
            else:
                position = self._object(position, self._value)
                yield self._taken()
            position = self._skip(position)

    def _collect(self, position: int) -> int:
        position = self._object(position, self._value)
        self._collected.append(self._taken())
        return position

    def _taken(self) -> Page:
        page, self._page = self._page, Page()
        return page

    def _value(self, key: str, position: int) -> int:
        if key in _WRAPPERS and self._text.startswith("{", position):
            if key == "FinancialEvents":
                self._page.kinds.add(key)
            return self._object(position, self._value)
        if (key in _LISTS or key.endswith(_EVENT_LIST)) and self._text.startswith("[", position):
            self._page.kinds.add(key if key in _LISTS else "FinancialEvents")
            return self._array(position, lambda at: self._entry(key, at))
        return _DECODER.raw_decode(self._text, position)[1]

    def _entry(self, listed: str, position: int) -> int:
        value, end = _DECODER.raw_decode(self._text, position)
        if not isinstance(value, dict):
            raise _Malformed(position)
        self._page.entries.append(Entry(listed, self._line_at(position), value, _digest(listed, value)))
        return end

    def _object(self, position: int, each: Callable[[str, int], int]) -> int:
        def pair(at: int) -> int:
            key, at = _DECODER.raw_decode(self._text, at)
            return each(key, self._skip(self._expect(":", at)))

        return self._sequence(position, "{}", pair)

    def _array(self, position: int, each: Callable[[int], int]) -> int:
        return self._sequence(position, "[]", each)

    def _sequence(self, position: int, brackets: str, each: Callable[[int], int]) -> int:
        position = self._skip(self._expect(brackets[0], position))
        if self._text.startswith(brackets[1], position):
            return position + 1
        while True:
            position = self._skip(each(position))
            if self._text.startswith(brackets[1], position):
                return position + 1
            position = self._skip(self._expect(",", position))

    def _expect(self, mark: str, position: int) -> int:
        position = self._skip(position)
        if not self._text.startswith(mark, position):
            raise _Malformed(position)
        return position + 1

    def _skip(self, position: int) -> int:
        match = _BLANKS.match(self._text, position)
        return match.end() if match else position

    def _line_at(self, position: int) -> int:
        self._line += self._text.count("\n", self._counted, position)
        self._counted = position
        return self._line
