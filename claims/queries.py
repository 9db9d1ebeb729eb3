"""What the doors show: statements already narrowed to the rows that exist for the person who asks.

Lists are statements, so that a door adds its own order and page; each loads in a fixed number of queries what a row
of the list shows. `load_…` gives one row with all that hangs on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, joinedload, selectinload

from claims.access import Actor
from errors import NotFound
from models import (
    Account,
    Caveat,
    Claim,
    ClaimPayment,
    ClaimStatus,
    Client,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    Role,
)

_NEAREST = 5
_S = TypeVar("_S", bound=Select[Any])


@dataclass(frozen=True, slots=True)
class StateTotal:
    """How much stands in one state, in one currency; `value` and `currency` are None where the value is not known."""

    status: str
    currency: str | None
    count: int
    quantity: int
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that has to be done by a day: `what` is "discrepancy" (decide) or "claim" (file)."""

    what: str
    id: int
    claim_type: str
    client: str
    closes_on: date
    quantity: int
    value: Decimal | None
    currency: str | None
    marketplace: str  # whose day it is


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """Counts and money by state, and the nearest deadlines of what is undecided or not filed yet."""

    discrepancies: tuple[StateTotal, ...]
    claims: tuple[StateTotal, ...]
    deadlines: tuple[Deadline, ...]


def discrepancy_list(
    actor: Actor,
    *,
    account_id: int | None = None,
    client_id: int | None = None,
    status: DiscrepancyStatus | None = None,
) -> Select[Discrepancy]:
    """Return the discrepancies that exist for `actor`, each with account, client and caveats. Without an order."""
    found = select(Discrepancy).join(Discrepancy.account).join(Account.client)
    found = found.options(
        contains_eager(Discrepancy.account).contains_eager(Account.client), selectinload(Discrepancy.caveats)
    )
    found = narrowed(found, actor, account_id=account_id, client_id=client_id)
    return found if status is None else found.where(Discrepancy.status == status)


def claim_list(
    actor: Actor,
    *,
    account_id: int | None = None,
    client_id: int | None = None,
    status: ClaimStatus | None = None,
) -> Select[Claim]:
    """Return the claims that exist for `actor`, each with account, client and its discrepancies. Without an order."""
    found = select(Claim).join(Claim.account).join(Account.client)
    found = found.options(
        contains_eager(Claim.account).contains_eager(Account.client), selectinload(Claim.discrepancies)
    )
    found = narrowed(found, actor, account_id=account_id, client_id=client_id)
    return found if status is None else found.where(Claim.status == status)


def load_discrepancy(session: Session, discrepancy_id: int, actor: Actor) -> Discrepancy:
    """Return one discrepancy with caveats, evidence, history, claims and who decided. Raises NotFound."""
    found = session.scalar(
        select(Discrepancy)
        .where(Discrepancy.id == discrepancy_id)
        .options(
            joinedload(Discrepancy.account).joinedload(Account.client),
            joinedload(Discrepancy.decided_by),
            selectinload(Discrepancy.caveats).joinedload(Caveat.cleared_by),
            selectinload(Discrepancy.evidence),
            selectinload(Discrepancy.history),
            selectinload(Discrepancy.claims),
        )
    )
    if found is None or not actor.sees(found.account.client_id):
        raise NotFound(f"There is no discrepancy {discrepancy_id}.")
    return found


def load_claim(session: Session, claim_id: int, actor: Actor) -> Claim:
    """Return one claim with all that hangs on it: what it rests on, what was said, asked and paid. Raises NotFound.

    Of its documents everything but the content.
    """
    found = session.scalar(
        select(Claim)
        .where(Claim.id == claim_id)
        .options(
            joinedload(Claim.account).joinedload(Account.client).joinedload(Client.case_manager),
            joinedload(Claim.approved_by),
            joinedload(Claim.assignee),
            selectinload(Claim.discrepancies).selectinload(Discrepancy.evidence),
            selectinload(Claim.discrepancies).selectinload(Discrepancy.caveats),
            selectinload(Claim.history),
            selectinload(Claim.notes),
            selectinload(Claim.documents),
            selectinload(Claim.requests),
            selectinload(Claim.payments).joinedload(ClaimPayment.line),
        )
    )
    if found is None or not actor.sees(found.account.client_id):
        raise NotFound(f"There is no claim {claim_id}.")
    return found


def load_account(session: Session, account_id: int, actor: Actor) -> Account:
    """Return one account with its client. Raises NotFound."""
    found = session.scalar(select(Account).where(Account.id == account_id).options(joinedload(Account.client)))
    if found is None or not actor.sees(found.client_id):
        raise NotFound(f"There is no account {account_id}.", todo="`flask accounts list` shows them.")
    return found


def account_history(session: Session, account_id: int) -> Sequence[HistoryEntry]:
    """Return what happened to an account, oldest first; the caller has loaded it and so may see it."""
    moves = select(HistoryEntry).where(HistoryEntry.account_id == account_id).order_by(HistoryEntry.id)
    return session.scalars(moves).all()


def load_client(session: Session, name: str, actor: Actor) -> Client:
    """Return the client of this name; the case of letters does not matter where no other has it. Raises NotFound."""
    wanted = name.strip()
    alike = session.scalars(select(Client).where(func.lower(Client.name) == wanted.lower())).all()
    exact = [client for client in alike if client.name == wanted] or (alike if len(alike) == 1 else [])
    if not exact or not actor.sees(exact[0].id):
        raise NotFound(f"There is no client {wanted}.")
    return exact[0]


def status_summary(session: Session, actor: Actor, client: Client | None = None) -> StatusSummary:
    """Return where everything stands that exists for `actor`, or for one client of theirs."""
    client_id = client.id if client else None
    return StatusSummary(
        discrepancies=_totals(session, actor, client_id, Discrepancy, Discrepancy.status),
        claims=_totals(session, actor, client_id, Claim, Claim.status),
        deadlines=_nearest(session, actor, client_id),
    )


def currency_of_value(table: type[Discrepancy] | type[Claim]) -> ColumnElement[str | None]:
    """Return the currency of what a row is worth or asks for; None where that is not known.

    A claim of unknown value has the currency of what was paid for it, which is none of its value.
    """
    return case((table.value.is_not(None), table.currency))


def narrowed(found: _S, actor: Actor, *, account_id: int | None = None, client_id: int | None = None) -> _S:
    """Leave what exists for `actor`; `found` joins accounts."""
    if actor.role is Role.CLIENT:
        found = found.where(Account.client_id == actor.client_id)
    if account_id is not None:
        found = found.where(Account.id == account_id)
    if client_id is not None:
        found = found.where(Account.client_id == client_id)
    return found


def _totals(
    session: Session,
    actor: Actor,
    client_id: int | None,
    table: type[Discrepancy] | type[Claim],
    status: InstrumentedAttribute[Any],
) -> tuple[StateTotal, ...]:
    currency = currency_of_value(table)
    counted = (
        select(status, currency, func.count(), func.sum(table.quantity), func.sum(table.value))
        .join(table.account)
        .group_by(status, currency)
    )
    rows = session.execute(narrowed(counted, actor, client_id=client_id))
    totals = [StateTotal(at.value, known, count, int(units), value) for at, known, count, units, value in rows]
    return tuple(sorted(totals, key=lambda total: (total.status, total.currency or "")))


def _nearest(session: Session, actor: Actor, client_id: int | None) -> tuple[Deadline, ...]:
    undecided = discrepancy_list(actor, client_id=client_id, status=DiscrepancyStatus.OPEN)
    to_file = claim_list(actor, client_id=client_id, status=ClaimStatus.TO_SUBMIT)
    rows: list[tuple[str, Discrepancy | Claim]] = [
        *(("discrepancy", row) for row in session.scalars(_soonest(undecided, Discrepancy))),
        *(("claim", row) for row in session.scalars(_soonest(to_file, Claim))),
    ]
    nearest = sorted(rows, key=lambda each: (each[1].closes_on, each[0], each[1].id))[:_NEAREST]
    return tuple(
        Deadline(
            what,
            row.id,
            row.claim_type,
            row.account.client.name,
            row.closes_on,
            row.quantity,
            row.value,
            row.currency,
            row.account.marketplace,
        )
        for what, row in nearest
    )


def _soonest(found: _S, table: type[Discrepancy] | type[Claim]) -> _S:
    return found.order_by(table.closes_on, table.id).limit(_NEAREST)
