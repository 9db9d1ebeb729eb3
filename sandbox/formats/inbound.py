"""The answers of the Fulfillment Inbound API (version 0), one page a line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.records import InboundShipment

_ADDRESS = {
    "Name": "Example Seller",
    "AddressLine1": "1 Warehouse Way",
    "City": "Reno",
    "StateOrProvinceCode": "NV",
    "CountryCode": "US",
    "PostalCode": "89502",
}


def write_shipments(path: Path, shipments: Sequence[InboundShipment], *, page_size: int) -> None:
    """Write getShipments' pages as JSON Lines."""
    _write(path, "ShipmentData", [_shipment(shipment) for shipment in shipments], page_size)


def write_items(path: Path, shipments: Sequence[InboundShipment], *, page_size: int) -> None:
    """Write getShipmentItems' pages as JSON Lines."""
    _write(path, "ItemData", [item for shipment in shipments for item in _items(shipment)], page_size)


def _write(path: Path, name: str, entries: Sequence[dict[str, Any]], size: int) -> None:
    pages = []
    for first in range(0, len(entries), size):
        payload: dict[str, Any] = {name: entries[first : first + size]}
        if first + size < len(entries):
            payload["NextToken"] = f"{name}-{first + size}"
        pages.append({"payload": payload})
    text = "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages)
    path.write_text(text, encoding="utf-8", newline="")


def _shipment(shipment: InboundShipment) -> dict[str, Any]:
    return {
        "ShipmentId": shipment.shipment_id,
        "ShipmentName": "FBA (2/11/26, 11:18 AM) - 1",
        "ShipFromAddress": _ADDRESS,
        "DestinationFulfillmentCenterId": shipment.fulfillment_center,
        "ShipmentStatus": shipment.status,
        "LabelPrepType": "SELLER_LABEL",
        "AreCasesRequired": False,
        "BoxContentsSource": "INTERACTIVE",
    }


def _items(shipment: InboundShipment) -> list[dict[str, Any]]:
    return [
        {
            "ShipmentId": shipment.shipment_id,
            "SellerSKU": item.product.msku,
            "FulfillmentNetworkSKU": item.product.fnsku,
            "QuantityShipped": item.shipped,
            "QuantityReceived": item.received,
            "QuantityInCase": 0,
        }
        for item in shipment.items
    ]
