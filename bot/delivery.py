"""Delivery of the outbox to Slack: nothing lost, nothing twice, whatever Slack or this process does meanwhile.

A row is taken, drawn from the database as it is now, sent, and marked. Slack has no key that keeps it from taking a
message twice, so each message carries its row's id as metadata: where an earlier try may have arrived, the channel is
searched for it before another is posted. An update shows its card as it is now: one does for all of the card's that
are due, and one too many does no harm.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import structlog
from slack_sdk import WebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

import outbox
from bot import ids
from bot.blocks import Message
from bot.cards import draw, draw_overflow, update_card
from bot.client import DELIVERY_SECONDS, SlackBusy, SlackRefused, SlackSilent, call, is_loopback, web_client
from bot.digests import draw_client_digest, draw_staff_digest
from bot.news import draw_news
from bot.pacing import SLACKS_OWN_PACE, Pacer
from bot.people import link_added
from clock import utcnow
from config import settings
from db import reading, transaction
from errors import NotFound, RecoupError
from models import OutboxMessage, OutboxState
from outbox import Delivered

log = structlog.get_logger()
_T = TypeVar("_T")

# No more than can be sent, a second apiece and with all waiting, before the hold on the rows passes.
_BATCH = 10
_PATIENCE_SECONDS = 20.0
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=15)
# Of a channel's latest messages, so many are searched for one that may have arrived.
_PAGES = 10
_PAGE = 200
# What Slack says where a thread's first message was deleted.
_NO_THREAD = {"thread_not_found", "message_not_found", "invalid_thread_ts"}


class NotYet(RecoupError):
    """The message cannot be sent now and is kept for later."""


@dataclass(frozen=True)
class _Place:
    """Where a message went, both None where there was nothing to send (any more), and the rows it told of too."""

    channel: str | None = None
    ts: str | None = None
    told_with: Sequence[int] = ()


@dataclass(frozen=True)
class _Draft:
    """A message as of now: the channel it belongs in, a thread in it, and where it is if that is known already.

    Where there is nothing to send (any more) it is nowhere: `there` is a place without a channel.
    """

    message: Message = field(default_factory=lambda: Message("", []))
    channel: str | None = None
    thread_ts: str | None = None
    there: _Place | None = None


def deliver_due(*, limit: int = 500, pacer: Pacer | None = None, patience: float = _PATIENCE_SECONDS) -> Delivered:
    """Send what is due, oldest first, up to `limit` rows, and say what came of it.

    `pacer` spaces the posts to one channel. Where Slack asks to wait, up to `patience` seconds in all are waited here;
    what it cannot take by then comes back later, what it will never take is marked as failed, with what to do.
    Without Slack's settings nothing is touched.
    """
    delivered = Delivered()
    if not settings().slack_is_on:
        return delivered
    postman = _Postman(web_client(DELIVERY_SECONDS), pacer or _own_pacer(), patience)
    while limit > 0 and (rows := postman.take(min(limit, _BATCH))):
        limit -= len(rows)
        for row in rows:
            postman.deliver(row, delivered)
    return delivered


@cache
def _own_pacer() -> Pacer:
    """One for the process. A stand-in on this machine says itself when it is asked too fast."""
    return Pacer(0.0 if is_loopback(settings().slack_api_url) else SLACKS_OWN_PACE)


@dataclass
class _Postman:
    """Sends rows one by one. `silent` is set once Slack does not answer: then the rest is kept for later, untried."""

    client: WebClient
    pacer: Pacer
    patience: float
    worker: str = field(default_factory=outbox.sender_name)
    blocked: set[str] = field(default_factory=set)
    silent: bool = False

    def take(self, limit: int) -> list[OutboxMessage]:
        """Take the next rows, so that no other sender has them."""
        with transaction() as session:
            return outbox.claim_batch(session, self.worker, limit, utcnow())

    def deliver(self, row: OutboxMessage, delivered: Delivered) -> None:
        """Send one row and mark what came of it. A row that cannot be drawn does not stop the others."""
        try:
            place = self._sent(row)
        except (SlackRefused, NotFound) as refused:
            self._give_up(row, refused)
            delivered.left.append((row.key, str(refused)))
        except RecoupError as trouble:
            self._keep(row, str(trouble), trouble)
            delivered.left.append((row.key, str(trouble)))
        except Exception as bug:
            reference = secrets.token_hex(4)
            log.exception("outbox_row_failed", outbox_id=row.id, kind=row.kind, reference=reference)
            self._keep(row, f"A mistake in the program: see the log, reference {reference}.", bug)
            delivered.left.append((row.key, f"A mistake in the program, reference {reference}."))
        else:
            if place:
                with transaction() as session:
                    outbox.mark_sent(session, row.id, place.channel, place.ts, utcnow(), told_with=place.told_with)
                delivered.sent += 1

    def _sent(self, row: OutboxMessage) -> _Place | None:
        """Return where the message is now; None where the row is no longer this sender's."""
        if row.kind == outbox.CARD_UPDATE:
            return self._updated(row)
        if row.kind == outbox.LINK_USER:
            self._patiently("users.lookupByEmail", lambda: link_added(self.client, int(row.payload["user_id"])))
            return _Place()
        with reading() as session:
            draft = _drawn(session, row)
        if draft.there:
            return draft.there
        channel = draft.channel
        if not channel:
            raise NotYet(
                "No review channel is set.",
                todo="Set SLACK_REVIEW_CHANNEL, or the channel of the agency or of the client in the back office.",
            )
        if row.is_unsure and (ts := self._patiently(channel, lambda: self._found(draft, channel, row.id))):
            return _Place(channel, ts)
        return self._patiently(channel, lambda: self._posted(row, channel, draft))

    def _updated(self, row: OutboxMessage) -> _Place | None:
        discrepancy_id = row.discrepancy_id
        if discrepancy_id is None:
            raise NotFound(f"Message {row.key} names no discrepancy.")
        with reading() as session:
            if not outbox.still_held(session, row.id, self.worker):
                return None  # told with an earlier row of this batch, most likely
            told_with = outbox.told_with(session, row, utcnow())
            is_coming = _card_is_coming(session, discrepancy_id)  # asked first: it may be posted meanwhile
        if not self._patiently("chat.update", lambda: update_card(self.client, discrepancy_id)) and is_coming:
            raise NotYet("Its card is not posted yet.")
        return _Place(told_with=told_with)

    def _posted(self, row: OutboxMessage, channel: str, draft: _Draft) -> _Place | None:
        self.pacer.take_turn(channel)
        with reading() as session:
            if not outbox.still_held(session, row.id, self.worker):
                return None
        try:
            answer = self._post(row, channel, draft, draft.thread_ts)
        except SlackRefused as refused:
            if not draft.thread_ts or refused.code not in _NO_THREAD:
                raise
            answer = self._post(row, channel, draft, None)  # somebody deleted the card
        return _Place(answer.get("channel") or channel, answer.get("ts"))

    def _post(self, row: OutboxMessage, channel: str, draft: _Draft, thread_ts: str | None) -> dict[str, Any]:
        return call(
            self.client.chat_postMessage,
            channel=channel,
            text=draft.message.text,
            blocks=draft.message.blocks,
            metadata={"event_type": ids.METADATA_TYPE, "event_payload": {"outbox_id": row.id}},
            unfurl_links=False,
            unfurl_media=False,
            **({"thread_ts": thread_ts} if thread_ts else {}),
        )

    def _found(self, draft: _Draft, channel: str, outbox_id: int) -> str | None:
        """Return the ts of the message that this row has posted already, None where it is in neither place."""
        if draft.thread_ts:
            try:
                if ts := self._found_in(self.client.conversations_replies, outbox_id, channel, ts=draft.thread_ts):
                    return ts
            except SlackRefused as refused:
                if refused.code not in _NO_THREAD:
                    raise
        return self._found_in(self.client.conversations_history, outbox_id, channel)

    def _found_in(self, read: Callable[..., Any], outbox_id: int, channel: str, **thread: str) -> str | None:
        cursor = None
        for _ in range(_PAGES):
            more = thread | ({"cursor": cursor} if cursor else {})
            page = call(read, channel=channel, limit=_PAGE, include_all_metadata=True, **more)
            for message in page.get("messages") or []:
                metadata = message.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                if metadata.get("event_type") == ids.METADATA_TYPE and payload.get("outbox_id") == outbox_id:
                    ts: str = message["ts"]
                    return ts
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return None

    def _patiently(self, what: str, ask: Callable[[], _T]) -> _T:
        """Ask Slack, and wait as long as it says while there is patience. `what` is the channel or method."""
        if self.silent:
            raise NotYet("Slack does not answer.")
        while what not in self.blocked:
            try:
                return ask()
            except SlackBusy as busy:
                if busy.wait_seconds is None:
                    self.silent = True
                    raise
                if busy.wait_seconds > self.patience:
                    self.blocked.add(what)
                    raise
                self.patience -= busy.wait_seconds
                self.pacer.sleep(busy.wait_seconds)
            except SlackSilent:
                self.silent = True
                raise
        raise NotYet("Slack asks to wait.")

    def _give_up(self, row: OutboxMessage, why: RecoupError) -> None:
        log.error("outbox_row_given_up", outbox_id=row.id, kind=row.kind, error=str(why))
        with transaction() as session:
            outbox.mark_failed(session, row.id, str(why), worker=self.worker)

    def _keep(self, row: OutboxMessage, why: str, trouble: Exception) -> None:
        """Put the row back for a while."""
        log.warning("outbox_row_kept", outbox_id=row.id, kind=row.kind, error=why)
        may_be_there = None if isinstance(trouble, NotYet | SlackBusy) else True
        with transaction() as session:
            not_before = utcnow() + _pause(row, trouble)
            outbox.mark_retry(session, row.id, why, not_before, worker=self.worker, is_unsure=may_be_there)


