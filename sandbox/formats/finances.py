"""The Finances API's answers: version 0 (`FinancialEvents`) and 2024-06-19 (transactions), one page a line."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.formats.tables import money
from sandbox.records import Amount, MoneyEvent, MoneyItem
from sandbox.trade import MARKETPLACE_NAME

_LISTS = {
    "shipment": "ShipmentEventList",
    "refund": "RefundEventList",
    "adjustment": "AdjustmentEventList",
    "service_fee": "ServiceFeeEventList",
}
_NEW_WORDS = {"Principal": "OurPricePrincipal", "Tax": "OurPriceTax"}
_GROUPS = {"charge": "ProductCharges", "fee": "AmazonFees", "promotion": "PromoRebates", "withheld": "Tax"}
# Amounts are numbers in Amazon's JSON. They travel as marked text through json, so that no float comes near them.
_MARK = "\x00"
_MARKED = re.compile(r'"\\u0000(-?\d+\.\d\d)"')


def write_v0(path: Path, events: Sequence[MoneyEvent], *, page_size: int) -> None:
    """Write listFinancialEvents' pages as JSON Lines; Amazon's own hold 100 events at most."""
    _write_pages(path, [_v0_page(page, is_last=last) for page, last in _pages(events, page_size)])


def write_transactions(path: Path, events: Sequence[MoneyEvent], *, page_size: int) -> None:
    """Write listTransactions' pages as JSON Lines."""
    pages = []
    for number, (page, last) in enumerate(_pages(events, page_size)):
        body: dict[str, Any] = {
            "transactions": [_transaction(event, f"{number:04d}{position:04d}") for position, event in enumerate(page)]
        }
        pages.append({"payload": body if last else {**body, "nextToken": f"page-{number + 1}"}})
    _write_pages(path, pages)


def _write_pages(path: Path, pages: Sequence[Any]) -> None:
    text = "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages)
    path.write_text(_MARKED.sub(r"\1", text), encoding="utf-8", newline="")


def _pages(events: Sequence[MoneyEvent], size: int) -> Iterator[tuple[Sequence[MoneyEvent], bool]]:
    for first in range(0, len(events), size):
        yield events[first : first + size], first + size >= len(events)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _amount(cents: int) -> dict[str, str]:
    return {"CurrencyCode": "USD", "CurrencyAmount": _MARK + money(cents)}


def _v0_page(events: Sequence[MoneyEvent], *, is_last: bool) -> dict[str, Any]:
    lists: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        lists[_LISTS[event.kind]].append(_v0_event(event))
    payload: dict[str, Any] = {"FinancialEvents": {name: lists[name] for name in _LISTS.values()}}
    if not is_last:
        payload["NextToken"] = f"after-{events[-1].order_id or events[-1].word}-{_utc(events[-1].at)}"
    return {"payload": payload}


def _v0_event(event: MoneyEvent) -> dict[str, Any]:
    if event.kind == "adjustment":
        return _v0_adjustment(event)
    if event.kind == "service_fee":
        fees = [_fee(a) for item in event.items for a in item.amounts]
        return {"FeeReason": event.word, "FeeList": fees}
    is_refund = event.kind == "refund"
    items = "ShipmentItemAdjustmentList" if is_refund else "ShipmentItemList"
    return {
        "AmazonOrderId": event.order_id,
        "SellerOrderId": event.order_id,
        "MarketplaceName": MARKETPLACE_NAME,
        "PostedDate": _utc(event.at),
        items: [_v0_item(item, is_refund=is_refund) for item in event.items],
    }


