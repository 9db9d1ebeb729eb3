"""Who approves: the agency, the client, or both; what waits for whom, and what taking back leaves behind."""

import queue
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

import db
from claims import approvals, queries, review
from claims.access import Actor
from claims.errors import AlreadyDecided, CaveatsOpen
from claims.findings import record_findings
from errors import Moved, NotAllowed, NotFound
from models import (
    Approval,
    ApprovalGiven,
    Claim,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    OutboxMessage,
    RejectReason,
)
from tests.factories import NOW, Cast, make_cast, make_discrepancy, make_finding, make_outcome

A, C = Approval.AGENCY, Approval.CLIENT


def _cast(approval: Approval) -> Cast:
    cast = make_cast()
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).approval = approval
    return cast


def _made(cast: Cast, **more: Any) -> int:
    with db.transaction() as session:
        return make_discrepancy(session, more.pop("account_id", cast.account_id), **more).id


def _approve(made: int, actor: Actor, now: datetime = NOW) -> Claim | None:
    with db.transaction() as session:
        return review.approve(session, made, actor=actor, now=now)


def _reject(made: int, actor: Actor) -> None:
    with db.transaction() as session:
        review.reject(session, made, reason=RejectReason.NOT_OURS, actor=actor, now=NOW)


def _undo(made: int, actor: Actor, now: datetime = NOW) -> None:
    with db.transaction() as session:
        review.undo(session, made, actor=actor, now=now)


def _seen(cast: Cast, made: int) -> Discrepancy:
    with db.reading() as session:
        return queries.load_discrepancy(session, made, cast.ann)


def _given(made: int) -> set[Approval]:
    with db.reading() as session:
        return set(session.scalars(select(ApprovalGiven.side).where(ApprovalGiven.discrepancy_id == made)))


def test_the_agency_alone_decides_and_leaves_no_row_of_approvals(database: str) -> None:
    cast = _cast(A)
    made = _made(cast)
    assert _approve(made, cast.ann) is not None
    assert _given(made) == set()


@pytest.mark.parametrize("move", [_approve, _reject, _undo])
def test_where_the_agency_decides_the_clients_people_may_not(sqlite_database: str, move: Callable[..., Any]) -> None:
    cast = _cast(A)
    made = _made(cast)
    with pytest.raises(NotAllowed, match="Carl may not decide on discrepancies"):
        move(made, cast.carl)


def test_where_the_client_approves_a_claim_is_born_of_their_press_alone(database: str) -> None:
    cast = _cast(C)
    made = _made(cast)
    with pytest.raises(NotAllowed, match=r"Acme approves for itself\. It waits for them in their portal\."):
        _approve(made, cast.ann)
    claim = _approve(made, cast.carl)
    assert claim is not None
    assert (claim.status, claim.approved_by_id) == (ClaimStatus.TO_SUBMIT, cast.carl.user_id)
    assert _given(made) == {C}


@pytest.mark.parametrize("order", [("ann", "carl"), ("carl", "ann")])
def test_with_both_the_claim_is_born_of_the_second_side(database: str, order: tuple[str, str]) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast)
    first, second = (getattr(cast, name) for name in order)
    assert _approve(made, first) is None
    assert _seen(cast, made).status is DiscrepancyStatus.OPEN
    assert _approve(made, second, NOW + timedelta(days=2)) is not None
    seen = _seen(cast, made)
    assert (seen.status, seen.decided_by_id, len(seen.claims)) == (DiscrepancyStatus.APPROVED, second.user_id, 1)
    side = {"ann": "agency", "carl": "client"}[order[0]]
    assert [(move.action, move.reason) for move in seen.history] == [
        ("approved_for_one_side", side),
        ("approved", None),
    ]


def test_one_side_approves_once(database: str) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast)
    _approve(made, cast.ann)
    with pytest.raises(AlreadyDecided, match=r"Already approved by Ann at 09:14 UTC\."):
        _approve(made, cast.bea)
    assert _given(made) == {A}


def test_when_only_one_side_is_asked_any_more_its_next_press_makes_the_claim(sqlite_database: str) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast)
    _approve(made, cast.ann)
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).approval = A
    assert _approve(made, cast.bea) is not None


@pytest.mark.parametrize("who", ["ann", "carl"])
@pytest.mark.parametrize("approval", [C, Approval.BOTH])
def test_either_side_rejects_for_both(database: str, approval: Approval, who: str) -> None:
    cast = _cast(approval)
    made = _made(cast)
    _reject(made, getattr(cast, who))
    assert _seen(cast, made).status is DiscrepancyStatus.REJECTED
    with pytest.raises(AlreadyDecided):
        _approve(made, cast.carl)


def test_a_clients_person_is_told_that_the_agency_was_faster_and_not_who(sqlite_database: str) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast)
    _reject(made, cast.bea)
    with pytest.raises(AlreadyDecided, match="Already rejected by your agency at 09:14 UTC") as told:
        _approve(made, cast.carl)
    assert "Bea" not in str(told.value)


