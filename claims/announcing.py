"""Which new discrepancies become cards for the review channel, and which are only counted. Each is told once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

import outbox
from config import settings
from models import Account, Client, ClientStatus, Discrepancy, DiscrepancyStatus

CARDS_A_RUN = 20


@dataclass(frozen=True, slots=True)
class Announced:
    """What a run tells: a card each, and the rest as one number."""

    cards: Sequence[Discrepancy] = ()
    counted: Sequence[Discrepancy] = ()


def choose(client: Client, rows: Iterable[Discrepancy], now: datetime) -> Announced:
    """Mark what is to be told now as announced, most urgent first; nothing while Slack is off or the client is paused.

    What is not told stays so, and is told by the first run that may. Rows need no ids yet.
    """
    if not settings().slack_is_on or client.status in (ClientStatus.PAUSED, ClientStatus.CANCELLED):
        return Announced()
    new = [row for row in rows if row.status is DiscrepancyStatus.OPEN and row.announced_at is None]
    due = sorted((row for row in new if is_worth_showing(row, client)), key=_urgency)
    for row in due:
        row.announced_at = now
    return Announced(due[:CARDS_A_RUN], due[CARDS_A_RUN:])


def enqueue(session: Session, account: Account, announced: Announced, now: datetime) -> None:
    """Queue the cards, and one message for the rest. All rows have their ids."""
    messages = [
        outbox.message(outbox.CARD, f"card:{row.id}", now=now, account_id=account.id, discrepancy_id=row.id)
        for row in announced.cards
    ]
    if announced.counted:
        first = min(row.id for row in announced.counted)  # each is counted once, so no other message has this key
        counted = {"account_id": account.id, "count": len(announced.counted)}
        key = f"overflow:{account.id}:{first}"
        messages.append(outbox.message(outbox.CARDS_OVERFLOW, key, now=now, account_id=account.id, payload=counted))
    outbox.enqueue_all(session, messages)


def is_worth_showing(row: Discrepancy, client: Client) -> bool:
    """Whether it reaches the least value that the client wants to see. Unknown values and other currencies pass."""
    if client.min_value is None or row.value is None or row.currency != client.currency:
        return True
    return row.value >= client.min_value


def below_least_value() -> ColumnElement[bool]:
    """Return the condition that it does not; the statement joins clients."""
    return and_(
        Discrepancy.value < Client.min_value,
        Discrepancy.currency == Client.currency,
    )


def _urgency(row: Discrepancy) -> tuple[date, Decimal, str]:
    return row.closes_on, -(row.value or Decimal(0)), row.fingerprint
