"""What the doors show of invoices, already narrowed to those that exist for the person who asks."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from billing.moves import is_seen
from claims.access import Actor, Permission
from errors import NotFound
from models import Claim, ClaimPayment, Client, Invoice, InvoiceLine, InvoiceStatus, Role


def invoice_list(
    actor: Actor,
    *,
    client_id: int | None = None,
    account_id: int | None = None,
    status: InvoiceStatus | None = None,
) -> Select[Any]:
    """Return the invoices that exist for `actor`, each with its client and lines, without an order.

    account_id: those with a line of a claim of this account. Raises NotAllowed for staff who may not see invoices.
    """
    found = select(Invoice).join(Invoice.client)
    found = found.options(contains_eager(Invoice.client), selectinload(Invoice.lines))
    if actor.role is Role.CLIENT:
        found = found.where(Invoice.client_id == actor.client_id, Invoice.sent_at.is_not(None))
    else:
        actor.require(Permission.SEE_BILLING)
    if client_id is not None:
        found = found.where(Invoice.client_id == client_id)
    if account_id is not None:
        found = found.where(Invoice.lines.any(InvoiceLine.claim.has(Claim.account_id == account_id)))
    return found if status is None else found.where(Invoice.status == status)


def load_invoice(session: Session, invoice_id: int, actor: Actor) -> Invoice:
    """Return one invoice with client, history and lines, each with its claim and the reimbursement line it is for.

    Raises NotAllowed for staff who may not see invoices, and NotFound.
    """
    if actor.role is not Role.CLIENT:
        actor.require(Permission.SEE_BILLING)
    found = session.scalar(
        select(Invoice)
        .where(Invoice.id == invoice_id)
        .options(
            joinedload(Invoice.client).joinedload(Client.case_manager),
            selectinload(Invoice.lines).joinedload(InvoiceLine.claim).joinedload(Claim.account),
            selectinload(Invoice.lines).joinedload(InvoiceLine.payment).joinedload(ClaimPayment.line),
            selectinload(Invoice.history),
        )
    )
    if found is None or not is_seen(found, actor):
        raise NotFound(f"There is no invoice {invoice_id}.")
    return found
