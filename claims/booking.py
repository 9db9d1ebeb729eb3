"""Booking what a reimbursement line gave a claim, or took back: payment, sums, move, history and message together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

import outbox
from claims import history, moves, words
from claims.access import Actor
from claims.paid import Line, Payment, Said
from config import settings
from detection.marketplaces import marketplaces
from models import Account, Claim, ClaimPayment, ClaimStatus, Reimbursement, ReimbursementState

#: claim types that ask for money, a difference or what was taken back: they are made up for when the money is there,
#: whatever the units
_OF_MONEY = frozenset(
    {
        "refund_overpaid",
        "referral_fee_not_returned",
        "fulfilment_fee_overcharged",
        "storage_fee_overcharged",
        "reimbursement_reversed",
        "reimbursement_underpaid",
        "return_underpaid",
    }
)


@dataclass(frozen=True, slots=True)
class Booking:
    """Who books, and when."""

    session: Session
    account: Account
    actor: Actor
    now: datetime

    @property
    def today(self) -> date:
        """The day it is in the marketplace."""
        return marketplaces()[self.account.marketplace].day_of(self.now)


def book(
    by: Booking, claim: Claim, row: Reimbursement, payment: Payment, *, reverses_id: int | None = None
) -> ClaimPayment:
    """Write one payment of a locked claim, whose discrepancies and payments are loaded.

    A payment in another currency than the claim's stands beside what is recovered, never in it. The claim moves by what
    is made up for now; where it cannot from where it stands (a reversal of what was closed meanwhile), only the history
    tells it.
    """
    made = ClaimPayment(
        claim_id=claim.id,
        line=row,
        reverses_id=reverses_id,
        first_unit=payment.first_unit,
        cash_units=payment.cash_units,
        stock_units=payment.stock_units,
        amount=payment.amount,
        currency=payment.currency,
        matched_by=payment.matched_by,
        matched_by_id=by.actor.user_id,
        matched_at=by.now,
    )
    claim.payments.append(made)
    if claim.currency is None:
        claim.currency = payment.currency
    if claim.currency == payment.currency:
        claim.recovered += payment.amount
    claim.recovered_quantity += payment.units
    claim.updated_at = by.now
    by.session.flush()
    _move(by, claim, row, made)
    return made


def reimbursement_row(account_id: int, line: Line, state: ReimbursementState, now: datetime) -> Reimbursement:
    """Return the row of a line that is booked for the first time."""
    return Reimbursement(
        account_id=account_id,
        line_key=line.key,
        reimbursement_id=line.reimbursement_id,
        state=state,
        candidates=[],
        case_id=line.case_id,
        order_id=line.order_id,
        reason=line.reason,
        kind=line.kind,
        fnsku=line.fnsku,
        msku=line.msku,
        asin=line.asin,
        approved_on=line.approved_on,
        cash_units=line.cash_units,
        stock_units=line.stock_units,
        amount_total=line.amount,
        currency=line.currency,
        original_reimbursement_id=line.original_id,
        first_seen_at=now,
    )


def look_again(session: Session, claim: Claim) -> None:
    """Let lines of a locked claim's case that were taken for somebody else's wait: the next daily run gives them out.

    To be called when a claim gets its case, which may be after Amazon's payment, or after a mistyped one.
    """
    not_ours = select(Reimbursement).where(
        Reimbursement.account_id == claim.account_id,
        Reimbursement.case_id == claim.case_id,
        Reimbursement.state == ReimbursementState.NOT_OURS,
    )
    rows = not_ours.order_by(Reimbursement.id).with_for_update().execution_options(populate_existing=True)
    for row in session.scalars(rows):
        row.state, row.candidates = ReimbursementState.WAITING, [claim.id]


def line_of(row: Reimbursement) -> Line:
    """Return a stored line as `claims.matching` reads it."""
    return Line(
        key=row.line_key,
        reimbursement_id=row.reimbursement_id,
        approved_on=row.approved_on,
        kind=row.kind,
        reason=row.reason,
        case_id=row.case_id,
        order_id=row.order_id,
        fnsku=row.fnsku,
        msku=row.msku,
        asin=row.asin,
        cash_units=row.cash_units,
        stock_units=row.stock_units,
        amount=row.amount_total,
        currency=row.currency,
        original_id=row.original_reimbursement_id,
    )


def payment_of(made: ClaimPayment, keys: Mapping[int, str], all_made: Mapping[int, ClaimPayment]) -> Payment:
    """Return a stored payment as `claims.matching` reads it. keys: the line keys by id of the line."""
    reversed_ = all_made[made.reverses_id] if made.reverses_id is not None else None
    return Payment(
        claim_id=made.claim_id,
        line_key=keys[made.reimbursement_line_id],
        first_unit=made.first_unit,
        cash_units=made.cash_units,
        stock_units=made.stock_units,
        amount=made.amount,
        currency=made.currency,
        matched_by=made.matched_by,
        reverses=(keys[reversed_.reimbursement_line_id], reversed_.claim_id, reversed_.first_unit)
        if reversed_
        else None,
    )


def what_is_paid(made: Payment | ClaimPayment | Said) -> str:
    """Return units and money in words: "3 units, 37.02 USD"; "1 unit in stock"; sizes only, without a sign."""
    parts = []
    if made.cash_units:
        parts.append(words.units(abs(made.cash_units)))
    if made.stock_units:
        parts.append(f"{words.units(abs(made.stock_units))} in stock")
    if made.amount or not parts:
        parts.append(f"{words.money(abs(made.amount), made.currency)}")
    return ", ".join(parts)


def tell(by: Booking, claim: Claim, what: str, key: str, **payload: object) -> None:
    """Queue a line about a claim for Slack, where that is set up."""
    if settings().slack_is_on:
        outbox.enqueue(
            by.session,
            outbox.CLAIM_NEWS,
            f"news:{claim.id}:{what}:{key}",
            now=by.now,
            client_id=by.account.client_id,
            account_id=claim.account_id,
            claim_id=claim.id,
            payload={"what": what, **payload},
        )


def _move(by: Booking, claim: Claim, row: Reimbursement, made: ClaimPayment) -> None:
    takes_back = made.reverses_id is not None
    after = _standing(claim, takes_back=takes_back)
    note = _note(claim, row, made)
    if after is not claim.status and after in moves.MAY_BECOME[claim.status]:
        moves.move(by.session, claim, after, actor=by.actor, now=by.now, note=note)
    else:
        action = "taken_back" if takes_back else "paid"
        entry = history.entry(actor=by.actor, now=by.now, action=action, claim_id=claim.id, note=note)
        history.add(by.session, entry)
        moves.refresh_cards(by.session, claim.discrepancies, f"claim:{entry.id}", by.now)
    if takes_back:
        claim.next_action_on = by.today  # somebody has to look why
    elif after is ClaimStatus.RECOVERED:
        claim.next_action_on = None
    what = "reversed" if takes_back else after.value
    tell(by, claim, what, str(made.id), payment_id=made.id)


def _standing(claim: Claim, *, takes_back: bool) -> ClaimStatus:
    """Return where a claim stands by what it got: nothing left, all made up for, or a part."""
    money: dict[str | None, Decimal] = {}
    for payment in claim.payments:
        money[payment.currency] = money.get(payment.currency, Decimal(0)) + payment.amount
    in_stock = sum(payment.stock_units for payment in claim.payments)
    if takes_back and in_stock <= 0 and all(amount <= 0 for amount in money.values()):
        return ClaimStatus.REVERSED
    is_paid = claim.claim_type in _OF_MONEY and claim.value is not None and claim.recovered >= claim.value
    if is_paid or claim.recovered_quantity >= claim.quantity:
        return ClaimStatus.RECOVERED
    return ClaimStatus.PARTLY_RECOVERED


def _note(claim: Claim, row: Reimbursement, made: ClaimPayment) -> str:
    told = f"{what_is_paid(made)}: reimbursement {row.reimbursement_id}, approved {words.day(row.approved_on)}, "
    told += f"matched by {words.matched_by_name(made.matched_by)}."
    if made.amount and made.currency != claim.currency:
        told += f" The claim is in {claim.currency}: {words.money(made.amount, made.currency)} stands beside it."
    return told
