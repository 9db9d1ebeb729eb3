"""What is due to be billed: payments of a client's filed claims that stand on no invoice yet, with their fees.

A payment stands on an invoice where its units do (`BilledUnit`), and is settled without a line where an invoice names
it as one that bears no fee (`Invoice.terms["without_fee"]`): so a term that changes later bills nothing twice, and
nothing that was told to be free. A void invoice counts for neither.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import case, exists, select
from sqlalchemy.orm import Session, contains_eager

from billing.fees import Brought, Fee, credit_of, fee_of, keeps_fee, share_taken, value_of_units
from claims import commission
from models import (
    Account,
    BilledUnit,
    Claim,
    ClaimPayment,
    Client,
    Discrepancy,
    DiscrepancyStatus,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Reimbursement,
)

_NOT_LOST = (DiscrepancyStatus.SETTLED, DiscrepancyStatus.WITHDRAWN)
WITHOUT_FEE = "without_fee"


class Why(enum.StrEnum):
    """Why a payment, or a part of one, makes no line."""

    STOCK_WITHOUT_FEE = "stock_without_fee"
    VALUE_NOT_KNOWN = "value_not_known"
    FEE_STAYS = "fee_stays"
    NOTHING_BILLED = "nothing_billed"


@dataclass(frozen=True, slots=True)
class Charge:
    """A line to be: the fee of a payment, or the credit of a reversal (below zero)."""

    payment: ClaimPayment
    rate: Decimal
    fee: Fee


@dataclass(frozen=True, slots=True)
class Free:
    """What makes no line but is named on the invoice. `kept`: the fee that stays due for what was taken back."""

    payment: ClaimPayment
    why: Why
    currency: str | None
    kept: Fee | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """All that is due, payments before reversals, the oldest first."""

    charges: tuple[Charge, ...]
    free: tuple[Free, ...]


def due(session: Session, client: Client, until: date) -> Due:
    """Return what was approved up to a day and is not billed yet, whenever it was seen. Reads, changes nothing.

    A reversal follows its payment: it is credited once that is billed, or with it on the same invoice.
    """
    named = _named(session, client.id)
    found = [payment for payment in _not_billed(session, client.id, until) if payment.id not in named]
    rates = commission.rates_of(session, client.id)
    due = _Collected([], [])
    for payment in found:
        if payment.reverses_id is None:
            _charge(due, payment, client, commission.rate_on(rates, payment.line.approved_on))
    reversals = [payment for payment in found if payment.reverses_id is not None]
    ledger = _ledger(session, reversals, named, due) if reversals else _Ledger({}, set())
    for payment in reversals:
        _reverse(due, ledger, payment, is_kept=_keeps_fee(session, client, payment))
    return Due(tuple(due.charges), tuple(due.free))


def units_of(payment: ClaimPayment) -> range:
    """Return the numbers by which the books know it: of its units within the reimbursement line.

    Money without units may be for several claims of one line: each has the number below zero of its claim.
    """
    if payment.first_unit == 0:
        return range(-payment.claim_id, -payment.claim_id + 1)
    return range(payment.first_unit, payment.first_unit + abs(payment.cash_units) + abs(payment.stock_units))


def as_named(free: Free) -> dict[str, Any]:
    """Return how an invoice's terms keep what makes no line."""
    payment = free.payment
    return {
        "payment_id": payment.id,
        "claim_id": payment.claim_id,
        "approved_on": payment.line.approved_on.isoformat(),
        "reimbursement_id": payment.line.reimbursement_id,
        "cash_units": payment.cash_units,
        "stock_units": payment.stock_units,
        "amount": f"{payment.amount:f}",
        "currency": free.currency,
        "why": free.why.value,
        "kept": [f"{free.kept.recovered:f}", f"{free.kept.fee:f}"] if free.kept else None,
    }


@dataclass(slots=True)
class _Collected:
    charges: list[Charge]
    free: list[Free]


