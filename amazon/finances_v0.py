"""Finances API v0: the lists of `FinancialEvents`."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from amazon.finances import Amount, Event, Item, Lines, Part, Unreadable, day_of, micros_of, objects, text_of, whole
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
            order_id=text_of(value.get("AmazonOrderId") or value.get("OriginalRemovalOrderId")),
            marketplace_name=text_of(value.get("MarketplaceName") or value.get("StoreName")),
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
    for item in objects([*(value.get("ShipmentItemList") or ()), *(value.get("ShipmentItemAdjustmentList") or ())]):
        amounts = [amount for which in _ITEM_AMOUNTS for amount in _components(item, *which)]
        for withheld in objects(item.get("ItemTaxWithheldList")):
            amounts.extend(_components(withheld, "TaxesWithheld", "charge", "ChargeType", "ChargeAmount"))
        lines.append((_item(item), amounts))
    of_order = [amount for which in _ORDER_AMOUNTS for amount in _components(value, *which)]
    return [*lines, (Item(), of_order)] if of_order or not lines else lines


def _adjustment_lines(value: dict[str, Any]) -> Lines:
    kind = text_of(value.get("AdjustmentType"))
    items = list(objects(value.get("AdjustmentItemList")))
    if not items:
        return [(Item(), [_amount("adjustment", kind, value.get("AdjustmentAmount"))])]
    return [(_item(item), [_amount("adjustment", kind, item.get("TotalAmount"))]) for item in items]


def _own_amounts(listed: str, value: dict[str, Any]) -> Iterator[Amount]:
    """Yield the amounts that are fields of the event itself, named by their field."""
    part: Part = "charge" if listed == "RetrochargeEventList" else "adjustment"
    for name, field in value.items():
        if isinstance(field, dict) and "CurrencyAmount" in field:
            yield _amount(part, name, field)


def _components(value: dict[str, Any], listed: str, part: Part, kind: str, amount: str) -> Iterator[Amount]:
    if not value.get(listed):
        return
    for component in objects(value[listed]):
        yield _amount(part, text_of(component.get(kind)), component.get(amount))


def _amount(part: Part, kind: str | None, money: Any) -> Amount:
    money = money if isinstance(money, dict) else {}
    return Amount(
        part, kind, micros_of(money.get("CurrencyAmount"), "CurrencyAmount"), text_of(money.get("CurrencyCode"))
    )


def _item(value: dict[str, Any]) -> Item:
    quantity = value.get("QuantityShipped", value.get("Quantity"))
    return Item(
        sku=text_of(value.get("SellerSKU")),
        fnsku=text_of(value.get("FnSKU")),
        asin=text_of(value.get("ASIN")),
        order_item_id=text_of(value.get("OrderItemId") or value.get("OrderAdjustmentItemId")),
        quantity=whole(quantity, "Quantity"),
    )


def _snake(listed: str) -> str:
    name = listed.removesuffix("List").removesuffix("Event")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
