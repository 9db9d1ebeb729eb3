"""Finances API v0: the lists of `FinancialEvents`."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from amazon.finances import Amount, Event, Item, Lines, Part, Unreadable, amount_in, day_of, objects, text_in, whole
from amazon.pages import Entry

SOURCE = "v0"

# Lists whose events are about an order: which word of ours they have.
_ORDER_EVENTS = {
    "ShipmentEventList": "shipment",
    "ShipmentSettleEventList": "shipment_settle",
    "RefundEventList": "refund",
    "GuaranteeClaimEventList": "guarantee_claim",
    "ChargebackEventList": "chargeback",
}
# Amazon dates no events of these lists.
_UNDATED = frozenset({"ServiceFeeEventList"})
_ITEM_AMOUNTS: tuple[tuple[str, Part, str, str], ...] = (
    ("ItemChargeList", "charge", "ChargeType", "ChargeAmount"),
    ("ItemChargeAdjustmentList", "charge", "ChargeType", "ChargeAmount"),
    ("ItemFeeList", "fee", "FeeType", "FeeAmount"),
    ("ItemFeeAdjustmentList", "fee", "FeeType", "FeeAmount"),
    ("PromotionList", "promotion", "PromotionType", "PromotionAmount"),
    ("PromotionAdjustmentList", "promotion", "PromotionType", "PromotionAmount"),
)
_ORDER_AMOUNTS: tuple[tuple[str, Part, str, str], ...] = (
    ("OrderChargeList", "charge", "ChargeType", "ChargeAmount"),
    ("OrderChargeAdjustmentList", "charge", "ChargeType", "ChargeAmount"),
    ("ShipmentFeeList", "fee", "FeeType", "FeeAmount"),
    ("ShipmentFeeAdjustmentList", "fee", "FeeType", "FeeAmount"),
    ("OrderFeeList", "fee", "FeeType", "FeeAmount"),
    ("OrderFeeAdjustmentList", "fee", "FeeType", "FeeAmount"),
)


def reader(zone: ZoneInfo) -> Callable[[Entry], Event]:
    """Return the function that reads one event; it raises Unreadable."""

    def read(entry: Entry) -> Event:
        value = entry.value
        posted_on = day_of(value.get("PostedDate"), "PostedDate", zone)
        if posted_on is None and entry.listed not in _UNDATED:
            raise Unreadable("PostedDate is empty")
        return Event(
            event=_ORDER_EVENTS.get(entry.listed) or _snake(entry.listed),
            posted_on=posted_on,
            order_id=text_in(value, "AmazonOrderId", "OriginalRemovalOrderId"),
            marketplace_name=text_in(value, "MarketplaceName", "StoreName"),
            lines=_lines(entry.listed, value),
        )

    return read


def _lines(listed: str, value: dict[str, Any]) -> Lines:
    if listed in _ORDER_EVENTS:
        return _order_lines(value)
    if listed == "AdjustmentEventList":
        return _adjustment_lines(value)
    return [
        (_item(value), [*_components(value, "FeeList", "fee", "FeeType", "FeeAmount"), *_own_amounts(listed, value)])
    ]


def _order_lines(value: dict[str, Any]) -> Lines:
    lines: Lines = []
    for item in chain(objects(value, "ShipmentItemList"), objects(value, "ShipmentItemAdjustmentList")):
        amounts = [amount for which in _ITEM_AMOUNTS for amount in _components(item, *which)]
        for withheld in objects(item, "ItemTaxWithheldList"):
            amounts.extend(_components(withheld, "TaxesWithheld", "charge", "ChargeType", "ChargeAmount"))
        lines.append((_item(item), amounts))
    of_order = [amount for which in _ORDER_AMOUNTS for amount in _components(value, *which)]
    return [*lines, (Item(), of_order)] if of_order or not lines else lines


def _adjustment_lines(value: dict[str, Any]) -> Lines:
    kind = text_in(value, "AdjustmentType")
    items = list(objects(value, "AdjustmentItemList"))
    if not items:
        return [(Item(), [amount_in(value, "AdjustmentAmount", "adjustment", kind)])]
    return [(_item(item), [amount_in(item, "TotalAmount", "adjustment", kind)]) for item in items]


def _own_amounts(listed: str, value: dict[str, Any]) -> Iterator[Amount]:
    """Yield the amounts that are fields of the event itself, named by their field."""
    part: Part = "charge" if listed == "RetrochargeEventList" else "adjustment"
    for name, field in value.items():
        if isinstance(field, dict) and "CurrencyAmount" in field:
            yield amount_in(value, name, part, name)


def _components(value: dict[str, Any], listed: str, part: Part, kind: str, amount: str) -> Iterator[Amount]:
    for component in objects(value, listed):
        yield amount_in(component, amount, part, text_in(component, kind))


def _item(value: dict[str, Any]) -> Item:
    quantity = value.get("QuantityShipped", value.get("Quantity"))
    return Item(
        sku=text_in(value, "SellerSKU"),
        fnsku=text_in(value, "FnSKU"),
        asin=text_in(value, "ASIN"),
        order_item_id=text_in(value, "OrderItemId", "OrderAdjustmentItemId"),
        quantity=whole(quantity, "Quantity"),
    )


def _snake(listed: str) -> str:
    name = listed.removesuffix("List").removesuffix("Event")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
