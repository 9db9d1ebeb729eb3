"""Messages to send: rows written with what they tell of, taken by a sender, rendered at delivery.

A row is `pending` until a sender takes it, `sending` while it is held, then `sent` or `failed`. A sender that dies
leaves `sending` behind; once its hold has passed the row can be taken again, marked as one that may have arrived.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clock import real_now
from models import Discrepancy, Medium, OutboxMessage, OutboxState

# A hold is shorter than the 90 seconds in which a dead worker's job is done again, longer than a handful of posts.
HOLD = timedelta(seconds=60)
CARD = "discrepancy_card"
CARDS_OVERFLOW = "cards_overflow"
CARD_UPDATE = "card_update"
CLAIM_NEWS = "claim_news"
REQUEST_MAIL = "request_mail"

_UNDELIVERED = (OutboxState.PENDING, OutboxState.SENDING)


def message(
    kind: str,
    key: str,
    *,
    now: datetime,
    not_before: datetime | None = None,
    medium: Medium = Medium.SLACK,
    client_id: int | None = None,
    account_id: int | None = None,
    claim_id: int | None = None,
    discrepancy_id: int | None = None,
    payload: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the values of one row, for `enqueue_all`. `key` says what it tells, so that it is told once."""
    return {
        "kind": kind,
        "key": key,
        "medium": medium,
        "client_id": client_id,
        "account_id": account_id,
        "claim_id": claim_id,
        "discrepancy_id": discrepancy_id,
        "payload": payload or {},
        "state": OutboxState.PENDING,
        "not_before": not_before or now,
        "created_at": now,
    }


def enqueue(
    session: Session,
    kind: str,
    key: str,
    *,
    now: datetime,
    not_before: datetime | None = None,
    medium: Medium = Medium.SLACK,
    client_id: int | None = None,
    account_id: int | None = None,
    claim_id: int | None = None,
    discrepancy_id: int | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    """Queue one message in the caller's transaction. A key that is queued or was sent already changes nothing."""
    made = message(
        kind,
        key,
        now=now,
        not_before=not_before,
        medium=medium,
        client_id=client_id,
        account_id=account_id,
        claim_id=claim_id,
        discrepancy_id=discrepancy_id,
        payload=payload,
    )
    enqueue_all(session, [made])


def enqueue_all(session: Session, messages: Sequence[dict[str, Any]]) -> None:
    """Queue messages made by `message`, in one statement; keys that are there already are left as they are."""
    if not messages:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(OutboxMessage).on_conflict_do_nothing(index_elements=["key"]), list(messages))


def claim_batch(
    session: Session, worker: str, limit: int, now: datetime, *, medium: Medium = Medium.SLACK
) -> list[OutboxMessage]:
    """Take up to `limit` due messages of a medium for `worker`, oldest first, and return them in state `sending`.

    No two senders get the same row: PostgreSQL skips rows that another one is taking, SQLite lets one writer in at a
    time. A row whose `is_unsure` is set may have arrived already: look before sending it. The hold lasts `HOLD` of
    real time, so take no more than can be sent in it. To be called in a transaction of its own.
    """
    at = real_now()
    due = _due(now, at).where(OutboxMessage.medium == medium)
    taken = list(session.scalars(due.limit(limit).with_for_update(skip_locked=True)))
    for row in taken:
        row.is_unsure = row.is_unsure or row.state is OutboxState.SENDING
        row.state = OutboxState.SENDING
        row.claimed_by = worker
        row.claimed_until = at + HOLD
        row.attempts += 1
    return taken


def mark_sent(session: Session, message_id: int, channel: str | None, external_id: str | None, now: datetime) -> None:
    """Record that the message arrived, as `external_id` in `channel`; a card's place is kept with its discrepancy."""
    row = _row(session, message_id)
    row.state, row.sent_at, row.channel, row.external_id = OutboxState.SENT, now, channel, external_id
    row.claimed_by = row.claimed_until = row.last_error = None
    if row.kind == CARD and row.discrepancy_id is not None:
        # A statement of its own leaves the version as it is: a person who decides meanwhile must not be told "moved".
        session.execute(
            update(Discrepancy)
            .where(Discrepancy.id == row.discrepancy_id)
            .values(card_channel=channel, card_ts=external_id)
            .execution_options(synchronize_session=False)
        )


def mark_retry(
    session: Session, message_id: int, error: str, not_before: datetime, *, is_unsure: bool | None = None
) -> None:
    """Put the message back until `not_before`. `is_unsure` says whether the try may have arrived; None leaves it."""
    row = _row(session, message_id)
    row.state, row.not_before, row.last_error = OutboxState.PENDING, not_before, error
    row.claimed_by = row.claimed_until = None
    if is_unsure is not None:
        row.is_unsure = is_unsure


def mark_failed(session: Session, message_id: int, error: str) -> None:
    """Give the message up: `error` is shown to staff."""
    row = _row(session, message_id)
    row.state, row.last_error = OutboxState.FAILED, error
    row.claimed_by = row.claimed_until = None


def still_held(session: Session, message_id: int, worker: str) -> bool:
    """Whether `worker` may still send it: ask before each post of a batch, since a hold can pass while one waits."""
    return bool(
        session.scalar(
            select(OutboxMessage.id).where(
                OutboxMessage.id == message_id,
                OutboxMessage.state == OutboxState.SENDING,
                OutboxMessage.claimed_by == worker,
                OutboxMessage.claimed_until > real_now(),
            )
        )
    )


def has_due(session: Session, now: datetime) -> bool:
    """Whether a sender would find something to send."""
    return session.scalar(_due(now, real_now()).limit(1)) is not None


def undelivered(session: Session, now: datetime) -> Sequence[OutboxMessage]:
    """Return what is due and not sent, what waits for its next try, and what failed for good, oldest first."""
    is_late = or_(OutboxMessage.not_before <= now, OutboxMessage.attempts > 0)
    due = and_(OutboxMessage.state.in_(_UNDELIVERED), is_late)
    failed = OutboxMessage.state == OutboxState.FAILED
    return session.scalars(select(OutboxMessage).where(or_(due, failed)).order_by(OutboxMessage.id)).all()


def _due(now: datetime, at: datetime) -> Select[OutboxMessage]:
    pending = and_(OutboxMessage.state == OutboxState.PENDING, OutboxMessage.not_before <= now)
    left_over = and_(OutboxMessage.state == OutboxState.SENDING, OutboxMessage.claimed_until <= at)
    return select(OutboxMessage).where(or_(pending, left_over)).order_by(OutboxMessage.id)


def _row(session: Session, message_id: int) -> OutboxMessage:
    return session.get_one(OutboxMessage, message_id, with_for_update=True)