@dataclass(slots=True)
class _Billed:
    """A payment's line, and what its reversals took and came to so far."""

    paid: Brought
    rate: Decimal
    fee: Fee
    gone_cash: Decimal = Decimal(0)
    gone_stock: int = 0
    credited: Fee | None = None

    def take(self, payment: ClaimPayment) -> None:
        self.gone_cash -= payment.amount
        self.gone_stock -= payment.stock_units

    def count(self, came_to: Fee) -> None:
        self.credited = came_to if self.credited is None else self.credited + came_to

    def credit(self, payment: ClaimPayment) -> Fee:
        """Return what one more reversal credits, below zero, and count it."""
        self.take(payment)
        gone = Brought(self.gone_cash, self.gone_stock, Decimal(0), self.fee.currency)
        taken = share_taken(gone, self.paid, self.fee)
        credit = credit_of(self.fee, taken, credited=self.credited or Fee.none(self.fee.currency))
        self.count(-credit)
        return credit


@dataclass(frozen=True, slots=True)
class _Ledger:
    """By the id of a payment that reversals name: what was billed for it; and which bear no fee at all."""

    billed: dict[int, _Billed]
    without_fee: set[int]


def _charge(due: _Collected, payment: ClaimPayment, client: Client, rate: Decimal) -> None:
    """Put down the fee of a payment, and name the units that bear none."""
    why = _stock_is_free(payment, client) if payment.stock_units else None
    brought = _brought(payment, counts_stock=why is None)
    if why is not None:
        due.free.append(Free(payment, why, payment.currency))
    is_only_stock = payment.cash_units == 0 and payment.amount == 0
    if brought is not None and not (why is not None and is_only_stock):
        due.charges.append(Charge(payment, rate, fee_of(brought, rate)))
    elif why is None:
        due.free.append(Free(payment, Why.VALUE_NOT_KNOWN, None))


def _stock_is_free(payment: ClaimPayment, client: Client) -> Why | None:
    if not client.fee_on_stock:
        return Why.STOCK_WITHOUT_FEE
    claim = payment.claim
    is_known = claim.value is not None and claim.currency is not None and claim.quantity > 0
    is_one_currency = payment.amount == 0 or payment.currency == claim.currency
    return None if is_known and is_one_currency else Why.VALUE_NOT_KNOWN


def _brought(payment: ClaimPayment, *, counts_stock: bool) -> Brought | None:
    """Return what a payment gave; None where its currency is not known."""
    claim, stock_value = payment.claim, Decimal(0)
    currency = payment.currency
    if payment.stock_units and counts_stock and claim.value is not None and claim.currency is not None:
        currency = claim.currency
        stock_value = value_of_units(payment.stock_units, value=claim.value, quantity=claim.quantity, currency=currency)
    return None if currency is None else Brought(payment.amount, payment.stock_units, stock_value, currency)


def _reverse(due: _Collected, ledger: _Ledger, payment: ClaimPayment, *, is_kept: bool) -> None:
    """Put down the credit of a reversal, or name it where there is none; leave one whose payment is not billed yet."""
    if payment.reverses_id in ledger.billed:
        billed = ledger.billed[payment.reverses_id]
        credit = billed.credit(payment)
        if is_kept:
            due.free.append(Free(payment, Why.FEE_STAYS, credit.currency, kept=-credit))
        else:
            due.charges.append(Charge(payment, billed.rate, credit))
    elif payment.reverses_id in ledger.without_fee:
        due.free.append(Free(payment, Why.NOTHING_BILLED, payment.currency))


