"""Refunded orders: units that never came back, and units that did, were paid for, or were never refunded in truth."""

from datetime import date, timedelta

from sandbox.records import Amount, MoneyEvent, MoneyItem, OrderLine, Product
from sandbox.stories.story import Story
from sandbox.trade import Trade

MISSING = "return_not_received"
_CLAIMABLE, _UPCOMING, _LAPSED, _OLD = (62, 118), (8, 57), (123, 180), (70, 180)


def _sell(trade: Trade, product: Product, refunded_on: date, units: int = 1, *, is_charged: bool = True) -> OrderLine:
    sold_on = refunded_on - timedelta(days=trade.rng.randint(5, 20))
    return trade.ship(sold_on, [(product, units)], is_charged=is_charged)[0]


def _owed(trade: Trade, line: OrderLine, day: date, units: int, scenario: str) -> None:
    key = (line.order_id, line.product.msku, day.isoformat())
    value = trade.refunded_value(line, units)
    trade.truth.expect(MISSING, key, quantity=units, value=value, event_date=day, scenario=scenario)


def _silent(trade: Trade, line: OrderLine, scenario: str) -> None:
    trade.truth.stay_silent(MISSING, reference=line.order_id, fnsku=line.product.fnsku, scenario=scenario)


def never_returned(trade: Trade, product: Product, day: date) -> None:
    """Refunded in full, nothing came back."""
    line = _sell(trade, product, day)
    trade.refund(day, line)
    _owed(trade, line, day, 1, "never_returned")


def one_of_two_returned(trade: Trade, product: Product, day: date) -> None:
    """Two refunded, one came back."""
    line = _sell(trade, product, day, 2)
    trade.refund(day, line)
    trade.take_back(day + timedelta(days=3), line)
    _owed(trade, line, day, 1, "one_of_two_returned")


def refunded_in_two_steps(trade: Trade, product: Product, day: date) -> None:
    """Half the price first, the rest on another day: refunded on the second."""
    line = _sell(trade, product, day - timedelta(days=6))
    half = line.principal // 2
    trade.refund(day - timedelta(days=6), line, units=1, principal=half)
    trade.refund(day, line, units=1, principal=line.principal - half)
    _owed(trade, line, day, 1, "refunded_in_two_steps")


def charge_not_in_the_input(trade: Trade, product: Product, day: date) -> None:
    """The charge is missing from the finances; the fulfilled shipments know the price."""
    line = _sell(trade, product, day, is_charged=False)
    trade.refund(day, line)
    _owed(trade, line, day, 1, "charge_not_in_the_input")


def returned_late(trade: Trade, product: Product, day: date) -> None:
    """Came back, long after the refund."""
    line = _sell(trade, product, day)
    trade.refund(day, line)
    trade.take_back(day + timedelta(days=trade.rng.randint(30, 65)), line)
    _silent(trade, line, "returned_late")


def returned_before_the_refund(trade: Trade, product: Product, day: date) -> None:
    """Came back first, refunded then."""
    line = _sell(trade, product, day)
    trade.take_back(day - timedelta(days=2), line)
    trade.refund(day, line)
    _silent(trade, line, "returned_before_the_refund")


def returned_as_another_sku(trade: Trade, product: Product, day: date) -> None:
    """The same product came back under a second SKU."""
    line = _sell(trade, product, day)
    twin = Product(
        product.msku + "-U", product.fnsku, product.asin, product.title, product.price, product.cost, product.fee
    )
    trade.refund(day, line)
    trade.take_back(day + timedelta(days=5), line, product=twin)
    _silent(trade, line, "returned_as_another_sku")


def paid(trade: Trade, product: Product, day: date) -> None:
    """Never came back; Amazon paid for it, by order."""
    line = _sell(trade, product, day)
    trade.refund(day, line)
    reason = trade.rng.choice(("CustomerReturn", "Customer_Return"))
    trade.reimburse(
        day + timedelta(days=trade.rng.randint(45, 65)),
        product,
        reason,
        cash=1,
        order_id=line.order_id,
        unit_amount=product.price * 85 // 100,
    )
    _silent(trade, line, "paid")


def charged_again(trade: Trade, product: Product, day: date) -> None:
    """Never came back; Amazon charged the buyer again."""
    line = _sell(trade, product, day)
    trade.refund(day, line)
    item = MoneyItem(product.msku, line.item_id, 1, (Amount("charge", "Principal", line.principal),))
    trade.money.append(MoneyEvent("refund", trade.at(day + timedelta(days=46)), line.order_id, items=(item,)))
    _silent(trade, line, "charged_again")


def goodwill(trade: Trade, product: Product, day: date) -> None:
    """A gesture, not a refund: the buyer keeps the unit and most of the price was kept."""
    line = _sell(trade, product, day)
    trade.refund(day, line, units=1, principal=line.principal * trade.rng.choice((10, 20, 50)) // 100)
    _silent(trade, line, "goodwill")


def shipped_by_the_seller(trade: Trade, product: Product, day: date) -> None:
    """Refunded and not returned, but not an order that Amazon had shipped."""
    order_id, item_id = trade.order_id(), trade.number(14)
    charge = (Amount("charge", "Principal", product.price), Amount("fee", "Commission", -product.price * 15 // 100))
    back = (Amount("charge", "Principal", -product.price), Amount("fee", "Commission", product.price * 12 // 100))
    for kind, when, amounts in (("shipment", day - timedelta(days=9), charge), ("refund", day, back)):
        item = MoneyItem(product.msku, item_id, 1, amounts)
        trade.money.append(MoneyEvent(kind, trade.at(when), order_id, items=(item,)))
    trade.truth.stay_silent(MISSING, reference=order_id, fnsku=product.fnsku, scenario="shipped_by_the_seller")


OPEN = (
    Story(never_returned, (_CLAIMABLE,) * 5 + (_UPCOMING,) * 2 + (_LAPSED,) * 2),
    Story(one_of_two_returned, (_CLAIMABLE,)),
    Story(refunded_in_two_steps, (_CLAIMABLE,)),
    Story(charge_not_in_the_input, (_CLAIMABLE,)),
)
CLOSED = tuple(
    Story(tell, (_OLD, _OLD))
    for tell in (
        returned_late,
        returned_before_the_refund,
        returned_as_another_sku,
        paid,
        charged_again,
        goodwill,
        shipped_by_the_seller,
    )
)
