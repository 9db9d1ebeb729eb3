"""Messages to send: rows written with what they tell of, taken by a sender, rendered at delivery.

A row is `pending` until a sender takes it, `sending` while it is held, then `sent` or `failed`. A sender that dies
leaves `sending` behind. Once its hold has passed, a message to Slack can be taken again, marked as one that may have
arrived; a mail becomes `unsure`, because nobody can look whether it arrived, and waits for a person.
"""

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from claims.access import Actor, Permission
from clock import real_now
from errors import Moved, NotFound
from models import Discrepancy, Medium, OutboxMessage, OutboxState

# A hold is shorter than the 90 seconds in which a dead worker's job is done again, longer than a handful of posts.
HOLD = timedelta(seconds=60)
CARD = "discrepancy_card"
CARDS_OVERFLOW = "cards_overflow"
CARD_UPDATE = "card_update"
LINK_USER = "link_user"  # no message, but a question to Slack that has to be asked once and is due like one
CLAIM_NEWS = "claim_news"
REQUEST_MAIL = "request_mail"
INVOICE_MAIL = "invoice_mail"
WEEKLY_MAIL = "weekly_mail"
WEEKLY_DIGEST = "weekly_digest"
STAFF_DIGEST = "staff_digest"

#: what a person may have sent again
RESENDABLE = (OutboxState.FAILED, OutboxState.UNSURE)
#: the part of a payload that lists who had it sent again, and when
RESENT = "resent"
#: after which a message that is not sent is worth a look
OVERDUE = timedelta(hours=1)

_STANDING = {
    OutboxState.PENDING: "waits to be sent",
    OutboxState.SENDING: "is being sent",
    OutboxState.SENT: "has arrived",
}
_SENDER_DIED = "The sender was ended while it sent this; it may have arrived."

_UNDELIVERED = (OutboxState.PENDING, OutboxState.SENDING)
_LONGEST_NAME = 64


@dataclass
class Delivered:
    """What came of a delivery: how many messages arrived, and the key of each that did not, with the reason."""

    sent: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


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


def sender_name() -> str:
    """Return a name to claim messages under that no other sender has, in this process or another."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"[-_LONGEST_NAME:]


def pause(attempts: int, first: timedelta, longest: timedelta) -> timedelta:
    """Return how long to leave a message alone after so many tries (from 1): doubled with each, up to `longest`."""
    doubled: int = 2 ** min(attempts - 1, 10)
    return min(first * doubled, longest)


def claim_batch(
    session: Session, worker: str, limit: int, now: datetime, *, medium: Medium = Medium.SLACK
) -> list[OutboxMessage]:
    """Take up to `limit` due messages of a medium for `worker`, oldest first, and return them in state `sending`.

    No two senders get the same row: PostgreSQL skips rows that another one is taking, SQLite lets one writer in at a
    time. A row whose `is_unsure` is set may have arrived already: look before sending it. Mails that a dead sender
    left behind are not taken but become `unsure`. The hold lasts `HOLD` of real time, so take no more than can be sent
    in it. To be called in a transaction of its own.
    """
    at = real_now()
    due = _due(now, at).where(OutboxMessage.medium == medium)
    if medium is Medium.MAIL:
        _leave_to_a_person(session, at)
        due = due.where(OutboxMessage.state == OutboxState.PENDING)
    taken = list(session.scalars(due.limit(limit).with_for_update(skip_locked=True)))
    for row in taken:
        row.is_unsure = row.is_unsure or row.state is OutboxState.SENDING
        row.state = OutboxState.SENDING
        row.claimed_by = worker
        row.claimed_until = at + HOLD
        row.attempts += 1
    return taken


def told_with(session: Session, row: OutboxMessage, now: datetime) -> Sequence[int]:
    """Return the ids of the other due messages of `row`'s kind about its discrepancy, none of which adds to it.

    Ask before `row` is drawn: what is drawn after that shows all that these tell of. What is queued later may tell of
    something newer, and is sent for itself.
    """
    others = select(OutboxMessage.id).where(
        OutboxMessage.discrepancy_id == row.discrepancy_id,
        OutboxMessage.kind == row.kind,
        OutboxMessage.id != row.id,
        OutboxMessage.state.in_(_UNDELIVERED),
        OutboxMessage.not_before <= now,
    )
    return session.scalars(others).all()


def mark_sent(
    session: Session,
    message_id: int,
    channel: str | None,
    external_id: str | None,
    now: datetime,
    *,
    told_with: Sequence[int] = (),
) -> None:
    """Record that the message arrived, as `external_id` in `channel`; a card's place is kept with its discrepancy.

    `told_with` are messages that it told of too: they are sent as well, unless they were given up meanwhile.
    """
    # All at once and in one order: another sender may be marking the same ones.
    marked = select(OutboxMessage).where(OutboxMessage.id.in_([message_id, *told_with])).order_by(OutboxMessage.id)
    for row in session.scalars(marked.with_for_update()):
        if row.id == message_id or row.state in _UNDELIVERED:
            _arrived(session, row, channel, external_id, now)


def mark_retry(
    session: Session,
    message_id: int,
    error: str,
    not_before: datetime,
    *,
    worker: str,
    is_unsure: bool | None = None,
) -> None:
    """Put the message back until `not_before`. `is_unsure` says whether the try may have arrived; None leaves it.

    Like the two below it changes nothing where `worker` holds the message no longer: another sender has it, or will.
    """
    changes: dict[str, Any] = {} if is_unsure is None else {"is_unsure": is_unsure}
    _let_go(session, message_id, worker, OutboxState.PENDING, error, not_before=not_before, **changes)


def mark_failed(session: Session, message_id: int, error: str, *, worker: str) -> None:
    """Give the message up: `error` is shown to staff."""
    _let_go(session, message_id, worker, OutboxState.FAILED, error)


def mark_unsure(session: Session, message_id: int, error: str, *, worker: str) -> None:
    """Record that nobody knows whether the message arrived: it is shown to staff and never sent again by itself."""
    _let_go(session, message_id, worker, OutboxState.UNSURE, error, is_unsure=True)


def resend(session: Session, message_id: int, *, actor: Actor, now: datetime) -> OutboxMessage:
    """Have a message that failed, or may not have arrived, sent once more; its payload keeps who asked, and when.

    A mail keeps its Message-ID, so that a mail program shows it once; a message to Slack is looked up first where it
    may be there. Raises NotAllowed, NotFound, and Moved where it is on its way or has arrived.
    """
    actor.require(Permission.RESEND)
    row = session.get(OutboxMessage, message_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no message {message_id}.")
    if row.state not in RESENDABLE:
        raise Moved(f"Message {message_id} {_STANDING[row.state]}.", todo="There is nothing to send again.")
    asked = {"by": actor.name, "user_id": actor.user_id, "at": now.isoformat()}
    row.payload = row.payload | {RESENT: [*row.payload.get(RESENT, ()), asked]}
    row.state, row.not_before, row.attempts = OutboxState.PENDING, now, 0
    row.claimed_by = row.claimed_until = None
    return row


def hold_longer(session: Session, message_id: int, worker: str) -> bool:
    """Hold a message for another `HOLD` from now; False where it is no longer the worker's to send."""
    held = session.scalar(select(OutboxMessage).where(_is_held(message_id, worker)).with_for_update())
    if held is not None:
        held.claimed_until = real_now() + HOLD
    return held is not None


