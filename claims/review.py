"""What a person decides about a discrepancy: approve, reject, take back, clear a caveat.

Every door calls these functions. Each checks the person's right, makes one move with its history and its messages in
the caller's transaction, and never commits. Of two people who press at once the second is told what the first did.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session, selectinload

import outbox
from claims import approvals, history, moves, recovery, words
from claims.access import Actor, Permission, known_as, require_access
from claims.errors import AlreadyDecided, CaveatsOpen, TooLateToUndo, moment
from errors import InvalidInput, Moved, NotAllowed, NotFound
from models import (
    Account,
    Approval,
    Caveat,
    Claim,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    RejectReason,
    Role,
)

UNDO_WINDOW = timedelta(minutes=10)

_DECIDED = (DiscrepancyStatus.APPROVED, DiscrepancyStatus.REJECTED)
_UNDECIDED = (DiscrepancyStatus.OPEN, DiscrepancyStatus.UPCOMING, DiscrepancyStatus.SNOOZED)


def approve(session: Session, discrepancy_id: int, *, actor: Actor, now: datetime) -> Claim | None:
    """Approve for the side that this person belongs to, and make a claim once every side that is asked has approved.

    Returns the claim, None while the other side is waited for. Raises NotAllowed, NotFound, CaveatsOpen,
    AlreadyDecided, and Moved where it cannot be decided (any more).
    """
    found = _to_decide(session, discrepancy_id, actor)
    _require_open(found, actor, now)
    _require_taking_claims(found.account.client)
    if codes := [caveat.code for caveat in found.caveats if caveat.cleared_at is None]:
        raise CaveatsOpen(codes)
    if approvals.give(session, found, actor=actor, now=now).missing:
        side = approvals.side_of(actor).value
        _moved(session, found, now, history.entry(actor=actor, now=now, action="approved_for_one_side", reason=side))
        return None
    claim = _born_of(found, actor, now)
    session.add(claim)
    session.flush()
    born = history.entry(
        actor=actor, now=now, action="created", claim_id=claim.id, moved=(None, ClaimStatus.TO_SUBMIT.value)
    )
    session.add(born)
    _decide(session, found, DiscrepancyStatus.APPROVED, actor=actor, now=now)
    return claim


def reject(
    session: Session,
    discrepancy_id: int,
    *,
    reason: RejectReason,
    note: str | None = None,
    actor: Actor,
    now: datetime,
) -> Discrepancy:
    """Decide, for both sides, that nothing is claimed for the discrepancy. `other` needs a note.

    Raises NotAllowed, NotFound, InvalidInput, AlreadyDecided, and Moved where it cannot be decided (any more).
    """
    found = _to_decide(session, discrepancy_id, actor)
    _require_open(found, actor, now)
    note = history.cleaned(note)
    if reason is RejectReason.OTHER and note is None:
        raise InvalidInput("Another reason needs a note.", field="note", todo="Say in a few words why.")
    _decide(session, found, DiscrepancyStatus.REJECTED, actor=actor, now=now, reason=reason.value, note=note)
    return found


def undo(session: Session, discrepancy_id: int, *, actor: Actor, now: datetime) -> Discrepancy:
    """Take a decision back: the discrepancy is open again, the claim of an approval is closed as undone.

    Of two sides that have approved, the other's approval stands. An approval that still waits for the other side can
    be taken back at any time by its own. Raises NotAllowed, NotFound, TooLateToUndo, and Moved where there is no
    decision or the claim went on.
    """
    found = _to_decide(session, discrepancy_id, actor)
    if found.status is DiscrepancyStatus.OPEN and approvals.side_of(actor) in approvals.of(session, found).given:
        approvals.take_back(session, found, actor=actor)
        _moved(session, found, now, history.entry(actor=actor, now=now, action="undone"))
        return found
    if found.status not in _DECIDED or found.decided_at is None:
        raise Moved(f"There is no decision to undo: {_standing(found)}.")
    if now - found.decided_at >= UNDO_WINDOW:
        raise TooLateToUndo(
            f"Too late to undo: it was {found.status.value} {moment(found.decided_at, now)}, "
            f"more than {UNDO_WINDOW.seconds // 60} minutes ago."
        )
    _require_own_decision(found, actor)
    claim = _claim_to_undo(session, found) if found.status is DiscrepancyStatus.APPROVED else None
    before, found.status = found.status, DiscrepancyStatus.OPEN
    found.status_reason = found.decided_by_id = found.decided_at = None
    found.is_changed_since_decision = False
    undone = history.entry(actor=actor, now=now, action="undone", moved=(before, found.status))
    if claim is None:
        _moved(session, found, now, undone)
    else:
        _written(session, found, now, undone)
        approvals.take_back(session, found, actor=actor)
        moves.move(session, claim, ClaimStatus.CLOSED, actor=actor, now=now, reason="undone")  # updates the card, too
    return found


def clear_caveat(
    session: Session, discrepancy_id: int, *, code: str, note: str | None, actor: Actor, now: datetime
) -> Discrepancy:
    """Record that this person checked what the caveat asks, and why it no longer stands in the way.

    Raises NotAllowed, NotFound for a caveat that the discrepancy does not have, InvalidInput without a note,
    AlreadyDecided where it is cleared or the discrepancy decided, and Moved.
    """
    actor.require(Permission.REVIEW)
    found = _locked(session, discrepancy_id, actor)
    if found.status not in _UNDECIDED:
        _require_open(found, actor, now)
    caveat = next((each for each in found.caveats if each.code == code), None)
    if caveat is None:
        raise NotFound(f"Discrepancy {found.id} has no caveat {code}.")
    if caveat.cleared_at is not None:
        raise AlreadyDecided(what="cleared", by=_cleared_by(caveat), at=caveat.cleared_at, now=now)
    why = history.cleaned(note)
    if why is None:
        raise InvalidInput("Clearing a caveat needs a note.", field="note", todo="Say what you checked.")
    caveat.cleared_by_id, caveat.cleared_at, caveat.note = actor.user_id, now, why
    moved = history.entry(actor=actor, now=now, action="caveat_cleared", reason=code, note=why)
    _moved(session, found, now, moved)
    return found


def undo_until(found: Discrepancy, now: datetime) -> datetime | None:
    """Return until when the decision can be undone, None where it cannot (any more). `found.claims` must be loaded."""
    if found.status not in _DECIDED or found.decided_at is None or now - found.decided_at >= UNDO_WINDOW:
        return None
    if found.status is DiscrepancyStatus.APPROVED and not _claim_to_file(found):
        return None
    return found.decided_at + UNDO_WINDOW


def _to_decide(session: Session, discrepancy_id: int, actor: Actor) -> Discrepancy:
    """Return the locked discrepancy for whoever may decide on it: staff, and a client's people where they are asked."""
    actor.require(Permission.DECIDE_OWN if actor.role is Role.CLIENT else Permission.REVIEW)
    found = _locked(session, discrepancy_id, actor)
    client = found.account.client
    require_access(actor, client)
    if client.approval is Approval.AGENCY:
        actor.require(Permission.REVIEW)
    return found