def _drawn(session: Session, row: OutboxMessage) -> _Draft:
    """Return the message as of now, where it belongs, and where it is if that is known already."""
    if row.kind in _DRAWN_WHOLE:
        message, channel = _DRAWN_WHOLE[row.kind](session, row)
        return _Draft(message, channel)
    if row.kind == outbox.CLAIM_NEWS:
        post = draw_news(session, row)
        return _Draft(post.message, post.channel, thread_ts=post.thread_ts) if post else _Draft(there=_Place())
    if row.kind != outbox.CARD or row.discrepancy_id is None:
        raise NotFound(f"Message {row.key} is of a kind that is not known here: {row.kind}.")
    card = draw(session, row.discrepancy_id, now=utcnow())
    return _Draft(card.message, card.home, there=_Place(card.channel, card.ts) if card.ts else None)


# What is drawn from its row alone, with the channel it belongs in.
_DRAWN_WHOLE: dict[str, Callable[[Session, OutboxMessage], tuple[Message, str | None]]] = {
    outbox.CARDS_OVERFLOW: draw_overflow,
    outbox.WEEKLY_DIGEST: draw_client_digest,
    outbox.STAFF_DIGEST: draw_staff_digest,
}


def _card_is_coming(session: Session, discrepancy_id: int) -> bool:
    coming = select(OutboxMessage.id).where(
        OutboxMessage.kind == outbox.CARD,
        OutboxMessage.discrepancy_id == discrepancy_id,
        OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.SENDING]),
    )
    return session.scalar(coming.limit(1)) is not None


def _pause(row: OutboxMessage, trouble: Exception) -> timedelta:
    """Return how long to leave a row alone: what Slack asks for, else longer with each try."""
    if isinstance(trouble, SlackBusy) and trouble.wait_seconds:
        return timedelta(seconds=trouble.wait_seconds)
    return outbox.pause(row.attempts, _FIRST_PAUSE, _LONGEST_PAUSE)
