"""Units lost and damaged in the warehouse: what Amazon owes, and what it found, paid for or put right.

A story's settlements are used up by its own losses, so stories do not disturb one another.
"""

from datetime import date, timedelta

from sandbox.catalogue import code
from sandbox.records import Product, RemovalOrder
from sandbox.stories.story import Story
from sandbox.trade import Trade

LOST, DAMAGED = "warehouse_lost", "warehouse_damaged"
_UPCOMING, _CLAIMABLE, _LAPSED = (1, 13), (16, 58), (62, 170)
_OLD = (50, 170)


def _later(trade: Trade, day: date, least: int, most: int) -> date:
    """Return a day between `least` and `most` days after `day`, but none after the last."""
    return min(day + timedelta(days=trade.rng.randint(least, most)), trade.until)


def _lose(
    trade: Trade, product: Product, day: date, units: int, *, reason: str = "M", center: str = "", **more: str
) -> tuple[str, ...]:
    """Write a loss and return its natural key."""
    where, reference = center or trade.center(), trade.number(14)
    trade.book(day, product, "Adjustments", -units, center=where, reason=reason, reference=reference, **more)  # type: ignore[arg-type]
    return reference, product.fnsku, where, day.isoformat()


def _gain(trade: Trade, product: Product, day: date, units: int, *, reason: str = "F", **more: str) -> None:
    where = more.pop("center", "") or trade.center()
    trade.book(
        day, product, "Adjustments", units, center=where, reason=reason, reference=trade.number(14), **more  # type: ignore[arg-type]
    )  # fmt: skip


def _damage(trade: Trade, product: Product, day: date, units: int, *, center: str = "") -> tuple[str, ...]:
    """Write units damaged by Amazon: off the sellable stock, on to the damaged."""
    key = _lose(trade, product, day, units, reason="E", center=center)
    _gain(trade, product, day, units, reason="P", center=key[2], disposition="WAREHOUSE_DAMAGED")
    return key


def _owed(  # noqa: PLR0917
    trade: Trade, product: Product, claim_type: str, key: tuple[str, ...], units: int, scenario: str
) -> None:
    day, value = date.fromisoformat(key[3]), product.cost_of(units)
    trade.truth.expect(claim_type, key, quantity=units, value=value, event_date=day, scenario=scenario)


def _silent(trade: Trade, claim_type: str, key: tuple[str, ...], scenario: str) -> None:
    trade.truth.stay_silent(claim_type, reference=key[0], fnsku=key[1], scenario=scenario)


# What Amazon owes.


def lost(trade: Trade, product: Product, day: date) -> None:
    """Misplaced, never found, never paid for."""
    units = trade.rng.randint(1, 6)
    key = _lose(trade, product, day, units, reason=trade.rng.choice("MM5"))
    _owed(trade, product, LOST, key, units, "lost")


def found_in_part(trade: Trade, product: Product, day: date) -> None:
    """Seven misplaced, three found again."""
    key = _lose(trade, product, day, 7)
    _gain(trade, product, _later(trade, day, 1, 10), 3)
    _owed(trade, product, LOST, key, 4, "found_in_part")


def paid_in_part(trade: Trade, product: Product, day: date) -> None:
    """Five misplaced, two paid for."""
    key = _lose(trade, product, day, 5)
    trade.reimburse(_later(trade, day, 2, 12), product, "Lost_Warehouse", cash=2)
    _owed(trade, product, LOST, key, 3, "paid_in_part")


def written_in_two_rows(trade: Trade, product: Product, day: date) -> None:
    """Two rows of one reference on one day are one discrepancy."""
    key = _lose(trade, product, day, 1)
    trade.book(day, product, "Adjustments", -1, center=key[2], reason="M", reference=key[0])
    _owed(trade, product, LOST, key, 2, "written_in_two_rows")


def second_loss_open(trade: Trade, product: Product, day: date) -> None:
    """The find settles the older loss, the younger stays open."""
    older = _lose(trade, product, day - timedelta(days=9), 2)
    key = _lose(trade, product, day, 2)
    _gain(trade, product, _later(trade, day, 1, 8), 2)
    _silent(trade, LOST, older, "older_loss_takes_the_find")
    _owed(trade, product, LOST, key, 2, "second_loss_open")


