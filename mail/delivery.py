"""Delivery of the outbox by e-mail: none lost, and none sent twice by itself.

SMTP has no way to ask whether a mail arrived. So a row is marked as being sent before the connection is opened; where
the end is not known, whatever the reason, it is left to a person.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage

import structlog

import outbox
from clock import utcnow
from config import mail_address, settings
from db import reading, transaction
from errors import InvalidInput, NotFound, RecoupError
from mail import smtp
from mail.letters import RENDERERS
from mail.rendering import compose
from models import Medium, OutboxMessage
from outbox import Delivered

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)
_MOST_TRIES = 54  # about two days

log = structlog.get_logger()


def deliver_due(*, limit: int = 500) -> Delivered:
    """Send the mails that are due, oldest first, up to `limit`, and say what came of it.

    What the server cannot take now comes back later, for two days; what it will never take is marked as failed, with
    its words. A server that cannot be used, or whose answer was lost, ends the delivery: the rest stays untried. While
    e-mail is off nothing is touched.
    """
    delivered = Delivered()
    if not settings().mail_is_on:
        return delivered
    postman = _Postman()
    while limit > 0 and postman.is_welcome and (row := postman.take()):
        limit -= 1
        postman.deliver(row, delivered)
    return delivered


def message_id(row: OutboxMessage) -> str:
    """Return the Message-ID of a row: the same each time it is sent, and another in each database."""
    return f"<{_own_part(row)}@{mail_address(settings().mail_from or '').domain}>"


def _own_part(row: OutboxMessage) -> str:
    return f"recoup.{row.id}.{int(row.created_at.timestamp())}"


@dataclass
class _Postman:
    """Sends rows one by one, each held for itself. `is_welcome` falls when the server is in trouble."""

    worker: str = field(default_factory=outbox.sender_name)
    is_welcome: bool = True

    def take(self) -> OutboxMessage | None:
        """Take the next mail, so that no other sender has it."""
        with transaction() as session:
            return next(iter(outbox.claim_batch(session, self.worker, 1, utcnow(), medium=Medium.MAIL)), None)

    def deliver(self, row: OutboxMessage, delivered: Delivered) -> None:
        """Send one mail and mark what came of it. A mail that cannot be written does not stop the others."""
        try:
            to = self._sent(row)
        except smtp.NotOurs:
            return
        except smtp.MailUnsure as unsure:
            self.is_welcome = False  # the next would most likely be lost in the same way
            self._leave(row, unsure)
            delivered.left.append((row.key, str(unsure)))
        except (smtp.MailRefused, NotFound, InvalidInput) as refused:
            self._give_up(row, str(refused))
            delivered.left.append((row.key, str(refused)))
        except RecoupError as trouble:
            self.is_welcome = not isinstance(trouble, smtp.ServerTrouble)
            delivered.left.append((row.key, self._put_off(row, str(trouble))))
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("mail_row_failed", outbox_id=row.id, kind=row.kind, reference=reference)
            said = f"A mistake in the program: see the log, reference {reference}."
            delivered.left.append((row.key, self._put_off(row, said)))
        else:
            with transaction() as session:
                outbox.mark_sent(session, row.id, to, _own_part(row), utcnow())
            delivered.sent += 1

    def _sent(self, row: OutboxMessage) -> str:
        """Write the mail as of now, hand it over, and return where it went."""
        mail, to = _written(row)
        sender = mail_address(settings().mail_from or "").addr_spec
        smtp.send(settings().smtp, mail, sender=sender, to=to, may_send=lambda: self._holds(row))
        return to

    def _holds(self, row: OutboxMessage) -> bool:
        with transaction() as session:
            return outbox.hold_longer(session, row.id, self.worker)

    def _leave(self, row: OutboxMessage, why: RecoupError) -> None:
        log.error("mail_unsure", outbox_id=row.id, kind=row.kind)
        with transaction() as session:
            outbox.mark_unsure(session, row.id, str(why), worker=self.worker)

    def _give_up(self, row: OutboxMessage, why: str) -> None:
        log.error("mail_given_up", outbox_id=row.id, kind=row.kind, attempts=row.attempts)
        with transaction() as session:
            outbox.mark_failed(session, row.id, why, worker=self.worker)

    def _put_off(self, row: OutboxMessage, why: str) -> str:
        """Put the mail back for a while that doubles, or give it up after two days; return what to say of it."""
        if row.attempts >= _MOST_TRIES:
            why = f"Given up after {row.attempts} tries: {why}"
            self._give_up(row, why)
            return why
        log.warning("mail_put_off", outbox_id=row.id, kind=row.kind, attempts=row.attempts)
        not_before = utcnow() + outbox.pause(row.attempts, _FIRST_PAUSE, _LONGEST_PAUSE)
        with transaction() as session:
            outbox.mark_retry(session, row.id, why, not_before, worker=self.worker)
        return why


def _written(row: OutboxMessage) -> tuple[EmailMessage, str]:
    render = RENDERERS.get(row.kind)
    if render is None:
        raise NotFound(f"Message {row.key} is of a kind that is not known here: {row.kind}.")
    with reading() as session:
        letter = render(session, row)
    reply_to = settings().mail_reply_to or letter.reply_to
    for address in (letter.to, *([reply_to] if reply_to else [])):
        _require_address(address)
    mail = compose(
        letter,
        sender=settings().mail_from or "",
        reply_to=reply_to,
        message_id=message_id(row),
        now=utcnow(),
    )
    return mail, letter.to


def _require_address(address: str) -> None:
    try:
        mail_address(address)
    except ValueError as error:
        raise InvalidInput(f"No mail can go to {address!r}: it {error}.") from error
