"""What a client's people see of their own: figures, what waits for them, and the plain story of a claim.

Every statement is narrowed to the client of the person who asks; staff are not served here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload

from claims import approvals, moves, queries, words
from claims.access import Actor, require_access
from errors import NotAllowed, NotFound
from models import (
    Account,
    Claim,
    ClaimPayment,
    ClaimStatus,
    Client,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    Invoice,
    InvoiceStatus,
    Reimbursement,
    Request,
    RequestStatus,
    Role,
    User,
)
from money import Money

_LAPSED = DiscrepancyStatus.LAPSED
_OWED = (InvoiceStatus.SENT, InvoiceStatus.QUERIED, InvoiceStatus.FINAL)
#: the states a client looks for: code -> its claims
STATES: dict[str, ColumnElement[bool]] = {
    "under_way": Claim.status.in_(moves.UNDER_WAY),
    "recovered": Claim.status.in_([ClaimStatus.RECOVERED, ClaimStatus.PARTLY_RECOVERED]),
    "reversed": Claim.status == ClaimStatus.REVERSED,
    "refused": (Claim.status == ClaimStatus.DENIED)
    | ((Claim.status == ClaimStatus.CLOSED) & (Claim.closed_reason == "refused")),
    "closed": (Claim.status == ClaimStatus.CLOSED) & (Claim.closed_reason.is_distinct_from("refused")),
}
# What of a claim's history its client reads; who wrote a note, or who works on it, stays with the agency.
_TOLD = {
    "created": "The claim was made",
    "submitted": "Filed with Amazon",
    "needs_info": "Amazon asked for more",
    "answered": "Amazon's question was answered",
    "denied": "Refused by Amazon",
    "appealed": "Appealed",
    "partly_recovered": "A part was recovered",
    "recovered": "Recovered",
    "reversed": "Taken back by Amazon",
    "closed": "Closed",
    "request_asked": "You were asked",
    "request_answered": "You answered",
    "request_answered_for": "Answered for you",
    "request_closed": "The question was closed",
}


@dataclass(frozen=True, slots=True)
class Total:
    """How many, and the money in each currency; what has no known value is counted and has no money."""

    count: int = 0
    amounts: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """A client's first page. The four words are never mixed: recovered, paid by Amazon itself, refused, lapsed.

    `this_week` begins on `monday`, `last_week` seven days before, by the days on which Amazon approved the payments;
    `taken_back` is what it took back this week. `recovered` is since the start, less what was taken back. `refused` is
    what had been asked for, `lapsed` what could have been; `too_late` had lapsed before its reports were read.
    """

    monday: date
    this_week: tuple[Money, ...]
    last_week: tuple[Money, ...]
    taken_back: tuple[Money, ...]
    recovered: Total
    paid_by_amazon: Total
    refused: Total
    lapsed: Total
    too_late: Total
    under_way: Total
    requests: int
    to_approve: int
    owed: Total


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened to a claim, for its client. `reason` and `by` may be empty."""

    at: datetime
    what: str
    reason: str
    by: str


def home(session: Session, actor: Actor) -> Client:
    """Return the client whose portal this is, with case manager and rates. Raises NotAllowed for anybody else."""
    found = None
    if actor.role is Role.CLIENT and actor.client_id is not None:
        whole = select(Client).where(Client.id == actor.client_id)
        found = session.scalar(whole.options(joinedload(Client.case_manager), joinedload(Client.rates)))
    if found is None:
        raise NotAllowed("This is the portal of a client.", todo="The back office has all that it shows, and more.")
    require_access(actor, found)
    return found


def figures(session: Session, actor: Actor, now: datetime) -> Figures:
    """Return the numbers of the first page. Raises NotAllowed for who is none of a client's people."""
    client = home(session, actor)
    today = now.astimezone(ZoneInfo(client.time_zone)).date()
    monday = today - timedelta(days=today.weekday())
    before = monday - timedelta(days=7)
    posted, is_gain = Reimbursement.approved_on, ClaimPayment.reverses_id.is_(None)
    came_late = Discrepancy.history.any((HistoryEntry.action == "found") & (HistoryEntry.to_status == _LAPSED.value))
    return Figures(
        monday=monday,
        this_week=_money(_paid(session, client, posted >= monday, is_gain)),
        last_week=_money(_paid(session, client, posted >= before, posted < monday, is_gain)),
        taken_back=_money(_paid(session, client, posted >= monday, ~is_gain), sign=-1),
        recovered=_recovered(session, client),
        paid_by_amazon=_lost(
            session,
            client,
            Discrepancy.status == DiscrepancyStatus.SETTLED,
            Discrepancy.status_reason == "paid_by_amazon",
        ),
        refused=_claimed(session, client, "refused"),
        lapsed=_lost(session, client, Discrepancy.status == _LAPSED, ~came_late),
        too_late=_lost(session, client, Discrepancy.status == _LAPSED, came_late),
        under_way=_claimed(session, client, "under_way"),
        requests=_count(session, waiting_requests(actor)),
        to_approve=_count(session, to_approve(actor)),
        owed=_owed(session, client),
    )


