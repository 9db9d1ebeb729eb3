"""Stored rows as the fields that lists and pages of the command line have (DESIGN section 4)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from claims import queries, words
from claims.access import Actor, system_actor
from claims.documents import size_in_words
from claims.steps import next_step
from models import (
    Account,
    Caveat,
    Claim,
    ClaimNote,
    ClaimPayment,
    Discrepancy,
    Document,
    EvidenceLine,
    HistoryEntry,
    NoteKind,
    Request,
    RequestStatus,
    Run,
    Through,
)
from money import Money

if TYPE_CHECKING:
    from claims.by_hand import WaitingLine

DISCREPANCY_FIELDS = (
    "id",
    "fingerprint",
    "client",
    "account",
    "account_id",
    "claim_type",
    "status",
    "status_reason",
    "marketplace",
    "fnsku",
    "asin",
    "msku",
    "reference_id",
    "quantity",
    "value",
    "currency",
    "event_date",
    "opens_on",
    "closes_on",
    "caveats",
    "cleared_caveats",
    "is_changed_since_decision",
)
CLAIM_FIELDS = (
    "id",
    "discrepancy_ids",
    "client",
    "account",
    "account_id",
    "claim_type",
    "status",
    "closed_reason",
    "case_id",
    "quantity",
    "value",
    "recovered",
    "currency",
    "closes_on",
    "submitted_at",
    "next_action_on",
    "rounds",
)
ACCOUNT_FIELDS = (
    "id",
    "client",
    "account",
    "marketplace",
    "seller_id",
    "status",
    "client_status",
    "is_connected",
)

WAITING_FIELDS = (
    "line",
    "reimbursement",
    "client",
    "account",
    "account_id",
    "approved_on",
    "reason",
    "fnsku",
    "msku",
    "order_id",
    "case_id",
    "takes_back",
    "units_left",
    "amount",
    "currency",
    "claims",
)


def narrowed(session: Session, account_id: int | None, client: str | None) -> tuple[Actor, int | None]:
    """Return who asks and the client's id, if one is named. Raises NotFound for an account or client there is not."""
    actor = system_actor(Through.CLI)
    if account_id is not None:
        queries.load_account(session, account_id, actor)
    return actor, queries.load_client(session, client, actor).id if client is not None else None


def discrepancy_row(row: Discrepancy) -> dict[str, Any]:
    """Return a discrepancy as a list shows it; `caveats` are those not cleared yet."""
    return {
        "id": row.id,
        "fingerprint": row.fingerprint,
        "client": row.account.client.name,
        "account": row.account.name,
        "account_id": row.account_id,
        "claim_type": row.claim_type,
        "status": row.status.value,
        "status_reason": row.status_reason,
        "marketplace": row.marketplace,
        "fnsku": row.fnsku,
        "asin": row.asin,
        "msku": row.msku,
        "reference_id": row.reference_id,
        "quantity": row.quantity,
        "value": _amount(row.value, row.currency),
        "currency": row.currency,
        "event_date": row.event_date.isoformat(),
        "opens_on": row.opens_on.isoformat(),
        "closes_on": row.closes_on.isoformat(),
        "caveats": [caveat.code for caveat in row.caveats if caveat.cleared_at is None],
        "cleared_caveats": [caveat.code for caveat in row.caveats if caveat.cleared_at is not None],
        "is_changed_since_decision": row.is_changed_since_decision,
    }


def whole_discrepancy(row: Discrepancy) -> dict[str, Any]:
    """Return a discrepancy with all that hangs on it."""
    return discrepancy_row(row) | {
        "title": row.title,
        "reference_kind": row.reference_kind,
        "fulfillment_center": row.fulfillment_center,
        "unit_value": None if row.unit_value is None else f"{row.unit_value:f}",
        "value_basis": row.value_basis,
        "policy": row.policy,
        "policy_confirmed": row.policy_confirmed,
        "decided_by": row.decided_by.email if row.decided_by else None,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "claim_ids": [claim.id for claim in row.claims],
        "checks": [
            {
                "code": caveat.code,
                "cleared_by": caveat.cleared_by.email if caveat.cleared_by else None,
                "cleared_at": caveat.cleared_at.isoformat() if caveat.cleared_at else None,
                "note": caveat.note,
            }
            for caveat in row.caveats
        ],
        "evidence": [_evidence(line) for line in row.evidence],
        "history": [history_row(entry) for entry in row.history],
    }


