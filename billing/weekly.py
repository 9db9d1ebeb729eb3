"""A client's week is closed: what is due is billed, and the client is told, all in the caller's transaction.

Each message has the client and the week in its key, and a unit is billed once: to close a week again adds what came
since, and nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

import outbox
from billing import moves
from billing.invoices import NoTerms, make_invoices
from billing.week import Week
from claims.access import Actor
from config import settings
from errors import InvalidInput
from models import (
    Account,
    Claim,
    ClaimPayment,
    ClaimStatus,
    Client,
    ClientStatus,
    Invoice,
    InvoiceStatus,
    Medium,
    OutboxMessage,
)

_OVER = (ClaimStatus.RECOVERED, ClaimStatus.REVERSED, ClaimStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing a week came to.

    invoices: those that were sent by it. drafts: how many wait for a person, because e-mail is off. not_billed: why
    nothing was billed, where something is missing for it. queued: the kinds of message that are new.
    """

    invoices: tuple[Invoice, ...] = ()
    drafts: int = 0
    not_billed: str = ""
    queued: tuple[str, ...] = ()


def close_week(session: Session, client: Client, week: Week, *, actor: Actor, now: datetime) -> Closed:
    """Bill what is due up to the week's Sunday, and queue the client's mail and digest.

    A client of whom something is missing for a bill is told of the week all the same. While e-mail is off the invoices
    stay drafts, because a number is taken on sending. Raises NotAllowed, and InvalidInput for a week that is not over.
    """
    if week.ends_at > now:
        raise InvalidInput(
            f"The week from {week.monday:%Y-%m-%d} is not over yet in {week.zone}.",
            field="week",
            todo="Give a day of an earlier week.",
        )
    not_billed = ""
    try:
        with session.begin_nested():
            make_invoices(session, client.id, week.sunday, actor=actor, now=now)
    except NoTerms as missing:
        not_billed = str(missing)
    drafts = session.scalars(_drafts(client.id, week)).all()
    if not settings().mail_is_on:
        queued = _told(session, client, week, sent=(), not_billed=not_billed, now=now)
        return Closed((), len(drafts), not_billed, queued)
    sent = tuple(moves.send(session, draft, actor=actor, now=now) for draft in drafts)
    queued = _told(session, client, week, sent=sent, not_billed=not_billed, now=now)
    return Closed(sent, 0, not_billed, queued)


def mail_invoice(session: Session, invoice: Invoice, now: datetime) -> None:
    """Queue the mail that brings one invoice by itself."""
    outbox.enqueue(
        session,
        outbox.INVOICE_MAIL,
        f"invoice:{invoice.id}",
        now=now,
        medium=Medium.MAIL,
        client_id=invoice.client_id,
        payload={"invoice_id": invoice.id},
    )


def has_staff_digest(session: Session, week: Week) -> bool:
    """Whether the staff's digest of the week needs no queueing: it is there, or Slack is off."""
    return not settings().slack_is_on or _is_queued(session, _staff_key(week))


def queue_staff_digest(session: Session, week: Week, now: datetime) -> bool:
    """Queue the staff's digest of a week that is over, unless it is there or Slack is off; return whether it is new."""
    if week.ends_at > now or has_staff_digest(session, week):
        return False
    outbox.enqueue(session, outbox.STAFF_DIGEST, _staff_key(week), now=now, payload={"week": week.monday.isoformat()})
    return True


def reported(week_of: Week) -> Select[Client]:
    """Return the clients who are told of a week: active and paused ones, and who left until nothing is open.

    Who became a client after the week is not told of it. Nothing is open for who left once no claim is, and no money
    has come since the week began.
    """
    its_claims = select(Claim.id).join(Claim.account).where(Account.client_id == Client.id).correlate(Client)
    open_claim = exists(its_claims.where(Claim.status.not_in(_OVER)))
    fresh_money = exists(its_claims.join(Claim.payments).where(ClaimPayment.matched_at >= week_of.begins_at))
    is_left_with = (Client.status == ClientStatus.CANCELLED) & or_(open_claim, fresh_money)
    is_served = Client.status.in_((ClientStatus.ACTIVE, ClientStatus.PAUSED))
    return select(Client).where(Client.created_at < week_of.ends_at, or_(is_served, is_left_with)).order_by(Client.id)


def _drafts(client_id: int, week: Week) -> Select[int]:
    """Return the drafts up to this week: an earlier one stayed so because e-mail was off."""
    return (
        select(Invoice.id)
        .where(
            Invoice.client_id == client_id,
            Invoice.status == InvoiceStatus.DRAFT,
            Invoice.week_to <= week.sunday,
        )
        .order_by(Invoice.week_from, Invoice.currency)
    )


def _told(
    session: Session, client: Client, week: Week, *, sent: Sequence[Invoice], not_billed: str, now: datetime
) -> tuple[str, ...]:
    """Queue what tells the client of the week; an invoice that comes after the week's mail has one of its own."""
    monday = week.monday.isoformat()
    payload: dict[str, Any] = {"week": monday}
    wanted = {}
    if settings().mail_is_on:
        ids = [invoice.id for invoice in sent]
        wanted[outbox.WEEKLY_MAIL] = (Medium.MAIL, payload | {"invoice_ids": ids, "is_not_billed": bool(not_billed)})
    if settings().slack_is_on and client.client_channel:
        wanted[outbox.WEEKLY_DIGEST] = (Medium.SLACK, payload)
    queued = []
    for kind, (medium, says) in wanted.items():
        key = f"{kind}:{client.id}:{monday}"
        if not _is_queued(session, key):
            outbox.enqueue(session, kind, key, now=now, medium=medium, client_id=client.id, payload=says)
            queued.append(kind)
    if sent and outbox.WEEKLY_MAIL not in queued:
        for invoice in sent:
            mail_invoice(session, invoice, now)
        queued.append(outbox.INVOICE_MAIL)
    return tuple(queued)


def _staff_key(week: Week) -> str:
    return f"{outbox.STAFF_DIGEST}:{week.monday.isoformat()}"


def _is_queued(session: Session, key: str) -> bool:
    return session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key)) is not None
