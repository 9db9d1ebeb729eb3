"""The oracle's files as the frames that the rules get from the reader."""

import hashlib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import polars as pl

from detection.reports import Delivery, Input
from detection.rows import KEEP
from tests.detection.oracle import DAY_OF, File

REPORT_TYPES = {
    "ledger": "GET_LEDGER_DETAIL_VIEW_DATA",
    "reimbursements": "GET_FBA_REIMBURSEMENTS_DATA",
    "returns": "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
    "shipments": "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL",
    "removal_orders": "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA",
    "finances": "FinancialEvents",
    "inbound_shipments": "ShipmentData",
    "inbound_items": "ItemData",
    "costs": "costs",
}
_DATES = {
    "date",
    "approval_date",
    "return_date",
    "shipment_date",
    "request_date",
    "last_updated_date",
    "posted_on",
    "from_on",
}
_UNITS = {
    "quantity", "reconciled_quantity", "unreconciled_quantity", "quantity_shipped", "requested_quantity",
    "cancelled_quantity", "disposed_quantity", "shipped_quantity", "in_process_quantity", "quantity_reimbursed_cash",
    "quantity_reimbursed_inventory", "quantity_reimbursed_total", "shipped", "received", "entry",
}  # fmt: skip
_AMOUNTS = {"amount_per_unit", "amount_total", "item_price", "amount", "unit_cost"}


def delivered(files: Sequence[File]) -> Input:
    """Return what the reader would give for these files: kept rows filtered as the rules ask, amounts in millionths."""
    return Input(tuple(_delivery(file) for file in sorted(files, key=lambda file: file.name)))


def _delivery(file: File) -> Delivery:
    keep = KEEP[file.report]
    columns = list(dict.fromkeys([*(c for row in file.rows for c in row), *keep.columns]))
    data = {c: [_typed(c, row.get(c)) for row in file.rows] for c in columns}
    frame = pl.DataFrame(data, schema={c: _type(c) for c in columns}).with_columns(
        line=pl.int_range(2, len(file.rows) + 2, dtype=pl.Int64)
    )
    kept = frame.select(*keep.columns, "line")
    days: list[date] = [row[DAY_OF[file.report]] for row in file.rows] if file.report in DAY_OF else []
    return Delivery(
        report=file.report,
        report_type=REPORT_TYPES[file.report],
        file=file.name,
        sha256=hashlib.sha256(repr(file).encode()).hexdigest(),
        rows=len(file.rows),
        rejected=0,
        first_date=min(days, default=None),
        last_date=max(days, default=None),
        columns=frozenset(columns),
        kept=kept if keep.where is None else kept.filter(keep.where),
        scan=frame.lazy(),
        window=file.window,
    )


def _typed(column: str, value: object) -> object:
    if column in _AMOUNTS and isinstance(value, Decimal):
        return int(value * 1_000_000)
    return None if value == "" else value


def _type(column: str) -> pl.DataType:
    if column in _DATES:
        return pl.Date()
    return pl.Int64() if column in _UNITS or column in _AMOUNTS else pl.String()