def owed(session: Session, actor: Actor) -> Total:
    """Return what the client's open invoices come to. Raises NotAllowed for who is none of a client's people."""
    return _owed(session, home(session, actor))


def waiting_requests(actor: Actor) -> Select[Request]:
    """Return what the client is asked and has not answered."""
    return select(Request).where(Request.client_id == actor.client_id, Request.status == RequestStatus.ASKED)


def claims_in(actor: Actor, state: str | None) -> Select[Claim]:
    """Return the client's claims in one of STATES, all for None; an approval that was undone made none."""
    found = queries.claim_list(actor, client_id=actor.client_id)
    found = found.where(Claim.closed_reason.is_distinct_from("undone"))
    return found if state is None else found.where(STATES[state])


def to_approve(actor: Actor) -> Select[Discrepancy]:
    """Return what waits for the client's own approval: open, checked, worth showing, and not approved by them yet."""
    return queries.discrepancy_list(actor, client_id=actor.client_id).where(approvals.waits_for_client())


def load_to_approve(session: Session, discrepancy_id: int, actor: Actor) -> Discrepancy:
    """Return one discrepancy of a client who approves. Raises NotFound, also where the agency decides alone."""
    found = queries.load_discrepancy(session, discrepancy_id, actor)
    if found.account.client.approval not in approvals.ASKS_THE_CLIENT:
        raise NotFound(f"There is no discrepancy {discrepancy_id}.")
    return found


def story(session: Session, claim: Claim, actor: Actor) -> list[Told]:
    """Return what happened to a loaded claim, newest first, in words for its client and without the staff's notes."""
    client = claim.account.client
    named = set(session.scalars(select(User.id).where(User.client_id == client.id)))
    named |= {client.case_manager_id} if client.case_manager_id else set()
    return [_told(entry, named, actor) for entry in reversed(claim.history) if entry.action in _TOLD]


def _told(entry: HistoryEntry, named: set[int], actor: Actor) -> Told:
    if entry.actor_id is None:
        by = ""
    elif entry.actor_id == actor.user_id:
        by = "you"
    else:
        by = entry.actor_name if entry.actor_id in named else "your agency"
    is_request = entry.action.startswith("request_")
    reason = words.request_to_client(entry.reason or "") if is_request else words.status_reason_name(entry.reason or "")
    return Told(entry.at, _TOLD[entry.action], reason if entry.reason else "", by)


def _paid(session: Session, client: Client, *conditions: ColumnElement[bool]) -> Sequence[Any]:
    paid = (
        select(ClaimPayment.currency, func.sum(ClaimPayment.amount))
        .join(ClaimPayment.line)
        .join(Reimbursement.account)
        .where(Account.client_id == client.id, *conditions)
        .group_by(ClaimPayment.currency)
    )
    return session.execute(paid).all()


def _recovered(session: Session, client: Client) -> Total:
    """Return what came in by claims: those that Amazon made up for in stock count too, and have no money."""
    has_some = STATES["recovered"] | (Claim.recovered > Decimal(0))
    count = session.scalar(
        select(func.count()).select_from(Claim).join(Claim.account).where(Account.client_id == client.id, has_some)
    )
    return Total(count or 0, _money(_paid(session, client)))


def _claimed(session: Session, client: Client, state: str) -> Total:
    summed = (
        select(Claim.currency, func.count(), func.sum(Claim.value))
        .join(Claim.account)
        .where(Account.client_id == client.id, STATES[state])
        .group_by(Claim.currency)
    )
    return _total(session.execute(summed).all())


def _lost(session: Session, client: Client, *conditions: ColumnElement[bool]) -> Total:
    summed = (
        select(Discrepancy.currency, func.count(), func.sum(Discrepancy.value))
        .join(Discrepancy.account)
        .where(Account.client_id == client.id, *conditions)
        .group_by(Discrepancy.currency)
    )
    return _total(session.execute(summed).all())


def _owed(session: Session, client: Client) -> Total:
    summed = (
        select(Invoice.currency, func.count(), func.sum(Invoice.total))
        .where(Invoice.client_id == client.id, Invoice.status.in_(_OWED))
        .group_by(Invoice.currency)
    )
    return _total(session.execute(summed).all())


def _count(session: Session, rows: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) or 0


def _total(rows: Sequence[Any]) -> Total:
    return Total(sum(row[1] for row in rows), _money((row[0], row[2]) for row in rows))


def _money(rows: Iterable[Any], *, sign: int = 1) -> tuple[Money, ...]:
    """Return the amounts that are known and not zero, by currency; `sign` -1 says of a loss how large it is."""
    known: list[tuple[str, Decimal]] = [(currency, sign * amount) for currency, amount in rows if currency and amount]
    return tuple(Money(amount, currency) for currency, amount in sorted(known))
