"""The client portal: what a client's own people see and do, on a phone as well as on a desk.

The guard below lets nobody else in; whose rows exist is decided in the services, by the actor.
"""

from typing import Any

from flask import Blueprint, Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from admin.people import current_actor
from admin.portal import approving, home, invoices, ledger, requests, settings
from claims import approvals, clients, portal
from db import reading


def register(app: Flask) -> None:
    """Add the portal's pages to the app."""
    pages = Blueprint("portal", __name__, url_prefix="/portal", template_folder="templates")
    pages.before_request(_let_in)
    pages.context_processor(_shared)
    for part in (home, approving, requests, ledger, invoices, settings):
        part.register(pages)
    app.register_blueprint(pages)


def _let_in() -> ResponseReturnValue | None:
    """Lead a visitor to the sign-in and back; tell staff, and who lost access, in words that this is not theirs."""
    if not current_user.is_authenticated:
        target = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("sign_in", next=target))
    with reading() as session:
        g.client = portal.home(session, current_actor())
        g.agency = clients.agency(session)
    return None


def _shared() -> dict[str, Any]:
    """Return what every page of the portal shows; nothing on the page that says why somebody was not let in."""
    if "client" not in g:
        return {}
    return {"agency": g.agency, "client": g.client, "tabs": _tabs()}


def _tabs() -> list[tuple[str, str, bool]]:
    """Return the pages by task: address, name, and whether it is the one that is open."""
    named = [("home", "Home"), ("requests", "Requests"), ("claims", "Claims"), ("invoices", "Invoices")]
    named.append(("settings", "Settings"))
    if g.client.approval in approvals.ASKS_THE_CLIENT:
        named.insert(1, ("approving", "To approve"))
    here = (request.endpoint or "").partition(".")[2].partition("_")[0]
    return [(url_for(f"portal.{page}"), name, page == here) for page, name in named]