def test_caveats_are_for_the_agency_to_clear_before_anybody_approves(sqlite_database: str) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast, caveats=["partial_coverage"])
    with pytest.raises(CaveatsOpen):
        _approve(made, cast.carl)
    with pytest.raises(NotAllowed), db.transaction() as session:
        review.clear_caveat(session, made, code="partial_coverage", note="fine", actor=cast.carl, now=NOW)


@pytest.mark.parametrize("move", [_approve, _reject, _undo])
def test_another_clients_row_is_not_there(sqlite_database: str, move: Callable[..., Any]) -> None:
    cast = _cast(Approval.BOTH)
    with db.transaction() as session:
        session.get_one(Client, cast.other_client_id).approval = Approval.BOTH
    made = _made(cast, account_id=cast.other_account_id)
    with pytest.raises(NotFound, match=f"There is no discrepancy {made}"):
        move(made, cast.carl)


def test_people_of_a_cancelled_client_approve_nothing(sqlite_database: str) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast)
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).status = ClientStatus.CANCELLED
    with pytest.raises(NotAllowed, match="The access of Acme has ended"):
        _approve(made, cast.carl)


def test_an_approval_that_waits_is_taken_back_at_any_time_by_its_own_side(database: str) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast)
    _approve(made, cast.ann)
    with pytest.raises(Moved, match="no decision to undo"):
        _undo(made, cast.carl)
    _undo(made, cast.bea, NOW + timedelta(days=3))
    assert _given(made) == set()
    assert _approve(made, cast.carl) is None


@pytest.mark.parametrize(("who", "stands"), [("ann", C), ("carl", A)])
def test_undoing_a_claim_takes_back_ones_own_approval_and_leaves_the_others(
    database: str, who: str, stands: Approval
) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast)
    _approve(made, cast.carl)
    _approve(made, cast.ann)
    if who == "carl":
        with pytest.raises(NotAllowed, match="It was approved by your agency"):
            _undo(made, cast.carl)
        return
    _undo(made, cast.ann)
    seen = _seen(cast, made)
    assert (seen.status, [claim.closed_reason for claim in seen.claims]) == (DiscrepancyStatus.OPEN, ["undone"])
    assert _given(made) == {stands}
    assert _approve(made, cast.ann) is not None


def test_what_the_client_alone_approved_staff_can_take_back_in_time(sqlite_database: str) -> None:
    cast = _cast(C)
    made = _made(cast)
    _approve(made, cast.carl)
    _undo(made, cast.ann)
    assert (_given(made), _seen(cast, made).status) == (set(), DiscrepancyStatus.OPEN)


def test_an_approval_falls_away_when_the_quantity_changes_before_the_other_side_saw_it(database: str) -> None:
    cast = _cast(Approval.BOTH)
    finding = make_finding(quantity=3)

    def run(quantity: int) -> None:
        from dataclasses import replace

        found = replace(finding, quantity=quantity)
        with db.transaction() as session:
            record_findings(session, cast.account_id, make_outcome(found), lines={}, now=NOW)

    run(3)
    with db.reading() as session:
        made = session.scalars(select(Discrepancy.id)).one()
    _approve(made, cast.ann)
    run(3)
    assert _given(made) == {A}
    run(5)
    assert _given(made) == set()
    assert _approve(made, cast.carl) is None
    assert [move.action for move in _seen(cast, made).history] == [
        "found",
        "approved_for_one_side",
        "quantity_changed",
        "approval_dropped",
        "approved_for_one_side",
    ]


def test_one_sides_approval_makes_the_card_stale(sqlite_database: str) -> None:
    cast = _cast(Approval.BOTH)
    made = _made(cast, announced_at=NOW)
    _approve(made, cast.ann)
    with db.reading() as session:
        assert [row.kind for row in session.scalars(select(OutboxMessage))] == ["card_update"]


def test_how_many_rows_stand_is_asked_in_one_query(sqlite_database: str) -> None:
    cast = _cast(Approval.BOTH)
    first, second = _made(cast), _made(cast)
    _approve(first, cast.ann)
    with db.reading() as session:
        rows = session.scalars(queries.discrepancy_list(cast.carl)).all()
        standing = approvals.of_all(session, rows)
    assert (standing[first].is_waiting, standing[first].missing) == (True, {C})
    assert (standing[second].is_waiting, standing[second].missing) == (False, {A, C})


def test_of_two_sides_that_approve_at_once_the_second_makes_the_one_claim(database: str) -> None:
    cast = _cast(Approval.BOTH)
    for _ in range(5):
        made = _made(cast)
        start, told = threading.Barrier(2), queue.Queue()

        def press(actor: Actor, made: int = made, start: threading.Barrier = start, told: queue.Queue = told) -> None:
            start.wait(timeout=20)
            told.put(_approve(made, actor))

        hands = [threading.Thread(target=press, args=(actor,)) for actor in (cast.ann, cast.carl)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(timeout=30)
        assert sorted(told.get(timeout=1) is None for _ in hands) == [False, True]
        assert len(_seen(cast, made).claims) == 1
