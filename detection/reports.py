"""The report rows that rules read, whatever they were read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl


@dataclass(frozen=True, slots=True)
class Keep:
    """Which rows and columns of a report the rules read; the reader keeps nothing else in memory.

    `where` is over the typed columns and does not depend on other rows, so it may run before equal rows of
    overlapping files are merged. None keeps every row.
    """

    columns: tuple[str, ...]
    where: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivered file, read: what it is, what it spans, and its readable rows.

    report: our short name (`ledger`); report_type: Amazon's (`GET_LEDGER_DETAIL_VIEW_DATA`).
    file: the name evidence shows; sha256: of the delivered bytes, hex.
    rows: data rows including the rejected. first_date, last_date: of the readable rows, marketplace days.
    columns: the typed columns this file really has; others are null in the frames.
    window: the days the file is known to cover, both inclusive; None for a file given by hand.
    kept: the rows that were asked for, with `line` (Int64, physical line of the delivered file, header = 1 or more).
    scan: every readable row, typed, with `line`, not yet read.
    """

    report: str
    report_type: str
    file: str
    sha256: str
    rows: int
    rejected: int
    first_date: date | None
    last_date: date | None
    columns: frozenset[str]
    kept: pl.DataFrame
    scan: pl.LazyFrame
    window: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should know about the input; the rest went on. `facts` are the code's own fields."""

    code: str
    message: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that could not be used at all, and why."""

    file: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Input:
    """All that was delivered, in the order of file names (code points)."""

    deliveries: tuple[Delivery, ...]
    refused: tuple[Refused, ...] = ()
    warnings: tuple[Warned, ...] = ()
