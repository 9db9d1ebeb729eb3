"""Laws of the books, whatever the order of payments, reversals, runs of billing, sendings and voids."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

import db
from billing import moves
from billing.invoices import make_invoices
from claims.access import Actor
from models import (
    BilledUnit,
    Claim,
    ClaimPayment,
    CommissionRate,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Reimbursement,
    Role,
    Through,
)
from tests.billing.paying import paid
from tests.factories import NOW, make_account, make_claim, make_client, make_discrepancy, make_user

D = Decimal
MONDAY = date(2026, 9, 7)
WEEKS = 4
AFTER = datetime(2026, 12, 1, 12, tzinfo=UTC)
NEW_RATE_FROM = MONDAY + timedelta(days=10)
BILLING = Actor(None, "Bill", Role.BILLING, None, Through.CLI)

amounts = st.integers(1, 99_999)
days = st.integers(0, 7 * WEEKS - 1)
payments = st.tuples(
    st.just("pay"),
    amounts,
    st.tuples(st.integers(0, 3), st.integers(0, 2)),
    days,
    st.sampled_from(["USD", "EUR"]),
    st.booleans(),
)
steps = st.lists(
    st.one_of(
        payments,
        payments,
        st.tuples(st.just("reverse"), st.integers(0, 50), st.integers(1, 100), st.integers(0, 2), days),
        st.tuples(st.just("bill"), st.integers(0, WEEKS - 1)),
        st.tuples(st.just("send"), st.integers(0, 50)),
        st.tuples(st.just("void"), st.integers(0, 50)),
    ),
    min_size=3,
    max_size=14,
)


def half_up(amount: Fraction) -> Fraction:
    """Whole cents, half up, of an amount that is not below zero; written anew, to check the one that bills."""
    return Fraction(floor(amount * 100 + Fraction(1, 2)), 100)


@dataclass
class Paid:
    id: int
    on: date
    currency: str
    cash: Fraction
    units: int
    stock: int
    is_filed: bool
    gone_cash: Fraction = Fraction(0)
    gone_stock: int = 0

    def fee_left(self, *, fee_on_stock: bool) -> Fraction:
        """What is due of its fee in the end."""
        rate = Fraction("0.2") if self.on < NEW_RATE_FROM else Fraction("0.333333")
        stock = half_up(Fraction("37.03") * self.stock / 3) if fee_on_stock else Fraction(0)
        recovered = self.cash + stock
        fee = half_up(recovered * rate)
        if not recovered:
            return Fraction(0)
        lost = self.gone_cash + (stock * Fraction(self.gone_stock, self.stock) if self.stock else 0)
        return fee - half_up(fee * min(Fraction(1), lost / recovered))


class Books:
    """A client of its own on the shared database, what happened to it, and what should have come of it."""

    def __init__(self, *, fee_on_stock: bool) -> None:
        self.fee_on_stock = fee_on_stock
        self.paid: list[Paid] = []
        with db.transaction() as session:
            client = make_client(session, address="1 Quay", fee_on_stock=fee_on_stock, tax_rate=D("0.19"))
            session.add(CommissionRate(client_id=client.id, valid_from=MONDAY - timedelta(days=90), rate=D("0.2")))
            session.add(CommissionRate(client_id=client.id, valid_from=NEW_RATE_FROM, rate=D("0.333333")))
            self.client_id, self.account_id = client.id, make_account(session, client).id
            self.user_id = make_user(session).id

    def run(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])

    def pay(self, cents: int, kind: tuple[int, int], day: int, currency: str, is_filed: bool) -> None:
        units, stock = kind
        on = MONDAY + timedelta(days=day)
        cash = D(cents) / 100 if units or not stock else D(0)
        with db.transaction() as session:
            lost = make_discrepancy(session, self.account_id)
            more = {"value": D("37.03"), "currency": currency, "submitted_at": NOW if is_filed else None}
            claim = make_claim(session, lost, approved_by_id=self.user_id, **more)
            made = paid(session, claim, str(cash), on=on, units=units, stock=stock, currency=currency)
            self.paid.append(Paid(made.id, on, currency, Fraction(cash), units, stock, is_filed))

    def reverse(self, index: int, percent: int, stock: int, day: int) -> None:
        if not self.paid:
            return
        of = self.paid[index % len(self.paid)]
        cents = int((of.cash - of.gone_cash) * percent)
        stock = min(stock, of.stock - of.gone_stock)
        if not cents and not stock:
            return
        on = max(of.on, MONDAY + timedelta(days=day))
        with db.transaction() as session:
            original = session.get_one(ClaimPayment, of.id)
            claim = session.get_one(Claim, original.claim_id)
            amount = str(-D(cents) / 100)
            units = -1 if cents else 0
            paid(session, claim, amount, on=on, units=units, stock=-stock, currency=of.currency, reverses=original)
        of.gone_cash += Fraction(cents, 100)
        of.gone_stock += stock

    def bill(self, week: int) -> None:
        with db.transaction() as session:
            sunday = MONDAY + timedelta(days=7 * week + 6)
            make_invoices(session, self.client_id, sunday, actor=BILLING, now=AFTER)

    def send(self, index: int) -> None:
        drafts = self.invoices(InvoiceStatus.DRAFT)
        if drafts:
            with db.transaction() as session:
                moves.send(session, drafts[index % len(drafts)], actor=BILLING, now=AFTER)

    def void(self, index: int) -> None:
        live = self.invoices(InvoiceStatus.DRAFT, InvoiceStatus.SENT)
        if live:
            with db.transaction() as session:
                moves.void(session, live[index % len(live)], note="x", actor=BILLING, now=AFTER)

    def invoices(self, *statuses: InvoiceStatus) -> list[int]:
        with db.reading() as session:
            found = select(Invoice.id).where(Invoice.client_id == self.client_id, Invoice.status.in_(statuses))
            return list(session.scalars(found.order_by(Invoice.id)))

    def check(self) -> None:
        with db.reading() as session:
            mine = select(Invoice).where(Invoice.client_id == self.client_id)
            for invoice in session.scalars(mine):
                lines = session.scalars(select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id)).all()
                assert sum(line.fee for line in lines) == invoice.fee
                assert sum(line.recovered for line in lines) == invoice.recovered
                assert invoice.total == invoice.fee + invoice.tax
            billed = (
                select(BilledUnit.reimbursement_line_id, func.count())
                .join(InvoiceLine, InvoiceLine.id == BilledUnit.invoice_line_id)
                .join(InvoiceLine.invoice)
                .where(Invoice.client_id == self.client_id)
                .group_by(BilledUnit.reimbursement_line_id)
            )
            for line_id, units in session.execute(billed):
                line = session.get_one(Reimbursement, line_id)
                assert units <= max(abs(line.cash_units) + abs(line.stock_units), 1)
            live = (
                select(InvoiceLine.payment_id)
                .join(InvoiceLine.invoice)
                .where(Invoice.client_id == self.client_id, Invoice.status != InvoiceStatus.VOID)
            )
            on_invoices = session.scalars(live).all()
            assert len(on_invoices) == len(set(on_invoices))

    def billed(self) -> dict[str, Fraction]:
        with db.reading() as session:
            found = (
                select(Invoice.currency, func.sum(Invoice.fee))
                .where(Invoice.client_id == self.client_id, Invoice.status != InvoiceStatus.VOID)
                .group_by(Invoice.currency)
            )
            return {currency: Fraction(fee) for currency, fee in session.execute(found) if fee}

    def owed(self) -> dict[str, Fraction]:
        sums: dict[str, Fraction] = defaultdict(Fraction)
        for each in self.paid:
            if each.is_filed:
                sums[each.currency] += each.fee_left(fee_on_stock=self.fee_on_stock)
        return {currency: fee for currency, fee in sums.items() if fee}


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps, fee_on_stock=st.booleans())
def test_in_the_end_all_invoices_come_to_the_fees_of_all_payments(
    database: str, steps: list[tuple[Any, ...]], fee_on_stock: bool
) -> None:
    books = Books(fee_on_stock=fee_on_stock)
    for step in steps:
        books.run(step)
    books.check()
    for week in (WEEKS, WEEKS + 1):  # what came after a week was sent waits for the next one
        books.bill(week)
    books.check()
    assert books.billed() == books.owed()
    before = books.invoices(*InvoiceStatus)
    books.bill(WEEKS + 2)
    assert books.invoices(*InvoiceStatus) == before
