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
_NUMBER = re.compile(r"-?[0-9.eE+-]+")
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
# Half of a pair of UTF-16, left where a text was cut, and NUL: no file and no database can hold them.
_UNWRITABLE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F]..|u0000)|.)")


class _SaidTwice(ValueError):
    """An object has two values under one name, so that nobody can tell which counts."""


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next((name for name, said in pairs if value[name] != said), None)
        if twice is not None:
            raise _SaidTwice(f"It has two values for {twice[:40]}")
    return value


# Fractions stay text, so that no amount goes through a float.
_DECODER = json.JSONDecoder(parse_float=str, parse_constant=str, object_pairs_hook=_said_once)
_ENCODER = json.JSONEncoder(sort_keys=True, check_circular=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, shipment or item: the list it stood in, the physical line on which it begins, and what it says.

    digest: of list and value, in hex; equal for the same entry again, however it was laid out.
    problem: why it is no entry that Amazon writes; its value is empty then. Empty for all others.
    """

    listed: str
    line: int
    value: dict[str, Any]
    digest: str
    problem: str = ""


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
    """Return the text of a JSON file; escapes of what is no character become those of U+FFFD, which are as long."""
    text = b"".join(blocks_of(path, is_gzip=is_gzip)).decode("utf-8-sig", errors="replace")
    if _UNWRITABLE.search(text):
        return _ESCAPE.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], text)
    return text


def in_words(value: Any) -> str:
    """Return a value as a person is shown it, however large it is."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"'{str(value)[:40]}'"


def verbatim(entry: Entry, text: str, line_start: int) -> str:
    """Return an entry as it stands in `text`, on the line that begins at `line_start`."""
    line_end = text.find("\n", line_start) + 1 or len(text)
    for brace in re.compile("{").finditer(text, line_start, line_end):
        try:
            value, end = _DECODER.raw_decode(text, brace.start())
            is_this = _digest(entry.listed, value) == entry.digest
        except (ValueError, RecursionError):
            continue
        if is_this:
            return text[brace.start() : end]
    return text[line_start:line_end]


def _digest(listed: str, value: Any) -> str:
    return hashlib.sha256(_ENCODER.encode((listed, value)).encode()).hexdigest()[:_DIGITS]


def _is_json_lines(text: str) -> bool:
    first, _, rest = text.lstrip().partition("\n")
    if not rest.strip():
        return False
    try:
        return not first[_end_of(first, 0) :].strip()
    except ValueError:
        return False


def _end_of(text: str, position: int) -> int:
    """Return where the JSON value at `position` ends. Raises ValueError where it is none."""
    try:
        return _DECODER.raw_decode(text, position)[1]
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):
        return _skipped(text, position)


def _skipped(text: str, position: int) -> int:
    """Return where a value ends that Python cannot hold: nested too deeply, or a number of too many digits."""
    if number := _NUMBER.match(text, position):
        return number.end()
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, position):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    raise _Malformed(position)


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
                position = self._one(position)
                yield self._taken()
            position = self._skip(position)

    def _collect(self, position: int) -> int:
        position = self._one(position)
        self._collected.append(self._taken())
        return position

    def _one(self, position: int) -> int:
        if self._text.startswith("{", position):
            return self._object(position, self._value)
        return self._misplaced("", "The file", "an answer", position)

    def _taken(self) -> Page:
        page, self._page = self._page, Page()
        return page

    def _value(self, key: str, position: int) -> int:
        if key in _WRAPPERS and self._text.startswith("{", position):
            if key == "FinancialEvents":
                self._page.kinds.add(key)
            return self._object(position, self._value)
        if key in _LISTS or key.endswith(_EVENT_LIST):
            self._page.kinds.add(key if key in _LISTS else "FinancialEvents")
            if self._text.startswith("[", position):
                return self._array(position, lambda at: self._entry(key, at))
            if not self._text.startswith("null", position):
                return self._misplaced(key, key, "a list", position)
        return _end_of(self._text, position)

    def _entry(self, listed: str, position: int) -> int:
        if not self._text.startswith("{", position):
            return self._misplaced(listed, listed, "an object", position)
        try:
            value, end = _DECODER.raw_decode(self._text, position)
            entry = Entry(listed, self._line_at(position), value, _digest(listed, value))
        except json.JSONDecodeError:
            raise
        except _SaidTwice as problem:
            return self._unusable(listed, str(problem), position)
        except RecursionError:
            return self._unusable(listed, "It is nested too deeply", position)
        except ValueError:  # Python's own limit against numbers that take minutes to read
            return self._unusable(listed, "It holds a number of too many digits", position)
        self._page.entries.append(entry)
        return end

    def _misplaced(self, listed: str, holder: str, wanted: str, position: int) -> int:
        found = {"n": "null", "t": "true", "f": "false", "[": "a list", "{": "an object", '"': "text"}
        said = found.get(self._text[position : position + 1], "a number")
        return self._unusable(listed, f"{holder} holds {said} where {wanted} belongs", position)

    def _unusable(self, listed: str, problem: str, position: int) -> int:
        """Leave out the value at `position`, whatever it is, and say so on its line."""
        end = _end_of(self._text, position)
        digest = _digest(listed, self._text[position:end])
        self._page.entries.append(Entry(listed, self._line_at(position), {}, digest, problem))
        return end

    def _object(self, position: int, each: Callable[[str, int], int]) -> int:
        def pair(at: int) -> int:
            key, end = _DECODER.raw_decode(self._text, at)
            if not isinstance(key, str):
                raise _Malformed(at)
            at = end
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
