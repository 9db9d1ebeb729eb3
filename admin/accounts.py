"""Seller accounts: whose they are, where they sell, and which of their reports were read."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from admin.deadlines import marketplace_today
from admin.entries import ONE, EntryForm, EntryView, Move
from admin.listing import Rows
from admin.people import current_actor
from claims import accounts, imports
from clock import utcnow
from detection.marketplaces import marketplaces
from models import Account, AccountStatus, Client, ClientStatus, HistoryEntry

_MOVES = {
    "pause": Move("Pause", AccountStatus.PAUSED, "Paused: it is not looked at each day."),
    "resume": Move("Resume", AccountStatus.ACTIVE, "Active again: it is looked at each day."),
    "disconnect": Move(
        "Disconnect", AccountStatus.DISCONNECTED, "Disconnected: its access to Amazon was deleted.", is_final=True
    ),
    "cancel": Move("Cancel", AccountStatus.CANCELLED, "Cancelled. This cannot be taken back.", is_final=True),
}
_FROM = {
    AccountStatus.ACTIVE: ("pause", "disconnect", "cancel"),
    AccountStatus.PAUSED: ("resume", "disconnect", "cancel"),
    AccountStatus.DISCONNECTED: ("resume", "cancel"),
    AccountStatus.CANCELLED: (),
}
STATUS_NAMES = {
    AccountStatus.ACTIVE: "Active",
    AccountStatus.PAUSED: "Paused",
    AccountStatus.CANCELLED: "Cancelled",
    AccountStatus.DISCONNECTED: "Disconnected",
}


class AccountForm(EntryForm):
    """What a new account needs."""

    client_id = SelectField("Client", [InputRequired("Choose the client it belongs to.")])
    name = StringField(
        "Name", [InputRequired("Give the account a name.")], description="As the agency calls it, like “Acme US”."
    )
    marketplace = SelectField("Marketplace", description="Its days and currency count, and its policy.")
    seller_id = StringField("Seller ID", description="Amazon's, like A2XAMPLE. Empty if it is not known yet.")


class AccountView(EntryView):
    """The list of accounts, the form for a new one, and what was read of one."""

    noun = ("account", "accounts")
    search_label = "Account, client or seller ID"
    form_type = AccountForm
    empty = "It belongs to a client. Its reports are read with flask import, and looked at each day."
    takes_changes = False  # an account's name and marketplace are what its findings stand under
    one_template = "account.html"
    column_list = ("name", "client", "marketplace", "status", "seller_id")
    column_labels: ClassVar[Mapping[str, str]] = {
        "name": "Account",
        "client": "Client",
        "marketplace": "Marketplace",
        "status": "State",
        "seller_id": "Seller ID",
    }
    column_formatters: ClassVar[Mapping[str, Any]] = {
        "client": lambda _view, _context, row, _name: row.client.name,
        "status": lambda _view, _context, row, _name: STATUS_NAMES[row.status],
        "seller_id": lambda _view, _context, row, _name: row.seller_id or "not known",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "name": Account.name,
        "client": Client.name,
        "marketplace": Account.marketplace,
        "status": Account.status,
    }
    search_columns = (Account.name, Client.name, Account.seller_id)

    def statement(self) -> Rows:
        """Return all accounts with their clients."""
        return select(Account).join(Account.client).options(contains_eager(Account.client))

    def ordered(self, rows: Rows) -> Rows:
        """Return the accounts by client and name."""
        return rows.order_by(Client.name, Account.name)

    def prepare(self, session: Session, form: AccountForm, _row: Account | None) -> None:
        """Offer the clients that take accounts, and the marketplaces."""
        taking = select(Client).where(Client.status != ClientStatus.CANCELLED).order_by(Client.name)
        form.client_id.choices = [
            SelectChoice("", "Choose…"),
            *(SelectChoice(str(each.id), each.name) for each in session.scalars(taking)),
        ]
        form.marketplace.choices = [SelectChoice(code) for code in marketplaces()]

    def save(self, session: Session, form: AccountForm, _row: Account | None) -> str:
        """Add the account."""
        given: dict[str, Any] = form.data | {"client_id": int(form.client_id.data)}
        account = accounts.add_account(session, actor=current_actor(), now=utcnow(), **given)
        return f"{account.name}. Its id is {account.id}"

    def facts(self, session: Session, row: Account) -> Mapping[str, Any]:
        """Return how far the reports of the account go."""
        today = marketplace_today(row.marketplace, utcnow())
        return {"fresh": imports.freshness(session, row.id), "today": today}

    def moves(self, row: Account) -> Mapping[str, Move]:
        """Return what can be done with an account in this state."""
        return {code: _MOVES[code] for code in _FROM[row.status]}

    def state(self, row: Account) -> str:
        """Return where the account stands."""
        return STATUS_NAMES[row.status]

    def history(self, session: Session, row: Account) -> list[HistoryEntry]:
        """Return what happened to the account."""
        found = select(HistoryEntry).where(HistoryEntry.account_id == row.id).order_by(HistoryEntry.id)
        return list(session.scalars(found))

    @expose(ONE + "<any(pause, resume, disconnect, cancel):code>", methods=("POST",))
    def move(self, row_id: int, code: str) -> Any:
        """Pause, resume, disconnect or cancel."""

        def change(session: Session) -> str:
            to = AccountStatus(_MOVES[code].to)
            account = accounts.move_account(session, row_id, to=to, actor=current_actor(), now=utcnow())
            return f"{account.name}. {_MOVES[code].means}"

        return self.moved(row_id, change)
