"""Claims that were filed and what Amazon paid for them, written straight into the tables."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from claims.access import Actor
from models import (
    Claim,
    ClaimPayment,
    ClaimStatus,
    Client,
    DiscrepancyStatus,
    InvoiceLine,
    Reimbursement,
    ReimbursementState,
)
from tests.factories import NOW, Cast, make_cast, make_claim, make_discrepancy

#: NOW is Monday, 23 Nov 2026: the last whole week is the one of the 16th to the 22nd.
SUNDAY = date(2026, 11, 22)
IN_WEEK = date(2026, 11, 18)

_numbers = itertools.count(1)


def billed_cast() -> Cast:
    """The cast, with a client that has an address and so can be billed."""
    cast = make_cast()
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).address = "1 Quay\nPort"
    return cast


def filed(session: Session, cast: Cast, **more: Any) -> Claim:
    """Return a claim of 3 units worth 37.02 USD that was filed."""
    account_id = more.pop("account_id", cast.account_id)
    lost = make_discrepancy(session, account_id, status=DiscrepancyStatus.APPROVED)
    number = next(_numbers)
    values = {"status": ClaimStatus.SUBMITTED, "case_id": f"{number:010}", "submitted_at": NOW} | more
    return make_claim(session, lost, approved_by_id=cast.ann.user_id, **values)


def paid(
    session: Session,
    claim: Claim,
    amount: str,
    *,
    on: date = IN_WEEK,
    units: int = 1,
    stock: int = 0,
    reverses: ClaimPayment | None = None,
    currency: str | None = "USD",
    line: Reimbursement | None = None,
    first_unit: int = 1,
) -> ClaimPayment:
    """Return a payment of cash (below zero: taken back) for `units` and of `stock` units, in a line of its own."""
    number = next(_numbers)
    line = line or Reimbursement(
        account_id=claim.account_id,
        line_key=f"key{number}",
        reimbursement_id=f"R{number}",
        state=ReimbursementState.MATCHED,
        candidates=[],
        reason="Reimbursement_Reversal" if reverses else "Lost_Warehouse",
        kind="reversal" if reverses else "lost_warehouse",
        fnsku="X001",
        msku="SKU-1",
        approved_on=on,
        cash_units=units,
        stock_units=stock,
        amount_total=Decimal(amount),
        currency=currency,
        first_seen_at=NOW,
    )
    session.add(line)
    session.flush()
    made = ClaimPayment(
        claim_id=claim.id,
        line=line,
        reverses_id=reverses.id if reverses else None,
        first_unit=first_unit if units or stock else 0,
        cash_units=units,
        stock_units=stock,
        amount=Decimal(amount),
        currency=currency,
        matched_by="case_id",
        matched_at=NOW,
    )
    session.add(made)
    session.flush()
    return made


def lines_of(invoice_id: int) -> list[InvoiceLine]:
    """Return an invoice's lines in their order."""
    with db.reading() as session:
        found = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice_id).order_by(InvoiceLine.position)
        return list(session.scalars(found))


def bill(cast: Cast, *, until: date = SUNDAY, actor: Actor | None = None, client_id: int | None = None, now: Any = NOW):
    """Run billing for the cast's client in a transaction of its own."""
    from billing.invoices import make_invoices

    with db.transaction() as session:
        return make_invoices(session, client_id or cast.client_id, until, actor=actor or cast.bill, now=now)