def _v0_item(item: MoneyItem, *, is_refund: bool) -> dict[str, Any]:
    suffix = "AdjustmentList" if is_refund else "List"
    body: dict[str, Any] = {"SellerSKU": item.msku}
    body |= {"OrderAdjustmentItemId": item.item_id + "A"} if is_refund else {"OrderItemId": item.item_id}
    body["QuantityShipped"] = item.quantity
    body["ItemCharge" + suffix] = [
        {"ChargeType": a.kind, "ChargeAmount": _amount(a.cents)} for a in item.amounts if a.part == "charge"
    ]
    body["ItemFee" + suffix] = [_fee(a) for a in item.amounts if a.part == "fee"]
    withheld = [{"ChargeType": a.kind, "ChargeAmount": _amount(a.cents)} for a in item.amounts if a.part == "withheld"]
    if withheld:
        body["ItemTaxWithheldList"] = [{"TaxCollectionModel": "MarketplaceFacilitator", "TaxesWithheld": withheld}]
    promotions = [a for a in item.amounts if a.part == "promotion"]
    if promotions:
        name = "PromotionAdjustmentList" if is_refund else "PromotionList"
        body[name] = [_promotion(a) for a in promotions]
    return body


def _promotion(amount: Amount) -> dict[str, Any]:
    kind = "PromotionMetaDataDefinitionValue"
    return {"PromotionType": kind, "PromotionId": "Coupon", "PromotionAmount": _amount(amount.cents)}


def _fee(amount: Amount) -> dict[str, Any]:
    return {"FeeType": amount.kind, "FeeAmount": _amount(amount.cents)}


def _v0_adjustment(event: MoneyEvent) -> dict[str, Any]:
    total = sum(a.cents for item in event.items for a in item.amounts)
    return {
        "AdjustmentType": event.word,
        "PostedDate": _utc(event.at),
        "AdjustmentAmount": _amount(total),
        "AdjustmentItemList": [_v0_adjusted_item(item) for item in event.items],
    }


def _v0_adjusted_item(item: MoneyItem) -> dict[str, Any]:
    total = sum(a.cents for a in item.amounts)
    return {
        "Quantity": str(item.quantity),
        "PerUnitAmount": _amount(total // item.quantity),
        "TotalAmount": _amount(total),
        "SellerSKU": item.msku,
    }


def _transaction(event: MoneyEvent, number: str) -> dict[str, Any]:
    kinds = {"shipment": ("Shipment", "Order Payment"), "refund": ("Refund", "Refund Order")}
    kind, description = kinds.get(
        event.kind, ("Adjustment" if event.kind == "adjustment" else "ServiceFee", event.word)
    )
    related = (
        [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": event.order_id}] if event.order_id else []
    )
    return {
        "transactionId": f"T{number}",
        "transactionType": kind,
        "transactionStatus": "RELEASED",
        "description": description,
        "postedDate": _utc(event.at),
        "marketplaceDetails": {"marketplaceId": "ATVPDKIKX0DER", "marketplaceName": MARKETPLACE_NAME},
        "relatedIdentifiers": related,
        "totalAmount": _new_amount(sum(a.cents for item in event.items for a in item.amounts)),
        "items": [_new_item(item) for item in event.items],
    }


def _new_amount(cents: int) -> dict[str, str]:
    return {"currencyCode": "USD", "currencyAmount": _MARK + money(cents)}


def _new_item(item: MoneyItem) -> dict[str, Any]:
    groups: dict[str, list[Amount]] = defaultdict(list)
    for amount in item.amounts:
        groups[_GROUPS.get(amount.part, "Adjustments")].append(amount)
    product = {
        "contextType": "ProductContext",
        "sku": item.msku,
        "quantityShipped": item.quantity,
        "fulfillmentNetwork": "AFN",
    }
    return {
        "description": item.msku,
        "totalAmount": _new_amount(sum(a.cents for a in item.amounts)),
        "relatedIdentifiers": [
            {"itemRelatedIdentifierName": "ORDER_ITEM_ID", "itemRelatedIdentifierValue": item.item_id}
        ],
        "contexts": [product],
        "breakdowns": [_group(name, amounts) for name, amounts in groups.items()],
    }


def _group(name: str, amounts: Sequence[Amount]) -> dict[str, Any]:
    return {
        "breakdownType": name,
        "breakdownAmount": _new_amount(sum(a.cents for a in amounts)),
        "breakdowns": [
            {"breakdownType": _NEW_WORDS.get(a.kind, a.kind), "breakdownAmount": _new_amount(a.cents), "breakdowns": []}
            for a in amounts
        ],
    }
