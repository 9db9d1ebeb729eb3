"""What people type into forms and options, checked and cleaned."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from errors import InvalidInput

_LONGEST_NAME = 200
_LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^@\s\x00-\x1f,;<>\"]+@[^@\s\x00-\x1f,;<>\"]+\.[^@\s\x00-\x1f,;<>\".]+")
_SLACK_ID = re.compile(r"[UW][A-Z0-9]{2,30}")


def clean(text: str | None) -> str | None:
    """Return the text without blanks around it, None where nothing is left.

    PostgreSQL stores no NUL, and no database half a character, as JSON can carry one.
    """
    return (text or "").replace("\x00", "").encode(errors="replace").decode().strip() or None


def checked_text(text: str | None, *, longest: int, field: str) -> str | None:
    """Return the cleaned text, None where nothing is left. Raises InvalidInput for one that is too long to keep."""
    found = clean(text)
    if found is not None and len(found) > longest:
        raise InvalidInput(f"That are {len(found):,} characters.", field=field, todo=f"Use {longest:,} at most.")
    return found


def checked_name(text: str) -> str:
    """Return a name of one line. Raises InvalidInput."""
    name = " ".join((clean(text) or "").split())
    if not name:
        raise InvalidInput("A name is missing.", field="name")
    if len(name) > _LONGEST_NAME:
        raise InvalidInput(f"The name has {len(name)} characters.", field="name", todo=f"Use {_LONGEST_NAME} at most.")
    return name


def checked_email(text: str, *, field: str = "email") -> str:
    """Return an e-mail address in small letters. Raises InvalidInput."""
    email = (clean(text) or "").lower()
    if len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise InvalidInput(f"{text.strip()!r} is no e-mail address.", field=field, todo="Write name@example.com.")
    return email


def checked_slack_id(text: str | None) -> str | None:
    """Return a Slack user's id, None for nothing. Raises InvalidInput."""
    slack_id = clean(text)
    if slack_id is not None and not _SLACK_ID.fullmatch(slack_id):
        raise InvalidInput(
            f"{slack_id!r} is no Slack user id.",
            field="slack_user_id",
            todo="It begins with U or W; in Slack: profile, More, Copy member ID.",
        )
    return slack_id


@contextmanager
def told_as_taken(message: str, *, field: str) -> Iterator[None]:
    """Raise InvalidInput where somebody else stored the same unique value since it was looked for."""
    try:
        yield
    except IntegrityError as error:
        raise InvalidInput(message, field=field, todo="Choose another.") from error
