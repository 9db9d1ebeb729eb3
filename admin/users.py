"""People: who signs in, with which role, and who they are in Slack."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from admin.entries import EntryForm, EntryView
from admin.listing import Rows
from admin.people import ROLE_NAMES, current_actor
from claims import users
from clock import utcnow
from models import Client, Role, User


class UserForm(EntryForm):
    """Who somebody is and what they may do."""

    email = StringField("E-mail address", [InputRequired("Write the address they sign in with.")])
    name = StringField("Name", description="As colleagues read it in the history.")
    role = SelectField(
        "Role",
        choices=[SelectChoice(role.value, name) for role, name in ROLE_NAMES.items()],
        description="Admins do everything; case managers decide and work on claims; billing makes invoices; a "
        "client has the portal.",
    )
    client_id = SelectField("Client", description="For the role client only: whose rows they see.")
    slack_user_id = StringField(
        "Slack user id", description="Begins with U or W; in Slack: profile, More, Copy member ID."
    )
    password = PasswordField(
        "Password", render_kw={"autocomplete": "new-password"}, description="12 characters or more, of two kinds."
    )
    is_active = BooleanField("May sign in and decide", default=True)


class UserView(EntryView):
    """The list of people and the form of one."""

    noun = ("user", "users")
    search_label = "Name, e-mail address or Slack id"
    form_type = UserForm
    empty = "Everyone who decides needs a user of their own."
    column_list = ("name", "role", "email", "slack_user_id", "is_active")
    column_labels: ClassVar[Mapping[str, str]] = {
        "name": "Name",
        "role": "Role",
        "email": "E-mail address",
        "slack_user_id": "Slack id",
        "is_active": "Access",
    }
    column_formatters: ClassVar[Mapping[str, Any]] = {
        "name": lambda _view, _context, row, _name: row.label,
        "role": lambda _view, _context, row, _name: role_of(row),
        "slack_user_id": lambda _view, _context, row, _name: row.slack_user_id or "not linked",
        "is_active": lambda _view, _context, row, _name: access_of(row),
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "name": User.name,
        "role": User.role,
        "email": User.email,
    }
    search_columns = (User.name, User.email, User.slack_user_id)

    def statement(self) -> Rows:
        """Return all people with the clients they belong to."""
        return select(User).options(joinedload(User.client))

    def ordered(self, rows: Rows) -> Rows:
        """Return the people by name."""
        return rows.order_by(User.name, User.email)

    def named(self, row: User) -> str:
        """Return the name people see."""
        return row.label

    def filled(self, row: User) -> Mapping[str, Any]:
        """Return what the form shows of a person; never a password."""
        shown = {name: getattr(row, name) for name in ("email", "name", "is_active")}
        return shown | {
            "role": row.role.value,
            "client_id": str(row.client_id or ""),
            "slack_user_id": row.slack_user_id or "",
        }

    def prepare(self, session: Session, form: UserForm, row: User | None) -> None:
        """Offer the clients; an address that exists stays."""
        named = session.execute(select(Client.id, Client.name).order_by(Client.name))
        form.client_id.choices = [
            SelectChoice("", "None"),
            *(SelectChoice(str(client_id), name) for client_id, name in named),
        ]
        if row is not None:
            form.email.render_kw = {"readonly": True, "autocomplete": "off"}
            form.email.description = "It stays: the history knows people by it."
            form.password.description = "Empty: it stays. A new one ends all sessions of this person."
        elif not form.role.data:
            form.role.data = Role.CASE_MANAGER.value

    def save(self, session: Session, form: UserForm, row: User | None) -> str:
        """Add or change the person."""
        given: dict[str, Any] = dict(form.data)
        email, password = given.pop("email"), given.pop("password")
        given |= {"role": Role(given["role"]), "client_id": int(given["client_id"]) if given["client_id"] else None}
        if password:
            given["password"] = password
        actor = current_actor()
        if row is None:
            return users.add_user(session, email=email, actor=actor, now=utcnow(), **given).label
        return users.set_user(session, row.id, actor=actor, **given).label


def role_of(user: User) -> str:
    """Return the role in words, with the client of a client's person."""
    name = ROLE_NAMES[user.role]
    return f"{name}: {user.client.name}" if user.client else name


def access_of(user: User) -> str:
    """Return whether and how the person gets in."""
    if not user.is_active:
        return "taken away"
    return "signs in" if user.password_hash else "no password yet"
