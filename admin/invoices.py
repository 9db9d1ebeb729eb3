"""Invoices: the list, one as it is printed, its PDF file, and its moves."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from flask import Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin.ids import id_from_form
from admin.listing import CLIENT, EVERY, Listing, Narrow, Rows
from admin.people import current_actor
from admin.staff import told
from billing import moves
from billing.page import printed
from billing.queries import invoice_list, load_invoice
from claims import words
from clock import utcnow
from db import reading
from errors import InvalidInput
from models import Client, Invoice, InvoiceStatus, Role
from money import Money

_ONE = "/<id:invoice_id>/"
_S = InvoiceStatus
# What can be done with an invoice in each state; paying one that is only sent makes it final first.
_MOVES: Mapping[InvoiceStatus, tuple[str, ...]] = {
    _S.DRAFT: ("send", "void"),
    _S.SENT: ("paid", "void"),
    _S.QUERIED: ("void",),
    _S.FINAL: ("paid", "void"),
    _S.PAID: (),
    _S.VOID: (),
}


def _in_state(rows: Rows, value: str) -> Rows:
    return rows if value == EVERY else rows.where(Invoice.status == InvoiceStatus(value))


_EXPORTED: Mapping[str, Callable[[Invoice], str]] = {
    "id": lambda i: str(i.id),
    "number": lambda i: i.number or "",
    "client": lambda i: i.client.name,
    "status": lambda i: i.status.value,
    "week_from": lambda i: i.week_from.isoformat(),
    "week_to": lambda i: i.week_to.isoformat(),
    "currency": lambda i: i.currency,
    "recovered": lambda i: _amount(i.recovered, i.currency),
    "fee": lambda i: _amount(i.fee, i.currency),
    "tax": lambda i: _amount(i.tax, i.currency),
    "total": lambda i: _amount(i.total, i.currency),
    "lines": lambda i: str(len(i.lines)),
}


class InvoiceView(Listing):
    """Invoices, the latest first; one moves through the services alone."""

    roles = frozenset({Role.ADMIN, Role.BILLING})
    list_template = "invoices.html"
    column_list = ("number", "client", "week_from", "recovered", "total", "status")
    column_labels: ClassVar[Mapping[str, str]] = {
        "number": "Invoice",
        "client": "Client",
        "week_from": "Week",
        "recovered": "Recovered",
        "total": "Total",
        "status": "State",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "number": Invoice.number,
        "client": Client.name,
        "week_from": Invoice.week_from,
        "total": Invoice.total,
        "status": Invoice.status,
    }
    search_columns = (Invoice.number,)
    exported = _EXPORTED
    column_filters = (
        Narrow("status", "State", _in_state, {*(status.value for status in InvoiceStatus), EVERY}.__contains__),
        CLIENT,
    )

    def statement(self) -> Rows:
        """Return the invoices that exist for this person."""
        return invoice_list(current_actor())

    @expose(_ONE)
    def one(self, invoice_id: int) -> ResponseReturnValue:
        """Show one invoice as it is printed."""
        with reading() as session:
            found = load_invoice(session, invoice_id, current_actor())
        open_queries = {line.id for line in found.lines if line.query is not None and line.answer is None}
        return str(
            self.render(
                "invoice.html",
                invoice=found,
                page=printed(found),
                moves=_MOVES[found.status],
                open_queries=open_queries if found.status is _S.QUERIED else set(),
            )
        )

    @expose(_ONE + "pdf")
    def pdf(self, invoice_id: int) -> Response:
        """Send the invoice as a PDF file."""
        with reading() as session:
            return pdf_of(load_invoice(session, invoice_id, current_actor()))

    @expose(_ONE + "send", methods=("POST",))
    def send(self, invoice_id: int) -> ResponseReturnValue:
        """Give a draft its number; the person takes it to the client."""
        return self._moved(
            invoice_id,
            lambda session: moves.send(session, invoice_id, by_hand=True, actor=current_actor(), now=utcnow()),
        )

    @expose(_ONE + "paid", methods=("POST",))
    def paid(self, invoice_id: int) -> ResponseReturnValue:
        """Record that it was paid."""
        return self._moved(
            invoice_id, lambda session: moves.mark_paid(session, invoice_id, actor=current_actor(), now=utcnow())
        )

    @expose(_ONE + "void", methods=("POST",))
    def void(self, invoice_id: int) -> ResponseReturnValue:
        """Make it void."""
        note = request.form.get("note", "")
        return self._moved(
            invoice_id, lambda session: moves.void(session, invoice_id, note=note, actor=current_actor(), now=utcnow())
        )

    @expose(_ONE + "answer", methods=("POST",))
    def answer(self, invoice_id: int) -> ResponseReturnValue:
        """Answer what the client asked about a line."""
        line_id, text = id_from_form("line_id"), request.form.get("text", "")
        return self._moved(
            invoice_id,
            lambda session: moves.answer_query(session, line_id, text, actor=current_actor(), now=utcnow()),
        )

    def _moved(self, invoice_id: int, move: Callable[[Session], Invoice]) -> ResponseReturnValue:
        """Make a move, say what came of it, and show the invoice again."""

        def made(session: Session) -> str:
            invoice = move(session)
            return f"{moves.named(invoice)} is {words.invoice_status_name(invoice.status.value).lower()} now."

        try:
            told(made)
        except InvalidInput as error:
            flash(str(error), "error")
        return redirect(self.get_url(".one", invoice_id=invoice_id), 303)

    def around(self, _shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return the states to choose from."""
        state = self.active("status") or EVERY
        return {
            "state": state,
            "title_end": "" if state == EVERY else words.invoice_status_name(state).lower(),
            "states": [
                (EVERY, "All"),
                *((status.value, words.invoice_status_name(status.value)) for status in InvoiceStatus),
            ],
            "name_of": moves.named,
        }


def pdf_of(invoice: Invoice) -> Response:
    """Return a loaded invoice as a PDF file to download."""
    from billing.pdf import rendered  # drawing is slow to load, and most pages draw nothing

    page = printed(invoice)
    disposition = f'attachment; filename="{page.file_name}"'
    return Response(rendered(page), mimetype="application/pdf", headers={"Content-Disposition": disposition})


def _amount(amount: Decimal, currency: str) -> str:
    return f"{Money(amount, currency).rounded().amount:f}"
