"""Which reports there are and how their columns are called: the data of `catalogue.toml`, and recognising a header."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

Kind = Literal["text", "units", "amount", "date", "currency"]

_FILE = Path(__file__).with_name("catalogue.toml")
_SPELLINGS = (("fulfilment", "fulfillment"), ("centre", "center"))
_DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "currency": pl.String(),
    "units": pl.Int64(),
    "amount": pl.Int64(),
    "date": pl.Date(),
}
_NEARLY_LACKS = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report; amounts are kept in millionths. The words are those of `catalogue.toml`."""

    name: str
    header: str
    kind: Kind = "text"
    required: bool = False
    filled: bool = False
    late: bool = False
    personal: bool = False
    also: tuple[str, ...] = ()

    @property
    def dtype(self) -> pl.DataType:
        """The type of the typed column."""
        return _DTYPES[self.kind]

    @property
    def words(self) -> str:
        """The column's name as a message says it: `Quantity`, `approval date`."""
        return self.header.replace("-", " ").replace("_", " ")


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of delimited file: a report of Amazon's, or one of the seller's own files."""

    short: str
    type: str
    columns: tuple[Column, ...]
    date: str | None = None
    quoted: bool = False
    own: bool = False
    unique: tuple[str, ...] = ()

    @property
    def typed(self) -> tuple[Column, ...]:
        """The columns that may be kept: all but the buyer's."""
        return tuple(c for c in self.columns if not c.personal)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The typed columns of a frame of this report, after `line`."""
        return {"line": pl.Int64(), **{c.name: c.dtype for c in self.typed}}

    def spellings(self) -> dict[str, Column]:
        """Return the column that each folded header spelling means."""
        return {fold(text): column for column in self.columns for text in (column.header, *column.also)}


@dataclass(frozen=True, slots=True)
class Header:
    """A recognised header: the report, and which physical column is which. `columns` has None for the unknown."""

    report: Report
    columns: tuple[Column | None, ...]
    lacks: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every report, and the beginnings of header names that tell a buyer's column."""

    reports: dict[str, Report]
    personal_beginnings: tuple[str, ...]

    def is_personal(self, header: str, column: Column | None) -> bool:
        """Tell whether a delivered column is the buyer's, from the catalogue or, for an unknown one, from its name."""
        return column.personal if column else fold(header).startswith(self.personal_beginnings)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue, read once."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    reports = [_report(table) for table in data["report"]]
    return Catalogue({report.short: report for report in reports}, tuple(data["personal_beginnings"]))


def fold(text: str) -> str:
    """Return a header name as it is compared: lower-case letters and digits, in American spelling."""
    letters = re.sub(r"[\W_]+", "", text.casefold())
    for british, american in _SPELLINGS:
        letters = letters.replace(british, american)
    return letters


def recognise(cells: Sequence[str]) -> Header | None:
    """Return what the cells of a header line mean, in any order, or None where they fit no report.

    A report of which only one or two required columns are missing is returned with those in `lacks`.
    """
    folded = [fold(cell) for cell in cells]
    found = [header for report in catalogue().reports.values() if (header := _fit(report, folded))]
    return min(found, key=_badness, default=None)


def _badness(header: Header) -> tuple[int, int]:
    return len(header.lacks), -sum(column is not None for column in header.columns)


def _fit(report: Report, folded: Sequence[str]) -> Header | None:
    spellings = report.spellings()
    taken: set[str] = set()
    columns: list[Column | None] = []
    for text in folded:
        column = spellings.get(text)
        fresh = column is not None and column.name not in taken
        columns.append(column if fresh else None)
        if column:
            taken.add(column.name)
    required = [column for column in report.columns if column.required]
    lacks = tuple(column for column in required if column.name not in taken)
    if len(lacks) > _NEARLY_LACKS or len(lacks) * 2 >= len(required) or (len(taken) * 2 < len(folded) and lacks):
        return None
    return Header(report, tuple(columns), lacks)


def _report(table: dict[str, Any]) -> Report:
    columns = tuple(Column(**{**column, "also": tuple(column.get("also", ()))}) for column in table["columns"])
    return Report(**{**table, "columns": columns, "unique": tuple(table.get("unique", ()))})