def still_held(session: Session, message_id: int, worker: str) -> bool:
    """Whether `worker` may still send it: ask before each post of a batch, since a hold can pass while one waits."""
    return session.scalar(select(OutboxMessage.id).where(_is_held(message_id, worker))) is not None


def has_due(session: Session, now: datetime) -> bool:
    """Whether a sender would find something to send."""
    return session.scalar(_due(now, real_now()).limit(1)) is not None


def undelivered(session: Session, now: datetime) -> Sequence[OutboxMessage]:
    """Return what is due and not sent, what waits for its next try, and what waits for a person, oldest first."""
    is_late = or_(OutboxMessage.not_before <= now, OutboxMessage.attempts > 0)
    due = and_(OutboxMessage.state.in_(_UNDELIVERED), is_late)
    given_up = OutboxMessage.state.in_(RESENDABLE)
    return session.scalars(select(OutboxMessage).where(or_(due, given_up)).order_by(OutboxMessage.id)).all()


def listed(actor: Actor) -> Select[OutboxMessage]:
    """Return all messages, for those who may send them again; without an order. Raises NotAllowed."""
    actor.require(Permission.RESEND)
    return select(OutboxMessage)


def stuck(now: datetime) -> ColumnElement[bool]:
    """Return the condition for what a person should look at: given up, unsure, or overdue for `OVERDUE`."""
    overdue = and_(OutboxMessage.state.in_(_UNDELIVERED), OutboxMessage.created_at <= now - OVERDUE)
    return or_(OutboxMessage.state.in_(RESENDABLE), and_(overdue, OutboxMessage.not_before <= now))


def _leave_to_a_person(session: Session, at: datetime) -> None:
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.medium == Medium.MAIL,
            OutboxMessage.state == OutboxState.SENDING,
            OutboxMessage.claimed_until <= at,
        )
        .values(state=OutboxState.UNSURE, is_unsure=True, last_error=_SENDER_DIED, claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
    )


def _due(now: datetime, at: datetime) -> Select[OutboxMessage]:
    pending = and_(OutboxMessage.state == OutboxState.PENDING, OutboxMessage.not_before <= now)
    left_over = and_(OutboxMessage.state == OutboxState.SENDING, OutboxMessage.claimed_until <= at)
    return select(OutboxMessage).where(or_(pending, left_over)).order_by(OutboxMessage.id)


def _arrived(session: Session, row: OutboxMessage, channel: str | None, external_id: str | None, now: datetime) -> None:
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


def _is_held(message_id: int, worker: str) -> ColumnElement[bool]:
    return and_(
        OutboxMessage.id == message_id,
        OutboxMessage.state == OutboxState.SENDING,
        OutboxMessage.claimed_by == worker,
        OutboxMessage.claimed_until > real_now(),
    )


def _let_go(session: Session, message_id: int, worker: str, state: OutboxState, error: str, **changes: Any) -> None:
    session.execute(
        update(OutboxMessage)
        .where(_is_held(message_id, worker))
        .values(state=state, last_error=error, claimed_by=None, claimed_until=None, **changes)
        .execution_options(synchronize_session=False)
    )
