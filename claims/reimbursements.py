"""The lines of the reimbursements report, each once, under a key that later reports confirm.

Amazon gives lines no number, and one reimbursement id holds many. So a line is known by what Amazon never changes of
it (id, product, reason, order, case, approval, the reimbursement it names) and by its place among lines that are alike
in all that. Where a later report has other units or another amount in that place, it is the same line, changed.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from claims.evidence import storable
from claims.paid import Line, Place, Said
from detection.policy import letters, reimbursement_kinds
from money import from_micros

if TYPE_CHECKING:
    from detection.reports import Delivery, Input

_NAMES = (
    "reimbursement_id",
    "approval_date",
    "sku",
    "fnsku",
    "reason",
    "amazon_order_id",
    "case_id",
    "original_reimbursement_id",
)
_COLUMNS = (
    "line",
    *_NAMES,
    "asin",
    "currency_unit",
    "amount_per_unit",
    "amount_total",
    "quantity_reimbursed_cash",
    "quantity_reimbursed_inventory",
    "quantity_reimbursed_total",
)

_CODE = 3  # letters of a currency
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines may bear on our claims: those of our cases, and those of reimbursements that the books have (by id).

    Since the day of the first filing also those of our products and of our orders and shipments, and those that take
    back or name another reimbursement.
    """

    cases: frozenset[str]
    since: date
    booked_ids: frozenset[str] = frozenset()
    fnskus: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()


def read_lines(given: "Input", wanted: Wanted, booked: Mapping[str, Line], *, as_of: date) -> list[Line]:
    """Return the lines of all the reports up to a day of the marketplace, in no order that means anything.

    booked: the lines that the books have, by key; they keep their keys, and `reported` says where the latest report
    that has them differs.
    """
    alike: dict[tuple[str, ...], list[tuple[str, list[_Row]]]] = {}
    for delivery in _deliveries(given):
        until = delivery.kept.filter(pl.col("approval_date") <= as_of)
        rows = until.filter(_bears(wanted, until.get_column("reason").unique())).select(_COLUMNS)
        for name, its in _by_name(rows.iter_rows(named=True)).items():
            alike.setdefault(name, []).append((delivery.file, its))
    return [line for name, files in alike.items() for line in _lines(name, files, booked)]


def ids_reported(given: "Input", ids: Iterable[str], *, as_of: date) -> frozenset[str]:
    """Return which of these reimbursement ids the reports have."""
    asked = pl.Series(sorted(ids), dtype=pl.String)
    found: set[str] = set()
    for delivery in _deliveries(given) if len(asked) else ():
        rows = delivery.kept.filter(pl.col("approval_date") <= as_of, pl.col("reimbursement_id").is_in(asked.implode()))
        found.update(map(storable, rows.get_column("reimbursement_id")))
    return frozenset(found)


def _deliveries(given: "Input") -> "list[Delivery]":
    """Return the files of the report, the one that reaches furthest last: what it says is the latest."""
    files = [delivery for delivery in given.deliveries if delivery.report == "reimbursements"]
    return sorted(files, key=lambda delivery: (delivery.last_date or date.min, delivery.file))


def _bears(wanted: Wanted, reasons: pl.Series) -> pl.Expr:
    reversals = [reason for reason in reasons if _kind(reason or "") == "reversal"]
    sizes = ("amount_total", "quantity_reimbursed_cash", "quantity_reimbursed_inventory", "quantity_reimbursed_total")
    since = (
        _is_any("fnsku", wanted.fnskus)
        | _is_any("amazon_order_id", wanted.references)
        | _is_any("reason", reversals)
        | pl.col("original_reimbursement_id").is_not_null()
        | (pl.min_horizontal(sizes) < 0).fill_null(value=False)
    )
    return (
        ((pl.col("approval_date") >= wanted.since) & since)
        | _is_any("case_id", wanted.cases)
        | _is_any("reimbursement_id", wanted.booked_ids)
    )


def _is_any(column: str, of: Iterable[str]) -> pl.Expr:
    return pl.col(column).is_in(pl.Series(sorted(of), dtype=pl.String).implode()).fill_null(value=False)


