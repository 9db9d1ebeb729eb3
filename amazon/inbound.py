"""Shipments to Amazon and their items, as the Fulfillment Inbound API v0 tells them."""

from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from amazon.finances import Unreadable, text_in, whole
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
    return _read(entries, _shipment, SHIPMENTS)


def read_items(entries: Iterable[Entry]) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Return one row per item of a shipment, and line and reason of those that cannot be read."""
    return _read(entries, _item, ITEMS)


def _read(
    entries: Iterable[Entry], read: Callable[[dict[str, Any]], tuple[Any, ...]], schema: dict[str, pl.DataType]
) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    rows, rejected = [], []
    for entry in entries:
        try:
            rows.append((entry.line, *read(entry.value)))
        except Unreadable as problem:
            rejected.append((entry.line, str(problem)))
    return pl.DataFrame(rows, schema=schema, orient="row"), rejected


def _shipment(value: dict[str, Any]) -> tuple[str, str | None, str | None]:
    shipment_id = _shipment_id(value)
    return shipment_id, text_in(value, "ShipmentStatus"), text_in(value, "DestinationFulfillmentCenterId")


def _item(value: dict[str, Any]) -> tuple[str, str | None, str | None, int, int | None]:
    shipment_id = _shipment_id(value)
    shipped = whole(value.get("QuantityShipped"), "QuantityShipped")
    if shipped is None:
        raise Unreadable("QuantityShipped is empty")
    msku, fnsku = text_in(value, "SellerSKU"), text_in(value, "FulfillmentNetworkSKU")
    return shipment_id, msku, fnsku, shipped, whole(value.get("QuantityReceived"), "QuantityReceived")


def _shipment_id(value: dict[str, Any]) -> str:
    shipment_id = text_in(value, "ShipmentId")
    if shipment_id is None:
        raise Unreadable("ShipmentId is empty")
    return shipment_id
