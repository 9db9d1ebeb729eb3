"""Report files as Amazon delivers them, written for a test."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from amazon.reading import read
from detection.marketplaces import marketplaces
from detection.reports import Delivery, Input, Keep

LEDGER = [
    "Date", "FNSKU", "ASIN", "MSKU", "Title", "Event Type", "Reference ID", "Quantity", "Fulfillment Center",
    "Disposition", "Reason", "Country", "Reconciled Quantity", "Unreconciled Quantity", "Date and Time", "Store",
]  # fmt: skip
RETURNS = [
    "return-date", "order-id", "sku", "asin", "fnsku", "product-name", "quantity", "fulfillment-center-id",
    "detailed-disposition", "reason", "status", "license-plate-number", "customer-comments",
]  # fmt: skip
REIMBURSEMENTS = [
    "approval-date", "reimbursement-id", "case-id", "amazon-order-id", "reason", "sku", "fnsku", "asin",
    "product-name", "condition", "currency-unit", "amount-per-unit", "amount-total", "quantity-reimbursed-cash",
    "quantity-reimbursed-inventory", "quantity-reimbursed-total", "original-reimbursement-id",
    "original-reimbursement-type",
]  # fmt: skip
EVERYTHING = {
    "ledger": Keep(("date", "fnsku", "title", "event_type", "quantity", "reason", "unreconciled_quantity", "store")),
    "returns": Keep(("return_date", "order_id", "sku", "product_name", "quantity", "license_plate_number")),
    "reimbursements": Keep(("approval_date", "reimbursement_id", "amount_total", "quantity_reimbursed_cash", "reason")),
    "shipments": Keep(("amazon_order_id", "shipment_date", "quantity_shipped", "item_price", "currency")),
    "finances": Keep(("event", "posted_on", "order_id", "sku", "quantity", "part", "kind", "amount", "currency")),
    "inbound_shipments": Keep(("shipment_id", "status", "destination")),
    "inbound_items": Keep(("shipment_id", "msku", "fnsku", "shipped", "received")),
    "costs": Keep(("msku", "unit_cost", "currency", "from_on", "source")),
    "products": Keep(("msku", "length", "weight")),
    "received": Keep(("removal_order_id", "fnsku", "tracking_number", "received_quantity", "received_on")),
}


def ledger_row(**cells: Any) -> list[str]:
    """Return the cells of a loss of three units, with what a test says differently."""
    usual = {
        "Date": "10/01/2026", "FNSKU": "X001", "ASIN": "B001", "MSKU": "SKU-1", "Title": "A bottle",
        "Event Type": "Adjustments", "Reference ID": "R1", "Quantity": "-3", "Fulfillment Center": "ABE8",
        "Disposition": "SELLABLE", "Reason": "M", "Country": "US", "Reconciled Quantity": "0",
        "Unreconciled Quantity": "-3", "Date and Time": "2026-10-01T00:00:00-0700", "Store": "",
    }  # fmt: skip
    usual.update({name.replace("_", " "): str(value) for name, value in cells.items()})
    return [usual[name] for name in LEDGER]


def quoted(rows: Sequence[Sequence[str]], *, separator: str = "\t", end: str = "\n") -> str:
    """Return rows as the ledger has them: every cell in double quotes."""
    return "".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) + end for row in rows)


def ledger(*rows: Sequence[str], separator: str = "\t", end: str = "\n") -> str:
    """Return a ledger file with these rows."""
    return quoted([LEDGER, *rows], separator=separator, end=end)


def plain(header: Sequence[str], *rows: Sequence[str]) -> str:
    """Return a tab-separated file without quotes."""
    return "".join("\t".join(row) + "\n" for row in (header, *rows))


def returns_row(**cells: str) -> list[str]:
    """Return the cells of one returned unit."""
    usual = {
        "return-date": "2026-09-05T15:31:40+00:00", "order-id": "111-1", "sku": "SKU-1", "asin": "B001",
        "fnsku": "X001", "product-name": "A bottle", "quantity": "1", "fulfillment-center-id": "ABE8",
        "detailed-disposition": "SELLABLE", "reason": "UNWANTED_ITEM", "status": "Unit returned to inventory",
        "license-plate-number": "LPN1", "customer-comments": "my name is Ann",
    }  # fmt: skip
    usual.update({name.replace("_", "-"): value for name, value in cells.items()})
    return [usual[name] for name in RETURNS]


def read_files(*paths: Path, marketplace: str = "US", keep: dict[str, Keep] | None = None) -> Input:
    """Read files, keeping what the tests look at."""
    return read(paths, marketplace=marketplaces()[marketplace], keep=EVERYTHING if keep is None else keep)


def read_one(folder: Path, content: str | bytes, *, name: str = "report.txt", marketplace: str = "US") -> Delivery:
    """Write one file, read it and return its delivery; nothing may be refused."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_files(path, marketplace=marketplace)
    assert found.refused == ()
    (delivery,) = found.deliveries
    return delivery


def problems(found: Input) -> list[tuple[int, str]]:
    """Return line and words of every rejected row."""
    return [(warned.facts["line"], warned.message) for warned in found.warnings if warned.code == "rejected_row"]


def column(delivery: Delivery, name: str) -> list[Any]:
    """Return the kept values of a column, in the order of their lines."""
    values: pl.Series = delivery.kept[name]
    return values.to_list()
