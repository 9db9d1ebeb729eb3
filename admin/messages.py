"""What Recoup sends, by Slack and by mail: what is stuck and why, and the button that sends it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

import outbox
from admin.ids import is_id
from admin.listing import EVERY, Listing, Narrow, Rows
from admin.people import current_actor
from admin.staff import told
from claims import words
from clock import utcnow
from db import reading
from models import Account, Client, Discrepancy, Medium, OutboxMessage, OutboxState

_RESEND = "/<id:message_id>/resend"
STUCK = "stuck"
_STATES = {
    STUCK: "Needs a person",
    OutboxState.PENDING.value: "Waiting",
    OutboxState.SENT.value: "Sent",
    EVERY: "All",
}
_TO_BILLING = (outbox.WEEKLY_MAIL, outbox.INVOICE_MAIL)


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about, in words, with the page that shows it; `link` may be empty."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the list says of one message beyond its own row."""

    to: str
    client: str
    about: About
    resent: Sequence[str]


def _in_state(rows: Rows, value: str) -> Rows:
    if value == EVERY:
        return rows
    if value == STUCK:
        return rows.where(outbox.stuck(utcnow()))
    return rows.where(OutboxMessage.state == OutboxState(value))


def _by(rows: Rows, value: str) -> Rows:
    return rows.where(OutboxMessage.medium == Medium(value))


def _of_client(rows: Rows, value: str) -> Rows:
    accounts = select(Account.id).where(Account.client_id == int(value))
    return rows.where((OutboxMessage.client_id == int(value)) | OutboxMessage.account_id.in_(accounts))


class MessageView(Listing):
    """Messages, the latest first; unless another state is asked for, those that a person has to look at."""

    list_template = "messages.html"
    column_list = ("kind", "to", "state", "attempts", "created_at")
    column_labels: ClassVar[Mapping[str, str]] = {
        "kind": "What",
        "to": "To",
        "state": "State",
        "attempts": "Tries",
        "created_at": "Written",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "kind": OutboxMessage.kind,
        "state": OutboxMessage.state,
        "attempts": OutboxMessage.attempts,
        "created_at": OutboxMessage.created_at,
    }
    search_columns = (OutboxMessage.channel, OutboxMessage.last_error)
    column_filters = (
        Narrow("status", "State", _in_state, _STATES.__contains__),
        Narrow("medium", "By", _by, {medium.value for medium in Medium}.__contains__),
        Narrow("client", "Client", _of_client, is_id),
    )

    def statement(self) -> Rows:
        """Return the messages that a person has to look at, unless a state is asked for."""
        found = outbox.listed(current_actor())
        return found if self.active("status") else found.where(outbox.stuck(utcnow()))

    @expose(_RESEND, methods=("POST",))
    def resend(self, message_id: int) -> ResponseReturnValue:
        """Have a message sent once more."""

        def move(session: Session) -> str:
            row = outbox.resend(session, message_id, actor=current_actor(), now=utcnow())
            return f"It is sent again: {words.message_kind_name(row.kind).lower()}."

        told(move)
        state = request.form.get("state", "")
        return redirect(self.get_url(".index_view", **({"flt_status": state} if state in _STATES else {})), 303)

    def around(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return the choices, and what each message is about."""
        with reading() as session:
            about = _shown(session, shown["data"])
        state = self.active("status") or STUCK
        return {
            "state": state,
            "states": list(_STATES.items()),
            "media": list(words.MEDIA.items()),
            "about": about,
            "resendable": outbox.RESENDABLE,
        }


def _shown(session: Session, rows: Sequence[OutboxMessage]) -> dict[int, Shown]:
    """Return by id what is said of each message: three queries, however many there are."""
    account_ids = {row.account_id for row in rows if row.account_id}
    accounts = session.scalars(
        select(Account).where(Account.id.in_(account_ids)).options(joinedload(Account.client))
    ).all()
    by_account = {account.id: account.client for account in accounts}
    client_ids = {row.client_id for row in rows if row.client_id}
    by_id = {client.id: client for client in session.scalars(select(Client).where(Client.id.in_(client_ids)))}
    losses = {row.discrepancy_id for row in rows if row.discrepancy_id and not row.channel}
    cards = select(Discrepancy.id, Discrepancy.card_channel).where(Discrepancy.id.in_(losses))
    card_in = {loss_id: channel for loss_id, channel in session.execute(cards) if channel}
    shown = {}
    for row in rows:
        client = by_id.get(row.client_id or 0) or by_account.get(row.account_id or 0)
        shown[row.id] = Shown(
            _to(row, client) or card_in.get(row.discrepancy_id or 0, ""),
            client.name if client else "",
            _about(row),
            _resent(row),
        )
    return shown


def _to(row: OutboxMessage, client: Client | None) -> str:
    if row.channel:
        return row.channel
    if row.medium is Medium.MAIL and client:
        return (row.kind in _TO_BILLING and client.billing_email) or client.email
    return ""


def _about(row: OutboxMessage) -> About:
    if row.claim_id:
        return About(f"Claim {row.claim_id}", url_for("claims.one", claim_id=row.claim_id))
    if row.discrepancy_id:
        return About(
            f"Discrepancy {row.discrepancy_id}", url_for("discrepancies.one", discrepancy_id=row.discrepancy_id)
        )
    if week := row.payload.get("week"):
        return About(f"The week from {words.day(date.fromisoformat(week))}")
    if invoice_id := row.payload.get("invoice_id"):
        return About(f"Invoice {invoice_id}", url_for("invoices.one", invoice_id=invoice_id))
    if row.account_id:
        return About("Its findings", url_for("discrepancies.index_view", flt_account=row.account_id))
    return About("")


def _resent(row: OutboxMessage) -> list[str]:
    """Return who had it sent again, and when, the latest last."""
    return [
        f"Sent again by {asked['by']}, {words.day(datetime.fromisoformat(asked['at']).date())}"
        for asked in row.payload.get(outbox.RESENT, ())
    ]