def claim_row(row: Claim) -> dict[str, Any]:
    """Return a claim as a list shows it."""
    return {
        "id": row.id,
        "discrepancy_ids": [discrepancy.id for discrepancy in row.discrepancies],
        "client": row.account.client.name,
        "account": row.account.name,
        "account_id": row.account_id,
        "claim_type": row.claim_type,
        "status": row.status.value,
        "closed_reason": row.closed_reason,
        "case_id": row.case_id,
        "quantity": row.quantity,
        "value": _amount(row.value, row.currency),
        "recovered": _amount(row.recovered, row.currency),
        "currency": row.currency,
        "closes_on": row.closes_on.isoformat(),
        "submitted_at": row.submitted_at.isoformat() if row.submitted_at else None,
        "next_action_on": row.next_action_on.isoformat() if row.next_action_on else None,
        "rounds": row.rounds,
    }


def whole_claim(row: Claim, today: date) -> dict[str, Any]:
    """Return a claim with all that hangs on it. today: the day it is in its marketplace."""
    assignee = row.assignee or row.account.client.case_manager
    return claim_row(row) | {
        "next_step": next_step(row).told(today),
        "assignee": assignee.email if assignee else None,
        "approved_by": row.approved_by.email,
        "created_at": row.created_at.isoformat(),
        "recovered_quantity": row.recovered_quantity,
        "payments": [_payment(payment) for payment in row.payments],
        "notes": [_note(note) for note in row.notes],
        "documents": [_document(document) for document in row.documents],
        "requests": [_request(request) for request in row.requests],
        "evidence": [
            {"discrepancy_id": each.id} | _evidence(line) for each in row.discrepancies for line in each.evidence
        ],
        "history": [history_row(entry) for entry in row.history],
    }


def waiting_row(each: "WaitingLine") -> dict[str, Any]:
    """Return a payment that waits for a person as a list shows it; `claims` are those it may be for."""
    row = each.row
    return {
        "line": row.id,
        "reimbursement": row.reimbursement_id,
        "client": row.account.client.name,
        "account": row.account.name,
        "account_id": row.account_id,
        "approved_on": row.approved_on.isoformat(),
        "reason": row.reason,
        "fnsku": row.fnsku,
        "msku": row.msku,
        "order_id": row.order_id,
        "case_id": row.case_id,
        "takes_back": each.takes_back,
        "units_left": each.units_left,
        "amount": _amount(row.amount_total, row.currency),
        "currency": row.currency,
        "claims": [claim.id for claim in each.candidates],
    }


def account_row(row: Account) -> dict[str, Any]:
    """Return an account as a list shows it; never its token."""
    return {
        "id": row.id,
        "client": row.client.name,
        "account": row.name,
        "marketplace": row.marketplace,
        "seller_id": row.seller_id,
        "status": row.status.value,
        "client_status": row.client.status.value,
        "is_connected": row.refresh_token is not None,
    }


def run_row(row: Run) -> dict[str, Any]:
    """Return a piece of work as a list shows it; its account, with the client, and its client are loaded."""
    client = row.account.client if row.account else row.client
    return {
        "id": row.id,
        "kind": row.kind,
        "client": client.name if client else None,
        "account": row.account.name if row.account else None,
        "account_id": row.account_id,
        "slot": row.slot,
        "state": row.state.value,
        "attempts": row.attempts,
        "due_at": row.due_at.isoformat(),
        "started_at": row.started_at.isoformat() if row.started_at else None,
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "error": row.error,
    }


def whole_account(row: Account, history: Sequence[HistoryEntry]) -> dict[str, Any]:
    """Return an account with its history."""
    return account_row(row) | {"created_at": row.created_at.isoformat(), "history": [history_row(e) for e in history]}


def caveat_lines(caveats: Sequence[Caveat]) -> list[str]:
    """Return a line a caveat: what is open about it, or who cleared it and why."""
    return [
        f"{caveat.code}: {words.caveat_name(caveat.code)}"
        if caveat.cleared_at is None
        else f"{caveat.code}: cleared by {caveat.cleared_by.label if caveat.cleared_by else 'somebody'}: {caveat.note}"
        for caveat in caveats
    ]


def evidence_lines(evidence: Sequence[EvidenceLine]) -> list[str]:
    """Return what each line shows and where it stands, and beneath it the line itself."""
    told = []
    for line in evidence:
        part = "" if line.quantity is None else f", {words.units(line.quantity)}"
        told.append(f"{words.evidence_role_name(line.role)}: {line.file}, line {line.line:,}{part}")
        told.extend(f"    {text}" for text in (line.note, line.text) if text)
    return told


