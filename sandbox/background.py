"""The honest part of the trade: it sells, refunds, restocks, moves and clears stock, and nothing in it is owed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sandbox.records import (
    Amount,
    MoneyEvent,
    MoneyItem,
    OrderLine,
    Product,
    RemovalOrder,
    RemovalShipment,
    Replacement,
)
from sandbox.trade import Trade

# A refund is judged only where the returns of the 45 days before it are known.
FIRST_REFUND_AFTER_DAYS = 60
_REFUND_PERCENT = 7


def run(trade: Trade, products: Sequence[Product], plain: Sequence[Product], *, orders_a_day: int) -> None:
    """Write eight months of ordinary trade. `plain` are the products whose stock is also removed and moved about."""
    demand: Counter[Product] = Counter()
    for day in _days(trade):
        _sell(trade, day, products, orders_a_day, demand)
        if (day - trade.start).days % 7 == 0:
            _each_week(trade, day, plain)
    _restock(trade, demand)


def _days(trade: Trade) -> Iterator[date]:
    for offset in range((trade.until - trade.start).days + 1):
        yield trade.start + timedelta(days=offset)


def _sell(trade: Trade, day: date, products: Sequence[Product], count: int, demand: Counter[Product]) -> None:
    for _ in range(count):
        basket = [(_pick(trade, products), 2 if _chance(trade, 10) else 1)]
        if _chance(trade, 8):
            other = _pick(trade, products)
            basket += [(other, 1)] if other is not basket[0][0] else []
        discount = 100 if _chance(trade, 5) else 0
        lines = trade.ship(day, basket, discount=discount)
        for line in lines:
            demand[line.product] += line.quantity
        if _chance(trade, _REFUND_PERCENT):
            _refund_honestly(trade, day, lines[0])


def _chance(trade: Trade, percent: int) -> bool:
    return trade.rng.randrange(100) < percent


def _pick(trade: Trade, products: Sequence[Product]) -> Product:
    """Return a product; the first ones sell best."""
    return products[int(len(products) * trade.rng.random() ** 2)]


def _refund_honestly(trade: Trade, sold_on: date, line: OrderLine) -> None:
    """Give the money back and have every unit come back, some before the refund, most soon after."""
    refunded_on = sold_on + timedelta(days=trade.rng.randint(4, 28))
    if refunded_on < trade.start + timedelta(days=FIRST_REFUND_AFTER_DAYS):
        return
    trade.refund(refunded_on, line)
    missing = 0
    for _ in range(line.quantity):
        back_on = max(sold_on, refunded_on) + timedelta(days=trade.rng.choice((-3, -1, 2, 4, 6, 9, 15, 28)))
        disposition = trade.rng.choice(("SELLABLE", "SELLABLE", "SELLABLE", "CUSTOMER_DAMAGED", "DEFECTIVE"))
        reason = (
            "DEFECTIVE" if disposition == "DEFECTIVE" else trade.rng.choice(("UNWANTED_ITEM", "ORDERED_WRONG_ITEM"))
        )
        trade.take_back(back_on, line, disposition=disposition, reason=reason)
        missing += back_on > trade.until
    if missing:
        trade.truth.expect(
            "return_not_received",
            (line.order_id, line.product.msku, refunded_on.isoformat()),
            quantity=missing,
            value=trade.refunded_value(line, missing),
            event_date=refunded_on,
            scenario="still_on_its_way_back",
        )


def _each_week(trade: Trade, day: date, plain: Sequence[Product]) -> None:
    _pay_for_a_lost_parcel(trade, day, plain)
    _return_from_before(trade, day, plain)
    _remove(trade, day, plain)
    _move(trade, day, plain)
    trade.money.append(
        MoneyEvent(
            "service_fee",
            trade.at(day),
            word="FBAStorageBilling",
            items=(MoneyItem("", "", 1, (Amount("fee", "FBAStorageFee", -trade.rng.randint(900, 4000)),)),),
        )
    )


def _pay_for_a_lost_parcel(trade: Trade, day: date, plain: Sequence[Product]) -> None:
    """Amazon pays for an order its carrier lost: automatic, and settles nothing but that order."""
    line = trade.ship(day, [(trade.rng.choice(plain), 1)])[0]
    paid_on = min(day + timedelta(days=trade.rng.randint(0, 5)), trade.until)
    trade.reimburse(
        paid_on,
        line.product,
        "Lost_Outbound",
        cash=1,
        order_id=line.order_id,
        unit_amount=line.product.price * 80 // 100,
    )


def _return_from_before(trade: Trade, day: date, plain: Sequence[Product]) -> None:
    """Take back a unit of an order older than the reports; sometimes replace an order whose first unit came back."""
    line = trade.ship(day, [(trade.rng.choice(plain), 1)])[0]
    back_on = min(day + timedelta(days=trade.rng.randint(2, 6)), trade.until)
    trade.take_back(back_on, line, order_id=trade.order_id())
    if day.isocalendar().week % 3:
        return
    sent_on = min(day + timedelta(days=7), trade.until)
    trade.take_back(sent_on, line, disposition="DEFECTIVE", reason="DEFECTIVE")
    center = trade.center()
    trade.sold[sent_on, line.product, center] += 1
    trade.replacements.append(
        Replacement(trade.at(sent_on), line.product, center, line.order_id, trade.order_id(), trade.rng.randint(1, 15))
    )


def _remove(trade: Trade, day: date, plain: Sequence[Product]) -> None:
    """Have unsellable stock destroyed, or sellable stock sent back to the seller."""
    product, count = trade.rng.choice(plain), trade.rng.randint(1, 6)
    done_on = day + timedelta(days=9)
    is_done = done_on <= trade.until
    disposal = _chance(trade, 50)
    order = RemovalOrder(
        trade.at(day),
        trade.at(min(done_on, trade.until)),
        code_of_order(trade),
        "Disposal" if disposal else "Return",
        "Completed" if is_done else "Processing",
        product,
        "Unsellable" if disposal else "Sellable",
        requested=count,
        disposed=count if disposal and is_done else 0,
        shipped=count if is_done and not disposal else 0,
        in_process=0 if is_done else count,
    )
    trade.removal_orders.append(order)
    if not is_done:
        return
    if disposal:
        trade.book(
            done_on, product, "Adjustments", -count, center=trade.center(), disposition="CUSTOMER_DAMAGED", reason="D",
            reference=trade.number(14),
        )  # fmt: skip
        return
    trade.book(done_on, product, "VendorReturns", -count, center=trade.center(), reference=order.order_id)
    parcel = RemovalShipment(trade.at(done_on), order, count, "UPS", "1Z" + trade.number(16))
    trade.removal_shipments.append(parcel)
    arrived_on = done_on + timedelta(days=5)
    if arrived_on <= trade.until:
        trade.received.append((parcel, count, arrived_on))


def code_of_order(trade: Trade) -> str:
    """Return a removal order id as sellers name them."""
    return f"RM{trade.number(8)}"


def _move(trade: Trade, day: date, plain: Sequence[Product]) -> None:
    """Stock travels between fulfillment centers: one leg out, one leg in."""
    product, count, reference = trade.rng.choice(plain), trade.rng.randint(2, 20), trade.number(12)
    arrives_on = day + timedelta(days=trade.rng.randint(1, 8))
    trade.book(day, product, "WhseTransfers", -count, center=trade.center(), reference=reference)
    trade.book(arrives_on, product, "WhseTransfers", count, center=trade.center(), reference=reference)


def _restock(trade: Trade, demand: Counter[Product]) -> None:
    """Send in every second month what the next two will sell; every shipment arrives whole."""
    products = sorted(demand, key=lambda p: p.msku)
    for first in range(0, len(products), 8):
        group = products[first : first + 8]
        for days_ago in range(210, 0, -55):
            day = trade.ago(days_ago - first % 40)
            contents = [(p, n, n, n) for p in group for n in (4 + demand[p] // 4,)]
            if day <= trade.until:
                trade.receive(day, contents, over_days=trade.rng.randint(1, 4))
    trade.receive(trade.ago(4), [(p, 40, 12, 12) for p in products[:3]], status="RECEIVING")