def _kind(reason: str) -> str:
    return reimbursement_kinds().get(letters(reason), "unknown")


def _by_name(rows: Iterable[_Row]) -> dict[tuple[str, ...], list[_Row]]:
    found: dict[tuple[str, ...], list[_Row]] = {}
    for row in rows:
        name = tuple(letters(row[part] or "") if part == "reason" else str(row[part] or "") for part in _NAMES)
        found.setdefault(name, []).append(row)
    return found


@dataclass
class _Slot:
    """One line among those that are alike: what was said of it last, and where."""

    said: Said
    row: _Row | None = None
    places: list[Place] = field(default_factory=list)


def _lines(
    name: tuple[str, ...], files: Sequence[tuple[str, list[_Row]]], booked: Mapping[str, Line]
) -> Iterable[Line]:
    """Lay the files over each other: a row is the line of its values, else the first that has none in this file."""
    slots = _booked_slots(name, files, booked)
    for file, rows in files:
        free = dict(sorted(slots.items()))
        told = sorted(((_said(row), row["line"], row) for row in rows), key=lambda each: each[:2])
        changed = []
        for said, _, row in told:
            number = next((number for number, slot in free.items() if slot.said == said), None)
            if number is None:
                changed.append((said, row))
            else:
                _see(free.pop(number), said, file, row)
        for said, row in changed:
            number = next(iter(free), None)
            if number is None:
                number = next(n for n in range(len(slots) + 1) if n not in slots)
                slots[number] = _Slot(said)
            _see(free.pop(number, slots[number]), said, file, row)
    for number, slot in slots.items():
        if slot.row is not None:
            yield _line(_key(name, number), slot, booked)


def _booked_slots(
    name: tuple[str, ...], files: Sequence[tuple[str, list[_Row]]], booked: Mapping[str, Line]
) -> dict[int, _Slot]:
    most = max(len(rows) for _, rows in files)
    slots = {}
    for number in range(most):
        line = booked.get(_key(name, number))
        if line is not None:
            slots[number] = _Slot(line.said)
    return slots


def _see(slot: _Slot, said: Said, file: str, row: _Row) -> None:
    slot.said, slot.row = said, row
    slot.places.append((file, row["line"]))


def _line(key: str, slot: _Slot, booked: Mapping[str, Line]) -> Line:
    places = tuple(slot.places)
    if key in booked:
        known = booked[key]
        return replace(known, places=places, reported=None if slot.said == known.said else slot.said)
    row = slot.row or {}
    reason = storable(row["reason"] or "")
    return Line(
        key=key,
        reimbursement_id=storable(row["reimbursement_id"] or ""),
        approved_on=row["approval_date"],
        kind=_kind(reason),
        reason=reason,
        case_id=_text(row["case_id"]),
        order_id=_text(row["amazon_order_id"]),
        fnsku=_text(row["fnsku"]),
        msku=_text(row["sku"]),
        asin=_text(row["asin"]),
        cash_units=slot.said.cash_units,
        stock_units=slot.said.stock_units,
        amount=slot.said.amount,
        currency=slot.said.currency,
        original_id=_text(row["original_reimbursement_id"]),
        places=places,
    )


def _said(row: _Row) -> Said:
    """Return units and amount of a row; what it leaves out is what follows from the rest."""
    stock = row["quantity_reimbursed_inventory"] or 0
    cash = row["quantity_reimbursed_cash"]
    if cash is None:
        cash = (row["quantity_reimbursed_total"] or stock) - stock
    micros = row["amount_total"]
    if micros is None:
        micros = (row["amount_per_unit"] or 0) * cash
    currency = _text(row["currency_unit"])
    return Said(cash, stock, from_micros(micros), currency.upper() if currency and len(currency) == _CODE else None)


def _text(value: str | None) -> str | None:
    return storable(value).strip() or None if value else None


def _key(name: tuple[str, ...], number: int) -> str:
    return hashlib.sha256("\x1f".join((*name, str(number))).encode()).hexdigest()