def _require_own_decision(found: Discrepancy, actor: Actor) -> None:
    if actor.role is Role.CLIENT and found.decided_by and found.decided_by.client_id != actor.client_id:
        raise NotAllowed(f"It was {found.status.value} by your agency.", todo="Write to your case manager.")


def _locked(session: Session, discrepancy_id: int, actor: Actor) -> Discrepancy:
    """Return the discrepancy as it is now, nobody else's to change until the end of this transaction.

    What hangs on it is read by statements of its own: PostgreSQL joins a row that it had to wait for with what the
    other tables held before the wait.
    """
    if actor.user_id is None:
        raise NotAllowed("A decision needs a person.", todo="Say who decides.")
    found = session.get(
        Discrepancy,
        discrepancy_id,
        with_for_update=True,
        populate_existing=True,
        options=[
            selectinload(Discrepancy.account).selectinload(Account.client),
            selectinload(Discrepancy.caveats).selectinload(Caveat.cleared_by),
            selectinload(Discrepancy.decided_by),
            selectinload(Discrepancy.claims),
        ],
    )
    if found is None or not actor.sees(found.account.client_id):
        raise NotFound(f"There is no discrepancy {discrepancy_id}.")
    return found


def _require_open(found: Discrepancy, actor: Actor, now: datetime) -> None:
    if found.status in _DECIDED and found.decided_at is not None:
        by = known_as(found.decided_by, actor)
        raise AlreadyDecided(what=found.status.value, by=by, at=found.decided_at, now=now)
    if found.status is not DiscrepancyStatus.OPEN:
        raise Moved(f"Discrepancy {found.id} cannot be decided: {_standing(found)}.")


