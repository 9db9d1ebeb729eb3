"""A client's world for the tests of the portal: one of everything that a client may look at."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO

from sqlalchemy.orm import Session

import db
from claims import documents, requests
from claims.access import Actor, user_actor
from models import (
    Account,
    Approval,
    Claim,
    ClaimNote,
    ClaimPayment,
    ClaimStatus,
    Client,
    DiscrepancyStatus,
    HistoryEntry,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    NoteKind,
    Reimbursement,
    ReimbursementState,
    RequestKind,
    Role,
    Through,
    User,
)
from tests.admin.conftest import Office
from tests.factories import NOW, TODAY, make_claim, make_discrepancy, make_user

TERMS = {
    "agency": {"name": "Our agency", "address": "1 Main Street", "tax_number": ""},
    "client": {"name": "Acme", "address": "2 Side Street", "tax_number": "", "email": "owner@seller.example"},
    "rates": [{"valid_from": "2026-01-01", "rate": "0.20"}],
    "tax_rate": "0",
    "days_to_query": 7,
    "fee_on_stock": False,
    "fee_on_found": False,
    "keeps_fee_reversed": False,
    "keeps_fee_reversed_with_unit": False,
}
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@dataclass(frozen=True)
class Shop:
    """What stands in one client's portal, by id. `who` is one of the client's people."""

    who: Actor
    word: str
    claim_id: int
    filed_id: int
    asked_id: int
    answered_id: int
    document_id: int
    to_approve_id: int
    invoice_id: int
    line_id: int


def stocked(office: Office, client_id: int, who: Actor, word: str, approval: Approval = Approval.BOTH) -> Shop:
    """Write a shop of one client; `word` stands in everything that is theirs alone."""
    ann = office.cast.ann
    with db.transaction() as session:
        client = session.get_one(Client, client_id)
        client.approval, client.case_manager_id, client.address = approval, ann.user_id, f"{word} Street 1\nReno"
        account = session.query(Account).filter_by(client_id=client_id).first()
        row = make_discrepancy(
            session,
            account.id,
            status=DiscrepancyStatus.APPROVED,
            claim_type="inbound_lost",
            reference_kind="shipment",
            title=f"{word} mug with a lid and a long name for a small screen",
        )
        claim = make_claim(session, row, approved_by_id=ann.user_id)
        filed_row = make_discrepancy(session, account.id, status=DiscrepancyStatus.APPROVED, title=f"{word} whisk")
        filed = make_claim(
            session,
            filed_row,
            approved_by_id=ann.user_id,
            status=ClaimStatus.PARTLY_RECOVERED,
            case_id="10245671881",
            recovered=Decimal("20.00"),
            recovered_quantity=2,
        )
        payment = _paid(session, filed, account.id)
        session.add(
            ClaimNote(claim_id=filed.id, kind=NoteKind.NOTE, text="SECRET NOTE", author_name="Bea", created_at=NOW)
        )
        for action, name, user_id, note in (
            ("submitted", "Bea", office.cast.bea.user_id, "SECRET NOTE"),
            ("noted", "Bea", office.cast.bea.user_id, "SECRET NOTE"),
            ("partly_recovered", "Recoup", None, None),
        ):
            session.add(
                HistoryEntry(
                    claim_id=filed.id,
                    at=NOW,
                    actor_id=user_id,
                    actor_name=name,
                    through=Through.ADMIN,
                    action=action,
                    note=note,
                )
            )
        asked = requests.ask(session, claim.id, kind=RequestKind.CONFIRM_SHIPMENT, question=None, actor=ann, now=NOW)
        other = requests.ask(
            session, filed.id, kind=RequestKind.OTHER, question=f"Who packs for {word}?", actor=office.cast.bea, now=NOW
        )
        file = documents.read(BytesIO(PDF + word.encode()), f"{word} paper.pdf")
        requests.answer(session, other.id, text=f"{word} packs.", files=[file], actor=who, now=NOW)
        for status, reason in (
            (DiscrepancyStatus.SETTLED, "paid_by_amazon"),
            (DiscrepancyStatus.LAPSED, None),
        ):
            make_discrepancy(session, account.id, status=status, status_reason=reason, value=Decimal("11.00"))
        refused_row = make_discrepancy(session, account.id, status=DiscrepancyStatus.APPROVED, title=f"{word} bowl")
        make_claim(session, refused_row, approved_by_id=ann.user_id, status=ClaimStatus.DENIED)
        waiting = make_discrepancy(session, account.id, title=f"{word} kettle")
        make_discrepancy(session, account.id, title=f"{word} unchecked", caveats=["partial_coverage"])
        invoice = Invoice(
            client_id=client_id,
            number=f"{word}-1",
            status=InvoiceStatus.SENT,
            currency="USD",
            week_from=date(2026, 11, 16),
            week_to=date(2026, 11, 22),
            recovered=Decimal("20.00"),
            fee=Decimal("4.00"),
            tax_rate=Decimal(0),
            tax=Decimal(0),
            total=Decimal("4.00"),
            created_at=NOW,
            sent_at=NOW,
            query_until=date(2026, 11, 30),
            terms=TERMS,
        )
        line = InvoiceLine(
            position=1,
            claim_id=filed.id,
            payment_id=payment.id,
            claim_type=filed.claim_type,
            approved_on=TODAY,
            cash_units=2,
            stock_units=0,
            recovered=Decimal("20.00"),
            rate=Decimal("0.20"),
            fee=Decimal("4.00"),
        )
        invoice.lines.append(line)
        session.add(invoice)
        session.flush()
        loaded = requests.load(session, other.id, who)
        return Shop(
            who=who,
            word=word,
            claim_id=claim.id,
            filed_id=filed.id,
            asked_id=asked.id,
            answered_id=other.id,
            document_id=loaded.documents[0].id,
            to_approve_id=waiting.id,
            invoice_id=invoice.id,
            line_id=line.id,
        )


def stranger(office: Office) -> Actor:
    """Return one of the other client's people."""
    with db.transaction() as session:
        user: User = make_user(session, name="Dora", role=Role.CLIENT, client_id=office.cast.other_client_id)
        return user_actor(user, Through.PORTAL)


def _paid(session: Session, claim: Claim, account_id: int) -> ClaimPayment:
    line = Reimbursement(
        account_id=account_id,
        line_key=f"line-{claim.id}",
        reimbursement_id="5501239871",
        state=ReimbursementState.MATCHED,
        reason="Lost_Warehouse",
        kind="lost_warehouse",
        approved_on=TODAY,
        cash_units=2,
        stock_units=0,
        amount_total=Decimal("20.00"),
        currency="USD",
        first_seen_at=NOW,
    )
    session.add(line)
    session.flush()
    payment = ClaimPayment(
        claim_id=claim.id,
        reimbursement_line_id=line.id,
        first_unit=1,
        cash_units=2,
        stock_units=0,
        amount=Decimal("20.00"),
        currency="USD",
        matched_by="case_id",
        matched_at=NOW,
    )
    session.add(payment)
    session.flush()
    return payment
