"""The digests as the database has them now: whose week, loaded for `digest_blocks`, and the channel it goes to."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import outbox
from billing.statement import Figure, statement
from billing.week import Week
from bot.blocks import Message
from bot.digest_blocks import Desk, Links, client_digest, staff_digest
from claims import clients
from claims.links import (
    figure_link,
    messages_link,
    portal_link,
    requests_link,
    to_decide_link,
    to_file_link,
    today_link,
)
from clock import utcnow
from config import settings
from errors import NotFound
from models import (
    Account,
    Claim,
    ClaimPayment,
    ClaimStatus,
    Client,
    Discrepancy,
    DiscrepancyStatus,
    InvoiceLine,
    OutboxMessage,
    Reimbursement,
)


def draw_client_digest(session: Session, row: OutboxMessage) -> tuple[Message, str | None]:
    """Return a client's week and the client's own channel. Raises NotFound where it has none (any more)."""
    client = session.get(Client, row.client_id) if row.client_id else None
    if client is None or not client.client_channel:
        raise NotFound(f"Message {row.key} has no channel to go to.")
    week = Week(date.fromisoformat(row.payload["week"]), ZoneInfo(client.time_zone))
    told = statement(session, week, client_id=client.id)
    return client_digest(told, client=client.name, link=portal_link()), client.client_channel


def draw_staff_digest(session: Session, row: OutboxMessage) -> tuple[Message, str | None]:
    """Return the week of all clients, and the channel of the staff's digest, or that of the cards."""
    agency = clients.agency(session)
    week = Week(date.fromisoformat(row.payload["week"]), ZoneInfo(agency.time_zone))
    message = staff_digest(statement(session, week), _desk(session, week), _links())
    return message, agency.digest_channel or agency.review_channel or settings().slack_review_channel


def _links() -> Links:
    return Links(
        today=today_link(),
        to_decide=to_decide_link(),
        to_file=to_file_link(),
        at_client=requests_link(),
        stuck=messages_link(),
        figures={figure: figure_link(figure) for figure in Figure},
    )


def _desk(session: Session, week: Week) -> Desk:
    to_decide = select(func.count()).where(Discrepancy.status == DiscrepancyStatus.OPEN)
    to_file = select(func.count()).where(Claim.status == ClaimStatus.TO_SUBMIT)
    stuck = select(func.count()).select_from(OutboxMessage).where(outbox.stuck(utcnow()))
    counts = session.execute(
        select(to_decide.scalar_subquery(), to_file.scalar_subquery(), stuck.scalar_subquery())
    ).one()
    return Desk(*counts, unbilled=_unbilled(session, week))


def _unbilled(session: Session, week: Week) -> Sequence[str]:
    """Return the clients without an address for whom money came that stands on no invoice."""
    billed = select(InvoiceLine.id).where(InvoiceLine.payment_id == ClaimPayment.id).exists()
    found = (
        select(Client.name)
        .join(Account, Account.client_id == Client.id)
        .join(Reimbursement, Reimbursement.account_id == Account.id)
        .join(Reimbursement.payments)
        .where(
            Client.address == "", Reimbursement.approved_on <= week.sunday, ClaimPayment.amount > Decimal(0), ~billed
        )
        .distinct()
        .order_by(Client.name)
    )
    return session.scalars(found).all()
