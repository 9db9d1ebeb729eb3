"""The back office: sign-in, the pages of the staff, and what every answer of the web process carries."""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import flask_admin
from flask import Blueprint, Flask, url_for

from admin import deadlines, failures, health, ids, navigation, people, portal, security, sign_in
from admin.accounts import AccountView
from admin.claim_ledger import ClaimView
from admin.clients import ClientView
from admin.discrepancies import DiscrepancyView
from admin.imports import ImportView
from admin.invoices import InvoiceView
from admin.messages import MessageView
from admin.payments import PaymentsView
from admin.requests import RequestView
from admin.settings import SettingsView
from admin.today import TodayView
from admin.users import UserView
from claims import words
from clock import utcnow
from models import Account, Claim, Client, Discrepancy, HistoryEntry, Import, Invoice, OutboxMessage, Request, User

_STATIC = Path(__file__).parent / "static"


def register(app: Flask) -> None:
    """Add the back office to the app: pages, sign-in, headers, error pages and the two health pages."""
    ids.register(app)
    security.register(app)
    people.register(app)
    app.register_blueprint(
        Blueprint("assets", __name__, static_folder="static", static_url_path="/assets", template_folder="templates")
    )
    app.register_blueprint(health.blueprint)
    sign_in.register(app)
    portal.register(app)
    failures.register(app)
    pages = flask_admin.Admin(
        app, name="Recoup", index_view=TodayView(name="Today"), csp_nonce_generator=security.csp_nonce
    )
    pages.add_views(
        DiscrepancyView(Discrepancy, name="To decide", endpoint="discrepancies"),
        ClaimView(Claim, name="Claims", endpoint="claims"),
        PaymentsView(name="Payments", endpoint="payments"),
        RequestView(Request, name="Requests", endpoint="requests"),
        AccountView(Account, name="Accounts", endpoint="accounts"),
        ImportView(Import, name="Imports", endpoint="imports"),
        ClientView(Client, name="Clients", endpoint="clients"),
        InvoiceView(Invoice, name="Billing", endpoint="invoices"),
        MessageView(OutboxMessage, name="Messages", endpoint="messages"),
        UserView(User, name="Users", endpoint="users"),
        SettingsView(name="Settings", endpoint="settings"),
    )
    app.jinja_env.globals.update(_shared(pages))
    app.jinja_env.filters.update(capitalize_first=_capitalized, lower_first=_lowered)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _shared(pages: flask_admin.Admin) -> dict[str, Any]:
    """Return what every template may use."""
    return {
        "words": words,
        "asset": asset,
        "urgency": deadlines.urgency,
        "today_of": _today_of,
        "role_name": lambda role: people.ROLE_NAMES[role] if role else "",
        "history_reason": history_reason,
        "navigation": lambda here: navigation.places(pages, here),
    }


def asset(name: str) -> str:
    """Return the address of a file of ours; it changes with the content, so that browsers may keep it."""
    return url_for("assets.static", filename=name, v=_version(name))


def history_reason(entry: HistoryEntry) -> str:
    """Return why a move was made, in words: the codes are those of what was done."""
    reason = entry.reason or ""
    if entry.action == "rejected":
        return words.reject_reason_name(reason).lower()
    if entry.action.startswith("caveat"):
        return words.caveat_name(reason)
    if entry.action.startswith("request_"):
        return words.request_kind_name(reason).lower()
    if entry.action == "approved_for_one_side":
        return words.approval_side_name(reason)
    return words.status_reason_name(reason)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lowered(text: str) -> str:
    """Return the text as it stands in a sentence; a word like FNSKU, or Amazon, stays as it is."""
    return text if text[:2].isupper() or text.startswith("Amazon") else text[:1].lower() + text[1:]


@cache
def _version(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:10]


def _today_of(marketplace: str) -> date:
    return deadlines.marketplace_today(marketplace, utcnow())
