"""People: adding them, and changing what they may do and how they are known."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

import outbox
from claims import passwords
from claims.access import Actor, Permission
from claims.fields import checked_email, checked_name, checked_slack_id, clean, told_as_taken
from config import settings
from errors import InvalidInput, NotAllowed, NotFound
from models import Client, Role, User


class UserDetails(TypedDict, total=False):
    """What may be said about a person.

    `client_id` belongs to the role client and to no other. `password` is stored as a hash; None takes it away.
    """

    name: str
    client_id: int | None
    slack_user_id: str | None
    password: str | None
    is_active: bool


class UserFields(UserDetails, total=False):
    """What can be changed; a field that is not given stays as it is."""

    role: Role


def add_user(
    session: Session, *, email: str, role: Role, actor: Actor, now: datetime, **more: Unpack[UserDetails]
) -> User:
    """Add a person; where Slack is on, they are looked up there by e-mail address. Raises NotAllowed, InvalidInput."""
    actor.require(Permission.MANAGE)
    user = User(email=checked_email(email), role=role, name="", is_active=True, created_at=now)
    _require_free(session, User.email, user.email, user, field="email")
    _set(session, user, dict(more))
    _check_client(session, user)
    session.add(user)
    with _told_as_taken():
        session.flush()
    if settings().slack_is_on and user.is_active and user.slack_user_id is None:
        outbox.enqueue(session, outbox.LINK_USER, f"link_user:{user.id}", now=now, payload={"user_id": user.id})
    return user


def set_user(session: Session, user_id: int, *, actor: Actor, **changes: Unpack[UserFields]) -> User:
    """Change what is given. Raises NotAllowed, NotFound, and InvalidInput, also where no admin would be left."""
    actor.require(Permission.MANAGE)
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    was_admin = user.role is Role.ADMIN and user.is_active
    with session.no_autoflush:
        _set(session, user, dict(changes))
        _check_client(session, user)
        if was_admin and not (user.role is Role.ADMIN and user.is_active):
            _require_other_admin(session, user)
    with _told_as_taken():
        session.flush()
    return user


def change_own_password(session: Session, *, current: str, new: str, actor: Actor) -> User:
    """Let a person change their own password; it ends all their sessions.

    Raises NotAllowed, and InvalidInput where the current one is wrong or the new one too easy. Takes as long as two
    hashes: count tries before.
    """
    user = session.get(User, actor.user_id, with_for_update=True, populate_existing=True) if actor.user_id else None
    if user is None or not user.is_active:
        raise NotAllowed("Only a person with access has a password.")
    if not passwords.verify(user.password_hash, current[: passwords.LONGEST + 1]):
        raise InvalidInput("That is not your password of today.", field="current", todo="Type it again.")
    try:
        user.password_hash = passwords.hashed(new)
    except InvalidInput as error:
        raise InvalidInput(error.message, field="new", todo=error.todo) from error
    return user


def _set(session: Session, user: User, given: Mapping[str, Any]) -> None:
    checked = dict(given)
    if "name" in given:
        checked["name"] = checked_name(given["name"]) if clean(given["name"]) else ""
    if "slack_user_id" in given:
        checked["slack_user_id"] = checked_slack_id(given["slack_user_id"])
        if checked["slack_user_id"] is not None:
            _require_free(session, User.slack_user_id, checked["slack_user_id"], user, field="slack_user_id")
    if "password" in given:
        password = checked.pop("password")
        checked["password_hash"] = None if password is None else passwords.hashed(password)
    for name, value in checked.items():
        setattr(user, name, value)


def _require_free(session: Session, column: InstrumentedAttribute[Any], value: str, user: User, *, field: str) -> None:
    taken = session.scalar(select(User.id).where(column == value))
    if taken is not None and taken != user.id:
        raise InvalidInput(f"There is already a user with {value}.", field=field)


def _told_as_taken() -> AbstractContextManager[None]:
    return told_as_taken("Somebody else has this e-mail address or Slack id.", field="email")


def _check_client(session: Session, user: User) -> None:
    if user.role is Role.CLIENT:
        if user.client_id is None or session.get(Client, user.client_id) is None:
            raise InvalidInput("A person of the role client belongs to a client.", field="client_id", todo="Say which.")
    elif user.client_id is not None:
        raise InvalidInput(f"The role {user.role.value} belongs to no client.", field="client_id")


def _require_other_admin(session: Session, user: User) -> None:
    others = select(func.count()).where(User.role == Role.ADMIN, User.is_active, User.id != user.id)
    if not session.scalar(others):
        raise InvalidInput("This is the last admin.", field="role", todo="Make somebody else an admin first.")
