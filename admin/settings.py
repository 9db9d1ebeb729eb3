"""The settings of the agency."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from admin.entries import EntryForm, time_zones
from admin.people import current_actor
from admin.staff import ADMINS, StaffView
from claims import clients
from config import settings
from db import reading, transaction
from errors import InvalidInput


class AgencyForm(EntryForm):
    """What holds for the whole agency."""

    groups: ClassVar[Mapping[str, Sequence[str]]] = {
        "": ("name", "time_zone"),
        "Invoices": ("address", "tax_number", "invoice_prefix"),
        "Slack": ("review_channel", "digest_channel"),
    }

    name = StringField("Name of the agency", [InputRequired("Give the agency a name.")])
    time_zone = SelectField(
        "Time zone", default="America/Los_Angeles", description="Whose Monday morning brings the week's digest."
    )
    address = TextAreaField("Address", description="As it stands on invoices.")
    tax_number = StringField("Tax number", description="As it stands on invoices.")
    invoice_prefix = StringField(
        "Before each invoice number", description="RC- makes RC-00001. The numbers themselves go on without a gap."
    )
    review_channel = StringField(
        "Slack channel for new discrepancies",
        description="Channel ID (C…). Empty: the server's own, if it has one. A client's own channel goes first.",
    )
    digest_channel = StringField(
        "Slack channel for the week's digest", description="Channel ID (C…). Empty: the channel above."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.time_zone.choices = time_zones()


class SettingsView(StaffView):
    """The form of the agency's settings, and what the server's environment says."""

    roles = ADMINS

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> ResponseReturnValue:
        """Show and change the settings."""
        with reading() as session:
            found = clients.agency(session)
            form = AgencyForm(request.form or None, obj=found)
        if request.method == "POST" and form.validate() and self._is_saved(form):
            return redirect(self.get_url(".index_view"), 303)
        page = self.render(
            "settings.html",
            form=form,
            title="Settings of the agency",
            has_errors=bool(form.errors),
            slack_is_on=settings().slack_is_on,
            default_channel=settings().slack_review_channel,
        )
        return page, 422 if form.errors else 200

    def _is_saved(self, form: AgencyForm) -> bool:
        try:
            with transaction() as session:
                clients.set_agency(session, actor=current_actor(), **form.data)
        except InvalidInput as error:
            form.blame(error)
            return False
        flash("Saved: the settings of the agency.", "success")
        return True
