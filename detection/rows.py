"""The report rows as the rules read them: merged, cut at the as-of date, with Amazon's spellings made one."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Any, TypeVar, cast

import polars as pl

from detection.marketplaces import Marketplace
from detection.matching import with_area
from detection.policy import Policy, letters, reimbursement_kinds
from detection.reports import Delivery, Input, Keep, Warned, merged

T = TypeVar("T")

EVENT_TYPES = ("Receipts", "Shipments", "CustomerReturns", "VendorReturns", "WhseTransfers", "Adjustments")
STOCK_KINDS = ("lost_warehouse", "damaged_warehouse", "lost_inbound", "damaged_inbound", "removal_lost")
# Reports whose last row may set the as-of date, where none is given (section 1).
_DATED = (
    "ledger", "reimbursements", "returns", "shipments", "removal_shipments", "replacements", "finances", "settlements",
)  # fmt: skip
_SHIPMENT_LIFE = (
    "WORKING", "READY_TO_SHIP", "SHIPPED", "IN_TRANSIT", "DELIVERED", "CHECKED_IN", "RECEIVING", "CLOSED",
    "ERROR", "CANCELLED", "DELETED",
)  # fmt: skip

_LEDGER = (
    "date", "fnsku", "asin", "msku", "title", "event_type", "reference_id", "quantity", "fulfillment_center",
    "disposition", "reason", "country", "reconciled_quantity", "unreconciled_quantity", "date_and_time", "store",
)  # fmt: skip
_REIMBURSEMENTS = (
    "approval_date", "reimbursement_id", "case_id", "amazon_order_id", "reason", "sku", "fnsku", "asin",
    "product_name", "condition", "currency_unit", "amount_per_unit", "amount_total", "quantity_reimbursed_cash",
    "quantity_reimbursed_inventory", "quantity_reimbursed_total", "original_reimbursement_id",
    "original_reimbursement_type",
)  # fmt: skip
_RETURNS = (
    "return_date", "order_id", "sku", "asin", "fnsku", "product_name", "quantity", "fulfillment_center_id",
    "detailed_disposition", "reason", "status", "license_plate_number",
)  # fmt: skip
_SHIPMENTS = (
    "amazon_order_id", "shipment_id", "shipment_item_id", "amazon_order_item_id", "shipment_date", "sku",
    "quantity_shipped", "currency", "item_price",
)  # fmt: skip
_REMOVAL_ORDERS = (
    "request_date", "order_id", "order_type", "order_status", "last_updated_date", "sku", "fnsku", "disposition",
    "requested_quantity", "cancelled_quantity", "disposed_quantity", "shipped_quantity", "in_process_quantity",
)  # fmt: skip
_REMOVAL_SHIPMENTS = (
    "request_date", "order_id", "shipment_date", "sku", "fnsku", "disposition", "shipped_quantity", "carrier",
    "tracking_number", "removal_order_type",
)  # fmt: skip
_REPLACEMENTS = (
    "shipment_date", "sku", "asin", "quantity", "replacement_amazon_order_id", "original_amazon_order_id",
)  # fmt: skip
_STORAGE_FEES = (
    "month_of_charge", "asin", "fnsku", "fulfillment_center", "country", "average_quantity_on_hand",
    "average_quantity_pending_removal", "item_volume", "volume_units", "estimated_total_item_volume",
    "product_size_tier",
    "storage_rate", "base_rate", "currency", "estimated_monthly_storage_fee", "base_storage_fee",
    "dangerous_goods_storage_type",
)  # fmt: skip
_SETTLEMENTS = (
    "settlement_id", "currency", "transaction_type", "order_id", "adjustment_id", "shipment_id", "marketplace_name",
    "amount_type", "amount_description", "amount", "fulfillment_id", "posted_date", "order_item_code", "sku",
    "quantity_purchased",
)  # fmt: skip
_LEDGER_SUMMARY = (
    "date", "fnsku", "asin", "msku", "disposition", "starting", "in_transit", "receipts", "customer_shipments",
    "customer_returns", "vendor_returns", "transfers", "found", "lost", "damaged", "disposed", "other", "ending",
    "unknown_events", "location", "store",
)  # fmt: skip
_FINANCES = (
    "event_id", "event", "posted_on", "order_id", "sku", "order_item_id", "quantity", "part", "kind", "amount",
    "currency", "source",
)  # fmt: skip

# Ledger rows that no rule reads, nine in ten: sales, and transfers without a reference.
_UNREAD = pl.col("event_type").is_in(["Shipments", "CustomerReturns", "VendorReturns"]) | (
    (pl.col("event_type") == "WhseTransfers") & (pl.col("reference_id").fill_null("") == "")
)

# What the reader keeps in memory.
KEEP = {
    "ledger": Keep(_LEDGER, where=_UNREAD.not_(), skip=_UNREAD),
    "reimbursements": Keep(_REIMBURSEMENTS),
    "returns": Keep(_RETURNS),
    "shipments": Keep(_SHIPMENTS),
    "removal_orders": Keep(_REMOVAL_ORDERS),
    "removal_shipments": Keep(_REMOVAL_SHIPMENTS),
    "replacements": Keep(_REPLACEMENTS),
    "storage_fees": Keep(_STORAGE_FEES),
    "settlements": Keep(_SETTLEMENTS),
    "ledger_summary": Keep(_LEDGER_SUMMARY),
    "inventory": Keep(("sku", "fnsku", "asin", "researching", "store")),
    "finances": Keep(_FINANCES),
    "inbound_shipments": Keep(("shipment_id", "status", "destination")),
    "inbound_items": Keep(("shipment_id", "msku", "fnsku", "shipped", "received")),
    "costs": Keep(("msku", "unit_cost", "currency", "from_on", "source")),
    "products": Keep(("msku", "length", "width", "height", "length_unit", "weight", "weight_unit")),
    "received": Keep(("removal_order_id", "fnsku", "tracking_number", "received_quantity", "received_on")),
}


def latest_date(given: Input) -> date | None:
    """Return the as-of date that the input itself gives: its latest dated row (section 1), or None without any."""
    return max((d.last_date for d in given.deliveries if d.report in _DATED and d.last_date), default=None)


class Reports:
    """Every report of one account up to the as-of date, each real row once. Frames are made when first read.

    All frames have `file`, `line` and `report_type`; dates are days of the marketplace, amounts millionths of
    `currency`.
    """

    def __init__(self, given: Input, marketplace: Marketplace, as_of: date, policy: Policy) -> None:
        """Take what was read. Nothing is computed yet."""
        self.marketplace = marketplace
        self.as_of = as_of
        self.policy = policy
        self.deliveries = given.deliveries
        self.warnings: list[Warned] = []
        self._once: dict[Callable[[Reports], Any], Any] = {}

    def once(self, compute: Callable[["Reports"], T]) -> T:
        """Return what a function says of these reports, computed for the first who asks: several rules share it."""
        if compute not in self._once:
            self._once[compute] = compute(self)
        return cast("T", self._once[compute])

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """Ledger events that rules read: adjustments, receipts, and transfers under a reference.

        `reconciled`, `unreconciled`: Amazon's own counts as units, null where not given; `is_count_current` whether
        they count, since Amazon changes them later (section 1).
        """
        rows = self._rows("ledger", "date")
        elsewhere = rows.filter(pl.col("store").is_not_null())
        if elsewhere.height:
            self.warnings.append(_other_store(elsewhere))
        odd = rows.filter(pl.col("event_type").is_in(EVENT_TYPES).not_())
        self.warnings.extend(_unknown_words(odd, "event_type", "unknown_event_type", "ledger event type"))
        return rows.filter(pl.col("store").is_null(), pl.col("event_type").is_in(EVENT_TYPES)).with_columns(
            pl.col("reference_id", "fulfillment_center", "country", "msku", "fnsku", "asin").fill_null(""),
            disposition=_one_spelling("disposition"),
            reason=pl.col("reason").str.to_uppercase(),
            area=with_area(pl.col("country").fill_null("")),
            reconciled=pl.col("reconciled_quantity").abs(),
            unreconciled=pl.col("unreconciled_quantity").abs(),
            is_count_current=(pl.col("file_last") <= self.as_of).fill_null(value=False),
        )

    @cached_property
    def adjustments(self) -> pl.DataFrame:
        """Ledger rows with a reason code."""
        return self.ledger.filter(pl.col("event_type") == "Adjustments")

    @cached_property
    def receipts(self) -> pl.DataFrame:
        """Ledger rows that book in a shipment; `reference_id` is the shipment's id."""
        return self.ledger.filter(pl.col("event_type") == "Receipts")

    @cached_property
    def reimbursements(self) -> pl.DataFrame:
        """Payments in cash and in stock. `kind` as in the policy's table of reasons; `cash`, `stock` are units.

        `settles` is false for what settles no loss: fees, reversals, and payments that name another one.
        """
        rows = self._rows("reimbursements", "approval_date")
        spellings = rows.get_column("reason").unique().fill_null("").to_list()
        kinds = {spelling: reimbursement_kinds().get(letters(spelling), "unknown") for spelling in spellings}
        rows = rows.with_columns(kind=pl.col("reason").fill_null("").replace_strict(kinds, return_dtype=pl.String))
        unknown = rows.filter(pl.col("kind") == "unknown")
        self.warnings.extend(_unknown_words(unknown, "reason", "unknown_reason", "reimbursement reason"))
        stock = pl.col("quantity_reimbursed_inventory").fill_null(0)
        cash = pl.coalesce("quantity_reimbursed_cash", pl.col("quantity_reimbursed_total") - stock).fill_null(0)
        return rows.with_columns(
            pl.col("fnsku", "asin", "sku", "reimbursement_id").fill_null(""),
            cash=pl.max_horizontal(cash, pl.lit(0)),
            stock=pl.max_horizontal(stock, pl.lit(0)),
            settles=pl.col("kind").is_in(["fee", "reversal"]).not_() & pl.col("original_reimbursement_id").is_null(),
        ).sort("approval_date", "reimbursement_id", "sku", "file", "line")

    @cached_property
    def returns(self) -> pl.DataFrame:
        """Units that buyers sent back, oldest first."""
        return (
            self._rows("returns", "return_date")
            .with_columns(pl.col("sku", "asin", "order_id").fill_null(""), pl.col("quantity").fill_null(1))
            .with_columns(
                pl.col("status").fill_null("").str.to_lowercase(), disposition=_one_spelling("detailed_disposition")
            )
            .sort("return_date", "order_id", "sku", "license_plate_number", "file", "line")
        )

    @cached_property
    def shipments(self) -> pl.DataFrame:
        """Items sent to buyers, each once, in their latest state: Amazon fills in prices later."""
        key = ["amazon_order_id", "shipment_id", "shipment_item_id"]
        rows = self._rows("shipments", "shipment_date").sort("file_last", "file", "line")
        known = rows.drop_nulls(key).unique(key, keep="last", maintain_order=True)
        return pl.concat([known, rows.filter(pl.any_horizontal(pl.col(key).is_null()))])

    @cached_property
    def finances(self) -> pl.DataFrame:
        """Amounts of orders as Amazon posted them.

        Where both of Amazon's APIs tell an order's charges, or its refunds, the newer one counts: it is the same money.
        """
        rows = self._rows("finances", "posted_on")
        newer = rows.filter(pl.col("source") != "v0")
        older = rows.filter(pl.col("source") == "v0")
        return pl.concat(
            [newer, older.join(newer.select("order_id", "event").unique(), on=["order_id", "event"], how="anti")]
        )

    @cached_property
    def removal_orders(self) -> pl.DataFrame:
        """Removal orders by request date, once each, in their latest state that the as-of date knows.

        `counts_hold` says whether the counts were written by then; before it only the request itself is known.
        """
        rows = self._rows("removal_orders", "request_date").with_columns(
            counts_hold=(pl.col("last_updated_date") <= self.as_of).fill_null(value=True)
        )
        key = ["order_id", "sku", "fnsku", "disposition"]
        return rows.sort("counts_hold", "last_updated_date", "file", "line", nulls_last=False).unique(
            key, keep="last", maintain_order=True
        )

    @cached_property
    def removal_shipments(self) -> pl.DataFrame:
        """Units of removal orders as they left, oldest first; `disposition` in one spelling."""
        return (
            self._rows("removal_shipments", "shipment_date")
            .with_columns(
                pl.col("sku", "fnsku", "tracking_number").fill_null(""), disposition=_one_spelling("disposition")
            )
            .sort("shipment_date", "order_id", "fnsku", "tracking_number", "file", "line")
        )

    @cached_property
    def replacements(self) -> pl.DataFrame:
        """Free replacements as they were shipped, oldest first."""
        return (
            self._rows("replacements", "shipment_date")
            .with_columns(pl.col("sku", "asin").fill_null(""))
            .sort("shipment_date", "replacement_amazon_order_id", "sku", "file", "line")
        )

    @cached_property
    def received(self) -> pl.DataFrame:
        """What the seller says arrived of removal orders, up to the as-of date."""
        return self._rows("received", "received_on").sort("received_on", "removal_order_id", "fnsku", "file", "line")

    @cached_property
    def products(self) -> pl.DataFrame:
        """What the seller measured: lengths and weights in millionths of their own units."""
        return self._rows("products").sort("msku", "file", "line")

    @cached_property
    def inbound_shipments(self) -> pl.DataFrame:
        """Shipments to Amazon, each once, in the furthest state that any file tells."""
        rows = self._rows("inbound_shipments")
        life = {status: place for place, status in enumerate(_SHIPMENT_LIFE)}
        place = pl.col("status").str.to_uppercase().replace_strict(life, default=-1, return_dtype=pl.Int64)
        return rows.sort(place, "file", "line").unique("shipment_id", keep="last", maintain_order=True)

    @cached_property
    def inbound_items(self) -> pl.DataFrame:
        """Items of shipments to Amazon, each once: received counts only rise, so the highest is the latest."""
        rows = self._rows("inbound_items").with_columns(pl.col("msku", "fnsku").fill_null(""))
        counts = pl.col("shipped", "received").fill_null(0)
        return (
            rows.with_columns(counts)
            .sort("received", "file", "line", descending=[False, True, True])
            .unique(["shipment_id", "msku", "fnsku"], keep="last", maintain_order=True)
        )

    @cached_property
    def costs(self) -> pl.DataFrame:
        """What a unit cost the seller, from a day on."""
        rows = self._rows("costs")
        return rows.sort("msku", "from_on", "file", "line")

    def products_of(self, mskus: Iterable[str]) -> pl.DataFrame:
        """Return what the ledger says of these MSKUs: `msku`, `fnsku`, `asin`, `title`, `first_on`, `last_on`.

        One row for each different fnsku, asin and title of an MSKU, with the days it was first and last seen, up to the
        as-of date. Reads the ledger once more: ask for all at once.
        """
        wanted = pl.Series("msku", sorted(set(mskus)), dtype=pl.String)
        schema = {"msku": pl.String, "fnsku": pl.String, "asin": pl.String, "title": pl.String}
        if wanted.is_empty() or not self._of("ledger"):
            return pl.DataFrame(schema=schema | {"first_on": pl.Date, "last_on": pl.Date})
        return (
            self._all_ledger_rows(wanted)
            .group_by("msku", "fnsku", "asin", "title")
            .agg(first_on=pl.col("date").min(), last_on=pl.col("date").max())
            .collect(engine="streaming")
        )

    def product_days_of(self, mskus: Iterable[str]) -> pl.DataFrame:
        """Return every ledger row of these MSKUs: `msku`, `fnsku`, `asin`, `title`, `date`, in the order of rows."""
        wanted = pl.Series("msku", sorted(set(mskus)), dtype=pl.String)
        return (
            self._all_ledger_rows(wanted)
            .collect(engine="streaming")
            .sort("msku", "date", "file", "line")
            .drop("file", "line")
        )

    def _all_ledger_rows(self, mskus: pl.Series) -> pl.LazyFrame:
        columns = ("msku", "fnsku", "asin", "title", "date", "line")
        return pl.concat(
            [
                delivery.scan.filter(
                    pl.col("msku").is_in(mskus.implode()), pl.col("date") <= self.as_of, pl.col("store").is_null()
                ).select(*columns, file=pl.lit(delivery.file))
                for delivery in self._of("ledger")
            ]
        )

    def _of(self, report: str) -> Sequence[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.report == report]

    def _rows(self, report: str, dated_by: str | None = None) -> pl.DataFrame:
        """Return the merged rows of a report up to the as-of date; without any file, an empty frame of its columns."""
        deliveries = self._of(report)
        if not deliveries:
            return _empty(report)
        rows = merged(deliveries)
        return rows.filter(pl.col(dated_by) <= self.as_of) if dated_by else rows


