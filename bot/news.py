"""News of claims as the database has them now: loaded, put into data for `news_blocks`, and where they belong."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from bot.blocks import Message
from bot.cards import review_channel
from bot.news_blocks import KNOWN, News, Waiting, news, waiting
from claims import words
from claims.booking import what_is_paid
from claims.links import claim_link, payments_link
from errors import NotFound
from models import (
    Account,
    Claim,
    ClaimPayment,
    OutboxMessage,
    Reimbursement,
    ReimbursementState,
    Request,
)


@dataclass(frozen=True)
class Post:
    """A message, the channel it belongs in (None where none is set), and the message whose thread it belongs in."""

    message: Message
    channel: str | None
    thread_ts: str | None = None


def draw_news(session: Session, row: OutboxMessage) -> Post | None:
    """Return what a row of news says; None where a person was faster. Raises NotFound where it tells of nothing."""
    if row.payload.get("what") == "waiting":
        return _waiting(session, row)
    claim = session.scalar(
        select(Claim)
        .where(Claim.id == row.claim_id)
        .options(joinedload(Claim.account).joinedload(Account.client), selectinload(Claim.discrepancies))
    )
    if claim is None or row.payload.get("what") not in KNOWN:
        raise NotFound(f"Message {row.key} tells of something that is not known here.")
    data = News(
        what=row.payload["what"],
        claim_id=claim.id,
        claim_type=words.claim_type_name(claim.claim_type),
        client=claim.account.client.name,
        told=_told(session, row),
        standing=words.claim_status_name(claim.status.value, claim.closed_reason),
        so_far=f"{claim.recovered_quantity:,} of {words.units(claim.quantity)}",
        link=claim_link(claim.id),
    )
    card = next((each for each in claim.discrepancies if each.card_channel and each.card_ts), None)
    if card:
        return Post(news(data), card.card_channel, card.card_ts)
    return Post(news(data), review_channel(session, claim.account.client))


def _told(session: Session, row: OutboxMessage) -> str:
    """Return what the message is about, in words."""
    if "payment_id" in row.payload:
        payment = session.get(ClaimPayment, int(row.payload["payment_id"]))
        if payment is not None:
            return what_is_paid(payment)
    if "line_id" in row.payload:
        line = session.get(Reimbursement, int(row.payload["line_id"]))
        if line is not None:
            return line.later_says or "the same again as at first"
    if "request_id" in row.payload:
        asked = session.get(Request, int(row.payload["request_id"]))
        if asked is not None:
            return words.request_kind_name(asked.kind.value).lower()
    raise NotFound(f"Message {row.key} tells of something that is not there any more.")


def _waiting(session: Session, row: OutboxMessage) -> Post | None:
    found = session.scalars(
        select(Reimbursement)
        .join(Reimbursement.account)
        .join(Account.client)
        .where(Reimbursement.id.in_(row.payload["line_ids"]), Reimbursement.state == ReimbursementState.WAITING)
        .options(contains_eager(Reimbursement.account).contains_eager(Account.client))
        .order_by(Reimbursement.id)
    ).all()
    if not found:
        return None
    first, account = found[0], found[0].account
    amount = words.money(abs(first.amount_total), first.currency)
    data = Waiting(
        client=account.client.name,
        account=account.name,
        count=len(found),
        first=f"{amount}, reimbursement {first.reimbursement_id}" if len(found) == 1 else "",
        link=payments_link(),
    )
    return Post(waiting(data), review_channel(session, account.client))
