"""Report files of a large seller, in Amazon's form, made from row numbers alone so that every run has the same bytes.

They have the size, the mix of events and the oddities of real ones (inch marks and line breaks in titles, equal rows,
empty cells). Only their shape is meant to be real: what is found in them means nothing.
"""

from datetime import date
from pathlib import Path

import polars as pl

from sandbox.formats import tables

LAST_DAY = date(2026, 11, 20)
_Cells = dict[str, pl.Expr | str]  # column of the report: an expression, or the name of a column of the rows
_DAYS = 365
_PRODUCTS = 4_000
_CENTERS = (
    "ABE8",
    "BNA6",
    "CLT2",
    "DFW7",
    "FTW1",
    "GYR3",
    "IND9",
    "LAS7",
    "MDW2",
    "ONT8",
    "PHX7",
    "RIC2",
    "SMF3",
    "TEB9",
)

# (reason, share in hundredths, sign): what adjustments are made of.
_REASONS = (
    ("M", 30, -1),
    ("F", 27, 1),
    ("E", 12, -1),
    ("P", 12, 1),
    ("Q", 5, -1),
    ("5", 3, -1),
    ("N", 4, 1),
    ("O", 4, -1),
    ("D", 3, -1),
)

_SETTLEMENT = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
    "transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "marketplace-name",
    "amount-type", "amount-description", "amount", "fulfillment-id", "posted-date", "posted-date-time",
    "order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id", "sku", "quantity-purchased",
    "promotion-id",
)  # fmt: skip
# (transaction, amount-type, amount-description, amount, days after the sale): an order that is refunded in full.
_AMOUNTS = (
    ("Order", "ItemPrice", "Principal", "24.99", 0),
    ("Order", "ItemPrice", "Tax", "2.06", 0),
    ("Order", "ItemFees", "Commission", "-3.75", 0),
    ("Order", "ItemFees", "FBAPerUnitFulfillmentFee", "-4.99", 0),
    ("Refund", "ItemPrice", "Principal", "-24.99", 12),
    ("Refund", "ItemPrice", "Tax", "-2.06", 12),
    ("Refund", "ItemFees", "Commission", "3.75", 12),
    ("Refund", "ItemFees", "RefundCommission", "-0.75", 12),
)


