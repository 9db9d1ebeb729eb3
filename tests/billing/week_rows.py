"""Rows of a week, for tests of what is said about it: the week is that from 16 to 22 Nov 2026, in Los Angeles."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.week import Week
from models import (
    Claim,
    ClaimNote,
    ClaimPayment,
    ClaimStatus,
    Discrepancy,
    HistoryEntry,
    NoteKind,
    Reimbursement,
    ReimbursementState,
    Request,
    RequestKind,
    Through,
)
from tests.factories import make_claim, make_discrepancy

ZONE = ZoneInfo("America/Los_Angeles")
WEEK = Week(date(2026, 11, 16), ZONE)
IN_WEEK = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def moved(session: Session, row: Discrepancy | Claim, action: str, **more: Any) -> None:
    """Write a move of a discrepancy or a claim into the history."""
    key = "claim_id" if isinstance(row, Claim) else "discrepancy_id"
    values = {"at": IN_WEEK, "actor_name": "Recoup", "through": Through.JOB, "action": action, key: row.id}
    session.add(HistoryEntry(**(values | more)))
    session.flush()


def found(session: Session, account_id: int, *, at: datetime = IN_WEEK, to: str = "open", **more: Any) -> Discrepancy:
    """Return a discrepancy that was found at a moment."""
    row = make_discrepancy(session, account_id, **more)
    moved(session, row, "found", at=at, to_status=to)
    return row


def claim(session: Session, account_id: int, user_id: int, **more: Any) -> Claim:
    """Return a filed claim of 3 units worth 37.02 USD, found and filed before the week."""
    row = make_discrepancy(session, account_id)
    filed = {"status": ClaimStatus.SUBMITTED, "submitted_at": datetime(2026, 11, 2, tzinfo=UTC)}
    return make_claim(session, row, approved_by_id=user_id, **(filed | more))


def paid(
    session: Session,
    row: Claim,
    amount: str = "37.02",
    *,
    on: date = date(2026, 11, 18),
    cash: int = 3,
    stock: int = 0,
    currency: str | None = "USD",
    reverses: ClaimPayment | None = None,
) -> ClaimPayment:
    """Return a payment of Amazon's for a claim, approved on a day; below zero with what it reverses."""
    number = next(_numbers)
    line = Reimbursement(
        account_id=row.account_id,
        line_key=f"line-{number}",
        reimbursement_id=str(9_000_000_000 + number),
        state=ReimbursementState.MATCHED,
        reason="Lost_Warehouse",
        kind="lost_warehouse",
        approved_on=on,
        cash_units=cash,
        stock_units=stock,
        amount_total=Decimal(amount),
        currency=currency,
        first_seen_at=datetime(2026, 12, 24, tzinfo=UTC),
    )
    session.add(line)
    session.flush()
    made = ClaimPayment(
        claim_id=row.id,
        reimbursement_line_id=line.id,
        reverses_id=reverses.id if reverses else None,
        first_unit=1,
        cash_units=cash,
        stock_units=stock,
        amount=Decimal(amount),
        currency=currency,
        matched_by="case_id",
        matched_at=datetime(2026, 12, 24, tzinfo=UTC),
    )
    session.add(made)
    session.flush()
    return made


def asked(session: Session, row: Claim, client_id: int, **more: Any) -> Request:
    """Return a request to the client about a claim."""
    values: dict[str, Any] = {"kind": RequestKind.SEND_INVOICE, "question": "Please send it.", "asked_at": IN_WEEK}
    made = Request(client_id=client_id, claim_id=row.id, **(values | more))
    session.add(made)
    session.flush()
    return made


def refused(session: Session, row: Claim, reply: str | None = None, *, at: datetime = IN_WEEK) -> None:
    """Refuse a claim as `claims.filing` writes it: the move, and Amazon's reply in the same moment."""
    row.status = ClaimStatus.DENIED
    moved(session, row, "denied", at=at, from_status="submitted", to_status="denied")
    if reply:
        session.add(
            ClaimNote(claim_id=row.id, kind=NoteKind.AMAZON_REPLY, text=reply, author_name="Ann", created_at=at)
        )
        session.flush()
