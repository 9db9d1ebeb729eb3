"""A simulated seller's last eight months, made from a seed and written as Amazon would deliver them.

The same seed, end, scale and finances version give the same bytes. Nothing is random but through that seed.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Literal

from sandbox import background
from sandbox.catalogue import make_products
from sandbox.formats import finances as finances_format
from sandbox.formats import inbound as inbound_format
from sandbox.formats import own, tables
from sandbox.records import LedgerRow, Product
from sandbox.stories import inbound, returns, warehouse
from sandbox.stories.story import Story
from sandbox.trade import Trade
from sandbox.truth import EARLIEST_END, Truth

__all__ = ["DAYS", "Truth", "products_of", "whole_ledger", "write"]

DAYS = 243
# A closed story keeps this far from the next loss of its product, so that none of its finds can reach that loss.
_APART_DAYS = 75
_OLDEST_LOSS_DAYS = 190
_PLAIN_PRODUCTS = 12
_ORDERS_A_DAY = 14
# Two downloads of the ledger share some days, as two fetches of it do.
_OVERLAP = timedelta(days=2)


def write(
    folder: Path,
    *,
    seed: int,
    until: date,
    scale: float = 1,
    finances: Literal["v0", "2024-06-19"] = "v0",
    page_size: int = 50,
) -> Truth:
    """Simulate the eight months up to `until` and write them: reports to `folder/reports`, the truth to `truth.json`.

    scale: 1 is about 4,000 orders and 35 claimable discrepancies; a small one still tells every story once.
    page_size: how many events or shipments an answer of Amazon's JSON APIs holds; each is a line of its file.
    Raises ValueError for an `until` at which the rules of the planted mistakes were others.
    """
    if until < EARLIEST_END:
        raise ValueError(f"a world ends on {EARLIEST_END} or later, not on {until}")
    trade = Trade(Random(seed), start=until - timedelta(days=DAYS), until=until)  # noqa: S311 - a story, not a secret
    products = _tell(trade, scale)
    reports = folder / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    _write_flat_files(reports, trade)
    _write_json(reports, trade, finances, page_size)
    own.write_costs(reports / "costs.csv", products, start=trade.start)
    own.write_products(reports / "products.csv", products)
    own.write_received(reports / "received.csv", trade.received)
    truth = trade.truth.close(seed)
    truth.save(folder / "truth.json")
    return truth


def _tell(trade: Trade, scale: float) -> list[Product]:
    """Tell every story, then the honest trade around them. Returns the products."""
    opened, closed, plain_count = _cast(scale)
    products = make_products(trade.rng, plain_count + len(opened) + len(closed))
    plain, free = products[:plain_count], iter(products[plain_count:])
    free_early = _tell_open(trade, opened, free)
    _tell_closed(trade, closed, free, free_early)
    for story, age in _tellings((*returns.OPEN, *returns.CLOSED), scale):
        story.tell(trade, trade.rng.choice(products), trade.ago(trade.rng.randint(*age)))
    background.run(trade, products, plain, orders_a_day=max(2, round(_ORDERS_A_DAY * scale)))
    return products


def products_of(seed: int, scale: float) -> list[Product]:
    """Return the products of the world of this seed and scale."""
    opened, closed, plain_count = _cast(scale)
    return make_products(Random(seed), plain_count + len(opened) + len(closed))  # noqa: S311 - as in `write`


_Tellings = list[tuple[Story, tuple[int, int]]]


def _cast(scale: float) -> tuple[_Tellings, _Tellings, int]:
    """Return the open and the closed stories that need a product each, and how many products have none."""
    opened = list(_tellings((*warehouse.OPEN, *inbound.OPEN), scale))
    closed = list(_tellings((*warehouse.CLOSED, *inbound.CLOSED), scale))
    return opened, closed, max(_PLAIN_PRODUCTS, round(_PLAIN_PRODUCTS * scale))


def _tellings(stories: Iterable[Story], scale: float) -> Iterator[tuple[Story, tuple[int, int]]]:
    for story in stories:
        for number in range(max(1, round(len(story.ages) * scale))):
            yield story, story.ages[number % len(story.ages)]


def _tell_open(
    trade: Trade, tellings: Sequence[tuple[Story, tuple[int, int]]], free: Iterator[Product]
) -> list[tuple[Product, int]]:
    """Tell each on a product of its own. Returns the products with room for an earlier story, and how old at least."""
    room = []
    for story, ages in tellings:
        product, age = next(free), trade.rng.randint(*ages)
        story.tell(trade, product, trade.ago(age))
        if age + 2 * _APART_DAYS <= _OLDEST_LOSS_DAYS:
            room.append((product, age + _APART_DAYS + 40))
    return room


def _tell_closed(
    trade: Trade,
    tellings: Sequence[tuple[Story, tuple[int, int]]],
    free: Iterator[Product],
    free_early: list[tuple[Product, int]],
) -> None:
    """Tell each before an open story of the same product where there is room, else on a product of its own."""
    for number, (story, ages) in enumerate(tellings):
        if number % 2 and free_early and not story.stands_alone:
            product, youngest = free_early.pop(trade.rng.randrange(len(free_early)))
            age = trade.rng.randint(youngest, max(youngest, _OLDEST_LOSS_DAYS - 10))
        else:
            product, age = next(free), trade.rng.randint(*ages)
        story.tell(trade, product, trade.ago(age))


def _write_flat_files(reports: Path, trade: Trade) -> None:
    for name, rows in _by_month(whole_ledger(trade), trade):
        tables.write_ledger(reports / f"ledger-{name}.txt", rows)
    shipments = sorted(trade.order_lines, key=lambda line: (line.shipped_at, line.shipment_item_id))
    months = sorted({f"{line.shipped_at:%Y-%m}" for line in shipments})
    for month in months:
        cells = [tables.shipment_cells(line) for line in shipments if f"{line.shipped_at:%Y-%m}" == month]
        tables.write_plain(reports / f"shipments-{month}.txt", tables.SHIPMENTS, cells)
    paid = sorted(trade.reimbursements, key=lambda line: (line.at, line.reimbursement_id))
    tables.write_plain(reports / "reimbursements.txt", tables.REIMBURSEMENTS, map(tables.reimbursement_cells, paid))
    back = sorted(trade.returns, key=lambda unit: (unit.at, unit.plate))
    tables.write_plain(reports / "returns.txt", tables.RETURNS, map(tables.return_cells, back))
    asked = sorted(trade.removal_orders, key=lambda order: (order.requested_at, order.order_id))
    tables.write_plain(reports / "removal_orders.txt", tables.REMOVAL_ORDERS, map(tables.removal_order_cells, asked))
    parcels = sorted(trade.removal_shipments, key=lambda parcel: (parcel.shipped_at, parcel.tracking_number))
    tables.write_plain(
        reports / "removal_shipments.txt", tables.REMOVAL_SHIPMENTS, map(tables.removal_shipment_cells, parcels)
    )
    sent = sorted(trade.replacements, key=lambda one: (one.at, one.replacement_order_id))
    tables.write_plain(reports / "replacements.txt", tables.REPLACEMENTS, map(tables.replacement_cells, sent))


def _write_json(reports: Path, trade: Trade, version: str, page_size: int) -> None:
    events = sorted(trade.money, key=lambda event: (event.at, event.order_id, event.kind))
    write_events = finances_format.write_v0 if version == "v0" else finances_format.write_transactions
    write_events(reports / "finances.jsonl", events, page_size=page_size)
    inbound_format.write_shipments(reports / "inbound_shipments.jsonl", trade.inbound, page_size=page_size)
    inbound_format.write_items(reports / "inbound_items.jsonl", trade.inbound, page_size=page_size)


def whole_ledger(trade: Trade) -> list[LedgerRow]:
    """Return every movement; what was sold of a product in a centre on a day is one row."""
    sold = [
        LedgerRow(day, product, "Shipments", -units, center) for (day, product, center), units in trade.sold.items()
    ]
    return sorted([*trade.ledger, *sold], key=_ledger_order)


def _ledger_order(row: LedgerRow) -> tuple[object, ...]:
    return (row.day, row.product.msku, row.event, row.reference, row.quantity, row.fulfillment_center, row.disposition)


def _by_month(rows: Sequence[LedgerRow], trade: Trade) -> Iterator[tuple[str, list[LedgerRow]]]:
    first = trade.start.replace(day=1)
    while first <= trade.until:
        following = (first + timedelta(days=32)).replace(day=1)
        yield f"{first:%Y-%m}", [row for row in rows if first - _OVERLAP <= row.day < following]
        first = following
