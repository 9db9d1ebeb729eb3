"""Reading the JSON answers of Amazon's APIs, as delivered: one a file, or one a line."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from amazon import finances_v0, inbound, transactions
from amazon.catalogue import catalogue
from amazon.finances import SCHEMA, read_entries
from amazon.intake import Bytes
from amazon.pages import Entry, Page, pages_of
from amazon.problems import FileRefused
from amazon.repair import MOST_REJECTED, Flaw

_REPORTS = {
    "FinancialEvents": "finances",
    "transactions": "finances",
    "ShipmentData": "inbound_shipments",
    "ItemData": "inbound_items",
}
# A page often holds a handful of entries, of which one that cannot be read says nothing about the others.
_ENOUGH_TO_JUDGE = 10


@dataclass(frozen=True, slots=True)
class Document:
    """The rows of one JSON file. `count`: its events, shipments or items, whatever rows each of them makes."""

    report: str
    report_type: str
    count: int
    first: date | None
    last: date | None
    rows: pl.DataFrame
    flaws: tuple[Flaw, ...]


def schema_of(report: str) -> dict[str, pl.DataType]:
    """Return the columns of a report's typed rows, by its short name, JSON or not."""
    known = catalogue().reports.get(report)
    if known:
        return known.schema
    return {"finances": SCHEMA, "inbound_shipments": inbound.SHIPMENTS, "inbound_items": inbound.ITEMS}[report]


def read_document(taken: Bytes, zone: ZoneInfo) -> Document:
    """Return the rows of a JSON file. Raises FileRefused."""
    pages, flaws = pages_of(taken.path, is_gzip=taken.is_gzip)
    kind = _kind(pages)
    entries = [entry for page in pages if kind in page.kinds or not page.kinds for entry in page.entries]
    count = len(entries) + len(flaws)
    rows, rejected = _read(kind, [entry for entry in entries if not entry.problem], zone)
    flaws.extend(Flaw(entry.line, entry.problem) for entry in entries if entry.problem)
    flaws.extend(Flaw(line, problem) for line, problem in rejected)
    if count >= _ENOUGH_TO_JUDGE and len(flaws) > MOST_REJECTED * count:
        first = min(flaws, key=lambda flaw: flaw.line)
        raise FileRefused(
            "too_many_rejected",
            f"{len(flaws)} of its {count} entries cannot be read; the first is line {first.line}: {first.problem}.",
        )
    days = rows["posted_on"].drop_nulls().to_list() if "posted_on" in rows.columns else []
    return Document(
        report=_REPORTS[kind],
        report_type=kind,
        count=count,
        first=min(days, default=None),
        last=max(days, default=None),
        rows=rows,
        flaws=tuple(sorted(flaws, key=lambda flaw: flaw.line)),
    )


def _kind(pages: list[Page]) -> str:
    """Return of which kind the answers in the file are."""
    kinds = {kind for page in pages for kind in page.kinds}
    if len(kinds) == 1:
        return kinds.pop()
    known = ", ".join(_REPORTS)
    if kinds:
        raise FileRefused("unknown_header", f"It mixes {' and '.join(sorted(kinds))}. Give each its own file.")
    if any(entry.problem for page in pages for entry in page.entries):
        raise FileRefused("unreadable", "It is not JSON as Amazon's APIs give it. Download it again.")
    raise FileRefused("unknown_header", f"It is JSON that holds none of {known}, which Recoup reads.")


def _read(kind: str, entries: list[Entry], zone: ZoneInfo) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    if kind == "FinancialEvents":
        return read_entries(entries, finances_v0.reader(zone), finances_v0.SOURCE)
    if kind == "transactions":
        return read_entries(entries, transactions.reader(zone, entries), transactions.SOURCE)
    return inbound.read_shipments(entries) if kind == "ShipmentData" else inbound.read_items(entries)