def reconciled_in_part(trade: Trade, product: Product, day: date) -> None:
    """Amazon says itself that two of four are made up for."""
    reference, center = trade.number(14), trade.center()
    trade.book(
        day, product, "Adjustments", -4, center=center, reason="M", reference=reference, reconciled=2, unreconciled=2
    )
    _gain(trade, product, _later(trade, day, 1, 8), 2)
    _owed(trade, product, LOST, (reference, product.fnsku, center, day.isoformat()), 2, "reconciled_in_part")


def found_but_moved_out(trade: Trade, product: Product, day: date) -> None:
    """Units found before the loss were moved out again, so they do not make up for it."""
    _gain(trade, product, day - timedelta(days=12), 3)
    _lose(trade, product, day - timedelta(days=6), 3, reason="O")
    _owed(trade, product, LOST, _lose(trade, product, day, 3), 3, "found_but_moved_out")


def topped_up_elsewhere(trade: Trade, product: Product, day: date) -> None:
    """A payment that names an earlier one is a top-up of that one and settles nothing new."""
    earlier = day - timedelta(days=40)
    first = _lose(trade, product, earlier, 2)
    paid = trade.reimburse(_later(trade, earlier, 2, 6), product, "Lost_Warehouse", cash=2)
    _silent(trade, LOST, first, "paid_then_topped_up")
    key = _lose(trade, product, day, 2)
    trade.reimburse(_later(trade, day, 1, 9), product, "Lost_Warehouse", cash=2, original=paid, unit_amount=120)
    _owed(trade, product, LOST, key, 2, "topped_up_elsewhere")


def damaged(trade: Trade, product: Product, day: date) -> None:
    """Damaged by Amazon, never paid for."""
    units = trade.rng.randint(1, 4)
    _owed(trade, product, DAMAGED, _damage(trade, product, day, units), units, "damaged")


def put_back_in_part(trade: Trade, product: Product, day: date) -> None:
    """Four damaged, one inspected and put back."""
    key = _damage(trade, product, day, 4)
    _put_back(trade, product, _later(trade, day, 2, 9), 1, center=key[2])
    _owed(trade, product, DAMAGED, key, 3, "put_back_in_part")


def another_disposition_put_back(trade: Trade, product: Product, day: date) -> None:
    """What was put back on that day had been damaged by a customer, not by Amazon."""
    key = _damage(trade, product, day, 2)
    _put_back(trade, product, _later(trade, day, 2, 9), 2, center=key[2], disposition="CUSTOMER_DAMAGED")
    _owed(trade, product, DAMAGED, key, 2, "another_disposition_put_back")


# What only looks like it.


def found_later(trade: Trade, product: Product, day: date) -> None:
    """Misplaced and found."""
    units = trade.rng.randint(1, 6)
    key = _lose(trade, product, day, units)
    _gain(trade, product, _later(trade, day, 1, 30), units, reason=trade.rng.choice("FFN"))
    _silent(trade, LOST, key, "found_later")


def found_before(trade: Trade, product: Product, day: date) -> None:
    """The find is booked before the loss."""
    _gain(trade, product, day - timedelta(days=trade.rng.randint(2, 28)), 3)
    _silent(trade, LOST, _lose(trade, product, day, 3), "found_before")


def paid(trade: Trade, product: Product, day: date) -> None:
    """Misplaced and paid for, by itself."""
    units = trade.rng.randint(1, 5)
    key = _lose(trade, product, day, units)
    trade.reimburse(_later(trade, day, 0, 20), product, "Lost_Warehouse", cash=units)
    _silent(trade, LOST, key, "paid")


def paid_in_stock(trade: Trade, product: Product, day: date) -> None:
    """Paid for with units, which the ledger shows as found."""
    key = _lose(trade, product, day, 2)
    paid_on = _later(trade, day, 2, 15)
    trade.reimburse(paid_on, product, "Lost_Warehouse", stock=2)
    _gain(trade, product, _later(trade, paid_on, 0, 5), 2, reason="N")
    _silent(trade, LOST, key, "paid_in_stock")


