"""Approve, reject, undo and clear: who may, what moves, what is told, and who of two is first."""

import multiprocessing
import queue
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import config
import db
from claims import queries, review
from claims.access import Actor, system_actor
from claims.errors import AlreadyDecided, CaveatsOpen, TooLateToUndo
from errors import InvalidInput, Moved, NotAllowed, NotFound
from models import (
    Claim,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    OutboxMessage,
    RejectReason,
    Through,
)
from tests.factories import NOW, Cast, make_cast, make_discrepancy

Move = Callable[[Session, int, Actor, datetime], Any]


def _approve(session: Session, discrepancy_id: int, actor: Actor, now: datetime) -> Claim:
    return review.approve(session, discrepancy_id, actor=actor, now=now)


def _reject(session: Session, discrepancy_id: int, actor: Actor, now: datetime) -> Discrepancy:
    return review.reject(session, discrepancy_id, reason=RejectReason.FOUND, actor=actor, now=now)


def _undo(session: Session, discrepancy_id: int, actor: Actor, now: datetime) -> Discrepancy:
    return review.undo(session, discrepancy_id, actor=actor, now=now)


def _clear(session: Session, discrepancy_id: int, actor: Actor, now: datetime) -> Discrepancy:
    code = "partial_coverage"
    return review.clear_caveat(session, discrepancy_id, code=code, note="Looked it up", actor=actor, now=now)


MOVES = [_approve, _reject, _undo, _clear]


def _made(cast: Cast, **more: Any) -> int:
    with db.transaction() as session:
        return make_discrepancy(session, more.pop("account_id", cast.account_id), **more).id


def _do(move: Move, discrepancy_id: int, actor: Actor, now: datetime = NOW) -> Any:
    with db.transaction() as session:
        return move(session, discrepancy_id, actor, now)


def _seen(discrepancy_id: int, actor: Actor) -> Discrepancy:
    with db.reading() as session:
        return queries.load_discrepancy(session, discrepancy_id, actor)


def test_approval_makes_a_claim_of_what_was_found(database: str) -> None:
    cast = make_cast()
    claim = _do(_approve, _made(cast), cast.ann)
    seen = _seen(claim.id, cast.ann)
    assert seen.status is DiscrepancyStatus.APPROVED
    assert (seen.decided_by_id, seen.decided_at) == (cast.ann.user_id, NOW)
    assert (claim.status, claim.quantity, str(claim.value), claim.currency) == (
        ClaimStatus.TO_SUBMIT,
        3,
        "37.02",
        "USD",
    )
    assert (claim.closes_on, claim.approved_by_id) == (seen.closes_on, cast.ann.user_id)


def test_each_move_is_a_row_that_says_who_when_from_to_and_through_what(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast)
    _do(_approve, made, cast.ann)
    _do(_undo, made, cast.bea, NOW + timedelta(minutes=1))
    with db.reading() as session:
        rows = session.scalars(select(HistoryEntry).where(HistoryEntry.discrepancy_id == made)).all()
        claims = session.scalars(select(HistoryEntry).where(HistoryEntry.claim_id.is_not(None))).all()
    told = [(row.action, row.from_status, row.to_status, row.actor_name, row.through) for row in rows]
    assert told == [
        ("approved", "open", "approved", "Ann", Through.CLI),
        ("undone", "approved", "open", "Bea", Through.CLI),
    ]
    assert [(row.action, row.from_status, row.to_status, row.reason) for row in claims] == [
        ("created", None, "to_submit", None),
        ("closed", "to_submit", "closed", "undone"),
    ]


def test_rejection_keeps_reason_and_note(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast)
    with db.transaction() as session:
        review.reject(session, made, reason=RejectReason.OTHER, note="  Sold off\x00 ", actor=cast.ann, now=NOW)
    seen = _seen(made, cast.ann)
    assert (seen.status, seen.status_reason) == (DiscrepancyStatus.REJECTED, "other")
    assert seen.history[-1].note == "Sold off"


@pytest.mark.parametrize("note", [None, "", "  "])
def test_another_reason_needs_a_note(sqlite_database: str, note: str | None) -> None:
    cast = make_cast()
    made = _made(cast)
    with pytest.raises(InvalidInput) as refused, db.transaction() as session:
        review.reject(session, made, reason=RejectReason.OTHER, note=note, actor=cast.ann, now=NOW)
    assert refused.value.field == "note"
    assert _seen(made, cast.ann).status is DiscrepancyStatus.OPEN


def test_caveats_stand_in_the_way_until_each_is_cleared(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast, caveats=["partial_coverage", "cost_without_source"])
    _do(_clear, made, cast.ann)
    with pytest.raises(CaveatsOpen) as refused:
        _do(_approve, made, cast.ann)
    assert refused.value.codes == ("cost_without_source",)
    with db.transaction() as session:
        code = "cost_without_source"
        review.clear_caveat(session, made, code=code, note="Invoice 7", actor=cast.bea, now=NOW)
    _do(_approve, made, cast.ann)
    cleared = {caveat.code: (caveat.cleared_by_id, caveat.note) for caveat in _seen(made, cast.ann).caveats}
    assert cleared["cost_without_source"] == (cast.bea.user_id, "Invoice 7")


