"""Shipments to Amazon that arrived short: what Amazon owes, and what it counted, paid for or is still counting."""

from datetime import date, timedelta

from sandbox.records import InboundShipment, Product
from sandbox.stories.story import Story
from sandbox.trade import Trade

SHORT = "inbound_lost"
_CLAIMABLE, _UPCOMING, _OLD = (32, 180), (3, 28), (40, 180)


def _owed(trade: Trade, shipment: InboundShipment, product: Product, day: date, *, units: int, scenario: str) -> None:
    key = (shipment.shipment_id, product.fnsku)
    value = product.cost_of(units)
    trade.truth.expect(SHORT, key, quantity=units, value=value, event_date=day, scenario=scenario)


def _silent(trade: Trade, shipment: InboundShipment, product: Product, scenario: str) -> None:
    trade.truth.stay_silent(SHORT, reference=shipment.shipment_id, fnsku=product.fnsku, scenario=scenario)


def arrived_short(trade: Trade, product: Product, day: date) -> None:
    """Closed with fewer units than were sent."""
    missing = trade.rng.randint(1, 9)
    shipment = trade.receive(day, [(product, 40, 40 - missing, 40 - missing)], over_days=2)
    _owed(trade, shipment, product, day, units=missing, scenario="arrived_short")


def short_and_paid_in_part(trade: Trade, product: Product, day: date) -> None:
    """Six short, two of them paid for."""
    shipment = trade.receive(day, [(product, 30, 24, 24)])
    trade.reimburse(day + timedelta(days=trade.rng.randint(0, 2)), product, "Lost_Inbound", cash=2)
    _owed(trade, shipment, product, day, units=4, scenario="short_and_paid_in_part")


def counted_by_the_api_in_part(trade: Trade, product: Product, day: date) -> None:
    """The API has two units more than the ledger; three are missing in both."""
    shipment = trade.receive(day, [(product, 20, 15, 17)])
    _owed(trade, shipment, product, day, units=3, scenario="counted_by_the_api_in_part")


def short_and_paid(trade: Trade, product: Product, day: date) -> None:
    """Short, and paid for."""
    shipment = trade.receive(day, [(product, 24, 21, 21)])
    trade.reimburse(day + timedelta(days=trade.rng.randint(5, 30)), product, "Lost_Inbound", cash=3)
    _silent(trade, shipment, product, "short_and_paid")


def still_being_counted(trade: Trade, product: Product, day: date) -> None:
    """Short so far, but Amazon has not closed the shipment."""
    shipment = trade.receive(day, [(product, 36, 20, 20)], status="RECEIVING")
    _silent(trade, shipment, product, "still_being_counted")


def api_counts_late(trade: Trade, product: Product, day: date) -> None:
    """The ledger has all units, the API does not know yet."""
    _silent(trade, trade.receive(day, [(product, 18, 18, 14)]), product, "api_counts_late")


def ledger_counts_less(trade: Trade, product: Product, day: date) -> None:
    """The API has all units, the ledger does not."""
    _silent(trade, trade.receive(day, [(product, 18, 15, 18)]), product, "ledger_counts_less")


def counted_under_another_sku(trade: Trade, product: Product, day: date) -> None:
    """What is missing of one SKU is too much of another of the same ASIN."""
    twin = Product(
        product.msku + "-B", product.asin, product.asin, product.title, product.price, product.cost, product.fee
    )
    shipment = trade.receive(day, [(product, 20, 16, 16), (twin, 10, 14, 14)])
    _silent(trade, shipment, product, "counted_under_another_sku")


def cancelled(trade: Trade, product: Product, day: date) -> None:
    """The shipment was cancelled."""
    shipment = trade.receive(day, [(product, 12, 0, 0)], status="CANCELLED")
    _silent(trade, shipment, product, "cancelled")


def never_arrived(trade: Trade, product: Product, day: date) -> None:
    """Closed and nothing booked in: without a proof of delivery no claim, only something to look at."""
    _silent(trade, trade.receive(day, [(product, 16, 0, 0)]), product, "never_arrived")


OPEN = (
    Story(arrived_short, (_CLAIMABLE,) * 3 + (_UPCOMING,) * 2),
    Story(short_and_paid_in_part, (_CLAIMABLE,)),
    Story(counted_by_the_api_in_part, (_CLAIMABLE,)),
)
CLOSED = tuple(
    Story(tell, (_OLD,))
    for tell in (
        short_and_paid,
        api_counts_late,
        ledger_counts_less,
        counted_under_another_sku,
        cancelled,
        never_arrived,
        still_being_counted,
    )
)
