"""What a unit is worth (section 5): exact fractions of the marketplace's currency, rounded once, at the end."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from statistics import median
from typing import Any

import polars as pl

from detection.findings import Evidence
from detection.policy import Cap, Policy
from detection.rows import STOCK_KINDS, Reports
from money import MICROS, digits

UNIT_PLACES = 6
_LAST_PAYMENTS = 5
_PAYMENT_DAYS = 365
_SALE_DAYS = 90
_REFERRAL = "Commission"
_FULFILMENT = "FBAPerUnitFulfillmentFee"


@dataclass(frozen=True, slots=True)
class Worth:
    """The value of one unit in `currency`, exact; None where nothing tells it. `evidence` are the lines it rests on."""

    per_unit: Fraction | None
    basis: str
    currency: str | None
    evidence: tuple[Evidence, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def unit_value(self) -> Decimal | None:
        """The value of one unit, to six places."""
        return None if self.per_unit is None else _decimal(self.per_unit, UNIT_PLACES)

    def total(self, units: int) -> Decimal | None:
        """Return the value of so many units, rounded half up to the currency's digits."""
        if self.per_unit is None or self.currency is None:
            return None
        return _decimal(self.per_unit * units, digits(self.currency))


UNKNOWN = Worth(None, "unknown", None)


