"""Filing, answering, appealing, closing: who may, what may follow what, what is kept, and who of two is first."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, selectinload

import db
from claims import filing, moves, queries, review, words
from claims.access import Actor, system_actor
from claims.errors import AlreadyDecided
from claims.steps import next_step
from errors import InvalidInput, Moved, NotAllowed, NotFound, RecoupError
from models import (
    Account,
    Claim,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    NoteKind,
    OutboxMessage,
    Request,
    RequestKind,
    RequestStatus,
    User,
)
from tests.factories import NOW, TODAY, Cast, make_cast, make_claim, make_discrepancy

CASE = "10245671881"
S = ClaimStatus


def _made(cast: Cast, *, status: ClaimStatus = S.TO_SUBMIT, account_id: int | None = None, **more: Any) -> int:
    """Return the id of a claim in that state, filed unless it is to file."""
    filed = {"case_id": CASE, "submitted_at": NOW} if status not in (S.TO_SUBMIT, S.CLOSED) else {}
    with db.transaction() as session:
        found = make_discrepancy(
            session, account_id or cast.account_id, status=DiscrepancyStatus.APPROVED, announced_at=NOW
        )
        values = {"approved_by_id": cast.ann.user_id, "status": status, **filed, **more}
        return make_claim(session, found, **values).id


def _seen(claim_id: int, cast: Cast) -> Claim:
    with db.reading() as session:
        return queries.load_claim(session, claim_id, cast.adam)


def _submit(claim_id: int, actor: Actor, case_id: str = CASE, now: Any = NOW, filed_on: date | None = None) -> Claim:
    with db.transaction() as session:
        return filing.submit(session, claim_id, case_id=case_id, filed_on=filed_on, actor=actor, now=now)


def _record_outcome(claim_id: int, actor: Actor, status: ClaimStatus, **more: Any) -> Claim:
    with db.transaction() as session:
        values = {"now": NOW, "note": "as they wrote"} | more
        return filing.record_outcome(session, claim_id, status=status, actor=actor, **values)


def test_filing_keeps_amazons_case_who_and_when(database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    _submit(claim_id, cast.ann, f"  {CASE} ")
    seen = _seen(claim_id, cast)
    assert (seen.status, seen.case_id, seen.submitted_at) == (S.SUBMITTED, CASE, NOW)
    move = seen.history[-1]
    assert (move.action, move.from_status, move.to_status) == ("submitted", "to_submit", "submitted")
    assert (move.actor_name, move.through, move.at) == ("Ann", cast.ann.through, NOW)
    with db.reading() as session:
        told = session.scalar(select(OutboxMessage).where(OutboxMessage.kind == "card_update"))
        assert told is not None
        assert told.discrepancy_id == seen.discrepancies[0].id


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("10245671881", "10245671881"),
        (" 1024567188 \n", "1024567188"),
        ("123-4567890-1", "123-4567890-1"),
        ("123–4567890", "123-4567890"),
        ("#10245671881", "10245671881"),
        ("Case ID: 10245671881", "10245671881"),
        ("case 10245671881", "10245671881"),
        ("１０２４５６７１８８１", "10245671881"),
        ("48213", "48213"),
        ("CASE-1001", "CASE-1001"),
        ("1" * 32, "1" * 32),
    ],
)
def test_a_case_id_is_taken_as_seller_support_writes_it(written: str, kept: str) -> None:
    assert filing.checked_case_id(written) == kept


@pytest.mark.parametrize(
    "junk",
    ["", "  ", "none", "tbd", "12", "case", "1024567 1881", "10245671881; 99", "-10245671881", "1--2", "0" * 10,
     "9" * 33, "https://sellercentral.amazon.com/cu/case-dashboard/10245671881", "=1+10245", "12.345.678", "A-0",
     "\x00"],
)  # fmt: skip
def test_junk_is_refused_in_words(junk: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        filing.checked_case_id(junk)
    assert refused.value.field == "case_id"
    assert "case ID" in str(refused.value)


def test_several_claims_may_share_a_case(sqlite_database: str) -> None:
    cast = make_cast()
    for claim_id in (_made(cast), _made(cast)):
        assert _submit(claim_id, cast.ann).case_id == CASE


@pytest.mark.parametrize(("account", "hours", "is_taken"), [("US", 31, True), ("US", 32, False), ("JP", 15, False)])
def test_the_last_day_is_one_of_the_marketplaces_calendar(
    sqlite_database: str, account: str, hours: int, is_taken: bool
) -> None:
    """It closes on the 23rd: over at 08:00 UTC of the 24th in Los Angeles, at 15:00 UTC of the 23rd in Tokyo."""
    cast = make_cast()
    claim_id = _made(cast, closes_on=TODAY)
    with db.transaction() as session:
        session.get_one(Account, cast.account_id).marketplace = account
    at = NOW.replace(hour=0, minute=0) + timedelta(hours=hours)
    if is_taken:
        assert _submit(claim_id, cast.ann, now=at).status is S.SUBMITTED
    else:
        with pytest.raises(Moved, match="can no longer be filed: its last day was 23 Nov 2026"):
            _submit(claim_id, cast.ann, now=at)


LATER = NOW + timedelta(days=3)


def test_a_filing_that_is_told_later_counts_from_its_own_day(database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, closes_on=TODAY, created_at=NOW)
    with pytest.raises(Moved, match="If it was filed in time, say on which day"):
        _submit(claim_id, cast.ann, now=LATER)
    _submit(claim_id, cast.ann, now=LATER, filed_on=TODAY)
    seen = _seen(claim_id, cast)
    assert seen.status is S.SUBMITTED
    assert seen.submitted_at is not None
    assert filing.today_of(seen, seen.submitted_at) == TODAY
    assert seen.history[-1].note == "Filed on 23 Nov 2026"


@pytest.mark.parametrize("settled", [False, True])
def test_what_lapsed_though_it_was_filed_in_time_is_taken_up_again(database: str, settled: bool) -> None:
    cast = make_cast()
    claim_id = _made(cast, closes_on=TODAY, created_at=NOW, status=S.CLOSED, closed_reason="lapsed")
    status = DiscrepancyStatus.SETTLED if settled else DiscrepancyStatus.LAPSED
    with db.transaction() as session:
        session.get_one(Claim, claim_id, options=[selectinload(Claim.discrepancies)]).discrepancies[0].status = status
    with pytest.raises(Moved, match="If it was filed in time, say on which day"):
        _submit(claim_id, cast.ann, now=LATER)
    _submit(claim_id, cast.ann, now=LATER, filed_on=TODAY)
    seen = _seen(claim_id, cast)
    assert (seen.status, seen.closed_reason, seen.case_id) == (S.SUBMITTED, None, CASE)
    assert seen.discrepancies[0].status is DiscrepancyStatus.APPROVED
    with db.reading() as session:
        moved = queries.load_discrepancy(session, seen.discrepancies[0].id, cast.ann).history[-1]
    assert (moved.action, moved.from_status, moved.to_status) == ("filed_in_time", status.value, "approved")


@pytest.mark.parametrize(
    ("filed_on", "said"),
    [
        (TODAY + timedelta(days=4), "27 Nov 2026 lies ahead"),
        (TODAY - timedelta(days=1), "It was approved on 23 Nov 2026"),
        (TODAY + timedelta(days=2), "its last day was 24 Nov 2026"),
    ],
)
def test_a_day_of_filing_that_cannot_be_is_refused(sqlite_database: str, filed_on: date, said: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, closes_on=TODAY + timedelta(days=1), created_at=NOW)
    with pytest.raises(RecoupError, match=said):
        _submit(claim_id, cast.ann, now=LATER, filed_on=filed_on)


def test_what_was_withdrawn_is_not_taken_up_again(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, created_at=NOW, status=S.CLOSED, closed_reason="withdrawn")
    with pytest.raises(Moved, match="is not to be filed"):
        _submit(claim_id, cast.ann, now=LATER, filed_on=TODAY)


def _ask(claim_id: int, cast: Cast, **more: Any) -> None:
    with db.transaction() as session:
        values = {
            "client_id": cast.client_id,
            "claim_id": claim_id,
            "kind": RequestKind.SEND_INVOICE,
            "question": "Which invoice covers the mugs?",
            "asked_at": NOW,
        }
        session.add(Request(**(values | more)))


def test_a_request_to_the_client_holds_the_claim(database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    _ask(claim_id, cast)
    with pytest.raises(Moved, match="waits for the client, who was asked on 23 Nov 2026: “Which invoice") as held:
        _submit(claim_id, cast.ann)
    assert "close the request" in held.value.todo
    assert _seen(claim_id, cast).status is S.TO_SUBMIT


@pytest.mark.parametrize(
    "more", [{"status": RequestStatus.ANSWERED}, {"status": RequestStatus.CLOSED}, {"holds_claim": False}]
)
def test_a_request_that_is_done_or_holds_nothing_does_not(sqlite_database: str, more: dict[str, Any]) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    _ask(claim_id, cast, **more)
    assert _submit(claim_id, cast.ann).status is S.SUBMITTED


@pytest.mark.parametrize(("client", "is_taken"), [(ClientStatus.PAUSED, True), (ClientStatus.CANCELLED, False)])
def test_a_client_who_left_gets_nothing_filed(sqlite_database: str, client: ClientStatus, is_taken: bool) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).status = client
    if is_taken:
        assert _submit(claim_id, cast.ann).status is S.SUBMITTED
        return
    with pytest.raises(Moved, match="Acme is cancelled: nothing more is filed"):
        _submit(claim_id, cast.ann)
    assert _record_outcome(claim_id, cast.ann, S.CLOSED, reason="client_left").closed_reason == "client_left"


def test_who_comes_second_is_told_who_filed_it_and_as_which_case(database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    _submit(claim_id, cast.bea, "555555555")
    with pytest.raises(AlreadyDecided) as late:
        _submit(claim_id, cast.ann)
    assert str(late.value) == "Already filed as case 555555555 by Bea at 09:14 UTC."
    assert _seen(claim_id, cast).case_id == "555555555"


def test_a_mistyped_case_is_put_right_and_said_in_the_history(database: str) -> None:
    cast = make_cast()
    claim_id, unfiled = _made(cast, status=S.NEEDS_INFO), _made(cast)
    with db.transaction() as session:
        filing.correct_case(session, claim_id, case_id="10245671882", actor=cast.bea, now=NOW)
    with db.transaction() as session:  # the same again is no correction
        filing.correct_case(session, claim_id, case_id="10245671882", actor=cast.bea, now=NOW)
    seen = _seen(claim_id, cast)
    assert (seen.case_id, seen.status) == ("10245671882", S.NEEDS_INFO)
    assert [(move.action, move.note) for move in seen.history] == [("case_corrected", f"{CASE} → 10245671882")]
    with db.transaction() as session, pytest.raises(Moved, match="was not filed yet"):
        filing.correct_case(session, unfiled, case_id=CASE, actor=cast.ann, now=NOW)


def test_a_claim_that_was_closed_before_is_not_filed(sqlite_database: str) -> None:
    cast = make_cast()
    with pytest.raises(Moved, match="is not to be filed: it is Closed: not filed in time"):
        _submit(_made(cast, status=S.CLOSED, closed_reason="lapsed"), cast.ann)


def test_of_two_who_file_at_once_one_wins_and_the_other_is_told(database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    answers = _at_once(
        lambda: _submit(claim_id, cast.ann, "111111111"),
        lambda: _submit(claim_id, cast.bea, "222222222"),
    )
    lost = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(answer) for answer in lost] == [AlreadyDecided]
    seen = _seen(claim_id, cast)
    assert [move.action for move in seen.history] == ["submitted"]
    assert f"as case {seen.case_id} by {seen.history[0].actor_name}" in str(lost[0])


def test_of_undo_and_filing_at_once_one_wins(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        found = make_discrepancy(session, cast.account_id).id
    with db.transaction() as session:
        claim_id = review.approve(session, found, actor=cast.ann, now=NOW).id

    def undo() -> None:
        with db.transaction() as session:
            review.undo(session, found, actor=cast.bea, now=NOW)

    answers = _at_once(lambda: _submit(claim_id, cast.ann), undo)
    assert [isinstance(answer, Moved) for answer in answers].count(True) == 1
    seen = _seen(claim_id, cast)
    by_status = {S.SUBMITTED: DiscrepancyStatus.APPROVED, S.CLOSED: DiscrepancyStatus.OPEN}
    assert seen.discrepancies[0].status is by_status[seen.status]


def test_filing_waits_for_an_undo_that_began_before_it_and_is_told(postgres_database: str) -> None:
    """The one has locked the discrepancy, the other would lock the claim: neither may wait for the other for ever."""
    cast = make_cast()
    with db.transaction() as session:
        found = make_discrepancy(session, cast.account_id, announced_at=NOW).id
    with db.transaction() as session:
        claim_id = review.approve(session, found, actor=cast.ann, now=NOW).id
    with ThreadPoolExecutor(1) as hand:
        with db.transaction() as session:
            session.get_one(Discrepancy, found, with_for_update=True)
            filed = hand.submit(_submit, claim_id, cast.ann)
            _wait_until_somebody_waits()
            review.undo(session, found, actor=cast.bea, now=NOW)
        with pytest.raises(Moved, match="is not to be filed: it is Closed: undone"):
            filed.result(timeout=30)


def _wait_until_somebody_waits() -> None:
    until = time.monotonic() + 20
    with db.reading() as session:
        while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.01)


@pytest.mark.parametrize("to", ClaimStatus)
@pytest.mark.parametrize("before", ClaimStatus)
def test_what_may_follow_does_and_everything_else_is_refused_in_a_sentence(
    sqlite_database: str, before: ClaimStatus, to: ClaimStatus
) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=before)
    is_by_hand = to in filing.OUTCOMES and to in moves.MAY_BECOME[before]
    is_filing = to is S.SUBMITTED and before in (S.TO_SUBMIT, S.CLOSED)
    if is_by_hand and not is_filing:
        assert to in filing.recordable(before)
        assert _record_outcome(claim_id, cast.ann, to, reply="We looked into it.").status is to
        return
    assert to not in filing.recordable(before)
    with pytest.raises(RecoupError) as refused:
        _record_outcome(claim_id, cast.ann, to)
    said = str(refused.value)
    assert said[0].isupper()
    assert said.endswith(".")
    assert words.claim_status_name(to) in said or "filed first" in said
    seen = _seen(claim_id, cast)
    assert (seen.status, seen.history, seen.notes) == (before, [], [])


@pytest.mark.parametrize("money", sorted(filing.MONEY_STATES))
def test_only_matching_sets_a_money_state(sqlite_database: str, money: ClaimStatus) -> None:
    cast = make_cast()
    with pytest.raises(InvalidInput, match="only a payment of Amazon's that is matched"):
        _record_outcome(_made(cast, status=S.SUBMITTED), cast.ann, money)


@pytest.mark.parametrize("status", [S.DENIED, S.NEEDS_INFO])
def test_what_amazon_said_is_kept_with_a_refusal_and_a_question(database: str, status: ClaimStatus) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=S.SUBMITTED)
    with pytest.raises(InvalidInput) as missing:
        _record_outcome(claim_id, cast.ann, status, note=" ", reply="\n")
    assert missing.value.field == "reply"
    _record_outcome(
        claim_id, cast.ann, status, note="ask Acme", reply="Please send an invoice.", next_action_on=date(2026, 12, 1)
    )
    seen = _seen(claim_id, cast)
    assert [(note.kind, note.text, note.author_name) for note in seen.notes] == [
        (NoteKind.AMAZON_REPLY, "Please send an invoice.", "Ann"),
        (NoteKind.NOTE, "ask Acme", "Ann"),
    ]
    assert (seen.next_action_on, seen.notes[0].next_action_on) == (date(2026, 12, 1), date(2026, 12, 1))
    assert (seen.history[-1].action, seen.history[-1].note) == (status.value, "ask Acme")


def test_an_answer_sends_it_back_and_clears_the_day(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=S.NEEDS_INFO, next_action_on=TODAY)
    _record_outcome(claim_id, cast.ann, S.SUBMITTED, note=None)
    seen = _seen(claim_id, cast)
    assert (seen.status, seen.next_action_on, seen.history[-1].action) == (S.SUBMITTED, None, "answered")
    assert (seen.case_id, seen.submitted_at) == (CASE, NOW)


def test_appeals_are_counted(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=S.DENIED)
    _record_outcome(claim_id, cast.ann, S.APPEALED, note=None)
    _record_outcome(claim_id, cast.ann, S.DENIED)
    assert _record_outcome(claim_id, cast.ann, S.APPEALED, note=None).rounds == 2


@pytest.mark.parametrize(
    ("before", "given", "reason"),
    [
        (S.DENIED, {"note": None}, "refused"),
        (S.DENIED, {"reason": "withdrawn", "note": None}, "withdrawn"),
        (S.SUBMITTED, {"note": "sold the brand"}, "other"),
        (S.SUBMITTED, {"reason": "refused", "note": None, "reply": "We will not pay."}, "refused"),
        (S.TO_SUBMIT, {"reason": "withdrawn", "note": None}, "withdrawn"),
        (S.TO_SUBMIT, {"reason": "client_left", "note": None}, "client_left"),
    ],
)
def test_a_claim_is_closed_for_a_reason(
    sqlite_database: str, before: ClaimStatus, given: dict[str, Any], reason: str
) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=before, next_action_on=TODAY)
    _record_outcome(claim_id, cast.ann, S.CLOSED, **given)
    seen = _seen(claim_id, cast)
    assert (seen.status, seen.closed_reason, seen.next_action_on) == (S.CLOSED, reason, None)
    assert seen.history[-1].reason == reason


@pytest.mark.parametrize(
    ("before", "given", "field"),
    [
        (S.SUBMITTED, {"note": None}, "reason"),
        (S.SUBMITTED, {"reason": "undone"}, "reason"),
        (S.SUBMITTED, {"reason": "lapsed"}, "reason"),
        (S.SUBMITTED, {"reason": "other", "note": None}, "note"),
        (S.SUBMITTED, {"reason": "refused", "note": None}, "reply"),
        (S.TO_SUBMIT, {"reason": "refused"}, "reason"),
        (S.DENIED, {"next_action_on": TODAY}, "next_action_on"),
    ],
)
def test_a_closing_that_says_nothing_is_refused(
    sqlite_database: str, before: ClaimStatus, given: dict[str, Any], field: str
) -> None:
    cast = make_cast()
    with pytest.raises(InvalidInput) as refused:
        _record_outcome(_made(cast, status=before), cast.ann, S.CLOSED, **given)
    assert refused.value.field == field


def test_the_next_day_to_act_may_be_today_but_not_past(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=S.SUBMITTED)
    with pytest.raises(InvalidInput, match=r"22 Nov 2026 has passed\. Choose 23 Nov 2026"):
        _record_outcome(claim_id, cast.ann, S.DENIED, next_action_on=TODAY - timedelta(days=1))
    _record_outcome(claim_id, cast.ann, S.DENIED, next_action_on=TODAY)
    assert next_step(_seen(claim_id, cast)).told(TODAY) == "To appeal or to close by 23 Nov 2026, today"


def test_a_reply_changes_no_state_and_may_set_the_next_day(database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=S.SUBMITTED)
    with db.transaction() as session:
        filing.add_reply(
            session, claim_id, reply="We are looking.\nA. ", next_action_on=date(2026, 12, 5), actor=cast.ann, now=NOW
        )
    with db.transaction() as session:
        filing.add_reply(session, claim_id, reply="Still looking.", actor=cast.bea, now=NOW)
    seen = _seen(claim_id, cast)
    assert [note.text for note in seen.notes] == ["We are looking.\nA.", "Still looking."]
    assert (seen.status, seen.next_action_on) == (S.SUBMITTED, date(2026, 12, 5))
    assert [(move.action, move.actor_name) for move in seen.history] == [("replied", "Ann"), ("replied", "Bea")]


def test_what_one_person_sends_twice_is_kept_once(database: str) -> None:
    cast = make_cast()
    claim_id, soon = _made(cast, status=S.SUBMITTED), date(2026, 12, 5)
    for minutes, actor, next_on in ((0, cast.ann, None), (1, cast.ann, None), (2, cast.ann, soon), (9, cast.ann, soon)):
        with db.transaction() as session:
            at = NOW + timedelta(minutes=minutes)
            filing.add_reply(session, claim_id, reply="Wait.", next_action_on=next_on, actor=actor, now=at)
    for actor in (cast.ann, cast.ann, cast.bea):
        with db.transaction() as session:
            filing.add_note(session, claim_id, note="Rang them.", actor=actor, now=NOW)
    seen = _seen(claim_id, cast)
    assert [note.created_at.minute - NOW.minute for note in seen.notes if note.text == "Wait."] == [0, 2, 9]
    assert [note.author_name for note in seen.notes if note.text == "Rang them."] == ["Ann", "Bea"]
    assert [move.action for move in seen.history] == ["replied"] * 3 + ["noted"] * 2


def test_what_no_database_stores_is_left_out_of_a_reply(database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=S.SUBMITTED)
    with db.transaction() as session:
        filing.add_reply(session, claim_id, reply="Nul\x00 and half \ud83d.", actor=cast.ann, now=NOW)
    assert _seen(claim_id, cast).notes[0].text == "Nul and half ?."


def test_what_cannot_be_a_reply_is_refused(sqlite_database: str) -> None:
    cast = make_cast()
    filed, closed = _made(cast, status=S.SUBMITTED), _made(cast, status=S.CLOSED, submitted_at=NOW)
    for claim_id, given, field in (
        (filed, {"reply": " "}, "reply"),
        (filed, {"reply": "x" * (filing.LONGEST_REPLY + 1)}, "reply"),
        (filed, {"reply": "no", "next_action_on": TODAY - timedelta(days=1)}, "next_action_on"),
        (closed, {"reply": "no", "next_action_on": TODAY}, "next_action_on"),
    ):
        with db.transaction() as session, pytest.raises(InvalidInput) as refused:
            filing.add_reply(session, claim_id, actor=cast.ann, now=NOW, **given)
        assert refused.value.field == field
    with db.transaction() as session, pytest.raises(Moved, match="was not filed"):
        filing.add_reply(session, _made_in(session, cast), reply="We looked.", actor=cast.ann, now=NOW)


def _made_in(session: Session, cast: Cast) -> int:
    found = make_discrepancy(session, cast.account_id, status=DiscrepancyStatus.APPROVED)
    return make_claim(session, found, approved_by_id=cast.ann.user_id).id


def test_a_note_is_kept_at_any_time(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    with db.transaction() as session:
        filing.add_note(session, claim_id, note=" Called them ", actor=cast.ann, now=NOW)
    seen = _seen(claim_id, cast)
    assert [(note.kind, note.text) for note in seen.notes] == [(NoteKind.NOTE, "Called them")]
    assert seen.history[-1].action == "noted"
    with db.transaction() as session, pytest.raises(InvalidInput):
        filing.add_note(session, claim_id, note=" \n", actor=cast.ann, now=NOW)


def test_a_claim_is_given_to_somebody_of_the_staff(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    with db.transaction() as session:
        filing.assign(session, claim_id, assignee_id=cast.bea.user_id, actor=cast.ann, now=NOW)
    seen = _seen(claim_id, cast)
    assert seen.assignee is not None
    assert (seen.assignee.label, seen.history[-1].note) == ("Bea", "To Bea")
    with db.transaction() as session:  # the same again changes nothing
        filing.assign(session, claim_id, assignee_id=cast.bea.user_id, actor=cast.ann, now=NOW)
    for nobody in (cast.carl, cast.bill):
        with db.transaction() as session, pytest.raises(InvalidInput, match="does not work on claims"):
            filing.assign(session, claim_id, assignee_id=nobody.user_id, actor=cast.ann, now=NOW)
    with db.transaction() as session:
        filing.assign(session, claim_id, assignee_id=None, actor=cast.ann, now=NOW)
    seen = _seen(claim_id, cast)
    assert seen.assignee is None
    assert [move.action for move in seen.history] == ["assigned", "assigned"]


def test_somebody_who_left_is_given_nothing(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        session.get_one(User, cast.bea.user_id).is_active = False
    with db.transaction() as session, pytest.raises(InvalidInput, match="Bea does not work"):
        filing.assign(session, _made_in(session, cast), assignee_id=cast.bea.user_id, actor=cast.ann, now=NOW)


def test_what_moved_since_the_person_looked_is_told(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _made(cast, status=S.DENIED)
    with pytest.raises(Moved, match="it is Refused now, not Filed"):
        _record_outcome(claim_id, cast.ann, S.CLOSED, seen=S.SUBMITTED)


DOINGS = [
    lambda session, claim_id, actor: filing.submit(session, claim_id, case_id=CASE, actor=actor, now=NOW),
    lambda session, claim_id, actor: filing.record_outcome(
        session, claim_id, status=S.CLOSED, reason="withdrawn", actor=actor, now=NOW
    ),
    lambda session, claim_id, actor: filing.correct_case(session, claim_id, case_id=CASE, actor=actor, now=NOW),
    lambda session, claim_id, actor: filing.add_reply(session, claim_id, reply="No.", actor=actor, now=NOW),
    lambda session, claim_id, actor: filing.add_note(session, claim_id, note="No.", actor=actor, now=NOW),
    lambda session, claim_id, actor: filing.assign(session, claim_id, assignee_id=None, actor=actor, now=NOW),
]


@pytest.mark.parametrize("do", DOINGS)
def test_only_those_who_work_on_claims_may(sqlite_database: str, do: Any) -> None:
    cast = make_cast()
    claim_id = _made(cast)
    for nobody in (cast.carl, cast.bill, system_actor()):
        with db.transaction() as session, pytest.raises(NotAllowed):
            do(session, claim_id, nobody)
    with db.transaction() as session, pytest.raises(NotFound):
        do(session, 99, cast.ann)


def _at_once(*doings: Any) -> list[Any]:
    """Do them in threads that start together; return what each gave or raised."""
    start, answers = threading.Barrier(len(doings)), []

    def run(do: Any) -> None:
        start.wait()
        try:
            answers.append(do())
        except RecoupError as error:
            answers.append(error)

    threads = [threading.Thread(target=run, args=(do,)) for do in doings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers
