"""What a client wants recovered, and what that makes of their discrepancies.

A claim type that is switched off is left alone: what is undecided of it is withdrawn, nothing new is kept, and all of
it comes back when the type is switched on again. A wait keeps what can be claimed already among the upcoming.
"""

import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload

import detection
from claims import history, moves
from claims.access import Actor
from claims.verdicts import UNDECIDED
from detection.marketplaces import marketplaces
from models import Account, Claim, ClaimStatus, Client, ClientStatus, Discrepancy, DiscrepancyStatus, HistoryEntry

#: However long a client waits, a discrepancy is shown so many days before its last day, to be decided and filed.
DAYS_TO_DECIDE = 10
MOST_DAYS_TO_WAIT = 120

SWITCHED_OFF = "switched_off"
CLIENT_LEFT = "client_left"
_LEFT_ALONE = (SWITCHED_OFF, CLIENT_LEFT)

_S = DiscrepancyStatus


class Window(Protocol):
    """Whatever can be claimed from one day to another, both of the marketplace."""

    @property
    def opens_on(self) -> date:
        """The first day of Amazon's policy."""

    @property
    def closes_on(self) -> date:
        """The last."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change of the settings moved: numbers of discrepancies, and of claims that are not filed any more."""

    withdrawn: int = 0
    back: int = 0
    claims_closed: int = 0


@cache
def claim_types() -> tuple[str, ...]:
    """Return the claim types that Recoup has a rule for: a file each among the detectors, which are not loaded here."""
    rules = Path(detection.__file__).parent / "detectors"
    return tuple(sorted(module.name for module in pkgutil.iter_modules([str(rules)])))


def shown_on(window: Window, wait_days: int) -> date:
    """Return the first day on which it is to be decided: the policy's, put off by the client's wait.

    Never later than DAYS_TO_DECIDE before the last day, unless the policy itself opens later: nothing lapses unseen.
    """
    latest = window.closes_on - timedelta(days=DAYS_TO_DECIDE)
    return max(window.opens_on, min(window.opens_on + timedelta(days=wait_days), latest))


def left_alone(client: Client, claim_type: str) -> str | None:
    """Return why nothing of this type is claimed for the client; None where it is."""
    if client.status is ClientStatus.CANCELLED:
        return CLIENT_LEFT
    return SWITCHED_OFF if claim_type in client.claim_types_off else None


def is_left_alone(row: Discrepancy) -> bool:
    """Whether the row was withdrawn by the client's settings, and not by what the reports say."""
    return row.status is _S.WITHDRAWN and row.status_reason in _LEFT_ALONE


def apply(session: Session, client: Client, *, actor: Actor, now: datetime) -> Applied:
    """Bring the client's discrepancies, and the claims nobody filed yet, in line with what is set now.

    Can be repeated. What was shown already stays so when the wait grows.
    """
    moved = [(row, entry) for row in _movable(session, client) if (entry := _follow(row, client, actor, now))]
    session.add_all(entry for _, entry in moved)
    session.flush()
    if moved:
        moves.refresh_cards(session, [row for row, _ in moved], f"settings:{moved[0][1].id}", now)
    closed = _close_unfiled(session, client, actor, now) if client.status is ClientStatus.CANCELLED else 0
    withdrawn = sum(row.status is _S.WITHDRAWN for row, _ in moved)
    return Applied(withdrawn, len(moved) - withdrawn, closed)


def _movable(session: Session, client: Client) -> Iterable[Discrepancy]:
    """Return the client's undecided rows and those that are left alone, locked.

    Of a client who left also those whose claims are to be closed: whoever locks both takes the discrepancies first.
    """
    wanted: list[ColumnElement[bool]] = [
        Discrepancy.status.in_(UNDECIDED),
        (Discrepancy.status == _S.WITHDRAWN) & Discrepancy.status_reason.in_(_LEFT_ALONE),
    ]
    if client.status is ClientStatus.CANCELLED:
        wanted.append(Discrepancy.claims.any(Claim.status == ClaimStatus.TO_SUBMIT))
    rows = session.scalars(
        select(Discrepancy)
        .where(Discrepancy.account_id.in_(select(Account.id).where(Account.client_id == client.id)))
        .where(or_(*wanted))
        .order_by(Discrepancy.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return [row for row in rows if row.status in UNDECIDED or is_left_alone(row)]


def _follow(row: Discrepancy, client: Client, actor: Actor, now: datetime) -> HistoryEntry | None:
    """Move a row to where the settings want it; return its history, None where it stays."""
    today = marketplaces()[row.marketplace].day_of(now)
    why = left_alone(client, row.claim_type)
    to = _S.WITHDRAWN if why else _where_it_stands(row, client.wait_days, today)
    if row.status is to and (why is None or row.status_reason == why):
        return None
    before, row.status, row.status_reason, row.updated_at = row.status, to, why, now
    action = to.value if to in (_S.WITHDRAWN, _S.LAPSED) else "reopened" if before is _S.WITHDRAWN else "opened"
    return history.entry(
        actor=actor,
        now=now,
        action=action,
        discrepancy_id=row.id,
        moved=(before.value, to.value),
        reason=why,
    )


def _where_it_stands(row: Discrepancy, wait_days: int, today: date) -> DiscrepancyStatus:
    if row.status in (_S.OPEN, _S.SNOOZED):
        return row.status
    if row.status is _S.WITHDRAWN and row.closes_on < today:
        return _S.LAPSED
    is_shown = shown_on(row, wait_days) <= today <= row.closes_on
    return _S.OPEN if is_shown else _S.UPCOMING


def _close_unfiled(session: Session, client: Client, actor: Actor, now: datetime) -> int:
    """Close the claims that nobody filed: nothing more is filed for a client who left."""
    unfiled = session.scalars(
        select(Claim)
        .where(Claim.account_id.in_(select(Account.id).where(Account.client_id == client.id)))
        .where(Claim.status == ClaimStatus.TO_SUBMIT)
        .options(selectinload(Claim.discrepancies))
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for claim in unfiled:
        moves.move(session, claim, ClaimStatus.CLOSED, actor=actor, now=now, reason=CLIENT_LEFT)
    return len(unfiled)