class Valuation:
    """Values losses of one account: dicts with `date`, `msku`, `fnsku`, and where the rule knows it `worth`."""

    def __init__(self, reports: Reports, policy: Policy, losses: pl.DataFrame) -> None:
        """Prepare for `losses` (columns date, msku, fnsku), so that each report is read once for all of them."""
        self._reports = reports
        self._policy = policy
        self._losses = losses
        self._currency = reports.marketplace.currency

    def of(self, loss: Mapping[str, Any], basis: str | None) -> Worth:
        """Return what a unit of this loss is worth, the policy's cap applied last. basis: the rule's own, if it has."""
        if basis is not None:
            found = self._by_rule(loss, basis)
        else:
            found = next((worth for worth in self._by_basis(loss) if worth), UNKNOWN)
        return self._capped(found)

    def _by_basis(self, loss: Mapping[str, Any]) -> Iterator[Worth | None]:
        if loss["date"] >= self._policy.manufacturing_cost_from:
            yield self._cost(loss)
            yield self._recent_payment(loss)
        else:
            yield self._sales_price(loss)
            yield self._recent_payment(loss)
            yield self._cost(loss)

    def _by_rule(self, loss: Mapping[str, Any], basis: str) -> Worth:
        if loss["currency"] != self._currency or loss["worth"] is None or not loss["worth_units"]:
            return UNKNOWN
        return Worth(Fraction(loss["worth"], loss["worth_units"] * MICROS), basis, self._currency)

    def _cost(self, loss: Mapping[str, Any]) -> Worth | None:
        """Value it at the seller's documented cost of the MSKU in force on the day."""
        days, rows = self._costs.get(loss["msku"], ((), ()))
        place = bisect_right(days, loss["date"]) - 1
        if place < 0 or rows[place]["currency"] != self._currency:
            return None
        row = rows[place]
        return Worth(
            Fraction(row["unit_cost"], MICROS),
            "manufacturing_cost",
            self._currency,
            (Evidence(row["report_type"], row["file"], row["line"], "cost"),),
            () if row["source"] else ("cost_without_source",),
        )

    def _recent_payment(self, loss: Mapping[str, Any]) -> Worth | None:
        """Take the median of what Amazon last paid for the FNSKU, since it pays what the unit cost."""
        since = max(self._policy.manufacturing_cost_from, loss["date"] - timedelta(days=_PAYMENT_DAYS))
        rows = [row for row in self._payments.get(loss["fnsku"], ()) if row["approval_date"] >= since]
        return self._median(rows[-_LAST_PAYMENTS:], "recent_reimbursement", "amount_per_unit")

    def _sales_price(self, loss: Mapping[str, Any]) -> Worth | None:
        """Take the median price of the MSKU's last sales, less the median fees per unit of the same orders."""
        since = loss["date"] - timedelta(days=_SALE_DAYS)
        sales = [row for row in self._sales.get(loss["msku"], ()) if since <= row["shipment_date"] <= loss["date"]]
        if not sales:
            return None
        fees = [self._fees.get((row["amazon_order_id"], loss["msku"]), {}) for row in sales]
        price = median([Fraction(row["item_price"], row["quantity_shipped"]) for row in sales])
        less = sum((_median_of(fee.get(kind) for fee in fees) for kind in (_REFERRAL, _FULFILMENT)), Fraction(0))
        if price - less <= 0:
            return None
        return Worth(
            (price - less) / MICROS, "sales_price_less_fees", self._currency, _lines(sales[-_LAST_PAYMENTS:], "value")
        )

    def _median(self, rows: Sequence[Mapping[str, Any]], basis: str, column: str) -> Worth | None:
        if not rows:
            return None
        middle = median([Fraction(row[column], MICROS) for row in rows])
        return Worth(middle, basis, self._currency, _lines(rows, "value"))

    def _capped(self, worth: Worth) -> Worth:
        cap = self._cap
        if worth.per_unit is None or cap is None or worth.per_unit <= cap.per_unit.amount:
            return worth
        named = Evidence("policy", cap.file, cap.line, "cap", note=f"At most {cap.per_unit} a unit")
        return Worth(
            Fraction(cap.per_unit.amount), worth.basis, worth.currency, (*worth.evidence, named), worth.caveats
        )

    @cached_property
    def _cap(self) -> Cap | None:
        """The most that is paid for a unit: all values are in the marketplace's currency."""
        return self._policy.cap(self._currency, self._reports.as_of)

    @cached_property
    def _costs(self) -> dict[str, tuple[list[date], list[dict[str, Any]]]]:
        costs = self._reports.costs.join(
            self._losses.select("msku").unique(), on="msku", how="semi", maintain_order="left"
        )
        by_msku: dict[str, tuple[list[date], list[dict[str, Any]]]] = {}
        for row in costs.iter_rows(named=True):
            days, rows = by_msku.setdefault(row["msku"], ([], []))
            days.append(row["from_on"])
            rows.append(row)
        return by_msku

    @cached_property
    def _payments(self) -> dict[str, list[dict[str, Any]]]:
        """Cash payments of stock kinds for the lost FNSKUs, by approval date then id."""
        rows = self._reports.reimbursements.filter(
            pl.col("settles"),
            pl.col("kind").is_in(STOCK_KINDS),
            pl.col("cash") > 0,
            pl.col("amount_per_unit") > 0,
            pl.col("currency_unit") == self._currency,
        ).join(self._losses.select("fnsku").unique(), on="fnsku", how="semi", maintain_order="left")
        return _grouped(rows, "fnsku")

    @cached_property
    def _sales(self) -> dict[str, list[dict[str, Any]]]:
        """Sales of the lost MSKUs that were paid for, by day."""
        before_change = self._losses.filter(pl.col("date") < self._policy.manufacturing_cost_from)
        rows = self._reports.shipments.filter(
            pl.col("item_price") > 0, pl.col("quantity_shipped") > 0, pl.col("currency") == self._currency
        ).join(before_change.select(sku="msku").unique(), on="sku", how="semi")
        return _grouped(rows.sort("shipment_date", "amazon_order_id", "file", "line"), "sku")

    @cached_property
    def _fees(self) -> dict[tuple[str, str], dict[str, Fraction]]:
        """Fees per unit of those sales, by order and SKU, in millionths; above zero is what the seller pays."""
        orders = pl.DataFrame(
            {"order_id": sorted({row["amazon_order_id"] for rows in self._sales.values() for row in rows})},
            schema={"order_id": pl.String},
        )
        rows = (
            self._reports.finances.filter(
                pl.col("event") == "shipment", pl.col("kind").is_in([_REFERRAL, _FULFILMENT]), pl.col("quantity") > 0
            )
            .join(orders, on="order_id", how="semi")
            .group_by("order_id", "sku", "kind")
            .agg(-pl.col("amount").sum(), pl.col("quantity").sum())
        )
        fees: dict[tuple[str, str], dict[str, Fraction]] = {}
        for order_id, sku, kind, amount, quantity in rows.iter_rows():
            fees.setdefault((order_id, sku), {})[kind] = Fraction(amount, quantity)
        return fees


def _grouped(rows: pl.DataFrame, column: str) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        groups.setdefault(row[column], []).append(row)
    return groups


def _median_of(values: Iterator[Fraction | None]) -> Fraction:
    known = [value for value in values if value is not None]
    return median(known) if known else Fraction(0)


def _lines(rows: Sequence[Mapping[str, Any]], role: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(row["report_type"], row["file"], row["line"], role) for row in rows)


def _decimal(value: Fraction, places: int) -> Decimal:
    """Round half up to so many decimal places, in whole numbers alone."""
    scaled = 2 * value.numerator * 10**places + value.denominator
    return Decimal(scaled // (2 * value.denominator)).scaleb(-places)
