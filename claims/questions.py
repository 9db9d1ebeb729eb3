"""What a client is usually asked, in whole sentences with the facts of the claim. Pure: rows in, words out."""

from collections.abc import Callable, Sequence

from claims import words
from models import Discrepancy, RequestKind

_SHIPMENT = "shipment"


def usual(kind: RequestKind, rows: Sequence[Discrepancy]) -> str | None:
    """Return the usual question of a kind about these discrepancies; None for `other`, which has none."""
    question = _USUAL.get(kind)
    return question(rows) if question and rows else None


def _confirm_shipment(rows: Sequence[Discrepancy]) -> str:
    return (
        f"Amazon says that {_what(rows)} did not arrive{_in_shipments(rows)}. Did you send them? "
        "Please tell us how many you packed and on which day they left, as your own papers say."
    )


def _send_invoice(rows: Sequence[Discrepancy]) -> str:
    return (
        f"Amazon asks what {_what(rows)} cost you. Please send your supplier's invoice or receipt: less than a year "
        f"old, with a date, the product's name and at least {_count(rows)}. A pro-forma invoice is not taken."
    )


def _proof_of_delivery(rows: Sequence[Discrepancy]) -> str:
    return (
        f"Amazon asks for the proof that {_what(rows)} reached its warehouse{_in_shipments(rows)}. Please send the "
        "carrier's signed receipt or bill of lading, with the date and the number of boxes; for parcels the tracking "
        "numbers are enough."
    )


_USUAL: dict[RequestKind, Callable[[Sequence[Discrepancy]], str]] = {
    RequestKind.CONFIRM_SHIPMENT: _confirm_shipment,
    RequestKind.SEND_INVOICE: _send_invoice,
    RequestKind.PROOF_OF_DELIVERY: _proof_of_delivery,
}


def _count(rows: Sequence[Discrepancy]) -> str:
    return words.units(sum(row.quantity for row in rows))


def _what(rows: Sequence[Discrepancy]) -> str:
    """Return units and product: "3 units of Blue mug (SKU-1)"; the product only where there is one."""
    products = dict.fromkeys(_product(row) for row in rows)
    return f"{_count(rows)} of {next(iter(products))}" if len(products) == 1 else _count(rows)


def _product(row: Discrepancy) -> str:
    sku, title = row.msku or row.fnsku, " ".join((row.title or "").split())
    if title and sku:
        return f"{title} ({sku})"
    return title or sku or "a product"


def _in_shipments(rows: Sequence[Discrepancy]) -> str:
    numbers = dict.fromkeys(row.reference_id for row in rows if row.reference_kind == _SHIPMENT)
    return f" with shipment {', '.join(numbers)}" if numbers else ""
