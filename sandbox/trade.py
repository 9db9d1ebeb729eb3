"""The books of a simulated seller: every row Amazon would write about the trade, and the verbs that write them."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sandbox.catalogue import code
from sandbox.charges import charged, refunded
from sandbox.records import (
    Amount,
    InboundItem,
    InboundShipment,
    LedgerRow,
    MoneyEvent,
    MoneyItem,
    OrderLine,
    Product,
    Reimbursement,
    RemovalOrder,
    RemovalShipment,
    Replacement,
    ReturnedUnit,
)
from sandbox.truth import TruthBook

CENTERS = ("ABE8", "PHX7", "ONT8", "MDW2", "DFW7", "TPA1", "SMF3", "CLT2")
ZONE = ZoneInfo("America/Los_Angeles")
MARKETPLACE = "US"
MARKETPLACE_NAME = "Amazon.com"
_TAX_PERCENT = 8


class Trade:
    """Collects the rows of a trade from `start` to `until`; what happens later is not written down."""

    def __init__(self, rng: Random, *, start: date, until: date) -> None:
        self.rng = rng
        self.start = start
        self.until = until
        self.truth = TruthBook(until, MARKETPLACE)
        self.sold: Counter[tuple[date, Product, str]] = Counter()
        self.ledger: list[LedgerRow] = []
        self.reimbursements: list[Reimbursement] = []
        self.order_lines: list[OrderLine] = []
        self.returns: list[ReturnedUnit] = []
        self.money: list[MoneyEvent] = []
        self.inbound: list[InboundShipment] = []
        self.removal_orders: list[RemovalOrder] = []
        self.removal_shipments: list[RemovalShipment] = []
        self.replacements: list[Replacement] = []
        self.received: list[tuple[RemovalShipment, int, date]] = []

    def ago(self, days: int) -> date:
        """Return the day `days` before the last one."""
        return self.until - timedelta(days=days)

    def at(self, day: date) -> datetime:
        """Return some moment of `day` in the marketplace's zone."""
        moment = time(self.rng.randint(3, 23), self.rng.randint(0, 59), self.rng.randint(0, 59))
        return datetime.combine(day, moment, ZONE)

    def center(self) -> str:
        """Return some fulfillment center."""
        return self.rng.choice(CENTERS)

    def number(self, digits: int) -> str:
        """Return a number of `digits` digits, as Amazon's references are."""
        return str(self.rng.randint(10 ** (digits - 1), 10**digits - 1))

    def order_id(self) -> str:
        """Return an order id in Amazon's 3-7-7 form."""
        return f"{self.rng.choice((111, 112, 113, 114))}-{self.number(7)}-{self.number(7)}"

    def book(
        self,
        day: date,
        product: Product,
        event: str,
        quantity: int,
        *,
        center: str,
        disposition: str = "SELLABLE",
        reason: str = "",
        reference: str = "",
        reconciled: int | None = None,
        unreconciled: int | None = None,
        store: str = "",
        msku: str = "",
        fnsku: str = "",
    ) -> None:
        """Write one ledger row."""
        if day <= self.until:
            self.ledger.append(
                LedgerRow(
                    day,
                    product,
                    event,
                    quantity,
                    center,
                    disposition,
                    reason,
                    reference,
                    reconciled,
                    unreconciled,
                    store,
                    msku,
                    fnsku,
                )
            )

    def reimburse(
        self,
        day: date,
        product: Product,
        reason: str,
        *,
        cash: int = 0,
        stock: int = 0,
        order_id: str = "",
        original: Reimbursement | None = None,
        unit_amount: int | None = None,
        case_id: str = "",
    ) -> Reimbursement:
        """Write one line of the reimbursements report, and the money of its cash units."""
        paid = unit_amount if unit_amount is not None else product.cost or product.price * 30 // 100
        line = Reimbursement(
            self.at(day),
            self.number(11),
            product,
            reason,
            paid if cash else 0,
            cash,
            stock,
            order_id,
            case_id,
            original.reimbursement_id if original else "",
            original.reason if original else "",
        )
        if day <= self.until:
            self.reimbursements.append(line)
            if cash:
                self.pay_out(line)
        return line

    def ship(
        self,
        day: date,
        products: Sequence[tuple[Product, int]],
        *,
        center: str | None = None,
        is_charged: bool = True,
        discount: int = 0,
    ) -> list[OrderLine]:
        """Sell and ship one order on `day`: its lines, its stock movement, its money."""
        order_id, shipment_id, where = self.order_id(), "D" + code(self.rng, 8), center or self.center()
        shipped_at = self.at(day)
        purchased_at = shipped_at - timedelta(hours=self.rng.randint(6, 50))
        lines = [
            OrderLine(
                order_id,
                self.number(14),
                shipment_id,
                "D" + code(self.rng, 8) + str(position),
                product,
                quantity,
                where,
                purchased_at,
                shipped_at,
                (product.price * quantity * _TAX_PERCENT + 50) // 100,
                discount,
            )
            for position, (product, quantity) in enumerate(products)
        ]
        for line in lines:
            self.sold[day, line.product, where] += line.quantity
        self.order_lines.extend(lines)
        if is_charged:
            self.money.append(MoneyEvent("shipment", shipped_at, order_id, items=tuple(map(charged, lines))))
        return lines

    def refund(self, day: date, line: OrderLine, *, units: int | None = None, principal: int | None = None) -> None:
        """Refund `units` of an order line (all of them where not told), or `principal` cents of it."""
        count = line.quantity if units is None else units
        cents = line.product.price * count if principal is None else principal
        if day <= self.until:
            item = refunded(line, cents, count)
            self.money.append(MoneyEvent("refund", self.at(day), line.order_id, items=(item,)))

    def refunded_value(self, line: OrderLine, units: int) -> int:
        """Return what so many refunded units of a line are worth, in cents: detection.md section 5, rows 6 to 8."""
        events = [event for event in self.money if event.kind == "refund" and event.order_id == line.order_id]
        items = [item for event in events for item in event.items if item.item_id == line.item_id]
        sums: Counter[str] = Counter()
        for amount in (amount for item in items for amount in item.amounts):
            sums["promotion" if amount.part == "promotion" else amount.kind] += amount.cents
        given_back = sums["promotion"] + sums["Commission"] + sums["RefundCommission"]
        worth = min(-sums["Principal"], line.principal - given_back)
        return (worth * units * 2 + line.quantity) // (line.quantity * 2)

    def take_back(
        self,
        day: date,
        line: OrderLine,
        *,
        product: Product | None = None,
        disposition: str = "SELLABLE",
        reason: str = "UNWANTED_ITEM",
        order_id: str = "",
    ) -> None:
        """Book one unit that came back under the order of `line`: the returns report and the ledger."""
        came, center = product or line.product, self.center()
        if day > self.until:
            return
        status = "Unit returned to inventory"
        unit = ReturnedUnit(
            self.at(day),
            order_id or line.order_id,
            came,
            center,
            disposition,
            reason,
            status,
            "LPNRR" + code(self.rng, 9),
        )
        self.returns.append(unit)
        self.book(day, came, "CustomerReturns", 1, center=center, disposition=disposition)

    def receive(
        self,
        day: date,
        contents: Sequence[tuple[Product, int, int, int]],
        *,
        status: str = "CLOSED",
        center: str | None = None,
        over_days: int = 1,
    ) -> InboundShipment:
        """Book a shipment to Amazon whose first units arrive on `day`.

        contents: product, units sent, units booked into the ledger, units the inbound API calls received.
        """
        where, shipment_id = center or self.center(), "FBA" + code(self.rng, 9)
        for product, _sent, booked, _told in contents:
            for offset, part in enumerate(_parts(booked, over_days)):
                later = day + timedelta(days=offset)
                self.book(later, product, "Receipts", part, center=where, reference=shipment_id)
        shipment = InboundShipment(
            shipment_id,
            status,
            where,
            tuple(InboundItem(product, sent, told) for product, sent, _booked, told in contents),
        )
        self.inbound.append(shipment)
        return shipment

    def pay_out(self, line: Reimbursement) -> None:
        """Book the money of a reimbursement, which posts some days after its approval."""
        item = MoneyItem(
            line.product.msku, "", line.cash, (Amount("adjustment", "Reimbursement", line.unit_amount * line.cash),)
        )
        word = "FBAReversedReimbursement" if line.cash < 0 else "FBAInventoryReimbursement"
        posted_at = line.at + timedelta(days=4)
        if posted_at.date() <= self.until:
            self.money.append(MoneyEvent("adjustment", posted_at, word=word, items=(item,)))


def _parts(total: int, count: int) -> list[int]:
    """Split `total` units over at most `count` days, none of them empty."""
    if total <= 0:
        return []
    days = min(count, total)
    part = total // days
    return [part] * (days - 1) + [total - part * (days - 1)]