def note_lines(notes: Sequence[ClaimNote]) -> list[str]:
    """Return what Amazon replied and what was noted, the newest first, and beneath each its text."""
    told = []
    for note in reversed(notes):
        day = "" if note.next_action_on is None else f", next by {note.next_action_on.isoformat()}"
        what = "Amazon's reply, kept by" if note.kind is NoteKind.AMAZON_REPLY else "Note of"
        told.append(f"{note.created_at:%Y-%m-%d %H:%M} UTC {what} {note.author_name}{day}")
        told.extend(f"    {line}" for line in note.text.splitlines())
    return told


def document_lines(documents: Sequence[Document]) -> list[str]:
    """Return a line a document."""
    return [
        f"{each.id}  {each.name}, {size_in_words(each.size)} ({words.document_kind_name(each.kind)}), "
        f"by {each.uploaded_by_name}"
        for each in documents
    ]


def request_lines(requests: Sequence[Request]) -> list[str]:
    """Return a line a request to the client, and beneath it what was asked and answered."""
    told = []
    for each in requests:
        held = ", the claim waits for it" if each.holds_claim and each.status is RequestStatus.ASKED else ""
        told.append(f"{each.id}  {words.request_status_name(each.status)}{held}")
        told.extend(f"    {text}" for text in (each.question, each.answer) if text)
    return told


def payment_lines(payments: Sequence[ClaimPayment]) -> list[str]:
    """Return a line a payment: which reimbursement gave how much, and what tied it to the claim."""
    return [
        f"{each.line.approved_on.isoformat()}  {each.line.reimbursement_id}: "
        f"{words.units(each.cash_units + each.stock_units)}, {words.money(each.amount, each.currency)} "
        f"(by {each.matched_by})"
        for each in payments
    ]


def history_lines(history: Sequence[HistoryEntry]) -> list[str]:
    """Return a line a move, the newest first."""
    return [
        " ".join(
            part
            for part in (
                f"{entry.at:%Y-%m-%d %H:%M} UTC",
                f"{entry.actor_name}:",
                words.action_name(entry.action),
                f"({entry.reason})" if entry.reason else "",
                f"“{entry.note}”" if entry.note else "",
                words.through_name(entry.through.value),
            )
            if part
        )
        for entry in reversed(history)
    ]


def _evidence(line: EvidenceLine) -> dict[str, Any]:
    return {
        "report_type": line.report_type,
        "file": line.file,
        "line": line.line,
        "role": line.role,
        "quantity": line.quantity,
        "note": line.note,
        "header": line.header,
        "text": line.text,
        "sha256": line.sha256,
    }


def _payment(payment: ClaimPayment) -> dict[str, Any]:
    return {
        "reimbursement_id": payment.line.reimbursement_id,
        "approved_on": payment.line.approved_on.isoformat(),
        "cash_units": payment.cash_units,
        "stock_units": payment.stock_units,
        "amount": _amount(payment.amount, payment.currency),
        "currency": payment.currency,
        "matched_by": payment.matched_by,
    }


def _note(note: ClaimNote) -> dict[str, Any]:
    return {
        "kind": note.kind.value,
        "text": note.text,
        "by": note.author_name,
        "at": note.created_at.isoformat(),
        "next_action_on": note.next_action_on.isoformat() if note.next_action_on else None,
    }


def _document(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "kind": document.kind.value,
        "name": document.name,
        "content_type": document.content_type,
        "size": document.size,
        "sha256": document.sha256,
        "by": document.uploaded_by_name,
        "at": document.created_at.isoformat(),
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": request.kind.value,
        "status": request.status.value,
        "holds_claim": request.holds_claim,
        "question": request.question,
        "answer": request.answer,
    }


def history_row(entry: HistoryEntry) -> dict[str, Any]:
    """Return one move as JSON has it."""
    return {
        "at": entry.at.isoformat(),
        "by": entry.actor_name,
        "through": entry.through.value,
        "action": entry.action,
        "from": entry.from_status,
        "to": entry.to_status,
        "reason": entry.reason,
        "note": entry.note,
    }


def _amount(value: Decimal | None, currency: str | None) -> str | None:
    """Return the amount in its currency's digits; None where it is not known."""
    return None if value is None or currency is None else f"{Money(value, currency).rounded().amount:f}"
