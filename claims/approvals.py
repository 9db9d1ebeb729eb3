"""Whose approval a discrepancy needs, and who has given theirs (`Client.approval`): the agency, the client, or both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session, joinedload

from claims import announcing, history
from claims.access import Actor
from claims.errors import AlreadyDecided
from errors import NotAllowed
from models import (
    Approval,
    ApprovalGiven,
    Caveat,
    Client,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    Role,
)

_AT_ONCE = 1000
_NEEDED = {
    Approval.AGENCY: frozenset({Approval.AGENCY}),
    Approval.CLIENT: frozenset({Approval.CLIENT}),
    Approval.BOTH: frozenset({Approval.AGENCY, Approval.CLIENT}),
}
#: whose clients are asked themselves
ASKS_THE_CLIENT = (Approval.CLIENT, Approval.BOTH)


@dataclass(frozen=True, slots=True)
class Approvals:
    """The sides whose approval is needed, and what each has given so far, with the person."""

    needed: frozenset[Approval]
    given: Mapping[Approval, ApprovalGiven] = field(default_factory=dict)

    @property
    def missing(self) -> frozenset[Approval]:
        """The sides that are waited for."""
        return self.needed - self.given.keys()

    @property
    def is_waiting(self) -> bool:
        """Whether one side has approved and the other is waited for."""
        return bool(self.given) and bool(self.missing)


def side_of(actor: Actor) -> Approval:
    """Return for whom this person approves."""
    return Approval.CLIENT if actor.role is Role.CLIENT else Approval.AGENCY


def of(session: Session, found: Discrepancy) -> Approvals:
    """Return how the approval of a discrepancy stands; its account and client are loaded."""
    return of_all(session, [found])[found.id]


def of_all(session: Session, rows: Sequence[Discrepancy]) -> dict[int, Approvals]:
    """Return by id how the approvals of some discrepancies stand, in one query."""
    ids = [row.id for row in rows if row.account.client.approval in ASKS_THE_CLIENT]
    stored = select(ApprovalGiven).where(ApprovalGiven.discrepancy_id.in_(ids)).options(joinedload(ApprovalGiven.user))
    given: dict[int, dict[Approval, ApprovalGiven]] = {}
    for each in session.scalars(stored) if ids else ():
        given.setdefault(each.discrepancy_id, {})[each.side] = each
    return {row.id: Approvals(_NEEDED[row.account.client.approval], given.get(row.id, {})) for row in rows}


def give(session: Session, found: Discrepancy, *, actor: Actor, now: datetime) -> Approvals:
    """Record this person's approval, and return how it stands then.

    Raises NotAllowed where their side is not asked, AlreadyDecided where it has approved and waits for the other.
    """
    before, side, client = of(session, found), side_of(actor), found.account.client
    if side not in before.needed:
        raise not_asked(client)
    earlier = before.given.get(side)
    if earlier and before.missing:
        raise AlreadyDecided(what="approved", by=earlier.user.label, at=earlier.at, now=now)
    given = earlier or ApprovalGiven(discrepancy_id=found.id, side=side, user_id=actor.user_id, at=now)
    if earlier is None and client.approval in ASKS_THE_CLIENT:  # the agency's alone stands with the claim
        session.add(given)
    return Approvals(before.needed, {**before.given, side: given})


def take_back(session: Session, found: Discrepancy, *, actor: Actor) -> None:
    """Take back the approval of this person's side; where it gave none, so that it is the other's alone, that one."""
    given = of(session, found).given
    side = side_of(actor)
    for each in [given[side]] if side in given else given.values():
        session.delete(each)


def not_asked(client: Client) -> NotAllowed:
    """Return what a person is told whose side does not approve for this client."""
    return NotAllowed(f"{client.name} approves for itself.", todo="It waits for them in their portal.")


def forget(session: Session, discrepancy_ids: Collection[int], *, actor: Actor, now: datetime) -> None:
    """Drop approvals of which the other side's is still missing: what was approved is no longer what is there."""
    ids = sorted(discrepancy_ids)
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        given = session.scalars(select(ApprovalGiven).where(ApprovalGiven.discrepancy_id.in_(part))).all()
        for discrepancy_id in sorted({each.discrepancy_id for each in given}):
            session.add(_dropped(discrepancy_id, actor, now))
        if given:
            session.execute(
                delete(ApprovalGiven)
                .where(ApprovalGiven.discrepancy_id.in_([each.discrepancy_id for each in given]))
                .execution_options(synchronize_session=False)
            )


def waits_for_client() -> ColumnElement[bool]:
    """Return the condition that a discrepancy waits for its client's own approval; the statement joins clients.

    It is open, checked by the agency, worth showing to this client, and not approved by them yet.
    """
    given = select(ApprovalGiven.discrepancy_id).where(ApprovalGiven.side == Approval.CLIENT)
    return and_(
        Client.approval.in_(ASKS_THE_CLIENT),
        Discrepancy.status == DiscrepancyStatus.OPEN,
        ~Discrepancy.caveats.any(Caveat.cleared_at.is_(None)),
        announcing.below_least_value().is_not(True),  # unknown values and other currencies pass
        Discrepancy.id.not_in(given),
    )


def _dropped(discrepancy_id: int, actor: Actor, now: datetime) -> HistoryEntry:
    return history.entry(actor=actor, now=now, action="approval_dropped", discrepancy_id=discrepancy_id)