def paid_before(trade: Trade, product: Product, day: date) -> None:
    """The payment shows before the loss does."""
    trade.reimburse(day - timedelta(days=trade.rng.randint(1, 9)), product, "Lost:Warehouse", cash=2)
    _silent(trade, LOST, _lose(trade, product, day, 2), "paid_before")


def paid_by_another_name(trade: Trade, product: Product, day: date) -> None:
    """Paid for under a general reason that names no order, or as damaged."""
    key = _lose(trade, product, day, 2)
    reason = trade.rng.choice(("GeneralAdjustment", "Damaged_Warehouse"))
    trade.reimburse(_later(trade, day, 2, 15), product, reason, cash=2)
    _silent(trade, LOST, key, "paid_by_another_name")


def paid_after_a_case(trade: Trade, product: Product, day: date) -> None:
    """Paid for on the seller's own case."""
    key = _lose(trade, product, day, 3)
    trade.reimburse(_later(trade, day, 16, 30), product, "LOST_WAREHOUSE", cash=3, case_id=trade.number(11))
    _silent(trade, LOST, key, "paid_after_a_case")


def paid_and_taken_back(trade: Trade, product: Product, day: date) -> None:
    """Paid for, found, the payment taken back: the loss is settled all the same."""
    key = _lose(trade, product, day, 2)
    first = trade.reimburse(_later(trade, day, 1, 5), product, "Lost_Warehouse", cash=2)
    _gain(trade, product, _later(trade, day, 9, 15), 2)
    trade.reimburse(_later(trade, day, 18, 28), product, "Reimbursement_Reversal", cash=-2, original=first)
    _silent(trade, LOST, key, "paid_and_taken_back")


def paid_found_and_moved_out(trade: Trade, product: Product, day: date) -> None:
    """Paid for, then found; Amazon takes what it has paid for."""
    key = _lose(trade, product, day, 3)
    trade.reimburse(_later(trade, day, 1, 6), product, "Lost_Warehouse", cash=3)
    found_on = _later(trade, day, 8, 14)
    _gain(trade, product, found_on, 3)
    _lose(trade, product, _later(trade, found_on, 1, 6), 3, reason="O")
    _silent(trade, LOST, key, "paid_found_and_moved_out")


def reconciled_by_amazon(trade: Trade, product: Product, day: date) -> None:
    """Amazon says itself that all are made up for, with units of another SKU."""
    reference, center = trade.number(14), trade.center()
    trade.book(
        day, product, "Adjustments", -3, center=center, reason="M", reference=reference, reconciled=3, unreconciled=0
    )
    _silent(trade, LOST, (reference, product.fnsku), "reconciled_by_amazon")


def found_under_another_sku(trade: Trade, product: Product, day: date) -> None:
    """The units came back under a SKU that Amazon made for them."""
    key = _lose(trade, product, day, 2)
    _gain(
        trade,
        product,
        _later(trade, day, 3, 20),
        2,
        msku=f"Amazon.Found.{product.asin}",
        fnsku="X00" + code(trade.rng, 7),
    )
    _silent(trade, LOST, key, "found_under_another_sku")


def booked_by_mistake(trade: Trade, product: Product, day: date) -> None:
    """The loss is corrected under its own code."""
    key = _lose(trade, product, day, 4)
    _gain(trade, product, _later(trade, day, 0, 4), 4, reason="M")
    _silent(trade, LOST, key, "booked_by_mistake")


def lost_unsellable(trade: Trade, product: Product, day: date) -> None:
    """What was misplaced could not be sold anyway."""
    disposition = trade.rng.choice(("DEFECTIVE", "CUSTOMER_DAMAGED", "WAREHOUSE_DAMAGED"))
    _silent(trade, LOST, _lose(trade, product, day, 2, disposition=disposition), "lost_unsellable")