def _ledger(
    session: Session, reversals: Sequence[ClaimPayment], named: Mapping[int, dict[str, Any]], due: _Collected
) -> _Ledger:
    """Return what is known of the payments that these reversals name, this run's own charges included."""
    wanted = {payment.reverses_id for payment in reversals if payment.reverses_id is not None}
    standing = (
        select(InvoiceLine, Invoice.currency)
        .join(InvoiceLine.invoice)
        .join(InvoiceLine.payment)
        .where(Invoice.status != InvoiceStatus.VOID)
        .options(contains_eager(InvoiceLine.payment))
    )
    billed = {
        line.payment_id: _Billed(_given(line.payment, currency), line.rate, Fee(line.recovered, line.fee, currency))
        for line, currency in session.execute(standing.where(InvoiceLine.payment_id.in_(wanted)))
    }
    for charge in due.charges:
        if charge.payment.id in wanted:
            paid = _given(charge.payment, charge.fee.currency)
            billed[charge.payment.id] = _Billed(paid, charge.rate, charge.fee)
    for line, currency in session.execute(standing.where(ClaimPayment.reverses_id.in_(wanted))):
        _count_earlier(billed, line.payment, -Fee(line.recovered, line.fee, currency))
    kept = [payment_id for payment_id, note in named.items() if note["kept"]]
    for payment in session.scalars(select(ClaimPayment).where(ClaimPayment.id.in_(kept))):
        recovered, fee = map(Decimal, named[payment.id]["kept"])
        _count_earlier(billed, payment, Fee(recovered, fee, named[payment.id]["currency"]))
    return _Ledger(billed, {payment_id for payment_id in wanted if payment_id in named} | _ids(due.free))


def _count_earlier(billed: Mapping[int, _Billed], reversal: ClaimPayment, came_to: Fee) -> None:
    """Count what an earlier reversal took, and the credit, or the fee that stayed due, that it came to."""
    line = billed.get(reversal.reverses_id) if reversal.reverses_id is not None else None
    if line is not None:
        line.take(reversal)
        line.count(came_to)


def _given(payment: ClaimPayment, currency: str) -> Brought:
    """Return what a billed payment gave; the fee's own sum says what its units are worth."""
    return Brought(payment.amount, payment.stock_units, Decimal(0), currency)


def _keeps_fee(session: Session, client: Client, payment: ClaimPayment) -> bool:
    """Whether the terms let the fee of what this reversal took stay due."""
    if client.keeps_fee_reversed == client.keeps_fee_reversed_with_unit:
        return client.keeps_fee_reversed
    return keeps_fee(
        is_unit_back=_is_unit_back(session, payment),
        keeps_without_unit=client.keeps_fee_reversed,
        keeps_with_unit=client.keeps_fee_reversed_with_unit,
    )


def _is_unit_back(session: Session, payment: ClaimPayment) -> bool | None:
    """Whether the client has the unit again: given in the same line, or found missing still by the reports' audit."""
    line = payment.line
    if line.cash_units < 0 < line.stock_units:  # some reversals have no signs: one kind of units alone proves nothing
        return True
    missing = select(Discrepancy.id).where(
        Discrepancy.account_id == line.account_id,
        Discrepancy.claim_type == "reimbursement_reversed",
        Discrepancy.reference_id == line.reimbursement_id,
        Discrepancy.fnsku == line.fnsku,
        Discrepancy.status.not_in(_NOT_LOST),
    )
    return False if session.scalar(missing.limit(1)) else None


def _named(session: Session, client_id: int) -> dict[int, dict[str, Any]]:
    """Return what the client's invoices name as free of a fee, by the payment's id."""
    standing = select(Invoice.terms).where(Invoice.client_id == client_id, Invoice.status != InvoiceStatus.VOID)
    return {note["payment_id"]: note for terms in session.scalars(standing) for note in terms.get(WITHOUT_FEE, ())}


def _not_billed(session: Session, client_id: int, until: date) -> Sequence[ClaimPayment]:
    first = case((ClaimPayment.first_unit == 0, -ClaimPayment.claim_id), else_=ClaimPayment.first_unit)  # as units_of
    standing = exists().where(
        BilledUnit.reimbursement_line_id == ClaimPayment.reimbursement_line_id, BilledUnit.unit == first
    )
    found = (
        select(ClaimPayment)
        .join(ClaimPayment.claim)
        .join(Claim.account)
        .join(ClaimPayment.line)
        .where(Account.client_id == client_id, Claim.submitted_at.is_not(None))
        .where(Reimbursement.approved_on <= until, ~standing)
        .order_by(Reimbursement.approved_on, ClaimPayment.id)
        .options(contains_eager(ClaimPayment.claim), contains_eager(ClaimPayment.line))
    )
    return session.scalars(found).all()


def _ids(free: Iterable[Free]) -> set[int]:
    return {each.payment.id for each in free}
