"""The first page: what came in, what waits for the client, what they owe."""

from flask import Blueprint, render_template

from admin.people import current_actor
from claims import portal
from clock import utcnow
from db import reading


def register(pages: Blueprint) -> None:
    """Add the page."""
    pages.add_url_rule("/", "home", home)


def home() -> str:
    """Show the figures of this client."""
    with reading() as session:
        figures = portal.figures(session, current_actor(), utcnow())
    return render_template("portal/home.html", f=figures)