_DATES = {
    "date",
    "approval_date",
    "return_date",
    "shipment_date",
    "request_date",
    "last_updated_date",
    "posted_on",
    "posted_date",
    "from_on",
    "received_on",
}
_NUMBERS = {
    "quantity", "reconciled_quantity", "unreconciled_quantity", "amount_per_unit", "amount_total",
    "quantity_reimbursed_cash", "quantity_reimbursed_inventory", "quantity_reimbursed_total", "quantity_shipped",
    "item_price", "requested_quantity", "cancelled_quantity", "disposed_quantity", "shipped_quantity",
    "in_process_quantity", "amount", "shipped", "received", "unit_cost", "received_quantity", "length", "width",
    "height", "weight", "quantity_purchased", "researching", "starting", "in_transit", "receipts", "customer_shipments",
    "customer_returns", "vendor_returns", "transfers", "found", "lost", "damaged", "disposed", "other", "ending",
    "unknown_events", "average_quantity_on_hand", "average_quantity_pending_removal", "item_volume",
    "estimated_total_item_volume", "storage_rate", "base_rate", "estimated_monthly_storage_fee", "base_storage_fee",
}  # fmt: skip


def _empty(report: str) -> pl.DataFrame:
    types = {c: pl.Date if c in _DATES else pl.Int64 if c in _NUMBERS else pl.String for c in KEEP[report].columns}
    where_from = {"line": pl.Int64, "file": pl.String, "report_type": pl.String, "file_last": pl.Date}
    return pl.DataFrame(schema={**types, **where_from})


def _one_spelling(column: str) -> pl.Expr:
    """Amazon's codes as SELLABLE, WAREHOUSE_DAMAGED …, however a download spells them."""
    return pl.col(column).fill_null("").str.to_uppercase().str.replace_all(r"[\s-]+", "_")


def _other_store(rows: pl.DataFrame) -> Warned:
    stores = ", ".join(sorted(rows.get_column("store").unique()))
    return Warned(
        "other_store",
        f"{rows.height} ledger rows of another store ({stores}) were left out.",
        {"file": rows.get_column("file").min(), "rows": rows.height},
    )


def _unknown_words(rows: pl.DataFrame, column: str, code: str, what: str) -> list[Warned]:
    counted = rows.group_by(column).agg(pl.len(), pl.col("file").min(), pl.col("line").min()).sort(column)
    return [
        Warned(
            code,
            f"Unknown {what} '{word or ''}' in {count} row{'s' if count > 1 else ''}.",
            {"file": file, "line": line, "rows": count},
        )
        for word, count, file, line in counted.iter_rows()
    ]
