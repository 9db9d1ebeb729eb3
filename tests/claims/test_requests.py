"""Asking the client, answering and closing: who may, what is held, what is told, and who of two is first."""

import queue
import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

import db
from claims import documents, filing, questions, requests, review
from claims.access import Actor, system_actor
from errors import InvalidInput, Moved, NotAllowed, NotFound, RecoupError
from models import (
    Claim,
    ClaimStatus,
    Client,
    ClientStatus,
    DocumentKind,
    HistoryEntry,
    Medium,
    OutboxMessage,
    Request,
    RequestKind,
    RequestStatus,
    Role,
)
from tests.factories import NOW, Cast, make_cast, make_claim, make_discrepancy, make_user

K = RequestKind


@pytest.fixture
def mail_is_on(settings_of_the_test: Callable[..., None]) -> None:
    settings_of_the_test(SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="desk@agency.example")


def _claim(
    cast: Cast, *, account_id: int | None = None, status: ClaimStatus = ClaimStatus.TO_SUBMIT, **more: Any
) -> int:
    with db.transaction() as session:
        row = make_discrepancy(session, account_id or cast.account_id, **more)
        return make_claim(session, row, approved_by_id=cast.ann.user_id, status=status).id


def _ask(claim_id: int, actor: Actor, kind: RequestKind = K.SEND_INVOICE, question: str | None = None) -> int:
    with db.transaction() as session:
        return requests.ask(session, claim_id, kind=kind, question=question, actor=actor, now=NOW).id


def _answer(request_id: int, actor: Actor, text: str = "Two boxes, on 3 October.") -> Request:
    with db.transaction() as session:
        return requests.answer(session, request_id, text=text, actor=actor, now=NOW + timedelta(hours=1))


def _close(request_id: int, actor: Actor) -> Request:
    with db.transaction() as session:
        return requests.close(session, request_id, actor=actor, now=NOW + timedelta(hours=2))


def _seen(cast: Cast, request_id: int) -> Request:
    with db.reading() as session:
        return requests.load(session, request_id, cast.ann)


def _outbox() -> list[OutboxMessage]:
    with db.reading() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def _history(claim_id: int) -> list[HistoryEntry]:
    with db.reading() as session:
        return list(session.scalars(select(HistoryEntry).where(HistoryEntry.claim_id == claim_id)))


def _held(claim_id: int) -> list[int]:
    with db.reading() as session:
        held = filing.holding_request(session, claim_id)
        return [held.id] if held else []


