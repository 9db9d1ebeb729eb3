"""Shipments to Amazon and their items, as the Fulfillment Inbound API v0 tells them."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from amazon.finances import Unreadable, text_of, whole
from amazon.pages import Entry

SHIPMENTS: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "shipment_id": pl.String(),
    "status": pl.String(),
    "destination": pl.String(),
}
ITEMS: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "shipment_id": pl.String(),
    "msku": pl.String(),
    "fnsku": pl.String(),
    "shipped": pl.Int64(),
    "received": pl.Int64(),
}


def read_shipments(entries: Iterable[Entry]) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Return one row per shipment, and line and reason of those that cannot be read."""
    rows, rejected = [], []
    for entry in entries:
        shipment_id = text_of(entry.value.get("ShipmentId"))
        if shipment_id is None:
            rejected.append((entry.line, "ShipmentId is empty"))
            continue
        status = text_of(entry.value.get("ShipmentStatus"))
        rows.append((entry.line, shipment_id, status, text_of(entry.value.get("DestinationFulfillmentCenterId"))))
    return pl.DataFrame(rows, schema=SHIPMENTS, orient="row"), rejected


def read_items(entries: Iterable[Entry]) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Return one row per item of a shipment, and line and reason of those that cannot be read."""
    rows, rejected = [], []
    for entry in entries:
        try:
            rows.append((entry.line, *_item(entry.value)))
        except Unreadable as problem:
            rejected.append((entry.line, str(problem)))
    return pl.DataFrame(rows, schema=ITEMS, orient="row"), rejected


def _item(value: dict[str, Any]) -> tuple[str, str | None, str | None, int, int | None]:
    shipment_id = text_of(value.get("ShipmentId"))
    shipped = whole(value.get("QuantityShipped"), "QuantityShipped")
    if shipment_id is None:
        raise Unreadable("ShipmentId is empty")
    if shipped is None:
        raise Unreadable("QuantityShipped is empty")
    msku, fnsku = text_of(value.get("SellerSKU")), text_of(value.get("FulfillmentNetworkSKU"))
    return shipment_id, msku, fnsku, shipped, whole(value.get("QuantityReceived"), "QuantityReceived")
