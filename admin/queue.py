"""The list that a person works through: its filters are kept while they open one row after another."""

from urllib.parse import parse_qsl

from flask import request, session
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from admin import discrepancy_filters as filters
from admin.listing import Rows, holding
from claims import queries
from claims.access import Actor
from models import Discrepancy, DiscrepancyStatus

_KEY = "discrepancy_list"
_LONGEST = 500  # of an address; the session is a cookie


def remember() -> None:
    """Keep the filters of the list that is shown now."""
    session[_KEY] = request.query_string.decode("ascii", "ignore")[:_LONGEST]


def remembered() -> str:
    """Return the query of the list that was shown last, with its question mark; empty where none was."""
    query = session.get(_KEY, "")
    return f"?{query}" if query else ""


def next_id(database: Session, found: Discrepancy, actor: Actor) -> int | None:
    """Return what comes after `found` in that list and is undecided; after the last comes the first."""
    rows = _list(actor).with_only_columns(Discrepancy.id).where(Discrepancy.id != found.id).order_by(*ORDER).limit(1)
    # The day is said twice: an index finds it where it stands alone.
    following = rows.where(Discrepancy.closes_on >= found.closes_on, _is_after(found))
    after: int | None = database.scalar(following) or database.scalar(rows)
    return after


def _list(actor: Actor) -> Rows:
    """Return the undecided rows of the remembered list."""
    rows = queries.discrepancy_list(actor, status=DiscrepancyStatus.OPEN)
    asked = dict(parse_qsl(session.get(_KEY, "")))
    for narrow in filters.OTHERS:
        value = asked.get(f"flt_{narrow.key}", "")
        rows = narrow.apply(rows, value) if value and narrow.validate(value) else rows
    return holding(rows, filters.SEARCHED, asked.get("search", ""))


#: the nearest last day first, then the largest value
ORDER = (Discrepancy.closes_on, Discrepancy.value.desc().nulls_last(), Discrepancy.id)


def _is_after(found: Discrepancy) -> ColumnElement[bool]:
    """Say whether a row comes after `found` in that order."""
    is_next_of_equals = Discrepancy.id > found.id
    if found.value is None:
        is_less = Discrepancy.value.is_(None) & is_next_of_equals
    else:
        is_less = (
            (Discrepancy.value < found.value)
            | Discrepancy.value.is_(None)
            | ((Discrepancy.value == found.value) & is_next_of_equals)
        )
    is_later: ColumnElement[bool] = Discrepancy.closes_on > found.closes_on
    return is_later | ((Discrepancy.closes_on == found.closes_on) & is_less)