@pytest.mark.usefixtures("mail_is_on")
def test_asking_holds_the_claim_and_writes_a_mail_and_the_history(database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    made = _ask(claim_id, cast.ann, question="  Which invoice?\x00 ")
    seen = _seen(cast, made)
    assert (seen.status, seen.question, seen.client_id) == (RequestStatus.ASKED, "Which invoice?", cast.client_id)
    assert (seen.asked_by_id, seen.asked_at, _held(claim_id)) == (cast.ann.user_id, NOW, [made])
    [mail] = _outbox()
    assert (mail.kind, mail.medium, mail.key, mail.payload) == (
        "request_mail",
        Medium.MAIL,
        f"request:{made}",
        {"request_id": made},
    )
    [move] = _history(claim_id)
    assert (move.action, move.to_status, move.reason, move.note, move.actor_name) == (
        "request_asked",
        "asked",
        "send_invoice",
        "Which invoice?",
        "Ann",
    )


def test_a_client_whose_settings_say_so_is_asked_without_holding(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).requests_hold_claims = False
    _ask(claim_id, cast.ann)
    assert _held(claim_id) == []


def test_a_claim_that_is_filed_is_asked_about_and_not_held(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast, status=ClaimStatus.NEEDS_INFO)
    _ask(claim_id, cast.ann)
    assert _held(claim_id) == []


@pytest.mark.parametrize("status", [ClaimStatus.RECOVERED, ClaimStatus.CLOSED])
def test_about_a_claim_that_is_over_nothing_is_asked(sqlite_database: str, status: ClaimStatus) -> None:
    cast = make_cast()
    with pytest.raises(Moved, match="nothing to ask for"):
        _ask(_claim(cast, status=status), cast.ann)


def test_something_else_needs_a_question(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    with pytest.raises(InvalidInput) as refused:
        _ask(claim_id, cast.ann, K.OTHER, "  ")
    assert refused.value.field == "question"
    with pytest.raises(InvalidInput, match="2,001 characters"):
        _ask(claim_id, cast.ann, K.OTHER, "x" * 2001)


@pytest.mark.parametrize("kind", [K.CONFIRM_SHIPMENT, K.SEND_INVOICE, K.PROOF_OF_DELIVERY])
def test_the_usual_question_names_units_product_and_shipment(sqlite_database: str, kind: RequestKind) -> None:
    cast = make_cast()
    claim_id = _claim(cast, claim_type="inbound_lost", reference_kind="shipment", reference_id="FBA15X")
    asked = _seen(cast, _ask(claim_id, cast.ann, kind)).question
    assert "3 units of Blue mug (SKU-1)" in asked
    assert ("FBA15X" in asked) is (kind is not K.SEND_INVOICE)


def test_a_question_about_several_products_names_their_number(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        rows = [make_discrepancy(session, cast.account_id, title=title) for title in ("Blue mug", "Red mug")]
        asked = questions.usual(K.SEND_INVOICE, rows)
        assert asked is not None
        assert "Amazon asks what 6 units cost you" in asked
        assert questions.usual(K.OTHER, rows) is None


def test_the_same_is_asked_once_until_it_is_answered(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    first = _ask(claim_id, cast.ann)
    with pytest.raises(Moved, match=r"Already asked by Ann at 09:14 UTC\."):
        _ask(claim_id, cast.bea)
    _ask(claim_id, cast.bea, K.OTHER, "And who packed it?")
    with pytest.raises(Moved, match="Already asked by Bea"):
        _ask(claim_id, cast.bea, K.OTHER, "And who packed it? ")
    _ask(claim_id, cast.bea, K.OTHER, "And when?")
    _answer(first, cast.carl)
    assert _ask(claim_id, cast.bea) != first


@pytest.mark.usefixtures("slack_is_on")
def test_the_client_answers_which_frees_the_claim_and_is_told_in_slack(database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast, announced_at=NOW)
    made = _ask(claim_id, cast.ann)
    _answer(made, cast.carl)
    seen = _seen(cast, made)
    assert (seen.status, seen.answer, seen.answered_by_id) == (
        RequestStatus.ANSWERED,
        "Two boxes, on 3 October.",
        cast.carl.user_id,
    )
    assert _held(claim_id) == []
    news = [row for row in _outbox() if row.kind == "claim_news"]
    assert [(row.claim_id, row.payload) for row in news] == [(claim_id, {"what": "answered", "request_id": made})]
    assert [row.kind for row in _outbox()].count("card_update") == 2
    assert [(move.action, move.from_status, move.to_status) for move in _history(claim_id)] == [
        ("request_asked", None, "asked"),
        ("request_answered", "asked", "answered"),
    ]


@pytest.mark.usefixtures("slack_is_on")
def test_staff_answer_for_the_client_which_the_history_says_and_no_news_tell(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    _answer(_ask(claim_id, cast.ann), cast.bea)
    assert (_history(claim_id)[-1].action, _history(claim_id)[-1].actor_name) == ("request_answered_for", "Bea")
    assert _outbox() == []


def test_without_mail_and_slack_no_message_is_queued(sqlite_database: str) -> None:
    cast = make_cast()
    _answer(_ask(_claim(cast), cast.ann), cast.carl)
    assert _outbox() == []


def test_an_answer_says_something(sqlite_database: str) -> None:
    cast = make_cast()
    made = _ask(_claim(cast), cast.ann)
    with pytest.raises(InvalidInput) as refused:
        _answer(made, cast.carl, " \x00 ")
    assert refused.value.field == "text"
    assert _seen(cast, made).status is RequestStatus.ASKED


def test_files_are_kept_with_the_claim_as_what_was_asked_for(database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    made = _ask(claim_id, cast.ann, K.SEND_INVOICE)
    file = documents.read(BytesIO(b"%PDF-1.7\n1 0 obj\n%%EOF\n"), "Invoice 7.pdf")
    with db.transaction() as session:
        requests.answer(session, made, text=None, files=[file, file], actor=cast.carl, now=NOW)
    seen = _seen(cast, made)
    assert (seen.status, seen.answer) == (RequestStatus.ANSWERED, None)
    [kept] = seen.documents
    assert (kept.name, kept.claim_id, kept.kind, kept.uploaded_by_id) == (
        "Invoice 7.pdf",
        claim_id,
        DocumentKind.INVOICE,
        cast.carl.user_id,
    )
    assert _history(claim_id)[-1].note == "Files: Invoice 7.pdf, Invoice 7.pdf"


def test_one_answer_takes_only_so_many_files(sqlite_database: str) -> None:
    cast = make_cast()
    made = _ask(_claim(cast), cast.ann)
    files = [documents.Upload(f"{n}.pdf", "application/pdf", b"%PDF") for n in range(6)]
    with pytest.raises(InvalidInput, match="These are 6 files") as refused, db.transaction() as session:
        requests.answer(session, made, text="See there.", files=files, actor=cast.carl, now=NOW)
    assert refused.value.field == "files"


def test_closing_ends_the_hold_and_only_once(database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    made = _ask(claim_id, cast.ann)
    assert _close(made, cast.bea).status is RequestStatus.CLOSED
    assert _held(claim_id) == []
    with pytest.raises(Moved, match="This request was closed at 11:14 UTC"):
        _close(made, cast.ann)
    with pytest.raises(Moved, match="nothing is waited for"):
        _answer(made, cast.carl)


@pytest.mark.parametrize("move", [_answer, _close])
def test_who_comes_second_is_told(database: str, move: Callable[..., Any]) -> None:
    cast = make_cast()
    made = _ask(_claim(cast), cast.ann)
    _answer(made, cast.carl)
    with pytest.raises(Moved, match=r"Already answered by Carl at 10:14 UTC\."):
        _answer(made, cast.bea)
    _close(made, cast.ann)
    with pytest.raises(Moved):
        move(made, cast.ann)


def test_a_clients_person_is_not_told_who_of_the_agency_was_faster(sqlite_database: str) -> None:
    cast = make_cast()
    made = _ask(_claim(cast), cast.ann)
    _answer(made, cast.bea)
    with pytest.raises(Moved, match="Already answered by your agency") as told:
        _answer(made, cast.carl)
    assert "Bea" not in str(told.value)


@pytest.mark.parametrize("who", ["bill", "carl"])
def test_only_who_works_on_claims_asks_and_closes(sqlite_database: str, who: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    made = _ask(claim_id, cast.ann)
    for move in (lambda: _ask(claim_id, getattr(cast, who), K.OTHER, "x"), lambda: _close(made, getattr(cast, who))):
        with pytest.raises(NotAllowed, match="work on claims"):
            move()


def test_billing_does_not_answer_and_the_program_moves_nothing(sqlite_database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    made = _ask(claim_id, cast.ann)
    with pytest.raises(NotAllowed, match="answer requests"):
        _answer(made, cast.bill)
    for move in (lambda who: _ask(claim_id, who), lambda who: _answer(made, who), lambda who: _close(made, who)):
        with pytest.raises(NotAllowed, match="needs a person"):
            move(system_actor())


def test_another_clients_request_is_not_there(sqlite_database: str) -> None:
    cast = make_cast()
    made = _ask(_claim(cast, account_id=cast.other_account_id), cast.ann)
    with pytest.raises(NotFound) as foreign:
        _answer(made, cast.carl)
    with pytest.raises(NotFound) as missing:
        _answer(999, cast.carl)
    assert str(foreign.value).replace(str(made), "999") == str(missing.value)
    with db.reading() as session:
        with pytest.raises(NotFound):
            requests.load(session, made, cast.carl)
        assert session.scalars(requests.request_list(cast.carl)).all() == []
        assert [row.id for row in session.scalars(requests.request_list(cast.ann))] == [made]
        assert requests.of_claim(session, 1, cast.carl) == []


def test_people_of_a_cancelled_client_answer_nothing(sqlite_database: str) -> None:
    cast = make_cast()
    made = _ask(_claim(cast), cast.ann)
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).status = ClientStatus.CANCELLED
    with pytest.raises(NotAllowed, match="has ended"):
        _answer(made, cast.carl)


def test_of_two_people_who_answer_at_once_one_wins_and_the_other_is_told(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        user = make_user(session, name="Cora", role=Role.CLIENT, client_id=cast.client_id)
    cora = Actor(user.id, user.label, user.role, user.client_id, cast.carl.through)
    for _ in range(5):
        made = _ask(_claim(cast), cast.ann)
        start, told = threading.Barrier(2), queue.Queue()

        def press(actor: Actor, made: int = made, start: threading.Barrier = start, told: queue.Queue = told) -> None:
            start.wait(timeout=20)
            try:
                _answer(made, actor, f"said by {actor.name}")
                told.put((actor.name, ""))
            except Moved as faster:
                told.put((actor.name, str(faster)))

        hands = [threading.Thread(target=press, args=(actor,)) for actor in (cast.carl, cora)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(timeout=30)
        answers = dict(told.get(timeout=1) for _ in hands)
        [winner] = [name for name, lost in answers.items() if not lost]
        [lost] = [lost for lost in answers.values() if lost]
        assert lost.startswith(f"Already answered by {winner}")
        assert _seen(cast, made).answer == f"said by {winner}"


def test_of_two_people_who_ask_the_same_at_once_one_asks(database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    start, told = threading.Barrier(2), queue.Queue()

    def press(actor: Actor) -> None:
        start.wait(timeout=20)
        try:
            told.put(_ask(claim_id, actor))
        except Moved as faster:
            told.put(str(faster))

    hands = [threading.Thread(target=press, args=(actor,)) for actor in (cast.ann, cast.bea)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(timeout=30)
    outcomes = sorted((told.get(timeout=1) for _ in hands), key=str)
    assert [type(each) for each in outcomes] == [int, str]
    assert outcomes[1].startswith("Already asked by ")
    with db.reading() as session:
        assert session.get_one(Claim, claim_id).status is ClaimStatus.TO_SUBMIT


def test_with_the_claim_ends_what_is_asked_about_it(database: str) -> None:
    cast = make_cast()
    claim_id = _claim(cast)
    asked, answered = _ask(claim_id, cast.ann), _ask(claim_id, cast.ann, K.OTHER, "Why?")
    _answer(answered, cast.carl)
    with db.transaction() as session:
        filing.record_outcome(
            session, claim_id, status=ClaimStatus.CLOSED, reason="withdrawn", note="No.", actor=cast.bea, now=NOW
        )
    assert (_seen(cast, asked).status, _seen(cast, asked).closed_by_id) == (RequestStatus.CLOSED, cast.bea.user_id)
    assert _seen(cast, answered).status is RequestStatus.ANSWERED
    assert [move.action for move in _history(claim_id)].count("request_closed") == 1
    with pytest.raises(Moved, match="nothing is waited for"):
        _answer(asked, cast.carl)


def test_undoing_an_approval_ends_what_was_asked_about_its_claim(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        found = make_discrepancy(session, cast.account_id).id
        claim = review.approve(session, found, actor=cast.ann, now=NOW)
        asked = requests.ask(session, claim.id, kind=K.OTHER, question="Why?", actor=cast.ann, now=NOW).id
    with db.transaction() as session:
        review.undo(session, found, actor=cast.ann, now=NOW)
    assert _seen(cast, asked).status is RequestStatus.CLOSED


def test_an_answer_and_an_undo_at_once_never_wait_for_each_other_for_ever(database: str) -> None:
    cast = make_cast()
    for _ in range(6):
        with db.transaction() as session:
            found = make_discrepancy(session, cast.account_id, announced_at=NOW).id
            claim = review.approve(session, found, actor=cast.ann, now=NOW)
            asked = requests.ask(session, claim.id, kind=K.OTHER, question="Why?", actor=cast.ann, now=NOW).id
        start, told = threading.Barrier(2), queue.Queue()

        def undo(found: int = found) -> None:
            with db.transaction() as session:
                review.undo(session, found, actor=cast.ann, now=NOW)

        def press(move: Callable[[], Any], start: threading.Barrier = start, told: queue.Queue = told) -> None:
            start.wait(timeout=20)
            try:
                move()
                told.put("done")
            except Moved as faster:
                told.put(str(faster))
            except RecoupError as wrong:
                told.put(wrong)

        moves = (undo, lambda asked=asked: _answer(asked, cast.carl))
        hands = [threading.Thread(target=press, args=(move,)) for move in moves]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(timeout=30)
        outcomes = [told.get(timeout=1) for _ in hands]
        assert all(isinstance(outcome, str) for outcome in outcomes), outcomes
        assert "done" in outcomes