def _standing(found: Discrepancy) -> str:
    if found.status is DiscrepancyStatus.UPCOMING:
        return f"it can be decided from {words.day(recovery.shown_on(found, found.account.client.wait_days))} on"
    if found.status is DiscrepancyStatus.LAPSED:
        return f"its last day was {words.day(found.closes_on)}"
    return f"it is in state {words.status_name(found.status.value, found.status_reason)}"


def _require_taking_claims(client: Client) -> None:
    if client.status in (ClientStatus.PAUSED, ClientStatus.CANCELLED):
        raise Moved(f"{client.name} is {client.status.value}: no new claims are made.")


def _born_of(found: Discrepancy, actor: Actor, now: datetime) -> Claim:
    return Claim(
        account_id=found.account_id,
        claim_type=found.claim_type,
        status=ClaimStatus.TO_SUBMIT,
        quantity=found.quantity,
        value=found.value,
        currency=found.currency,
        closes_on=found.closes_on,
        approved_by_id=actor.user_id,
        created_at=now,
        updated_at=now,
        discrepancies=[found],
    )


def _decide(
    session: Session,
    found: Discrepancy,
    to: DiscrepancyStatus,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    note: str | None = None,
) -> None:
    before, found.status = found.status, to
    found.status_reason = reason
    found.decided_by_id, found.decided_at = actor.user_id, now
    move = history.entry(actor=actor, now=now, action=to.value, moved=(before, to), reason=reason, note=note)
    _moved(session, found, now, move)
    if found.announced_at is not None:  # the card's Undo goes when it stops to work
        outbox.enqueue(
            session,
            outbox.CARD_UPDATE,
            f"undo_over:{found.id}:{move.id}",
            now=now,
            not_before=now + UNDO_WINDOW,
            account_id=found.account_id,
            discrepancy_id=found.id,
        )


def _moved(session: Session, found: Discrepancy, now: datetime, move: HistoryEntry) -> None:
    """Write a move, and say that the card is stale."""
    _written(session, found, now, move)
    moves.refresh_cards(session, [found], str(move.id), now)


def _written(session: Session, found: Discrepancy, now: datetime, move: HistoryEntry) -> None:
    found.updated_at = now
    move.discrepancy_id = found.id
    history.add(session, move)


def _claim_to_undo(session: Session, found: Discrepancy) -> Claim:
    """Return the claim that an approval made, with its discrepancies; who holds one of these holds it, too."""
    claim = _claim_to_file(found)
    if claim is None:
        raise Moved("The claim is no longer to be filed, so its approval cannot be undone.")
    session.refresh(claim, ["discrepancies"])
    return claim


def _claim_to_file(found: Discrepancy) -> Claim | None:
    return next((claim for claim in found.claims if claim.status is ClaimStatus.TO_SUBMIT), None)


def _cleared_by(caveat: Caveat) -> str:
    return caveat.cleared_by.label if caveat.cleared_by else "somebody"
