"""What the charts show, summed by the database: money recovered by day, and what closes on which day.

Each is one statement, narrowed to what exists for the person who asks, and to one client where one is given. Amounts of
different currencies are never added up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select, union_all
from sqlalchemy.orm import Session

from claims.access import Actor
from claims.queries import narrowed
from models import Claim, ClaimPayment, ClaimStatus, Discrepancy, DiscrepancyStatus, Reimbursement

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Received:
    """What Amazon posted for our claims on a day, in one currency; `taken_back` is zero or more."""

    on: date
    currency: str
    payments: int
    recovered: Decimal
    taken_back: Decimal


@dataclass(frozen=True, slots=True)
class WeekReceived:
    """The same for the week that begins on `monday`."""

    monday: date
    payments: int = 0
    recovered: Decimal = Decimal(0)
    taken_back: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Closing:
    """What has to be decided or filed by a day: how many, and their value, None where it is not known."""

    on: date
    currency: str | None
    count: int
    value: Decimal | None


def received(session: Session, actor: Actor, since: date, *, client_id: int | None = None) -> list[Received]:
    """Return what was recovered and taken back since a day, by the day on which Amazon approved it."""
    is_gain = ClaimPayment.reverses_id.is_(None)
    summed: Any = (
        select(
            Reimbursement.approved_on,
            ClaimPayment.currency,
            func.count().filter(is_gain),
            func.sum(ClaimPayment.amount).filter(is_gain),
            func.sum(ClaimPayment.amount).filter(~is_gain),
        )
        .join(ClaimPayment.line)
        .join(Reimbursement.account)
        .where(Reimbursement.approved_on >= since, ClaimPayment.currency.is_not(None))
        .group_by(Reimbursement.approved_on, ClaimPayment.currency)
        .order_by(Reimbursement.approved_on)
    )
    rows = session.execute(narrowed(summed, actor, client_id=client_id))
    zero = Decimal(0)
    return [Received(on, currency, count, gain or zero, -(loss or zero)) for on, currency, count, gain, loss in rows]


def by_week(days: Iterable[Received], monday: date, weeks: int) -> dict[str, list[WeekReceived]]:
    """Return the last `weeks` weeks of each currency, oldest first, `monday` beginning the last one.

    The currency with the most payments comes first.
    """
    first = monday - (weeks - 1) * _WEEK
    sums: dict[str, list[WeekReceived]] = {}
    for day in days:
        at = (day.on - first).days // _WEEK.days
        if not 0 <= at < weeks:
            continue
        row = sums.setdefault(day.currency, [WeekReceived(first + number * _WEEK) for number in range(weeks)])
        row[at] = WeekReceived(
            row[at].monday,
            row[at].payments + day.payments,
            row[at].recovered + day.recovered,
            row[at].taken_back + day.taken_back,
        )
    order = sorted(sums, key=lambda currency: (-sum(week.payments for week in sums[currency]), currency))
    return {currency: sums[currency] for currency in order}


def closing(session: Session, actor: Actor, since: date, *, client_id: int | None = None) -> list[Closing]:
    """Return what is to be decided and what is to be filed, by its last day, from `since` on."""
    to_decide = _last_days(Discrepancy, Discrepancy.status == DiscrepancyStatus.OPEN)
    to_file = _last_days(Claim, Claim.status == ClaimStatus.TO_SUBMIT)
    mine = [
        narrowed(rows, actor, client_id=client_id).where(table.closes_on >= since)
        for rows, table in ((to_decide, Discrepancy), (to_file, Claim))
    ]
    rows: Sequence[Any] = session.execute(union_all(*mine)).all()
    return [Closing(*row) for row in rows]


def _last_days(table: type[Discrepancy] | type[Claim], wanted: ColumnElement[bool]) -> Any:
    return (
        select(table.closes_on, table.currency, func.count(), func.sum(table.value))
        .join(table.account)
        .where(wanted)
        .group_by(table.closes_on, table.currency)
    )
