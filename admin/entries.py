"""What admins keep: lists of named rows, each with a form. The form asks, the service of `claims.accounts` decides."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import available_timezones

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import Session
from wtforms import Field, Form, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput

from admin.listing import Listing
from admin.staff import ADMINS, told
from db import reading, transaction
from errors import InvalidInput, NotFound, RecoupError
from models import HistoryEntry

ONE = "/<id:row_id>/"


@dataclass(frozen=True, slots=True)
class Move:
    """A change of state that an admin can make: its verb, the state it leads to, and what that means.

    `means` is told when it was done; `before` says it beforehand, where that takes other words. `is_final` where
    nothing leads back: it is asked for twice.
    """

    verb: str
    to: str
    means: str
    is_final: bool = False
    before: str = ""

    @property
    def effect(self) -> str:
        """What is said of it before it is done."""
        return self.before or self.means


class ChecksField(SelectMultipleField):
    """Some of several choices: a box for each."""

    option_widget = CheckboxInput()


class EntryForm(Form):
    """A form whose fields can be told what a service found wrong with them.

    `groups` parts a long form: the title of each part (empty: none) and the names of its fields, in the order shown.
    """

    groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    def parts(self) -> list[tuple[str, list[Field]]]:
        """Return the fields as they are shown, part by part."""
        groups = self.groups or {"": list(self._fields)}
        return [(title, [self._fields[name] for name in names]) for title, names in groups.items()]

    def blame(self, error: InvalidInput) -> None:
        """Put the words at the field that they are about; at the first one where the form has no such field."""
        name = error.field if error.field in self._fields else next(iter(self._fields))
        self._fields[name].errors = [*self._fields[name].errors, str(error)]


def time_zones() -> list[SelectChoice]:
    """Return every time zone that a person can be in, for a field to choose from."""
    return [SelectChoice(zone) for zone in sorted(available_timezones()) if "/" in zone or zone == "UTC"]


class EntryView(Listing):
    """A list whose rows an admin adds and changes."""

    roles = ADMINS
    list_template = "entries.html"
    #: what one row is called, and many
    noun: ClassVar[tuple[str, str]]
    form_type: ClassVar[type[EntryForm]]
    empty: ClassVar[str] = ""
    search_label: ClassVar[str] = "Name"
    one_template: ClassVar[str] = "entry.html"
    takes_changes: ClassVar[bool] = True  # `can_edit` would open a page of Flask-Admin's own

    def load(self, session: Session, row_id: int) -> Any:
        """Return the row, or None."""
        return session.scalar(self.statement().where(self.model.id == row_id))

    def named(self, row: Any) -> str:
        """Return what people call the row."""
        return str(row.name)

    def filled(self, _row: Any) -> Mapping[str, Any]:
        """Return what the form shows of a row that exists."""
        return {}

    def prepare(self, session: Session, form: EntryForm, row: Any | None) -> None:
        """Fill in the choices that the database knows."""

    @abstractmethod
    def save(self, session: Session, form: EntryForm, row: Any | None) -> str:
        """Call the service; return the name of what was saved. `row` is None for a new one."""

    def facts(self, _session: Session, _row: Any) -> Mapping[str, Any]:
        """Return what else the page of a row shows."""
        return {}

    def moves(self, _row: Any) -> Mapping[str, Move]:
        """Return the changes of state that are open to the row."""
        return {}

    def state(self, _row: Any) -> str:
        """Return where the row stands, in a word."""
        return ""

    def history(self, _session: Session, _row: Any) -> list[HistoryEntry] | None:
        """Return what happened to the row; None where that is not kept."""
        return None

    def moved(self, row_id: int, change: Callable[[Session], str]) -> ResponseReturnValue:
        """Make a change of state and show the row again."""
        told(change)
        return redirect(self.get_url(".one", row_id=row_id), 303)

    @expose("/new", methods=("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        """Add a row."""
        return self._entry(None)

    @expose(ONE, methods=("GET", "POST"))
    def one(self, row_id: int) -> ResponseReturnValue:
        """Show and change a row."""
        return self._entry(row_id)

    def _entry(self, row_id: int | None) -> ResponseReturnValue:
        about: dict[str, Any] = {}
        with reading() as session:
            row = self.load(session, row_id) if row_id is not None else None
            if row is None and row_id is not None:
                raise NotFound(f"There is no such {self.noun[0]}.")
            form = self.form_type(request.form or None, data=self.filled(row) if row else None)
            self.prepare(session, form, row)
            if row is not None:
                about = dict(self.facts(session, row)) | {"history": self.history(session, row)}
        is_sent = request.method == "POST" and (row is None or self.takes_changes)
        if is_sent and form.validate() and self._is_saved(form, row_id):
            return redirect(self.get_url(".index_view"), 303)
        about |= {"form": form, "row": row, "has_errors": bool(form.errors)}
        about["title"] = self.named(row) if row else f"Add {_article(self.noun[0])}"
        return self.render(self.one_template if row else "entry.html", **about), 422 if form.errors else 200

    def _is_saved(self, form: EntryForm, row_id: int | None) -> bool:
        try:
            with transaction() as session:
                name = self.save(session, form, self.load(session, row_id) if row_id is not None else None)
        except InvalidInput as error:
            form.blame(error)
        except RecoupError as error:
            flash(str(error), "error")
        else:
            flash(f"Saved: {name}.", "success")
            return True
        return False


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
