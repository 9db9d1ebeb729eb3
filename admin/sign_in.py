"""Signing in and out. Tries are counted before a password is hashed: a hash costs 64 MiB."""

import hashlib
import ipaddress
import re
import threading

import structlog
from flask import Flask, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from limits import parse_many
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from admin.people import SignedIn, current_role
from admin.tries import Tries
from claims import passwords
from claims.access import require_access
from config import settings
from db import reading
from errors import NotAllowed
from models import Role, User

log = structlog.get_logger()

TRIES_PER_ADDRESS = parse_many("20 per minute; 100 per hour")
TRIES_PER_ACCOUNT = parse_many("6 per minute; 30 per hour")
_FIRST_PAGES = {
    Role.ADMIN: "admin.index",
    Role.CASE_MANAGER: "admin.index",
    Role.BILLING: "invoices.index_view",
    Role.CLIENT: "portal.home",
}
_LONGEST_PASSWORD = 1000
# As browsers and our own redirects write it: a browser drops tabs and line breaks, and takes \ for /, so that each
# can make a host of what follows.
_OWN_PATH = re.compile(r"/(?:[!-.0-\[\]-~][!-\[\]-~]*)?")
#: at most so many passwords are hashed at once
hashing = threading.BoundedSemaphore(2)


def register(app: Flask) -> None:
    """Add the pages for signing in and out, and the front door."""
    tries = Tries(settings().redis_url, prefix="recoup-sign-in")

    def sign_in() -> ResponseReturnValue:
        if request.method == "POST":
            tries.count(TRIES_PER_ADDRESS, client_address())
            tries.count(TRIES_PER_ACCOUNT, _account_key())
        return _sign_in()

    app.add_url_rule("/sign-in", "sign_in", sign_in, methods=["GET", "POST"])
    app.add_url_rule("/sign-out", "sign_out", _sign_out, methods=["POST"])
    app.add_url_rule("/", "front_door", _front_door)


def safe_next(target: str | None) -> str | None:
    """Return `target` if it is a path of ours, else None: a sign-in link must not lead to another host."""
    return target if target and _OWN_PATH.fullmatch(target) else None


def client_address() -> str:
    """Return the address that asks: behind a proxy of ours (private or loopback), the one the proxy wrote last."""
    asked_by = request.remote_addr or "127.0.0.1"
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        is_proxy = ipaddress.ip_address(asked_by).is_private
        return str(ipaddress.ip_address(forwarded)) if is_proxy and forwarded else asked_by
    except ValueError:
        return asked_by


def _account_key() -> str:
    return hashlib.sha256(_email().encode()).hexdigest()


def _email() -> str:
    return request.form.get("email", "").replace("\x00", "").strip().lower()


def _front_door() -> ResponseReturnValue:
    """Lead to the sign-in or to the person's first page."""
    role = current_role()
    return redirect(url_for(_FIRST_PAGES[role] if role else "sign_in"))


def _sign_in() -> ResponseReturnValue:
    target = safe_next(request.values.get("next"))
    if current_user.is_authenticated:
        return redirect(target or url_for("front_door"))
    if request.method == "GET":
        return render_template("sign_in.html", email="", target=target, is_first_start=_is_first_start())
    email = _email()
    try:
        person = _check(email, request.form.get("password", ""))
    except NotAllowed as ended:
        flash(str(ended), "error")
        return render_template("sign_in.html", email=email, target=target, is_first_start=False), 403
    if person is None:
        log.info("sign_in_refused")
        flash("That e-mail address and password do not go together. Check both and try again.", "error")
        return render_template("sign_in.html", email=email, target=target, is_first_start=False), 401
    session.clear()  # nothing from before the sign-in lives on
    session.permanent = True
    login_user(person)
    log.info("signed_in", user_id=person.actor.user_id)
    return redirect(target or url_for("front_door"), 303)


def _sign_out() -> ResponseReturnValue:
    logout_user()
    session.clear()
    flash("You are signed out.", "success")
    return redirect(url_for("sign_in"), 303)


def _check(email: str, password: str) -> SignedIn | None:
    """Return the person, or None; an unknown address takes as long as a wrong password.

    Raises NotAllowed for people of a client who was cancelled, once their password is right.
    """
    with reading() as database:
        user = database.scalar(select(User).where(User.email == email).options(joinedload(User.client)))
    if len(password) > _LONGEST_PASSWORD:
        return None
    with hashing:
        is_right = passwords.verify(user.password_hash if user else None, password)
    if user is None or not user.is_active or not is_right:
        return None
    person = SignedIn(user)
    if user.client:
        require_access(person.actor, user.client)
    return person


def _is_first_start() -> bool:
    with reading() as database:
        return database.scalar(select(User.id).limit(1)) is None
