"""The reports that Amazon has ready on a day after the world's end: the trade goes on, and cases are answered in them.

Each download covers the whole time since then again, the reimbursements all that the seller has, so that files overlap
as they do in life. The same seed, memory and day give the same bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from sandbox.amazon.answers import Paid, answer, by_itself
from sandbox.amazon.cases import FOUND, Memory, Own
from sandbox.formats import finances, tables
from sandbox.records import Product, Reimbursement, RemovalOrder
from sandbox.trade import Trade
from sandbox.truth import Truth
from sandbox.world import products_of, whole_ledger

_ORDERS_A_DAY = 6
# So often is something in each report that no file is taken for one that ends too early.
_EACH_DAYS = 3
# The first products of a world are those about which there is no story.
_PLAIN_PRODUCTS = 12


@dataclass(frozen=True, slots=True)
class Shop:
    """A seller's world and who they are: `folder` holds what `world.write` wrote."""

    folder: Path
    account_id: int
    seed: int
    scale: float


def write(shop: Shop, memory: Memory, today: date) -> Path:
    """Write what can be downloaded on `today`, all of it up to the day before, and return its folder."""
    ends_on = Truth.load(shop.folder / "truth.json").until
    trade = Trade(Random(shop.seed), start=ends_on + timedelta(days=1), until=today - timedelta(days=1))  # noqa: S311
    products = {product.msku: product for product in products_of(shop.seed, shop.scale)}
    _go_on_selling(trade, shop, list(products.values()))
    for own in _own_of(shop, memory):
        if own.kind == FOUND:
            _find(trade, products[own.msku], own.day - timedelta(days=1), own.quantity, reason="F", key=own.fingerprint)
    shown = [line for line in lines_of(shop, memory) if line.shown_on <= today]
    for line in shown:
        _reimburse(trade, products[line.msku], line)
    return _write(shop, trade, today)


def lines_of(shop: Shop, memory: Memory) -> list[Paid]:
    """Return every line that Amazon has decided on for this seller, whether the report shows it yet or not."""
    own = [line for line in map(by_itself, _own_of(shop, memory)) if line]
    lines = [line for case in memory.cases for line in answer(case, seed=shop.seed).lines]
    mine = {asked.claim_id for case in memory.cases for asked in case.asked if asked.account_id == shop.account_id}
    return [*own, *(line for line in lines if {share.claim_id for share in line.shares} <= mine)]


def _own_of(shop: Shop, memory: Memory) -> Iterable[Own]:
    return [own for own in memory.own if own.account_id == shop.account_id]


def _go_on_selling(trade: Trade, shop: Shop, products: Sequence[Product]) -> None:
    """Sell some orders each day, take back a unit of an order from before, clear stock; nothing of it is owed."""
    for offset in range((trade.until - trade.start).days + 1):
        day = trade.start + timedelta(days=offset)
        trade.rng = Random(f"{shop.seed}:{day}")  # noqa: S311 - a day's trade does not depend on the days around it
        for _ in range(max(2, round(_ORDERS_A_DAY * shop.scale))):
            lines = trade.ship(day, [(trade.rng.choice(products), 1)])
        trade.take_back(day, lines[0], order_id=trade.order_id())
        if day.toordinal() % _EACH_DAYS == 0:
            plain = trade.rng.choice(products[:_PLAIN_PRODUCTS])
            _pay_for_a_lost_parcel(trade, day, plain)
            _clear(trade, day, plain)


def _pay_for_a_lost_parcel(trade: Trade, day: date, product: Product) -> None:
    """Pay for an order that the carrier lost, as Amazon does without being asked."""
    [line] = trade.ship(day, [(product, 1)])
    trade.reimburse(
        day, product, "Lost_Outbound", cash=1, order_id=line.order_id, unit_amount=product.price * 80 // 100
    )


