"""Amazon's flat files: tab between cells, a header in delivered order, UTF-8. Only the ledger quotes its cells."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sandbox.records import (
    LedgerRow,
    OrderLine,
    Reimbursement,
    RemovalOrder,
    RemovalShipment,
    Replacement,
    ReturnedUnit,
)
from sandbox.trade import ZONE

LEDGER = (
    "Date", "FNSKU", "ASIN", "MSKU", "Title", "Event Type", "Reference ID", "Quantity", "Fulfillment Center",
    "Disposition", "Reason", "Country", "Reconciled Quantity", "Unreconciled Quantity", "Date and Time", "Store",
)  # fmt: skip
REIMBURSEMENTS = (
    "approval-date", "reimbursement-id", "case-id", "amazon-order-id", "reason", "sku", "fnsku", "asin", "product-name",
    "condition", "currency-unit", "amount-per-unit", "amount-total", "quantity-reimbursed-cash",
    "quantity-reimbursed-inventory", "quantity-reimbursed-total", "original-reimbursement-id",
    "original-reimbursement-type",
)  # fmt: skip
RETURNS = (
    "return-date", "order-id", "sku", "asin", "fnsku", "product-name", "quantity", "fulfillment-center-id",
    "detailed-disposition", "reason", "status", "license-plate-number", "customer-comments",
)  # fmt: skip
SHIPMENTS = (
    "amazon-order-id", "merchant-order-id", "shipment-id", "shipment-item-id", "amazon-order-item-id",
    "merchant-order-item-id", "purchase-date", "payments-date", "shipment-date", "reporting-date", "buyer-email",
    "buyer-name", "buyer-phone-number", "sku", "product-name", "quantity-shipped", "currency", "item-price", "item-tax",
    "shipping-price", "shipping-tax", "gift-wrap-price", "gift-wrap-tax", "ship-service-level", "recipient-name",
    "ship-address-1", "ship-address-2", "ship-address-3", "ship-city", "ship-state", "ship-postal-code", "ship-country",
    "ship-phone-number", "bill-address-1", "bill-address-2", "bill-address-3", "bill-city", "bill-state",
    "bill-postal-code", "bill-country", "item-promotion-discount", "ship-promotion-discount", "carrier",
    "tracking-number", "estimated-arrival-date", "fulfillment-center-id", "fulfillment-channel", "sales-channel",
)  # fmt: skip
REMOVAL_ORDERS = (
    "request-date", "order-id", "order-type", "service-speed", "order-status", "last-updated-date", "sku", "fnsku",
    "disposition", "requested-quantity", "cancelled-quantity", "disposed-quantity", "shipped-quantity",
    "in-process-quantity", "removal-fee", "currency",
)  # fmt: skip
REMOVAL_SHIPMENTS = (
    "request-date", "order-id", "shipment-date", "sku", "fnsku", "disposition", "shipped-quantity", "carrier",
    "tracking-number", "removal-order-type",
)  # fmt: skip
REPLACEMENTS = (
    "shipment-date", "sku", "asin", "fulfillment-center-id", "original-fulfillment-center-id", "quantity",
    "replacement-reason-code", "replacement-amazon-order-id", "original-amazon-order-id",
)  # fmt: skip
_REMOVAL_FEE_CENTS = 104


def money(cents: int) -> str:
    """Return an amount as Amazon writes it: two digits after the point."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def iso(moment: datetime) -> str:
    """Return a moment with its offset in hours and minutes."""
    return moment.isoformat(timespec="seconds")


def write_ledger(path: Path, rows: Iterable[LedgerRow]) -> None:
    """Write the FBA ledger's detail view, every cell in quotes."""
    lines = [_quoted(LEDGER), *(_quoted(_ledger_cells(row)) for row in rows)]
    path.write_text("".join(lines), encoding="utf-8", newline="")