def write(folder: Path, ledger_rows: int) -> list[Path]:
    """Write a year of reports, `ledger_rows` lines in twelve ledger files, and the seller's costs.

    Returns the paths of the reports.
    """
    folder.mkdir(parents=True)
    _costs(folder / "costs.csv")
    written = [_ledger_month(folder / f"ledger-{month:02}.txt", month, ledger_rows // 12) for month in range(12)]
    written += [
        _plain(folder / "reimbursements.txt", tables.REIMBURSEMENTS, _reimbursements(ledger_rows // 200)),
        _plain(folder / "returns.txt", tables.RETURNS, _returns(ledger_rows // 40)),
        _plain(folder / "shipments.txt", tables.SHIPMENTS, _shipments(ledger_rows // 15)),
        _plain(folder / "removals.txt", tables.REMOVAL_ORDERS, _removals(ledger_rows // 1_000)),
        _plain(folder / "settlement.txt", _SETTLEMENT, _settlement(ledger_rows // 10)),
    ]
    return written


def _dice(seed: int, sides: int) -> pl.Expr:
    """Return a number below `sides` for each row, the same in every run."""
    return (pl.col("i").hash(seed) % sides).cast(pl.Int64)


def _rows(count: int, *, first: int = 0, seed: int = 0) -> pl.LazyFrame:
    """Return numbered rows with a product, a day of the year up to LAST_DAY and a place, oldest day first."""
    frame = pl.LazyFrame({"i": pl.int_range(first, first + count, eager=True) + seed * 1_000_000_000})
    return frame.with_columns(
        product=_dice(1, _PRODUCTS),
        day=pl.lit(LAST_DAY) - pl.duration(days=_dice(2, _DAYS)),
        center=pl.lit(pl.Series(_CENTERS)).gather(_dice(3, len(_CENTERS))),
    ).with_columns(
        fnsku=pl.format("X00{}", pl.col("product").cast(pl.String).str.zfill(7)),
        asin=pl.format("B0{}", pl.col("product").cast(pl.String).str.zfill(8)),
        msku=pl.format("SKU-{}", "product"),
        title=_title(),
    )


def _title() -> pl.Expr:
    plain = pl.format("Stainless steel travel mug with lid, leakproof, dishwasher safe, colour {}", "product")
    inches = pl.format('Shelf bracket 12" x 8", heavy duty, set of 4, model {}', "product")
    broken = pl.format("Cotton napkins,\nset of six, pattern {}", "product")
    return (
        pl.when(pl.col("product") % 1_000 == 7)
        .then(broken)
        .when(pl.col("product") % 25 == 3)
        .then(inches)
        .otherwise(plain)
    )


def _ledger_month(path: Path, month: int, count: int) -> Path:
    day = pl.lit(LAST_DAY) - pl.duration(days=(11 - month) * 30 + _dice(2, 30))
    events = (
        _rows(count, first=month * count)
        .with_columns(day=day, kind=_dice(4, 1_000), share=_dice(5, 100), units=_dice(6, 3) + 1)
        .with_columns(event=_event(), reason=_reason(), sign=_sign())
        .with_columns(quantity=_quantity(), is_loss=pl.col("reason").is_in(["M", "5", "E"]))
        .with_columns(open=pl.when(_dice(7, 4) == 0).then("units").otherwise(0))
        .sort("day", "i")
    )
    cells: _Cells = {
        "Date": pl.col("day").dt.strftime("%m/%d/%Y"),
        "FNSKU": "fnsku",
        "ASIN": "asin",
        "MSKU": "msku",
        "Title": "title",
        "Event Type": "event",
        "Reference ID": _reference(),
        "Quantity": "quantity",
        "Fulfillment Center": "center",
        "Disposition": _disposition(),
        "Reason": "reason",
        "Country": pl.lit("US"),
        "Reconciled Quantity": pl.when("is_loss").then(pl.col("units") - pl.col("open")),
        "Unreconciled Quantity": pl.when("is_loss").then("open"),
        "Date and Time": pl.col("day").dt.strftime("%Y-%m-%dT00:00:00-0700"),
        "Store": pl.lit(""),
    }
    _select(events, tables.LEDGER, cells).write_csv(path, separator="\t", quote_style="always")
    return path


def _event() -> pl.Expr:
    kind = pl.col("kind")
    return (
        pl.when(kind < 700).then(pl.lit("Shipments"))
        .when(kind < 820).then(pl.lit("CustomerReturns"))
        .when(kind < 880).then(pl.lit("WhseTransfers"))
        .when(kind < 955).then(pl.lit("Receipts"))
        .otherwise(pl.lit("Adjustments"))
    )  # fmt: skip


def _reason() -> pl.Expr:
    names = [name for name, share, _ in _REASONS for _ in range(share)]
    return pl.when(pl.col("kind") >= 955).then(pl.lit(pl.Series(names)).gather("share")).otherwise(pl.lit(""))


def _sign() -> pl.Expr:
    signs = [sign for _, share, sign in _REASONS for _ in range(share)]
    adjusted = pl.lit(pl.Series(signs)).gather("share")
    moved = pl.when(pl.col("share") < 50).then(-1).otherwise(1)
    kind = pl.col("kind")
    return (
        pl.when(kind >= 955)
        .then(adjusted)
        .when(kind < 700)
        .then(-1)
        .when(kind.is_between(820, 879))
        .then(moved)
        .otherwise(1)
    )


def _quantity() -> pl.Expr:
    received = pl.col("event") == "Receipts"
    return pl.when(received).then(pl.col("units") * 12).otherwise(pl.col("units") * pl.col("sign"))


def _reference() -> pl.Expr:
    inbound = pl.format("FBA17{}", (pl.col("i") // 400).cast(pl.String).str.zfill(7))
    adjustment = (pl.col("i") + 7_000_000_000).cast(pl.String)
    by_event = (
        pl.when(pl.col("event") == "Receipts").then(inbound).when(pl.col("event") == "Adjustments").then(adjustment)
    )
    return by_event.otherwise(pl.lit(""))


def _disposition() -> pl.Expr:
    damaged = pl.col("reason").is_in(["P", "Q"]) | ((pl.col("event") == "CustomerReturns") & (pl.col("share") < 15))
    return pl.when(damaged).then(pl.lit("WAREHOUSE_DAMAGED")).otherwise(pl.lit("SELLABLE"))


def _moment() -> pl.Expr:
    return pl.col("day").dt.strftime("%Y-%m-%dT10:15:00-07:00")


def _order() -> pl.Expr:
    return pl.format("114-{}-{}", 1_000_000 + pl.col("i") % 1_000_000_000 // 1_000, 1_000_000 + pl.col("i") % 1_000_000)


def _reimbursements(count: int) -> tuple[pl.LazyFrame, _Cells]:
    reasons = pl.lit(pl.Series(["Lost_Warehouse", "Damaged_Warehouse", "Lost_Inbound", "CustomerReturn"]))
    reason = reasons.gather(_dice(8, 4))
    return _rows(count, seed=1), {
        "approval-date": _moment(),
        "reimbursement-id": (pl.col("i") + 5_000_000_000).cast(pl.String),
        "amazon-order-id": pl.when(_dice(8, 4) == 3).then(_order()).otherwise(pl.lit("")),
        "reason": reason,
        "sku": "msku",
        "fnsku": "fnsku",
        "asin": "asin",
        "product-name": pl.col("title").str.replace_all("\n", " "),
        "condition": pl.lit("NewItem"),
        "currency-unit": pl.lit("USD"),
        "amount-per-unit": pl.lit("9.40"),
        "amount-total": pl.lit("9.40"),
        "quantity-reimbursed-cash": pl.lit(1),
        "quantity-reimbursed-inventory": pl.lit(0),
        "quantity-reimbursed-total": pl.lit(1),
    }


def _returns(count: int) -> tuple[pl.LazyFrame, _Cells]:
    return _rows(count, seed=2), {
        "return-date": _moment(),
        "order-id": _order(),
        "sku": "msku",
        "asin": "asin",
        "fnsku": "fnsku",
        "product-name": pl.col("title").str.replace_all("\n", " "),
        "quantity": pl.lit(1),
        "fulfillment-center-id": "center",
        "detailed-disposition": pl.lit("SELLABLE"),
        "reason": pl.lit("UNWANTED_ITEM"),
        "status": pl.lit("Unit returned to inventory"),
        "license-plate-number": pl.format("LPNRR{}", "i"),
    }


def _shipments(count: int) -> tuple[pl.LazyFrame, _Cells]:
    return _rows(count, seed=3), {
        "amazon-order-id": _order(),
        "shipment-id": pl.format("D{}", "i"),
        "shipment-item-id": pl.format("E{}", "i"),
        "amazon-order-item-id": (pl.col("i") + 60_000_000_000_000).cast(pl.String),
        "purchase-date": _moment(),
        "payments-date": _moment(),
        "shipment-date": _moment(),
        "reporting-date": _moment(),
        "buyer-email": pl.format("b{}@marketplace.example", "i"),
        "buyer-name": pl.format("Buyer {}", "i"),
        "sku": "msku",
        "product-name": pl.col("title").str.replace_all("\n", " "),
        "quantity-shipped": pl.lit(1),
        "currency": pl.lit("USD"),
        "item-price": pl.lit("24.99"),
        "item-tax": pl.lit("2.06"),
        "fulfillment-center-id": "center",
        "fulfillment-channel": pl.lit("AFN"),
        "sales-channel": pl.lit("Amazon.com"),
    }


def _removals(count: int) -> tuple[pl.LazyFrame, _Cells]:
    return _rows(count, seed=4), {
        "request-date": _moment(),
        "order-id": pl.format("REM{}", "i"),
        "order-type": pl.lit("Disposal"),
        "service-speed": pl.lit("Standard"),
        "order-status": pl.lit("Completed"),
        "last-updated-date": _moment(),
        "sku": "msku",
        "fnsku": "fnsku",
        "disposition": pl.lit("Unsellable"),
        "requested-quantity": pl.lit(1),
        "cancelled-quantity": pl.lit(0),
        "disposed-quantity": pl.lit(1),
        "shipped-quantity": pl.lit(0),
        "in-process-quantity": pl.lit(0),
        "removal-fee": pl.lit("1.04"),
        "currency": pl.lit("USD"),
    }


def _settlement(count: int) -> tuple[pl.LazyFrame, _Cells]:
    """Return orders that were sold and refunded, eight amounts each; nearly all of them came back."""
    amounts = pl.DataFrame(
        _AMOUNTS, schema=["transaction", "amount_type", "description", "amount", "days"], orient="row"
    ).lazy()
    orders = _rows(2 * (count // len(_AMOUNTS)), first=4_000, seed=3).filter(pl.col("i") % 2 == 0)
    rows = orders.join(amounts, how="cross").with_columns(day=pl.col("day") - pl.duration(days=30 - pl.col("days")))
    return rows, {
        "settlement-id": pl.lit("21000000001"),
        "currency": pl.lit("USD"),
        "transaction-type": "transaction",
        "order-id": _order(),
        "marketplace-name": pl.lit("Amazon.com"),
        "amount-type": "amount_type",
        "amount-description": "description",
        "amount": "amount",
        "fulfillment-id": pl.lit("AFN"),
        "posted-date": pl.col("day").dt.strftime("%Y-%m-%d"),
        "posted-date-time": pl.col("day").dt.strftime("%Y-%m-%d 10:15:00 UTC"),
        "order-item-code": (pl.col("i") + 60_000_000_000_000).cast(pl.String),
        "sku": "msku",
        "quantity-purchased": pl.when(pl.col("transaction") == "Order").then(1),
    }


def _costs(path: Path) -> None:
    lines = (
        f"SKU-{product},{4 + product % 90 / 10:.2f},USD,2025-01-01,Invoice {product}" for product in range(_PRODUCTS)
    )
    path.write_text("msku,unit_cost,currency,from,source\n" + "\n".join(lines) + "\n")


def _plain(path: Path, header: tuple[str, ...], made: tuple[pl.LazyFrame, _Cells]) -> Path:
    rows, cells = made
    _select(rows.sort("day", "i"), header, cells).write_csv(path, separator="\t", quote_style="never")
    return path


def _select(rows: pl.LazyFrame, header: tuple[str, ...], cells: _Cells) -> pl.DataFrame:
    """Return the columns of `header` in its order; a column that has no cells here is empty."""
    exprs = [pl.col(c) if isinstance(c, str) else c for c in (cells.get(name, pl.lit("")) for name in header)]
    return rows.select(expr.alias(name) for expr, name in zip(exprs, header, strict=True)).collect()
