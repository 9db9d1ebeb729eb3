"""Clients: who hired the agency, on what terms, and whether they get new claims."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import available_timezones

from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload
from wtforms import DecimalField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional

from admin.entries import ONE, EntryForm, EntryView, Move
from admin.listing import Rows
from admin.people import STAFF, current_actor
from claims import clients
from clock import utcnow
from models import Client, ClientStatus, HistoryEntry, User
from money import CURRENCIES

_PERCENT = Decimal(100)
_CURRENCIES = sorted(CURRENCIES, key=lambda code: (code != "USD", code))

_MOVES = {
    "pause": Move("Pause", ClientStatus.PAUSED, "Paused: no new claims; open ones are worked to their end."),
    "resume": Move("Resume", ClientStatus.ACTIVE, "Active again: new claims can be made."),
    "cancel": Move(
        "Cancel", ClientStatus.CANCELLED, "Cancelled: no new claims. This cannot be taken back.", is_final=True
    ),
}
_FROM = {
    ClientStatus.ONBOARDING: ("pause", "cancel"),
    ClientStatus.ACTIVE: ("pause", "cancel"),
    ClientStatus.PAUSED: ("resume", "cancel"),
    ClientStatus.CANCELLED: (),
}
STATUS_NAMES = {
    ClientStatus.ONBOARDING: "Onboarding",
    ClientStatus.ACTIVE: "Active",
    ClientStatus.PAUSED: "Paused",
    ClientStatus.CANCELLED: "Cancelled",
}


class ClientForm(EntryForm):
    """What is agreed with a client."""

    name = StringField("Name", [InputRequired("Give the client a name.")])
    email = StringField("E-mail address", [InputRequired("Where does the client read mail?")])
    commission_rate = DecimalField(
        "Commission, in percent",
        [InputRequired("Say which share is agreed, 20 for 20 %."), NumberRange(0, 100, "Between 0 and 100.")],
        places=None,
        description="Of what is recovered: 20 for 20 %.",
    )
    currency = SelectField(
        "Currency",
        choices=[SelectChoice(code) for code in _CURRENCIES],
        description="Of invoices and of the least value below.",
    )
    min_value = DecimalField(
        "Least value",
        [Optional(), NumberRange(0, message="Not below zero.")],
        places=None,
        description="Smaller discrepancies make no card in Slack. Empty shows all; an unknown value is always shown.",
    )
    case_manager_id = SelectField("Case manager", description="Named to the client; the default for new work.")
    review_channel = StringField(
        "Slack channel for this client", description="Channel id (C…). Empty: the agency's review channel."
    )
    time_zone = SelectField("Time zone", description="Whose Sunday ends the week of an invoice.")
    address = TextAreaField("Address", description="As it stands on invoices.")


class ClientView(EntryView):
    """The list of clients and the form of one."""

    noun = ("client", "clients")
    search_label = "Name or e-mail address"
    form_type = ClientForm
    empty = "A client has one or more seller accounts; what Amazon owes is claimed for them."
    column_list = ("name", "status", "commission_rate", "currency", "case_manager", "email")
    column_labels: ClassVar[Mapping[str, str]] = {
        "name": "Client",
        "status": "State",
        "commission_rate": "Commission",
        "currency": "Currency",
        "case_manager": "Case manager",
        "email": "E-mail address",
    }
    column_formatters: ClassVar[Mapping[str, Any]] = {
        "status": lambda _view, _context, row, _name: STATUS_NAMES[row.status],
        "commission_rate": lambda _view, _context, row, _name: f"{percent(row.commission_rate)} %",
        "case_manager": lambda _view, _context, row, _name: row.case_manager.label if row.case_manager else "nobody",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "name": Client.name,
        "status": Client.status,
        "commission_rate": Client.commission_rate,
        "email": Client.email,
    }
    search_columns = (Client.name, Client.email)

    def statement(self) -> Rows:
        """Return all clients with their case managers."""
        return select(Client).options(joinedload(Client.case_manager))

    def ordered(self, rows: Rows) -> Rows:
        """Return the clients by name."""
        return rows.order_by(Client.name)

    def filled(self, row: Client) -> Mapping[str, Any]:
        """Return what the form shows of a client."""
        shown = {name: getattr(row, name) for name in ("name", "email", "currency", "time_zone", "address")}
        return shown | {
            "commission_rate": Decimal(percent(row.commission_rate)),
            "min_value": None if row.min_value is None else row.min_value.normalize(),
            "case_manager_id": str(row.case_manager_id or ""),
            "review_channel": row.review_channel or "",
        }

    def prepare(self, session: Session, form: ClientForm, row: Client | None) -> None:
        """Offer the staff as case managers, and every time zone."""
        staff = session.scalars(select(User).where(User.role.in_(STAFF), User.is_active).order_by(User.name))
        form.case_manager_id.choices = [
            SelectChoice("", "Nobody"),
            *(SelectChoice(str(user.id), user.label) for user in staff),
        ]
        zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
        form.time_zone.choices = [SelectChoice(zone) for zone in zones]
        if row is None and not form.time_zone.data:
            form.time_zone.data = "America/Los_Angeles"

    def save(self, session: Session, form: ClientForm, row: Client | None) -> str:
        """Add or change the client."""
        given: dict[str, Any] = dict(form.data)
        given["commission_rate"] = given["commission_rate"] / _PERCENT
        given["case_manager_id"] = int(given["case_manager_id"]) if given["case_manager_id"] else None
        actor, now = current_actor(), utcnow()
        if row is None:
            return clients.add_client(session, actor=actor, now=now, **given).name
        return clients.set_client(session, row.id, actor=actor, now=now, **given).name

    def moves(self, row: Client) -> Mapping[str, Move]:
        """Return what can be done with a client in this state."""
        return {code: _MOVES[code] for code in _FROM[row.status]}

    def state(self, row: Client) -> str:
        """Return where the client stands."""
        return STATUS_NAMES[row.status]

    def history(self, session: Session, row: Client) -> list[HistoryEntry]:
        """Return what happened to the client."""
        found = select(HistoryEntry).where(HistoryEntry.client_id == row.id).order_by(HistoryEntry.id)
        return list(session.scalars(found))

    @expose(ONE + "<any(pause, resume, cancel):code>", methods=("POST",))
    def move(self, row_id: int, code: str) -> Any:
        """Pause, resume or cancel."""

        def change(session: Session) -> str:
            to = ClientStatus(_MOVES[code].to)
            client = clients.move_client(session, row_id, to=to, actor=current_actor(), now=utcnow())
            return f"{client.name}. {_MOVES[code].means}"

        return self.moved(row_id, change)


def percent(rate: Decimal) -> str:
    """Return a rate as people say it: 0.20 is 20."""
    text = f"{rate * _PERCENT:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
