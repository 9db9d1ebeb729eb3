"""Finances API 2024-06-19: `transactions` with their trees of breakdowns, in the words of v0."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from amazon.finances import Amount, Event, Item, Lines, Part, Unreadable, day_of, micros_of, objects, text_of, whole
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


def reader(zone: ZoneInfo, entries: Iterable[Entry]) -> Callable[[Entry], Event | None]:
    """Return the function that reads one transaction; None for deferred money and for what was told already."""
    released = {text_of(e.value.get("transactionId")) for e in entries if _status(e) in _COUNTED} - {None}
    told: set[str] = set()

    def read(entry: Entry) -> Event | None:
        value = entry.value
        names = _identifiers(value)
        if _status(entry) not in _COUNTED or names.get("DEFERRED_TRANSACTION_ID") in released:
            return None
        if (own := text_of(value.get("transactionId"))) and own in told:
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
    marketplace = value.get("marketplaceDetails") or {}
    return Event(
        event=_word(value),
        posted_on=posted_on,
        order_id=names.get("ORDER_ID"),
        marketplace_name=text_of(marketplace.get("marketplaceName") or marketplace.get("marketplaceId")),
        lines=_lines(value),
    )


def _status(entry: Entry) -> str | None:
    return text_of(entry.value.get("transactionStatus"))


def _word(value: dict[str, Any]) -> str:
    kind = str(value.get("transactionType") or "")
    said = f"{kind} {value.get('description') or ''}".lower()
    return next((word for mark, word in _EVENTS if mark in said), kind.lower() or "other")


def _identifiers(value: dict[str, Any]) -> dict[str, str]:
    names = {}
    for identifier in objects(value.get("relatedIdentifiers")):
        name = identifier.get("relatedIdentifierName") or identifier.get("itemRelatedIdentifierName")
        said = identifier.get("relatedIdentifierValue") or identifier.get("itemRelatedIdentifierValue")
        names[str(name)] = str(said)
    return names


def _lines(value: dict[str, Any]) -> Lines:
    items = list(objects(value.get("items")))
    if not items:
        return [(Item(), _amounts(value))]
    return [(_item(item), _amounts(item)) for item in items]


def _amounts(value: dict[str, Any]) -> list[Amount]:
    leaves = [_amount(path, money) for path, money in _leaves(value.get("breakdowns"), ())]
    if leaves:
        return leaves
    return (
        [_amount((str(value.get("description") or "Total"),), value["totalAmount"])] if value.get("totalAmount") else []
    )


def _leaves(breakdowns: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for breakdown in objects(breakdowns):
        here = (*path, str(breakdown.get("breakdownType")))
        below = list(_leaves(breakdown.get("breakdowns"), here))
        yield from below or [(here, breakdown.get("breakdownAmount"))]


def _amount(path: tuple[str, ...], money: Any) -> Amount:
    money = money if isinstance(money, dict) else {}
    is_split = len(path) > 2 and path[-1] in _SPLITS  # noqa: PLR2004  # group, charge or fee, split
    name = path[-2] if is_split else path[-1]
    part = _PARTS.get(path[0].lower().replace(" ", ""), "adjustment")
    micros = micros_of(money.get("currencyAmount"), "currencyAmount")
    return Amount(part, _KINDS.get(name, name), micros, text_of(money.get("currencyCode")))


def _item(item: dict[str, Any]) -> Item:
    product = next((c for c in objects(item.get("contexts")) if c.get("contextType") == "ProductContext"), {})
    names = _identifiers(item)
    return Item(
        sku=text_of(product.get("sku")),
        fnsku=text_of(product.get("fnsku")),
        asin=text_of(product.get("asin")),
        order_item_id=names.get("ORDER_ITEM_ID") or names.get("ORDER_ADJUSTMENT_ITEM_ID"),
        quantity=whole(product.get("quantityShipped"), "quantityShipped"),
    )
