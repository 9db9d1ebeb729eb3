"""The client's invoices: the list, one as it is printed, its PDF file, and the question about a line."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from admin.invoices import pdf_of
from admin.people import current_actor
from admin.portal.paging import page_of
from billing import moves
from billing.page import printed
from billing.queries import invoice_list, load_invoice
from claims import portal
from clock import utcnow
from db import reading, transaction
from errors import InvalidInput, Moved, NotFound
from models import Invoice, InvoiceStatus

_ONE = "/invoices/<id:invoice_id>/"


def register(pages: Blueprint) -> None:
    """Add the pages."""
    pages.add_url_rule("/invoices/", "invoices", everything)
    pages.add_url_rule(_ONE, "invoices_one", one)
    pages.add_url_rule(_ONE + "pdf", "invoices_pdf", pdf)
    pages.add_url_rule(_ONE + "lines/<id:line_id>/query", "invoices_query", query, methods=["POST"])


def everything() -> str:
    """List the invoices, the latest first."""
    actor = current_actor()
    with reading() as session:
        page = page_of(session, invoice_list(actor).order_by(Invoice.sent_at.desc(), Invoice.id.desc()))
        owed = portal.owed(session, actor)
    return render_template("portal/invoices.html", page=page, name_of=moves.named, owed=owed)


def one(invoice_id: int) -> ResponseReturnValue:
    """Show one invoice, with a form at each line that can be queried."""
    return _page(invoice_id)


def pdf(invoice_id: int) -> Response:
    """Send the invoice as a PDF file."""
    return pdf_of(_loaded(invoice_id))


def query(invoice_id: int, line_id: int) -> ResponseReturnValue:
    """Take a question about a line; a missing one comes back at its field."""
    text, actor = request.form.get("text", ""), current_actor()
    if line_id not in {line.id for line in _loaded(invoice_id).lines}:
        raise NotFound(f"There is no line {line_id} on this invoice.")
    try:
        with transaction() as session:
            moves.query_line(session, line_id, text, actor=actor, now=utcnow())
    except InvalidInput as error:
        return _page(invoice_id, line_id=line_id, text=text, wrong=str(error))
    except Moved as too_late:
        flash(str(too_late), "error")
    else:
        flash(
            "Thank you. Your agency looks at this line; the invoice is not final before you have an answer.", "success"
        )
    return redirect(url_for("portal.invoices_one", invoice_id=invoice_id), 303)


def _loaded(invoice_id: int) -> Invoice:
    """Return the invoice. Raises NotFound, without the hint at a command, which is nothing to a client."""
    try:
        with reading() as session:
            return load_invoice(session, invoice_id, current_actor())
    except NotFound as missing:
        raise NotFound(missing.message) from missing


def _page(invoice_id: int, *, line_id: int = 0, text: str = "", wrong: str = "") -> ResponseReturnValue:
    found = _loaded(invoice_id)
    today = moves.local_day(found.client, utcnow())
    is_open = found.status in (InvoiceStatus.SENT, InvoiceStatus.QUERIED)
    is_in_time = is_open and found.query_until is not None and today <= found.query_until
    drawn = render_template(
        "portal/invoice.html",
        invoice=found,
        page=printed(found),
        can_be_queried={line.id for line in found.lines if is_in_time and (line.query is None or line.answer)},
        today=today,
        asked=line_id,
        text=text,
        wrong={f"query-{line_id}": wrong} if wrong else {},
    )
    return drawn, 422 if wrong else 200