def lost_by_another_store(trade: Trade, product: Product, day: date) -> None:
    """The stock of another of Amazon's stores is not looked at."""
    _silent(trade, LOST, _lose(trade, product, day, 2, center="XCND", store="Low-Cost Store"), "lost_by_another_store")


def put_back(trade: Trade, product: Product, day: date) -> None:
    """Damaged, inspected, sellable after all."""
    key = _damage(trade, product, day, 3)
    _put_back(trade, product, _later(trade, day, 1, 25), 3, center=key[2])
    _silent(trade, DAMAGED, key, "put_back")


def damage_paid(trade: Trade, product: Product, day: date) -> None:
    """Damaged and paid for."""
    units = trade.rng.randint(1, 4)
    key = _damage(trade, product, day, units)
    trade.reimburse(_later(trade, day, 0, 14), product, "Damaged_Warehouse", cash=units)
    _silent(trade, DAMAGED, key, "damage_paid")


def disposed_by_own_order(trade: Trade, product: Product, day: date) -> None:
    """The seller had the damaged units destroyed, which ends the claim to them."""
    key = _damage(trade, product, day, 2)
    asked_on = _later(trade, day, 3, 14)
    done_on = asked_on + timedelta(days=8)
    trade.removal_orders.append(
        RemovalOrder(
            trade.at(asked_on),
            trade.at(done_on),
            f"RM{trade.number(8)}",
            "Disposal",
            "Completed",
            product,
            "Unsellable",
            requested=2,
            disposed=2,
        )
    )
    _lose(trade, product, done_on, 2, reason="D", center=key[2], disposition="WAREHOUSE_DAMAGED")
    _silent(trade, DAMAGED, key, "disposed_by_own_order")


def damaged_unsellable(trade: Trade, product: Product, day: date) -> None:
    """The damaged units were expired or defective before."""
    reason, disposition = trade.rng.choice((("7", "EXPIRED"), ("K", "DEFECTIVE"), ("H", "CUSTOMER_DAMAGED")))
    key = _lose(trade, product, day, 2, reason=reason, disposition=disposition)
    _gain(trade, product, day, 2, reason="P", center=key[2], disposition="WAREHOUSE_DAMAGED")
    _silent(trade, DAMAGED, key, "damaged_unsellable")


def _put_back(
    trade: Trade, product: Product, day: date, units: int, *, center: str, disposition: str = "WAREHOUSE_DAMAGED"
) -> None:
    _lose(trade, product, day, units, reason="Q", center=center, disposition=disposition)
    back_on = min(day + timedelta(days=trade.rng.randint(0, 1)), trade.until)
    _gain(trade, product, back_on, units, reason="P", center=center)


OPEN = (
    Story(lost, (_CLAIMABLE,) * 5 + (_UPCOMING,) * 2 + (_LAPSED,) * 2),
    Story(found_in_part, (_CLAIMABLE, _CLAIMABLE, _LAPSED)),
    Story(paid_in_part, (_CLAIMABLE, _UPCOMING)),
    Story(written_in_two_rows, (_CLAIMABLE,)),
    Story(second_loss_open, (_CLAIMABLE,)),
    Story(reconciled_in_part, (_CLAIMABLE,)),
    Story(found_but_moved_out, (_CLAIMABLE,)),
    Story(topped_up_elsewhere, (_CLAIMABLE,)),
    Story(damaged, (_CLAIMABLE,) * 3 + (_UPCOMING, _LAPSED)),
    Story(put_back_in_part, (_CLAIMABLE,)),
    Story(another_disposition_put_back, (_CLAIMABLE,)),
)
CLOSED = tuple(
    Story(tell, (_OLD,))
    for tell in (
        found_later,
        paid,
        paid_in_stock,
        paid_after_a_case,
        paid_and_taken_back,
        paid_found_and_moved_out,
        booked_by_mistake,
        lost_unsellable,
        lost_by_another_store,
        put_back,
        damage_paid,
        disposed_by_own_order,
        damaged_unsellable,
    )
) + tuple(
    Story(tell, (_OLD,), stands_alone=True)
    for tell in (found_before, paid_before, paid_by_another_name, reconciled_by_amazon, found_under_another_sku)
)