def test_rejecting_needs_no_clearing(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast, caveats=["partial_coverage"])
    assert _do(_reject, made, cast.ann).status is DiscrepancyStatus.REJECTED


def test_a_caveat_is_cleared_once_and_with_a_note(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast, caveats=["partial_coverage"])
    with pytest.raises(InvalidInput), db.transaction() as session:
        review.clear_caveat(session, made, code="partial_coverage", note=" ", actor=cast.ann, now=NOW)
    _do(_clear, made, cast.ann)
    with pytest.raises(AlreadyDecided, match=r"Already cleared by Ann at 09:14 UTC\."):
        _do(_clear, made, cast.bea)
    with pytest.raises(NotFound), db.transaction() as session:
        review.clear_caveat(session, made, code="in_research", note="Why", actor=cast.ann, now=NOW)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("who", ["bill", "carl"])
def test_people_without_the_role_move_nothing(sqlite_database: str, move: Move, who: str) -> None:
    cast = make_cast()
    made = _made(cast, caveats=["partial_coverage"])
    with pytest.raises(NotAllowed, match="Ask an admin"):
        _do(move, made, getattr(cast, who))
    assert _seen(made, cast.ann).status is DiscrepancyStatus.OPEN


@pytest.mark.parametrize("move", MOVES)
def test_a_row_that_is_not_there_is_not_found(sqlite_database: str, move: Move) -> None:
    with pytest.raises(NotFound, match="There is no discrepancy 999"):
        _do(move, 999, make_cast().ann)


@pytest.mark.parametrize("move", MOVES)
def test_the_program_itself_decides_nothing(sqlite_database: str, move: Move) -> None:
    made = _made(make_cast(), caveats=["partial_coverage"])
    with pytest.raises(NotAllowed, match="needs a person"):
        _do(move, made, system_actor())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (DiscrepancyStatus.UPCOMING, "from 4 Nov 2026 on"),
        (DiscrepancyStatus.LAPSED, "its last day was 19 Dec 2026"),
        (DiscrepancyStatus.SETTLED, "found again"),
        (DiscrepancyStatus.WITHDRAWN, "Withdrawn"),
        (DiscrepancyStatus.SNOOZED, "Snoozed"),
    ],
)
@pytest.mark.parametrize("move", [_approve, _reject])
def test_what_cannot_be_decided_says_why(
    sqlite_database: str, move: Move, status: DiscrepancyStatus, words: str
) -> None:
    cast = make_cast()
    made = _made(cast, status=status, status_reason="found" if status is DiscrepancyStatus.SETTLED else None)
    with pytest.raises(Moved, match=words):
        _do(move, made, cast.ann)


@pytest.mark.parametrize("status", [ClientStatus.PAUSED, ClientStatus.CANCELLED])
def test_a_paused_client_gets_no_new_claim(sqlite_database: str, status: ClientStatus) -> None:
    cast = make_cast()
    made = _made(cast)
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).status = status
    with pytest.raises(Moved, match=f"Acme is {status.value}"):
        _do(_approve, made, cast.ann)


@pytest.mark.parametrize(("first", "what"), [(_approve, "approved"), (_reject, "rejected")])
@pytest.mark.parametrize("second", [_approve, _reject])
def test_second_press_is_told_who_was_first(database: str, first: Move, second: Move, what: str) -> None:
    cast = make_cast()
    made = _made(cast)
    _do(first, made, cast.ann)
    with pytest.raises(AlreadyDecided) as told:
        _do(second, made, cast.bea, NOW + timedelta(minutes=3))
    assert (told.value.what, told.value.by, told.value.at) == (what, "Ann", NOW)
    assert told.value.message == f"Already {what} by Ann at 09:14 UTC."
    with pytest.raises(AlreadyDecided, match="on 23 Nov 2026 at 09:14 UTC"):
        _do(second, made, cast.bea, NOW + timedelta(days=1))


@pytest.mark.parametrize("first", [_approve, _reject])
@pytest.mark.parametrize(
    ("after", "is_in_time"),
    [(timedelta(0), True), (timedelta(minutes=10, microseconds=-1), True), (timedelta(minutes=10), False)],
)
def test_a_decision_can_be_undone_for_ten_minutes(
    database: str, first: Move, after: timedelta, is_in_time: bool
) -> None:
    cast = make_cast()
    made = _made(cast)
    _do(first, made, cast.ann)
    assert (review.undo_until(_seen(made, cast.ann), NOW + after) is not None) is is_in_time
    if not is_in_time:
        with pytest.raises(TooLateToUndo, match="at 09:14 UTC, more than 10 minutes ago"):
            _do(_undo, made, cast.bea, NOW + after)
        return
    _do(_undo, made, cast.bea, NOW + after)
    seen = _seen(made, cast.ann)
    assert (seen.status, seen.status_reason, seen.decided_by_id, seen.decided_at) == (
        DiscrepancyStatus.OPEN,
        None,
        None,
        None,
    )
    assert [(claim.status, claim.closed_reason) for claim in seen.claims] == (
        [(ClaimStatus.CLOSED, "undone")] if first is _approve else []
    )