def write_plain(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a flat file without quotes."""
    lines = ("\t".join(map(str, cells)) + "\n" for cells in (header, *rows))
    path.write_text("".join(lines), encoding="utf-8", newline="")


def _quoted(cells: Iterable[str]) -> str:
    return "\t".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


def _ledger_cells(row: LedgerRow) -> tuple[str, ...]:
    midnight = datetime.combine(row.day, datetime.min.time(), ZONE)
    product = row.product
    return (
        f"{row.day:%m/%d/%Y}", row.fnsku or product.fnsku, product.asin, row.msku or product.msku, product.title,
        row.event, row.reference, str(row.quantity), row.fulfillment_center, row.disposition, row.reason,
        "CN" if row.store else "US", _or_empty(row.reconciled), _or_empty(row.unreconciled),
        f"{midnight:%Y-%m-%dT%H:%M:%S%z}", row.store,
    )  # fmt: skip


def _or_empty(quantity: int | None) -> str:
    return "" if quantity is None else str(quantity)


def reimbursement_cells(line: Reimbursement) -> tuple[object, ...]:
    """Return one line of GET_FBA_REIMBURSEMENTS_DATA."""
    product, total = line.product, line.cash + line.stock
    return (
        iso(line.at), line.reimbursement_id, line.case_id, line.order_id, line.reason, product.msku, product.fnsku,
        product.asin, product.title, "NewItem", "USD", money(line.unit_amount), money(line.unit_amount * line.cash),
        line.cash, line.stock, total, line.original_id, line.original_type,
    )  # fmt: skip


def return_cells(unit: ReturnedUnit) -> tuple[object, ...]:
    """Return one line of GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA."""
    product = unit.product
    comment = "does not fit, see photo" if unit.reason == "UNWANTED_ITEM" else ""
    return (
        iso(unit.at), unit.order_id, product.msku, product.asin, product.fnsku, product.title, 1,
        unit.fulfillment_center, unit.disposition, unit.reason, unit.status, unit.plate, comment,
    )  # fmt: skip


def shipment_cells(line: OrderLine) -> tuple[object, ...]:
    """Return one line of GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL; the buyer is made up."""
    buyer = line.order_id[-7:]
    product = line.product
    return (
        line.order_id, "", line.shipment_id, line.shipment_item_id, line.item_id, "", iso(line.purchased_at),
        iso(line.purchased_at), iso(line.shipped_at), iso(line.shipped_at), f"b{buyer}@marketplace.example",
        f"Buyer {buyer}", "", product.msku, product.title, line.quantity, "USD", money(line.principal), money(line.tax),
        "0.00", "0.00", "", "", "Expedited", f"Buyer {buyer}", f"{buyer[:3]} Example Street", "", "", "Springfield",
        "OR", "97477", "US", "", "", "", "", "", "", "", "", money(-line.discount), "0.00", "AMZN_US",
        "TBA" + buyer + "000", "", line.fulfillment_center, "AFN", "Amazon.com",
    )  # fmt: skip


def removal_order_cells(order: RemovalOrder) -> tuple[object, ...]:
    """Return one line of GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA."""
    fee = money(_REMOVAL_FEE_CENTS * (order.disposed + order.shipped))
    return (
        iso(order.requested_at), order.order_id, order.order_type, "Standard", order.status, iso(order.updated_at),
        order.product.msku, order.product.fnsku, order.disposition, order.requested, order.cancelled, order.disposed,
        order.shipped, order.in_process, fee, "USD",
    )  # fmt: skip


def removal_shipment_cells(parcel: RemovalShipment) -> tuple[object, ...]:
    """Return one line of GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA."""
    order = parcel.order
    return (
        iso(order.requested_at), order.order_id, iso(parcel.shipped_at), order.product.msku, order.product.fnsku,
        order.disposition, parcel.quantity, parcel.carrier, parcel.tracking_number, order.order_type,
    )  # fmt: skip


def replacement_cells(sent: Replacement) -> tuple[object, ...]:
    """Return one line of GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA."""
    return (
        iso(sent.at), sent.product.msku, sent.product.asin, sent.fulfillment_center, sent.fulfillment_center, 1,
        sent.reason_code, sent.replacement_order_id, sent.original_order_id,
    )  # fmt: skip
