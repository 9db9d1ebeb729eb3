"""What is agreed with the client, who looks after them, and their own password."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user
from limits import parse_many

from admin.people import SignedIn, current_actor
from admin.sign_in import hashing
from admin.tries import Tries
from claims import commission, passwords, users, words
from clock import utcnow
from config import settings as configured
from db import transaction
from errors import InvalidInput
from models import Approval, Client

_TRIES = parse_many("6 per minute; 30 per hour")
_APPROVES = {
    Approval.AGENCY: "Your agency decides what is claimed.",
    Approval.CLIENT: "You decide what is claimed.",
    Approval.BOTH: "You and your agency both have to approve what is claimed.",
}


def register(pages: Blueprint) -> None:
    """Add the pages."""
    pages.add_url_rule("/settings/", "settings", show)
    pages.add_url_rule("/settings/password", "settings_password", change_password, methods=["POST"])
    pages.record_once(lambda state: state.app.extensions.setdefault("portal_tries", _tries()))


def show() -> ResponseReturnValue:
    """Show what is agreed."""
    return _page()


def change_password() -> ResponseReturnValue:
    """Change the password of who is signed in; every other session of theirs ends."""
    actor, form = current_actor(), request.form
    current_app.extensions["portal_tries"].count(_TRIES, str(actor.user_id))
    if form.get("new", "") != form.get("again", ""):
        return _page(wrong={"again": "The two new passwords are not the same. Type the new one twice."})
    try:
        with hashing, transaction() as database:
            user = users.change_own_password(
                database, current=form.get("current", ""), new=form.get("new", ""), actor=actor
            )
    except InvalidInput as error:
        return _page(wrong={error.field: str(error)})
    session.clear()
    session.permanent = True
    login_user(SignedIn(user))
    flash("Your password is changed. Other devices have to sign in again.", "success")
    return redirect(url_for("portal.settings"), 303)


def _page(*, wrong: Mapping[str, str] | None = None) -> ResponseReturnValue:
    client: Client = g.client
    today = utcnow().astimezone(ZoneInfo(client.time_zone)).date()
    page = render_template(
        "portal/settings.html",
        terms=terms(client, today),
        recovery=recovery(client),
        wrong=wrong or {},
        password_length=passwords.LENGTH,
    )
    return page, 422 if wrong else 200


def terms(client: Client, today: date) -> list[tuple[str, str]]:
    """Return what is agreed about money: name and sentence."""
    now = words.percent(commission.rate_on(client.rates, today))
    later = [
        f"from {words.day(rate.valid_from)} {words.percent(rate.rate)}"
        for rate in client.rates
        if rate.valid_from > today
    ]
    found: list[tuple[str, Any]] = [
        ("Commission", f"{'; '.join([now, *later])}, of what is recovered by our claims"),
        ("Invoices", f"each Monday for the week before, in {client.currency}"),
        ("To query a line", f"within {client.days_to_query} days after the invoice was sent"),
        ("Tax", f"{words.percent(client.tax_rate)} on the commission" if client.tax_rate else "none on the commission"),
        ("Stock given back", _bears(client.fee_on_stock)),
        ("Units found after a claim", _bears(client.fee_on_found)),
        ("Money that Amazon takes back", _kept(client.keeps_fee_reversed)),
        ("Money that Amazon takes back for a unit it returned", _kept(client.keeps_fee_reversed_with_unit)),
    ]
    return found


def recovery(client: Client) -> list[tuple[str, str]]:
    """Return how the agency looks for losses: name and sentence."""
    off = ", ".join(words.claim_type_name(code) for code in client.claim_types_off)
    return [
        ("Who approves", _APPROVES[client.approval]),
        (
            "Smallest value",
            words.money(client.min_value, client.currency) if client.min_value else "none: all is shown",
        ),
        ("Days waited on top of Amazon's rules", str(client.wait_days) if client.wait_days else "none"),
        ("Left alone", off or "nothing: every kind of loss is looked for"),
        (
            "A claim we ask you about",
            "waits for your answer" if client.requests_hold_claims else "is filed without waiting for your answer",
        ),
    ]


def _tries() -> Tries:
    return Tries(configured().redis_url, prefix="recoup-password")


def _bears(is_charged: bool) -> str:  # noqa: FBT001
    return "commission is due" if is_charged else "no commission"


def _kept(is_kept: bool) -> str:  # noqa: FBT001
    return "the commission stays due" if is_kept else "its commission is credited on the next invoice"
