"""Clients: who hired the agency, on what terms, and whether they get new claims."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload
from wtforms import BooleanField, DateField, DecimalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional

from admin.entries import ONE, ChecksField, EntryForm, EntryView, Move, time_zones
from admin.listing import Rows
from admin.people import STAFF, current_actor
from claims import clients, commission, recovery, words
from clock import utcnow
from models import Approval, Client, ClientStatus, HistoryEntry, User
from money import CURRENCIES

_PERCENT = Decimal(100)
_CURRENCIES = sorted(CURRENCIES, key=lambda code: (code != "USD", code))

# Shown in the form as they are stored.
_AS_THEY_ARE = (
    "name",
    "email",
    "address",
    "currency",
    "time_zone",
    "billing_email",
    "tax_number",
    "days_to_query",
    "fee_on_stock",
    "fee_on_found",
    "keeps_fee_reversed",
    "keeps_fee_reversed_with_unit",
    "claim_types_off",
    "wait_days",
    "requests_hold_claims",
    "review_channel",
    "client_channel",
)

_MOVES = {
    "pause": Move(
        "Pause",
        ClientStatus.PAUSED,
        "Paused: no new claims; open ones are worked to their end and billed.",
        before="Nothing new is kept or shown, and nothing is approved. Claims that are open are worked to their end "
        "and billed.",
    ),
    "resume": Move(
        "Resume",
        ClientStatus.ACTIVE,
        "Active again: new claims can be made.",
        before="New claims can be made again; the next daily run finds what came meanwhile.",
    ),
    "cancel": Move(
        "Cancel",
        ClientStatus.CANCELLED,
        "Cancelled: what was undecided is withdrawn, and what is with Amazon is worked to its end and billed.",
        is_final=True,
        before="What is undecided is withdrawn, claims that nobody filed are closed, and the client's people cannot "
        "sign in any more. What is with Amazon is worked to its end and billed. This cannot be taken back.",
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

    groups: ClassVar[Mapping[str, Sequence[str]]] = {
        "": ("name", "email", "address", "currency", "time_zone", "case_manager_id"),
        "Terms": (
            "commission_rate",
            "rate_from",
            "billing_email",
            "tax_rate",
            "tax_number",
            "days_to_query",
            "fee_on_stock",
            "fee_on_found",
            "keeps_fee_reversed",
            "keeps_fee_reversed_with_unit",
        ),
        "Recovery settings": (
            "claim_types_off",
            "min_value",
            "wait_days",
            "approval",
            "requests_hold_claims",
            "review_channel",
            "client_channel",
        ),
    }

    name = StringField("Name", [InputRequired("Give the client a name.")])
    email = StringField("E-mail address", [InputRequired("Where does the client read mail?")])
    address = TextAreaField("Address", description="As it stands on invoices: without one, none can be made.")
    currency = SelectField(
        "Currency",
        choices=[SelectChoice(code) for code in _CURRENCIES],
        description="Of the least value below. Each invoice has the currency that Amazon paid in.",
    )
    time_zone = SelectField(
        "Time zone", default="America/Los_Angeles", description="Whose Sunday ends the week of an invoice."
    )
    case_manager_id = SelectField("Case manager", description="Named to the client; the default for new work.")

    commission_rate = DecimalField(
        "Commission, in percent",
        [InputRequired("Say which share is agreed, 20 for 20 %."), NumberRange(0, 100, "Between 0 and 100.")],
        places=None,
        description="Of what is recovered: 20 for 20 %.",
    )
    rate_from = DateField(
        "Commission holds from",
        [Optional()],
        description="Payments approved from this day on bear a changed commission. Empty: from today.",
    )
    billing_email = StringField("E-mail address for bills", description="Empty: the address above.")
    tax_rate = DecimalField(
        "Tax on the fee, in percent",
        [Optional(), NumberRange(0, 100, "Between 0 and 100.")],
        places=None,
        description="Added to each invoice: 19 for 19 %. Empty: no tax.",
    )
    tax_number = StringField("Tax number", description="The client's own, as it stands on invoices.")
    days_to_query = IntegerField(
        "Days to query an invoice",
        [InputRequired("Say how many days the client has, 7 for a week.")],
        default=7,
        description="So long after it was sent, a client may ask about a line; then the invoice is final.",
    )
    fee_on_stock = BooleanField(
        "Fee on units given back",
        description="Units that Amazon gives back instead of money bear a fee of their value.",
    )
    fee_on_found = BooleanField(
        "Fee on units found", description="Units that Amazon finds again after our claim bear a fee of their value."
    )
    keeps_fee_reversed = BooleanField(
        "Fee stays when Amazon takes money back",
        description="And the unit stays lost. Otherwise the fee is credited on the next invoice.",
    )
    keeps_fee_reversed_with_unit = BooleanField(
        "Fee stays when Amazon takes money back for a unit it found",
        description="The client has the unit again. Otherwise the fee is credited on the next invoice.",
    )

    claim_types_off = ChecksField(
        "Leave alone",
        description="Of a ticked kind of loss nothing new is kept, and what is undecided is withdrawn. When the tick "
        "is taken away, it comes back with its own last days. Claims that were made go on.",
    )
    min_value = DecimalField(
        "Least value",
        [Optional(), NumberRange(0, message="Not below zero.")],
        places=None,
        description="Smaller discrepancies make no card in Slack; they stay in the list to decide, with a filter "
        "of their own. Empty: each makes one. An unknown value, or one in another currency, always does.",
    )
    wait_days = IntegerField(
        "Days to wait on top of Amazon's",
        [Optional(), NumberRange(0, recovery.MOST_DAYS_TO_WAIT, f"Between 0 and {recovery.MOST_DAYS_TO_WAIT}.")],
        default=0,
        description="So long after Amazon takes the claim a discrepancy stays among the upcoming, in case Amazon pays "
        f"by itself; {recovery.DAYS_TO_DECIDE} days before its last day it is shown in any case. What is shown already "
        "stays.",
    )
    approval = SelectField(
        "Who approves",
        choices=[SelectChoice(each.value, words.APPROVERS[each].capitalize()) for each in Approval],
        default=Approval.AGENCY.value,
        description="A claim is made when everybody named here has approved; the client does so in the portal.",
    )
    requests_hold_claims = BooleanField(
        "Claims wait for the client's answer",
        default=True,
        description="A claim about which the client is asked is not filed before the answer. Holds for what is asked "
        "from now on.",
    )
    review_channel = StringField(
        "Slack channel for this client's cards", description="Channel ID (C…). Empty: the agency's review channel."
    )
    client_channel = StringField(
        "The client's own Slack channel",
        description="Channel ID (C…), for the week's digest each Monday. Empty: the client gets none in Slack.",
    )


class ClientView(EntryView):
    """The list of clients and the form of one."""

    noun = ("client", "clients")
    search_label = "Name or e-mail address"
    form_type = ClientForm
    empty = "A client has one or more seller accounts; what Amazon owes is claimed for them."
    column_list = ("name", "status", "rates", "currency", "case_manager", "email")
    column_labels: ClassVar[Mapping[str, str]] = {
        "name": "Client",
        "status": "State",
        "rates": "Commission",
        "currency": "Currency",
        "case_manager": "Case manager",
        "email": "E-mail address",
    }
    column_formatters: ClassVar[Mapping[str, Any]] = {
        "status": lambda _view, _context, row, _name: STATUS_NAMES[row.status],
        "rates": lambda _view, _context, row, _name: words.percent(_rate_now(row)),
        "case_manager": lambda _view, _context, row, _name: row.case_manager.label if row.case_manager else "nobody",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "name": Client.name,
        "status": Client.status,
        "email": Client.email,
    }
    search_columns = (Client.name, Client.email)

    def statement(self) -> Rows:
        """Return all clients with their case managers and what was agreed with them."""
        return select(Client).options(joinedload(Client.case_manager), selectinload(Client.rates))

    def ordered(self, rows: Rows) -> Rows:
        """Return the clients by name."""
        return rows.order_by(Client.name)

    def filled(self, row: Client) -> Mapping[str, Any]:
        """Return what the form shows of a client."""
        return {name: getattr(row, name) for name in _AS_THEY_ARE} | {
            "commission_rate": _in_percent(_rate_now(row)),
            "tax_rate": _in_percent(row.tax_rate),
            "min_value": None if row.min_value is None else row.min_value.normalize(),
            "case_manager_id": str(row.case_manager_id or ""),
            "approval": row.approval.value,
        }

    def prepare(self, session: Session, form: ClientForm, row: Client | None) -> None:
        """Offer the staff as case managers, every time zone, and the kinds of loss that are looked for."""
        staff = session.scalars(select(User).where(User.role.in_(STAFF), User.is_active).order_by(User.name))
        form.case_manager_id.choices = [
            SelectChoice("", "Nobody"),
            *(SelectChoice(str(user.id), user.label) for user in staff),
        ]
        form.time_zone.choices = time_zones()
        known = {*recovery.claim_types(), *(row.claim_types_off if row else ())}
        form.claim_types_off.choices = [
            SelectChoice(code, words.claim_type_name(code)) for code in words.CLAIM_TYPES if code in known
        ]

    def save(self, session: Session, form: ClientForm, row: Client | None) -> str:
        """Add or change the client."""
        given: dict[str, Any] = dict(form.data)
        given["commission_rate"] = given["commission_rate"] / _PERCENT
        given["tax_rate"] = (given["tax_rate"] or Decimal(0)) / _PERCENT
        given["wait_days"] = given["wait_days"] or 0
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


def _rate_now(client: Client) -> Decimal:
    return commission.rate_on(client.rates, utcnow().astimezone(ZoneInfo(client.time_zone)).date())


def _in_percent(rate: Decimal) -> Decimal:
    return Decimal(words.percent(rate).removesuffix(" %"))