def test_only_a_claim_to_file_can_be_undone(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast)
    claim = _do(_approve, made, cast.ann)
    with db.transaction() as session:
        session.get_one(Claim, claim.id).status = ClaimStatus.CLOSED
    assert review.undo_until(_seen(made, cast.ann), NOW) is None
    with pytest.raises(Moved, match="no longer to be filed"):
        _do(_undo, made, cast.ann)


def test_there_is_nothing_to_undo_twice(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast)
    _do(_approve, made, cast.ann)
    _do(_undo, made, cast.ann)
    with pytest.raises(Moved, match="no decision to undo"):
        _do(_undo, made, cast.bea)


def test_after_an_undo_it_can_be_approved_again(database: str) -> None:
    cast = make_cast()
    made = _made(cast)
    first = _do(_approve, made, cast.ann)
    _do(_undo, made, cast.ann)
    second = _do(_approve, made, cast.bea)
    assert first.id != second.id
    assert [claim.status for claim in _seen(made, cast.ann).claims] == [ClaimStatus.CLOSED, ClaimStatus.TO_SUBMIT]


def test_a_decision_makes_the_card_stale_now_and_when_undo_ends(sqlite_database: str) -> None:
    cast = make_cast()
    told, silent = _made(cast, announced_at=NOW), _made(cast)
    _do(_approve, told, cast.ann)
    _do(_approve, silent, cast.ann)
    with db.reading() as session:
        rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.not_before)).all()
    assert [(row.kind, row.discrepancy_id, row.not_before) for row in rows] == [
        ("card_update", told, NOW),
        ("card_update", told, NOW + timedelta(minutes=10)),
    ]


@pytest.mark.parametrize("first", [_approve, _reject])
def test_an_undo_makes_the_card_stale_once(sqlite_database: str, first: Move) -> None:
    cast = make_cast()
    told = _made(cast, announced_at=NOW)
    _do(first, told, cast.ann)
    undone_at = NOW + timedelta(minutes=1)
    _do(_undo, told, cast.ann, undone_at)
    with db.reading() as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.created_at == undone_at)).all()
    assert [(row.kind, row.discrepancy_id) for row in rows] == [("card_update", told)]


def test_a_move_that_fails_leaves_nothing_behind(sqlite_database: str) -> None:
    cast = make_cast()
    made = _made(cast, announced_at=NOW)

    def killed_before_the_commit(session: Session, *given: Any) -> None:
        _approve(session, *given)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        _do(killed_before_the_commit, made, cast.ann)
    with db.reading() as session:
        assert session.scalars(select(Claim)).all() == []
        assert session.scalars(select(HistoryEntry)).all() == []
        assert session.scalars(select(OutboxMessage)).all() == []
    assert _seen(made, cast.ann).status is DiscrepancyStatus.OPEN


def _press(start: Any, move: Move, discrepancy_id: int, actor: Actor, answers: Any) -> None:
    start.wait(timeout=20)
    try:
        _do(move, discrepancy_id, actor)
        answers.put((actor.name, "won", ""))
    except AlreadyDecided as error:
        answers.put((actor.name, "lost", error.by))


def _press_in_a_process(start: Any, discrepancy_id: int, actor: Actor, answers: Any) -> None:
    config.settings.cache_clear()
    db.dispose()
    _press(start, _approve, discrepancy_id, actor, answers)


def _one_won(answers: list[tuple[str, str, str]], actor: Actor, made: int) -> None:
    outcomes = {outcome: (name, by) for name, outcome, by in answers}
    assert set(outcomes) == {"won", "lost"}
    assert outcomes["lost"][1] == outcomes["won"][0]
    assert len(_seen(made, actor).claims) <= 1


@pytest.mark.parametrize("other", [_approve, _reject])
def test_of_two_threads_that_press_at_once_one_wins(database: str, other: Move) -> None:
    cast = make_cast()
    for _ in range(5):
        made = _made(cast)
        start, answers = threading.Barrier(2), queue.Queue()
        pressing = [
            threading.Thread(target=_press, args=(start, move, made, actor, answers))
            for move, actor in ((_approve, cast.ann), (other, cast.bea))
        ]
        for each in pressing:
            each.start()
        for each in pressing:
            each.join(timeout=30)
        _one_won([answers.get(timeout=1) for _ in pressing], cast.ann, made)


def test_of_two_processes_that_press_at_once_one_wins(database: str) -> None:
    cast = make_cast()
    made = _made(cast)
    spawning = multiprocessing.get_context("spawn")
    start, answers = spawning.Barrier(2), spawning.Queue()
    pressing = [
        spawning.Process(target=_press_in_a_process, args=(start, made, actor, answers))
        for actor in (cast.ann, cast.bea)
    ]
    for each in pressing:
        each.start()
    told = [answers.get(timeout=30) for _ in pressing]
    for each in pressing:
        each.join(timeout=30)
    _one_won(told, cast.ann, made)
