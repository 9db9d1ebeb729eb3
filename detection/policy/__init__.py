"""Dated policy: what Amazon's rules say, as data with sources. Nothing here is code that decides a single case."""

import tomllib
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from errors import RecoupError
from money import Money

_FOLDER = Path(__file__).parent
_EVER = date.min
_TABLES = {"name", "window", "valuation", "cap"}


class BadPolicy(RecoupError):
    """A policy file cannot be used, or there is none for a marketplace."""


@dataclass(frozen=True, slots=True)
class Span:
    """A number of days or of calendar months."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Read "60 days" or "18 months". Raises ValueError."""
        count, unit = text.split()
        if unit.rstrip("s") not in ("day", "month") or int(count) < 0:
            raise ValueError(text)
        return cls(int(count), unit.rstrip("s"))

    def after(self, day: date) -> date:
        """Return the day this long after `day`; months end on the same day of the month, or on its last."""
        if self.unit == "day":
            return day + timedelta(days=self.count)
        year, month = divmod(day.year * 12 + day.month - 1 + self.count, 12)
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class WindowVersion:
    """When a loss of a group may be claimed, for claims filed from `starts` on."""

    starts: date
    wait: Span
    last: Span
    is_confirmed: bool
    source: str


@dataclass(frozen=True, slots=True)
class Cap:
    """The most Amazon pays for one unit, from a day on. `line` is its place in the policy file."""

    starts: date
    per_unit: Money
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which a loss may be filed, around the as-of date, and the policy version that says so."""

    opens_on: date
    closes_on: date
    policy: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """The dated rules of one marketplace group."""

    name: str
    windows: Mapping[str, tuple[WindowVersion, ...]]
    manufacturing_cost_from: date
    caps: tuple[Cap, ...]

    def window(self, group: str, lost_on: date, as_of: date) -> Window:
        """Return when a loss of `lost_on` may be filed (section 4).

        The day of filing decides which version holds. Of several runs of days it is the one that contains the as-of
        date, else the next, else the last.
        """
        versions = self.windows[group]
        runs = _joined(sorted(_filing_days(versions, lost_on)))
        if not runs:  # only a policy file of the user's own can leave no day at all: then it lapsed on the day it began
            runs = [(lost_on, lost_on)]
        opens_on, closes_on = _chosen(runs, as_of)
        version = _in_force(versions, min(max(as_of, opens_on), closes_on))
        return Window(opens_on, closes_on, f"{self.name}/{_day_name(version.starts)}", version.is_confirmed)

    def cap(self, currency: str, as_of: date) -> Cap | None:
        """Return the most that is paid for a unit in `currency`, or None where no cap is known."""
        known = [cap for cap in self.caps if cap.per_unit.currency == currency and cap.starts <= as_of]
        return max(known, key=lambda cap: cap.starts, default=None)


def load(name: str, *, overlay: Path | None = None) -> Policy:
    """Return the policy called `name`, with the user's own file laid over it.

    Rows of the overlay replace those of the same group and day. Raises BadPolicy, naming the file and what is wrong.
    """
    path = _FOLDER / f"{name}.toml"
    if path.exists():
        tables = [_read(path)]
    elif overlay:
        tables = [_Table(name, {}, "")]
    else:
        raise BadPolicy(f"There is no policy table for '{name}' yet.", todo="Give one with --policy FILE.")
    if overlay:
        tables.append(_read(overlay))
    return _build(name, tables)


@cache
def reimbursement_kinds() -> dict[str, str]:
    """Return the kind of each known reason of a reimbursement, by its letters alone, case-folded."""
    table: dict[str, list[str]] = tomllib.loads((_FOLDER / "reasons.toml").read_text())["kinds"]
    return {letters(spelling): kind for kind, spellings in table.items() for spelling in spellings}


def letters(text: str) -> str:
    """Return the letters of a reason, case-folded: what spellings are compared by."""
    return "".join(filter(str.isalpha, text)).casefold()


@dataclass(frozen=True, slots=True)
class _Table:
    file: str
    rows: Mapping[str, Any]
    text: str

    def line_of(self, position: int, header: str) -> int:
        """Return the line on which the entry of that position under `[[header]]` begins."""
        lines = [n for n, line in enumerate(self.text.splitlines(), 1) if line.strip() == f"[[{header}]]"]
        return lines[position] if position < len(lines) else 1


def _read(path: Path) -> _Table:
    try:
        text = path.read_text()
        return _Table(path.name, tomllib.loads(text), text)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise BadPolicy(f"The policy file {path} cannot be read: {why}.", todo="Check its name.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"The policy file {path} is not TOML: {error}.", todo="Correct it.") from error


def _build(name: str, tables: list[_Table]) -> Policy:
    windows: dict[str, dict[date, WindowVersion]] = {}
    caps: dict[tuple[str, date], Cap] = {}
    change: date | None = None
    groups = {row.get("group") for row in tables[0].rows.get("window", ())}
    for table in tables:
        if unknown := sorted(table.rows.keys() - _TABLES):
            raise BadPolicy(
                f"The policy file {table.file} has '{unknown[0]}', which means nothing here.",
                todo=f"It may have {', '.join(sorted(_TABLES))}.",
            )
        try:
            for row in table.rows.get("window", ()):
                if groups and row["group"] not in groups:
                    raise ValueError(f"there is no group '{row['group']}'")
                version = _window_version(row)
                windows.setdefault(row["group"], {})[version.starts] = version
            for position, row in enumerate(table.rows.get("cap", ())):
                cap = _cap(row, table.file, table.line_of(position, "cap"))
                caps[cap.per_unit.currency, cap.starts] = cap
            change = table.rows.get("valuation", {}).get("manufacturing_cost_from", change)
        except (KeyError, ValueError, TypeError, AttributeError, InvalidOperation) as error:
            raise BadPolicy(f"The policy file {table.file} has a wrong row: {error}.", todo="Correct it.") from error
    if not isinstance(change, date):
        raise BadPolicy(f"The policy '{name}' does not say from when costs are paid.", todo="Add [valuation].")
    return Policy(
        name,
        {group: tuple(versions[day] for day in sorted(versions)) for group, versions in windows.items()},
        change,
        tuple(caps.values()),
    )


def _window_version(row: Mapping[str, Any]) -> WindowVersion:
    return WindowVersion(
        _starts(row["from"]), Span.parse(row["wait"]), Span.parse(row["last"]), bool(row["confirmed"]), row["source"]
    )


def _cap(row: Mapping[str, Any], file: str, line: int) -> Cap:
    return Cap(_starts(row["from"]), Money(Decimal(row["per_unit"]), row["currency"]), file, line)


def _starts(value: object) -> date:
    if value == "start":
        return _EVER
    if isinstance(value, date):
        return value
    raise ValueError(f"'{value}' is neither a date nor \"start\"")


def _day_name(day: date) -> str:
    return "start" if day == _EVER else day.isoformat()


def _filing_days(versions: tuple[WindowVersion, ...], lost_on: date) -> Iterator[tuple[date, date]]:
    ends = [version.starts - timedelta(days=1) for version in versions[1:]] + [date.max]
    for version, end in zip(versions, ends, strict=True):
        first = max(version.starts, version.wait.after(lost_on))
        last = min(end, version.last.after(lost_on))
        if first <= last:
            yield first, last


def _joined(spans: list[tuple[date, date]]) -> list[tuple[date, date]]:
    runs: list[tuple[date, date]] = []
    for first, last in spans:
        if runs and (first - runs[-1][1]).days <= 1:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    return runs


def _chosen(runs: list[tuple[date, date]], as_of: date) -> tuple[date, date]:
    """Choose the run that contains the as-of date, else the next one, else the last."""
    return next((run for run in runs if as_of <= run[1]), runs[-1])


def _in_force(versions: tuple[WindowVersion, ...], day: date) -> WindowVersion:
    return versions[max(bisect_right([version.starts for version in versions], day) - 1, 0)]
