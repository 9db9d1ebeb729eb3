"""The commission of a client, which changes by the day: what is agreed from when, and what held on a day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Client, CommissionRate


class NoRate(LookupError):
    """A client without any commission rate: each has one from the day it was added, so this is a bug."""


def rate_on(rates: Iterable[CommissionRate], day: date) -> Decimal:
    """Return the rate in force on a day of the client's calendar, as a fraction; before the first one, the first.

    Raises NoRate where there is none at all.
    """
    by_day = sorted(rates, key=lambda rate: rate.valid_from)
    if not by_day:
        raise NoRate
    return next((rate.rate for rate in reversed(by_day) if rate.valid_from <= day), by_day[0].rate)


def rates_of(session: Session, client_id: int) -> list[CommissionRate]:
    """Return what was agreed with a client, the oldest first."""
    found = select(CommissionRate).where(CommissionRate.client_id == client_id)
    return list(session.scalars(found.order_by(CommissionRate.valid_from)))


def agree(session: Session, client: Client, rate: Decimal, *, valid_from: date) -> bool:
    """Let a checked rate hold from a day on, until the next one that is agreed. Return whether that changes anything.

    The client is locked by the caller. What was billed before keeps its rate.
    """
    rates = rates_of(session, client.id)
    if rates and rate_on(rates, valid_from) == rate:
        return False
    same_day = next((known for known in rates if known.valid_from == valid_from), None)
    if same_day:
        same_day.rate = rate
    else:
        session.add(CommissionRate(client_id=client.id, valid_from=valid_from, rate=rate))
    return True
