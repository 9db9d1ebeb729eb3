"""Invoices as the fields that the command line has (DESIGN section 4)."""

from decimal import Decimal
from typing import Any

from claims import words
from cli.rows import history_row
from models import Invoice, InvoiceLine
from money import Money

INVOICE_FIELDS = (
    "id",
    "number",
    "client",
    "status",
    "week_from",
    "week_to",
    "currency",
    "recovered",
    "fee",
    "tax",
    "total",
    "lines",
    "sent_at",
    "query_until",
    "final_at",
    "paid_at",
)


def invoice_row(row: Invoice) -> dict[str, Any]:
    """Return an invoice as a list shows it. Amounts are decimal strings in `currency`."""
    return {
        "id": row.id,
        "number": row.number,
        "client": row.client.name,
        "status": row.status.value,
        "week_from": row.week_from.isoformat(),
        "week_to": row.week_to.isoformat(),
        "currency": row.currency,
        "recovered": _amount(row.recovered, row.currency),
        "fee": _amount(row.fee, row.currency),
        "tax": _amount(row.tax, row.currency),
        "total": _amount(row.total, row.currency),
        "lines": [_line(line, row.currency) for line in row.lines],
        "sent_at": row.sent_at.isoformat() if row.sent_at else None,
        "query_until": row.query_until.isoformat() if row.query_until else None,
        "final_at": row.final_at.isoformat() if row.final_at else None,
        "paid_at": row.paid_at.isoformat() if row.paid_at else None,
    }


def whole_invoice(row: Invoice) -> dict[str, Any]:
    """Return an invoice with its terms, and what each line is for."""
    whole = invoice_row(row)
    for shown, line in zip(whole["lines"], row.lines, strict=True):
        shown |= {
            "account": line.claim.account.name,
            "case_id": line.claim.case_id,
            "reimbursement_id": line.payment.line.reimbursement_id,
            "fnsku": line.payment.line.fnsku,
            "msku": line.payment.line.msku,
        }
    return whole | {"terms": row.terms, "history": [history_row(entry) for entry in row.history]}


def line_lines(row: Invoice) -> list[str]:
    """Return a line of text for each line of an invoice, and one beneath for what was asked about it."""
    told = []
    for line in row.lines:
        told.append(
            f"{line.position:>3}  {line.approved_on}  claim {line.claim_id}  {words.claim_type_name(line.claim_type)}"
            f"  {words.money(line.recovered, row.currency)} × {words.percent(line.rate)}"
            f" = {words.money(line.fee, row.currency)}"
        )
        told.extend(f"       {part}" for part in (_asked(line), _answered(line)) if part)
    return told


def _line(line: InvoiceLine, currency: str) -> dict[str, Any]:
    return {
        "position": line.position,
        "claim_id": line.claim_id,
        "claim_type": line.claim_type,
        "approved_on": line.approved_on.isoformat(),
        "cash_units": line.cash_units,
        "stock_units": line.stock_units,
        "recovered": _amount(line.recovered, currency),
        "rate": f"{line.rate:f}",
        "fee": _amount(line.fee, currency),
        "query": line.query,
        "answer": line.answer,
    }


def _asked(line: InvoiceLine) -> str:
    return f"Asked: {line.query}" if line.query else ""


def _answered(line: InvoiceLine) -> str:
    return f"Answered: {line.answer}" if line.answer else ""


def _amount(value: Decimal, currency: str) -> str:
    return f"{Money(value, currency).rounded().amount:f}"
