"""Finances API 2024-06-19: `transactions` with their trees of breakdowns, in the words of v0."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from amazon.finances import (
    Amount,
    Event,
    Item,
    Lines,
    Part,
    Unreadable,
    amount_in,
    day_of,
    object_in,
    objects,
    text_in,
    whole,
)
from amazon.pages import Entry

SOURCE = "2024-06-19"

# Deferred money counts when it is released.
_COUNTED = frozenset({"RELEASED", "DEFERRED_RELEASED"})
# The first that the type or the description contains; so a refund in "Refund Order" is no order.
_EVENTS = (
    ("guarantee", "guarantee_claim"),
    ("a-to-z", "guarantee_claim"),
    ("chargeback", "chargeback"),
    ("retrocharge", "retrocharge"),
    ("refund", "refund"),
    ("reimbursement", "adjustment"),
    ("adjustment", "adjustment"),
    ("shipment", "shipment"),
    ("order payment", "shipment"),
    ("servicefee", "service_fee"),
    ("service fee", "service_fee"),
)
_PARTS: dict[str, Part] = {
    "productcharges": "charge",
    "tax": "charge",
    "shipping": "charge",
    "giftwrap": "charge",
    "amazonfees": "fee",
    "promorebates": "promotion",
    "promotions": "promotion",
}
_KINDS = {
    "OurPricePrincipal": "Principal",
    "OurPriceTax": "Tax",
    "ShippingPrincipal": "ShippingCharge",
    "GiftWrapPrincipal": "GiftWrap",
    "GiftwrapPrincipal": "GiftWrap",
    "GiftwrapTax": "GiftWrapTax",
}
# Leaves that only split the amount of what they stand under.
_SPLITS = frozenset({"Base", "Tax", "Promo", "Discount"})
# Amazon's trees are a handful deep.
_DEEPEST = 50


def reader(zone: ZoneInfo, entries: Iterable[Entry]) -> Callable[[Entry], Event | None]:
    """Return the function that reads one transaction; None for deferred money and for what was told already."""
    released = {_released_id(entry.value) for entry in entries} - {None}
    told: set[str] = set()

    def read(entry: Entry) -> Event | None:
        value = entry.value
        names = _identifiers(value)
        status = text_in(value, "transactionStatus")
        if status is None:
            raise Unreadable("transactionStatus is empty")
        if status not in _COUNTED or names.get("DEFERRED_TRANSACTION_ID") in released:
            return None
        if (own := text_in(value, "transactionId")) and own in told:
            return None
        event = _event(value, names, zone)
        if own:
            told.add(own)
        return event

    return read


def _event(value: dict[str, Any], names: dict[str, str], zone: ZoneInfo) -> Event:
    posted_on = day_of(value.get("postedDate"), "postedDate", zone)
    if posted_on is None:
        raise Unreadable("postedDate is empty")
    return Event(
        event=_word(value),
        posted_on=posted_on,
        order_id=names.get("ORDER_ID"),
        marketplace_name=text_in(object_in(value, "marketplaceDetails"), "marketplaceName", "marketplaceId"),
        lines=_lines(value),
    )


def _released_id(value: dict[str, Any]) -> str | None:
    """Return the id of counted money; None also where it cannot be read, which is told when the entry is."""
    try:
        return text_in(value, "transactionId") if text_in(value, "transactionStatus") in _COUNTED else None
    except Unreadable:
        return None


def _word(value: dict[str, Any]) -> str:
    kind = text_in(value, "transactionType") or ""
    said = f"{kind} {text_in(value, 'description') or ''}".lower()
    return next((word for mark, word in _EVENTS if mark in said), kind.lower() or "other")


def _identifiers(value: dict[str, Any]) -> dict[str, str]:
    names = {}
    for identifier in objects(value, "relatedIdentifiers"):
        name = text_in(identifier, "relatedIdentifierName", "itemRelatedIdentifierName")
        said = text_in(identifier, "relatedIdentifierValue", "itemRelatedIdentifierValue")
        if name and said:
            names[name] = said
    return names


def _lines(value: dict[str, Any]) -> Lines:
    items = list(objects(value, "items"))
    if not items:
        return [(Item(), _amounts(value) or [_amount(("Total",), value, "totalAmount")])]
    return [(_item(item), _amounts(item)) for item in items]


def _amounts(value: dict[str, Any]) -> list[Amount]:
    leaves = [_amount(path, leaf, "breakdownAmount") for path, leaf in _leaves(value, ())]
    if leaves or not value.get("totalAmount"):
        return leaves
    return [_amount((text_in(value, "description") or "Total",), value, "totalAmount")]


def _leaves(value: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if len(path) > _DEEPEST:
        raise Unreadable("breakdowns are nested too deeply")
    for breakdown in objects(value, "breakdowns"):
        here = (*path, text_in(breakdown, "breakdownType") or "")
        below = list(_leaves(breakdown, here))
        yield from below or [(here, breakdown)]


def _amount(path: tuple[str, ...], value: dict[str, Any], field: str) -> Amount:
    is_split = len(path) > 2 and path[-1] in _SPLITS  # noqa: PLR2004  # group, charge or fee, split
    name = path[-2] if is_split else path[-1]
    part = _PARTS.get(path[0].lower().replace(" ", ""), "adjustment")
    return amount_in(value, field, part, _KINDS.get(name, name))


def _item(item: dict[str, Any]) -> Item:
    product = next((c for c in objects(item, "contexts") if c.get("contextType") == "ProductContext"), {})
    names = _identifiers(item)
    return Item(
        sku=text_in(product, "sku"),
        fnsku=text_in(product, "fnsku"),
        asin=text_in(product, "asin"),
        order_item_id=names.get("ORDER_ITEM_ID") or names.get("ORDER_ADJUSTMENT_ITEM_ID"),
        quantity=whole(product.get("quantityShipped"), "quantityShipped"),
    )
