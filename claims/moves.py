"""The moves of a claim (DESIGN section 7): which may follow which, and the one function that makes one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

import outbox
from claims import history, words
from claims.access import Actor, Permission
from errors import Moved, NotAllowed, NotFound
from models import (
    Account,
    Claim,
    ClaimDiscrepancy,
    ClaimStatus,
    Discrepancy,
    HistoryEntry,
    Request,
    RequestStatus,
)

_S = ClaimStatus

#: to file, and what Amazon has not answered for good
UNDER_WAY = frozenset({_S.TO_SUBMIT, _S.SUBMITTED, _S.NEEDS_INFO, _S.APPEALED})
OPEN_AT_AMAZON = frozenset({_S.SUBMITTED, _S.NEEDS_INFO, _S.DENIED, _S.APPEALED, _S.PARTLY_RECOVERED})
_OVER = frozenset({_S.RECOVERED, _S.CLOSED})

MAY_BECOME: dict[ClaimStatus, frozenset[ClaimStatus]] = {
    _S.TO_SUBMIT: frozenset({_S.SUBMITTED, _S.CLOSED}),
    _S.SUBMITTED: frozenset({_S.NEEDS_INFO, _S.DENIED, _S.PARTLY_RECOVERED, _S.RECOVERED, _S.CLOSED}),
    _S.NEEDS_INFO: frozenset({_S.SUBMITTED, _S.DENIED, _S.PARTLY_RECOVERED, _S.RECOVERED, _S.CLOSED}),
    _S.DENIED: frozenset({_S.APPEALED, _S.PARTLY_RECOVERED, _S.RECOVERED, _S.CLOSED}),
    _S.APPEALED: frozenset({_S.NEEDS_INFO, _S.DENIED, _S.PARTLY_RECOVERED, _S.RECOVERED, _S.CLOSED}),
    # What Amazon still owes can be asked for again: a refusal of the rest, an appeal against it.
    _S.PARTLY_RECOVERED: frozenset({_S.NEEDS_INFO, _S.DENIED, _S.APPEALED, _S.RECOVERED, _S.REVERSED, _S.CLOSED}),
    _S.RECOVERED: frozenset({_S.PARTLY_RECOVERED, _S.REVERSED}),
    _S.REVERSED: frozenset({_S.APPEALED, _S.PARTLY_RECOVERED, _S.RECOVERED, _S.CLOSED}),
    # Amazon sometimes pays what we had given up; the money is ours to count all the same. What was closed as lapsed may
    # have been filed in time, and only be told later (`claims.filing.submit`).
    _S.CLOSED: frozenset({_S.SUBMITTED, _S.PARTLY_RECOVERED, _S.RECOVERED}),
}


def locked(session: Session, claim_id: int, actor: Actor) -> Claim:
    """Return the claim as it is now, nobody else's to change until the end of this transaction.

    With account, client and discrepancies, each read by a statement of its own (a joined one could be older than the
    lock). Its discrepancies are held first, as everybody does who locks both: a message about one needs its row, so
    that who held the claim alone and who held the discrepancy would wait for each other. Raises NotAllowed for who may
    not work on claims, and NotFound.
    """
    actor.require(Permission.WORK_CLAIMS)
    hold_discrepancies(session, claim_id)
    found = session.get(
        Claim,
        claim_id,
        with_for_update=True,
        populate_existing=True,
        options=[
            selectinload(Claim.account).selectinload(Account.client),
            selectinload(Claim.discrepancies),
        ],
    )
    if found is None or not actor.sees(found.account.client_id):
        raise NotFound(f"There is no claim {claim_id}.", todo="`flask claims list` shows them.")
    return found


def hold_discrepancies(session: Session, claim_id: int) -> None:
    """Keep what a claim was made of from being decided anew until the end of this transaction; before any other lock.

    What refers to a row, such as a message about its card, waits for whoever has it locked: so all take their locks in
    this order, the discrepancies, the claim, its requests.
    """
    session.execute(
        select(Discrepancy.id)
        .join(ClaimDiscrepancy, ClaimDiscrepancy.discrepancy_id == Discrepancy.id)
        .where(ClaimDiscrepancy.claim_id == claim_id)
        .order_by(Discrepancy.id)
        .with_for_update(read=True, key_share=True, of=Discrepancy)
    )


def require_person(actor: Actor) -> int:
    """Return who acts. Raises NotAllowed for the program itself: people move claims, jobs only count money."""
    if actor.user_id is None:
        raise NotAllowed("This needs a person.", todo="Say who does it.")
    return actor.user_id


def move(
    session: Session,
    claim: Claim,
    to: ClaimStatus,
    *,
    actor: Actor,
    now: datetime,
    action: str | None = None,
    reason: str | None = None,
    note: str | None = None,
) -> HistoryEntry:
    """Move a locked claim, with its history, and say that the cards of its discrepancies are stale.

    action: the word of the history, the new state unless given. reason: what `closed_reason` becomes on closing.
    Raises Moved, in a sentence, where that cannot follow.
    """
    before = claim.status
    require_possible(claim, to)
    claim.status, claim.updated_at = to, now
    claim.closed_reason = reason if to is ClaimStatus.CLOSED else None
    entry = history.entry(
        actor=actor,
        now=now,
        action=action or to.value,
        claim_id=claim.id,
        moved=(before.value, to.value),
        reason=reason,
        note=note,
    )
    history.add(session, entry)
    if to in _OVER:
        _end_requests(session, claim.id, actor=actor, now=now)
    refresh_cards(session, claim.discrepancies, f"claim:{entry.id}", now)
    return entry


def _end_requests(session: Session, claim_id: int, *, actor: Actor, now: datetime) -> None:
    """Close what the client is still asked about a locked claim that is over: nobody needs the answer any more."""
    waiting = select(Request).where(Request.claim_id == claim_id, Request.status == RequestStatus.ASKED)
    locked_ones = waiting.order_by(Request.id).with_for_update().execution_options(populate_existing=True)
    for request in session.scalars(locked_ones):
        request.status, request.closed_by_id, request.closed_at = RequestStatus.CLOSED, actor.user_id, now
        session.add(
            history.entry(
                actor=actor,
                now=now,
                action="request_closed",
                claim_id=claim_id,
                moved=(RequestStatus.ASKED.value, RequestStatus.CLOSED.value),
                reason=request.kind.value,
            )
        )


def require_possible(claim: Claim, to: ClaimStatus) -> None:
    """Raise Moved, in a sentence, where the claim cannot become that from where it stands."""
    if to not in MAY_BECOME[claim.status]:
        raise Moved(f"Claim {claim.id} cannot become {_name(to)}: {_standing(claim)}.", todo=_todo(claim.status))


def refresh_cards(session: Session, rows: Iterable[Discrepancy], why: str, now: datetime) -> None:
    """Say that the cards of these discrepancies are stale; `why` makes it one message for each reason."""
    outbox.enqueue_all(session, [card_update(row, why, now) for row in rows if row.announced_at is not None])


def card_update(row: Discrepancy, why: str, now: datetime) -> dict[str, Any]:
    """Return the message, for `outbox.enqueue_all`, that the card of a discrepancy is stale."""
    key = f"update:{row.id}:{why}"
    return outbox.message(outbox.CARD_UPDATE, key, now=now, account_id=row.account_id, discrepancy_id=row.id)


def _standing(claim: Claim) -> str:
    return f"it is {words.claim_status_name(claim.status.value, claim.closed_reason)}"


def _name(status: ClaimStatus) -> str:
    return words.claim_status_name(status.value)


def _todo(status: ClaimStatus) -> str:
    *others, last = [_name(to) for to in ClaimStatus if to in MAY_BECOME[status]]
    return f"From there it can become {', '.join(others)} or {last}." if others else f"From there it can become {last}."
