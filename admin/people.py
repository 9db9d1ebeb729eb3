"""Who is signed in: the person behind a session cookie, and the actor that services are given."""

import hashlib

from flask import Flask
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user
from sqlalchemy.orm import joinedload

from claims.access import Actor, require_access, user_actor
from db import reading
from errors import NotAllowed
from models import Client, Role, Through, User

STAFF = frozenset({Role.ADMIN, Role.CASE_MANAGER})
ROLE_NAMES = {
    Role.CASE_MANAGER: "Case manager",
    Role.ADMIN: "Admin",
    Role.BILLING: "Billing",
    Role.CLIENT: "Client",
}


class SignedIn(UserMixin):
    """A person with a session. It ends when their password, and so `stamp`, changes or their access is taken away."""

    def __init__(self, user: User) -> None:
        self.actor: Actor = user_actor(user, Through.PORTAL if user.role is Role.CLIENT else Through.ADMIN)
        self.label = user.label
        self.email = user.email
        self.role = user.role
        self.stamp = _stamp(user)

    def get_id(self) -> str:
        """Return what the cookie holds: the user's id and the stamp of their password."""
        return f"{self.actor.user_id}.{self.stamp}"


class Nobody(AnonymousUserMixin):
    """A visitor who has not signed in."""

    role: Role | None = None
    label = ""


def register(app: Flask) -> None:
    """Tell Flask-Login how a cookie becomes a person."""
    login = LoginManager(app)
    login.anonymous_user = Nobody
    login.user_loader(_load)


def current_actor() -> Actor:
    """Return the signed-in person as the services know them. Raises NotAllowed where nobody is signed in."""
    if not current_user.is_authenticated:
        raise NotAllowed("You are not signed in.", todo="Sign in first.")
    actor: Actor = current_user.actor
    return actor


def current_role() -> Role | None:
    """Return the signed-in person's role; None for a visitor."""
    role: Role | None = current_user.role
    return role


def _load(cookie_id: str) -> SignedIn | None:
    user_id, _, stamp = cookie_id.partition(".")
    with reading() as session:
        user = session.get(User, int(user_id), options=[joinedload(User.client)]) if user_id.isdecimal() else None
    if user is None or not user.is_active or stamp != _stamp(user):
        return None
    person = SignedIn(user)
    return person if may_enter(person, user.client) else None


def may_enter(person: SignedIn, client: Client | None) -> bool:
    """Whether somebody with access is let in: the people of a client who was cancelled are not any more."""
    try:
        if client is not None:
            require_access(person.actor, client)
    except NotAllowed:
        return False
    return True


def _stamp(user: User) -> str:
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()[:16]
