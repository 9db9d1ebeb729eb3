"""The report rows that rules read, whatever they were read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import polars as pl

# What Amazon calls the reports that rules need, by our short names.
REPORT_TYPES = {
    "ledger": "GET_LEDGER_DETAIL_VIEW_DATA",
    "ledger_summary": "GET_LEDGER_SUMMARY_VIEW_DATA",
    "reimbursements": "GET_FBA_REIMBURSEMENTS_DATA",
    "returns": "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
    "shipments": "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL",
    "replacements": "GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA",
    "removal_orders": "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA",
    "removal_shipments": "GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA",
    "storage_fees": "GET_FBA_STORAGE_FEE_CHARGES_DATA",
    "settlements": "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
    "inventory": "GET_FBA_MYI_UNSUPPRESSED_INVENTORY_DATA",
    "finances": "FinancialEvents",
}


@dataclass(frozen=True, slots=True)
class Keep:
    """Which rows and columns of a report the rules read; the reader keeps nothing else in memory.

    `where` is over the typed columns and does not depend on other rows, so it may run before equal rows of
    overlapping files are merged. None keeps every row.
    `skip` is over text columns as they are delivered, blanks and all: rows that `where` is sure to refuse, told
    without the cost of typing them first. It may miss some. None skips no row.
    """

    columns: tuple[str, ...]
    where: pl.Expr | None = None
    skip: pl.Expr | None = None

    @property
    def reads(self) -> frozenset[str]:
        """Every typed column that is needed: those kept, and those that `where` looks at."""
        return frozenset(self.columns) | frozenset(self.where.meta.root_names() if self.where is not None else ())


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


# What Amazon changes on a row after it was written: it does not make the row another one (section 7).
_CHANGES_LATER = ("title", "reconciled_quantity", "unreconciled_quantity")
_WHERE_FROM = ("file", "line", "report_type", "file_last")


def merged(deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """Put the kept rows of one report's files together, each real row once.

    A row that stands n times in one file and m times in another counts max(n, m) times (section 7): Amazon writes equal
    rows for equal events, and a second download repeats them. Equal rows take what Amazon changes later from the file
    whose last row is later, and their place from the file first by name.
    Adds `file`, `report_type`, `file_last` (the last date of the file that `reconciled_quantity` comes from).
    """
    frames = [
        delivery.kept.with_columns(
            file=pl.lit(delivery.file),
            report_type=pl.lit(delivery.report_type),
            file_last=pl.lit(delivery.last_date, pl.Date),
        )
        for delivery in sorted(deliveries, key=lambda delivery: delivery.file)
    ]
    rows = pl.concat(frames, how="diagonal_relaxed")
    if len(frames) == 1 or not _overlap(deliveries):
        return rows
    everywhere = frozenset.intersection(*(delivery.columns for delivery in deliveries))
    same = [c for c in rows.columns if c in everywhere and c not in _CHANGES_LATER and c not in _WHERE_FROM]
    later = [c for c in (*_CHANGES_LATER, "file_last") if c in rows.columns]
    rest = [c for c in rows.columns if c not in same and c not in later]
    return (
        rows.with_columns(copy=pl.int_range(pl.len()).over("file", *same))
        .group_by(*same, "copy", maintain_order=True)
        .agg(
            *(pl.col(c).first() for c in rest),
            *(pl.col(c).sort_by("file_last", "file", nulls_last=False).last() for c in later),
        )
        .select(rows.columns)
    )


def _overlap(deliveries: Sequence[Delivery]) -> bool:
    """Whether rows of one file can stand in another: some dates of two files fall together, or are not known."""
    spans = sorted((d.first_date or date.min, d.last_date or date.max) for d in deliveries if d.rows)
    return any(after[0] <= before[1] for before, after in pairwise(spans))
