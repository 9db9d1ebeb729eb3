"""The oracle's files as Amazon delivers them: the API's text and JSON."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.detection.oracle import File, Row

LEDGER = [
    "Date",
    "FNSKU",
    "ASIN",
    "MSKU",
    "Title",
    "Event Type",
    "Reference ID",
    "Quantity",
    "Fulfillment Center",
    "Disposition",
    "Reason",
    "Country",
    "Reconciled Quantity",
    "Unreconciled Quantity",
    "Date and Time",
    "Store",
]
REIMBURSEMENTS = [
    "approval-date",
    "reimbursement-id",
    "case-id",
    "amazon-order-id",
    "reason",
    "sku",
    "fnsku",
    "asin",
    "product-name",
    "condition",
    "currency-unit",
    "amount-per-unit",
    "amount-total",
    "quantity-reimbursed-cash",
    "quantity-reimbursed-inventory",
    "quantity-reimbursed-total",
    "original-reimbursement-id",
    "original-reimbursement-type",
]
RETURNS = [
    "return-date",
    "order-id",
    "sku",
    "asin",
    "fnsku",
    "product-name",
    "quantity",
    "fulfillment-center-id",
    "detailed-disposition",
    "reason",
    "status",
    "license-plate-number",
    "customer-comments",
]
SHIPMENTS = [
    "amazon-order-id",
    "merchant-order-id",
    "shipment-id",
    "shipment-item-id",
    "amazon-order-item-id",
    "merchant-order-item-id",
    "purchase-date",
    "payments-date",
    "shipment-date",
    "reporting-date",
    "buyer-email",
    "buyer-name",
    "buyer-phone-number",
    "sku",
    "product-name",
    "quantity-shipped",
    "currency",
    "item-price",
    "item-tax",
    "shipping-price",
    "shipping-tax",
    "gift-wrap-price",
    "gift-wrap-tax",
    "ship-service-level",
    "recipient-name",
    "ship-address-1",
    "ship-address-2",
    "ship-address-3",
    "ship-city",
    "ship-state",
    "ship-postal-code",
    "ship-country",
    "ship-phone-number",
    "bill-address-1",
    "bill-address-2",
    "bill-address-3",
    "bill-city",
    "bill-state",
    "bill-postal-code",
    "bill-country",
    "item-promotion-discount",
    "ship-promotion-discount",
    "carrier",
    "tracking-number",
    "estimated-arrival-date",
    "fulfillment-center-id",
    "fulfillment-channel",
    "sales-channel",
]
REMOVAL_ORDERS = [
    "request-date",
    "order-id",
    "order-type",
    "service-speed",
    "order-status",
    "last-updated-date",
    "sku",
    "fnsku",
    "disposition",
    "requested-quantity",
    "cancelled-quantity",
    "disposed-quantity",
    "shipped-quantity",
    "in-process-quantity",
    "removal-fee",
    "currency",
]


def write(files: Iterable[File], folder: Path) -> None:
    """Write each file into the folder under its own name."""
    for file in files:
        (folder / file.name).write_text(_WRITERS[file.report](file.rows), encoding="utf-8")


def _ledger(rows: Sequence[Row]) -> str:
    lines = [LEDGER] + [[_ledger_cell(row, header) for header in LEDGER] for row in rows]
    return "".join("\t".join(f'"{cell}"' for cell in line) + "\n" for line in lines)


def _ledger_cell(row: Row, header: str) -> str:
    if header == "Date":
        return f"{row['date']:%m/%d/%Y}"
    if header == "Date and Time":
        return f"{row['date']:%Y-%m-%d}T00:00:00-0700"
    return _text(row.get(header.lower().replace(" ", "_")))


def _flat(headers: Sequence[str]) -> Callable[[Sequence[Row]], str]:
    def text(rows: Sequence[Row]) -> str:
        lines = [list(headers)] + [[_flat_cell(row.get(h.replace("-", "_"))) for h in headers] for row in rows]
        return "".join("\t".join(line) + "\n" for line in lines)

    return text


def _flat_cell(value: object) -> str:
    return f"{value}T11:30:00-07:00" if isinstance(value, date) else _text(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _costs(rows: Sequence[Row]) -> str:
    lines = [f"{r['msku']},{r['unit_cost']},{r['currency']},{r['from_on']},{r['source']}" for r in rows]
    return "\n".join(["msku,unit_cost,currency,from,source", *lines, ""])


def _finances(rows: Sequence[Row]) -> str:
    events: dict[str, list[Any]] = {}
    for _, of_entry in groupby(rows, key=lambda row: row["entry"]):
        amounts = list(of_entry)
        event = amounts[0]["event"]
        adjusted = "Adjustment" if event == "refund" else ""
        events.setdefault(f"{event.capitalize()}EventList", []).append(
            {
                "AmazonOrderId": amounts[0]["order_id"],
                "PostedDate": f"{amounts[0]['posted_on']}T19:30:00Z",
                "MarketplaceName": "Amazon.com",
                f"ShipmentItem{adjusted}List": [_item(amounts, adjusted)],
            }
        )
    return json.dumps({"payload": {"FinancialEvents": events}}, indent=1) + "\n"


def _item(amounts: Sequence[Row], adjusted: str) -> dict[str, Any]:
    item: dict[str, Any] = {"SellerSKU": amounts[0]["sku"], "OrderItemId": amounts[0]["order_item_id"]}
    if amounts[0]["quantity"] is not None:
        item["QuantityShipped"] = amounts[0]["quantity"]
    for part, listed, name in (
        ("charge", f"ItemCharge{adjusted}List", "Charge"),
        ("fee", f"ItemFee{adjusted}List", "Fee"),
        ("promotion", f"Promotion{adjusted}List", "Promotion"),
    ):
        of_part = [row for row in amounts if row["part"] == part]
        if of_part:
            item[listed] = [
                {
                    f"{name}Type": row["kind"],
                    f"{name}Amount": {"CurrencyCode": row["currency"], "CurrencyAmount": float(row["amount"])},
                }
                for row in of_part
            ]
    return item


def _inbound_shipments(rows: Sequence[Row]) -> str:
    data = [
        {
            "ShipmentId": row["shipment_id"],
            "ShipmentName": "FBA STA (06/01/2026 09:00)-ABE8",
            "DestinationFulfillmentCenterId": row["destination"],
            "ShipmentStatus": row["status"],
        }
        for row in rows
    ]
    return json.dumps({"payload": {"ShipmentData": data}}, indent=1) + "\n"


def _inbound_items(rows: Sequence[Row]) -> str:
    data = [
        {
            "ShipmentId": row["shipment_id"],
            "SellerSKU": row["msku"],
            "FulfillmentNetworkSKU": row["fnsku"],
            "QuantityShipped": row["shipped"],
            "QuantityReceived": row["received"],
        }
        for row in rows
    ]
    return json.dumps({"payload": {"ItemData": data}}, indent=1) + "\n"


_WRITERS: dict[str, Callable[[Sequence[Row]], str]] = {
    "ledger": _ledger,
    "reimbursements": _flat(REIMBURSEMENTS),
    "returns": _flat(RETURNS),
    "shipments": _flat(SHIPMENTS),
    "removal_orders": _flat(REMOVAL_ORDERS),
    "finances": _finances,
    "inbound_shipments": _inbound_shipments,
    "inbound_items": _inbound_items,
    "costs": _costs,
}