def _clear(trade: Trade, day: date, product: Product) -> None:
    """Have the seller order the disposal of units that buyers damaged, which is done some days later."""
    count, done_on, order_id = trade.rng.randint(1, 4), day + timedelta(days=9), f"RM{trade.number(8)}"
    is_done = done_on <= trade.until
    trade.removal_orders.append(
        RemovalOrder(
            trade.at(day),
            trade.at(min(done_on, trade.until)),
            order_id,
            "Disposal",
            "Completed" if is_done else "Processing",
            product,
            "Unsellable",
            requested=count,
            disposed=count if is_done else 0,
            in_process=0 if is_done else count,
        )
    )
    trade.book(
        done_on,
        product,
        "Adjustments",
        -count,
        center=trade.center(),
        disposition="CUSTOMER_DAMAGED",
        reason="D",
        reference=trade.number(14),
    )


def _reimburse(trade: Trade, product: Product, paid: Paid) -> None:
    trade.rng = Random(f"{paid.key}:{paid.msku}")  # noqa: S311 - the same line in every download
    unit = unit_amount(paid, product)
    line = Reimbursement(
        trade.at(paid.approved_on),
        reimbursement_id(paid.key),
        product,
        paid.reason,
        unit if paid.cash else 0,
        paid.cash,
        paid.stock,
        paid.order_id,
        paid.case_id,
        reimbursement_id(paid.original) if paid.original else "",
        paid.original_reason,
    )
    trade.reimbursements.append(line)
    if paid.cash:
        trade.pay_out(line)
    if paid.found:
        _find(trade, product, paid.shown_on, abs(paid.cash + paid.stock), reason=paid.found, key=paid.key)


def unit_amount(paid: Paid, product: Product) -> int:
    """Return what Amazon pays for a unit, in cents: what the claim says it is worth, else what the product costs."""
    return paid.value or product.cost or product.price * 30 // 100


def _find(trade: Trade, product: Product, day: date, units: int, *, reason: str, key: str) -> None:
    trade.rng = Random(f"{key}:{reason}")  # noqa: S311 - as above
    trade.book(day, product, "Adjustments", units, center=trade.center(), reason=reason, reference=trade.number(14))


def reimbursement_id(key: str) -> str:
    """Return the id of a reimbursement, of eleven digits."""
    return str(Random(key).randint(10**10, 10**11 - 1))  # noqa: S311 - as above


def _write(shop: Shop, trade: Trade, today: date) -> Path:
    folder = shop.folder / "downloads" / today.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{today.isoformat()}.txt"
    tables.write_ledger(folder / f"ledger-{name}", whole_ledger(trade))
    sold = sorted(trade.order_lines, key=lambda line: (line.shipped_at, line.shipment_item_id))
    tables.write_plain(folder / f"shipments-{name}", tables.SHIPMENTS, map(tables.shipment_cells, sold))
    back = sorted(trade.returns, key=lambda unit: (unit.at, unit.plate))
    tables.write_plain(folder / f"returns-{name}", tables.RETURNS, map(tables.return_cells, back))
    asked = sorted(trade.removal_orders, key=lambda order: (order.requested_at, order.order_id))
    tables.write_plain(folder / f"removal_orders-{name}", tables.REMOVAL_ORDERS, map(tables.removal_order_cells, asked))
    events = sorted(trade.money, key=lambda event: (event.at, event.order_id, event.kind, event.items[0].msku))
    finances.write_v0(folder / f"finances-{today.isoformat()}.jsonl", events, page_size=1)
    paid = sorted(trade.reimbursements, key=lambda line: (line.at, line.reimbursement_id, line.product.msku))
    before = (shop.folder / "reports" / "reimbursements.txt").read_text(encoding="utf-8")
    tables.write_plain(folder / f"reimbursements-{name}", tables.REIMBURSEMENTS, map(tables.reimbursement_cells, paid))
    new = (folder / f"reimbursements-{name}").read_text(encoding="utf-8").partition("\n")[2]
    (folder / f"reimbursements-{name}").write_text(before + new, encoding="utf-8", newline="")
    return folder
