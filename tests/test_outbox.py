"""Messages are queued once, taken by one sender, and looked up before they are sent a second time."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

import db
import outbox
from errors import Moved, NotAllowed, NotFound
from models import Discrepancy, OutboxMessage, OutboxState
from tests.factories import NOW, make_cast, make_discrepancy

SECOND = timedelta(seconds=1)


def _enqueue(*keys: str, kind: str = "card_update", not_before: datetime | None = None) -> None:
    with db.transaction() as session:
        for key in keys:
            outbox.enqueue(session, kind, key, now=NOW, not_before=not_before)


def _claim(worker: str, limit: int = 10, now: datetime = NOW) -> list[OutboxMessage]:
    with db.transaction() as session:
        return outbox.claim_batch(session, worker, limit, now)


def _only() -> OutboxMessage:
    with db.reading() as session:
        return session.scalars(select(OutboxMessage)).one()


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The machine's time as the outbox sees it; change the item to let time pass."""
    times = [NOW]
    monkeypatch.setattr(outbox, "real_now", lambda: times[0])
    return times


def test_a_key_is_queued_once(database: str) -> None:
    _enqueue("a", "b", "a")
    _enqueue("a")
    assert [row.key for row in _claim("w")] == ["a", "b"]
    _enqueue("a")
    assert _claim("w") == []


def test_messages_are_taken_oldest_first_and_not_before_their_time(database: str) -> None:
    _enqueue("later", not_before=NOW + SECOND)
    _enqueue("first", "second", "third")
    assert [row.key for row in _claim("w", limit=2)] == ["first", "second"]
    assert [row.key for row in _claim("w")] == ["third"]
    assert [row.key for row in _claim("w", now=NOW + SECOND)] == ["later"]


def test_senders_that_take_at_once_share_without_doubles(database: str) -> None:
    _enqueue(*(f"key {n}" for n in range(60)))
    taken: dict[str, list[str]] = {}
    start = threading.Barrier(3)

    def take(worker: str) -> None:
        start.wait(timeout=20)
        taken[worker] = []
        while batch := _claim(worker, limit=5):
            taken[worker].extend(row.key for row in batch)

    threads = [threading.Thread(target=take, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    keys = [key for batch in taken.values() for key in batch]
    assert sorted(keys) == sorted(f"key {n}" for n in range(60))


def test_what_a_dead_sender_held_is_taken_again_as_unsure(database: str, real_time: list[datetime]) -> None:
    _enqueue("a")
    assert [row.is_unsure for row in _claim("dead")] == [False]
    real_time[0] += outbox.HOLD - SECOND
    assert _claim("next") == []
    real_time[0] += SECOND
    (again,) = _claim("next")
    assert (again.is_unsure, again.attempts, again.claimed_by) == (True, 2, "next")


def test_a_jump_of_the_business_clock_takes_nothing_from_its_holder(
    sqlite_database: str, real_time: list[datetime]
) -> None:
    _enqueue("a")
    _claim("busy")
    assert _claim("next", now=NOW + timedelta(days=90)) == []


def test_a_sender_whose_hold_has_passed_may_not_send(database: str, real_time: list[datetime]) -> None:
    _enqueue("a")
    (row,) = _claim("slow")

    def held(worker: str) -> bool:
        with db.reading() as session:
            return outbox.still_held(session, row.id, worker)

    assert held("slow")
    assert not held("other")
    real_time[0] += outbox.HOLD
    assert not held("slow")
    _claim("other")
    assert held("other")


def test_a_sender_whose_hold_has_passed_changes_nothing_of_the_next_ones(
    database: str, real_time: list[datetime]
) -> None:
    _enqueue("a")
    (row,) = _claim("slow")
    real_time[0] += outbox.HOLD
    _claim("next")
    with db.transaction() as session:
        outbox.mark_retry(session, row.id, "timed out", NOW + SECOND, worker="slow")
        outbox.mark_failed(session, row.id, "refused", worker="slow")
        outbox.mark_unsure(session, row.id, "lost", worker="slow")
        assert not outbox.hold_longer(session, row.id, "slow")
        assert outbox.hold_longer(session, row.id, "next")
    assert (_only().state, _only().claimed_by, _only().last_error) == (OutboxState.SENDING, "next", None)


def test_what_was_sent_is_never_taken_again_and_a_card_knows_its_place(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        made = make_discrepancy(session, cast.account_id).id
        outbox.enqueue(session, outbox.CARD, f"card:{made}", now=NOW, discrepancy_id=made)
    (row,) = _claim("w")
    with db.transaction() as session:
        outbox.mark_sent(session, row.id, "C0REVIEW", "1700.1", NOW)
    assert _claim("w", now=NOW + timedelta(days=1)) == []
    with db.reading() as session:
        told = session.get_one(Discrepancy, made)
        assert (told.card_channel, told.card_ts, told.version) == ("C0REVIEW", "1700.1", 1)
    assert (_only().state, _only().sent_at, _only().claimed_by) == (OutboxState.SENT, NOW, None)


def test_what_is_told_with_another_message_is_sent_unless_it_was_given_up(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        about, other = (make_discrepancy(session, cast.account_id).id for _ in range(2))
        for key, discrepancy_id, after in (
            ("first", about, 0),
            ("second", about, 0),
            ("third", about, 0),
            ("not due", about, 1),
            ("other card", other, 0),
        ):
            not_before = NOW + after * SECOND
            outbox.enqueue(
                session, outbox.CARD_UPDATE, key, now=NOW, not_before=not_before, discrepancy_id=discrepancy_id
            )
        outbox.enqueue(session, outbox.CARD, "card", now=NOW, discrepancy_id=about)
    first, second, *_ = _claim("w", limit=2)
    with db.transaction() as session:
        alike = outbox.told_with(session, first, NOW)
    with db.transaction() as session:
        outbox.mark_failed(session, second.id, "refused", worker="w")
        outbox.mark_sent(session, first.id, None, None, NOW, told_with=alike)
    with db.reading() as session:
        states = {row.key: row.state for row in session.scalars(select(OutboxMessage))}
    pending = dict.fromkeys(("not due", "other card", "card"), OutboxState.PENDING)
    assert (
        states
        == {
            "first": OutboxState.SENT,
            "second": OutboxState.FAILED,
            "third": OutboxState.SENT,
        }
        | pending
    )


def test_a_retry_waits_and_remembers_whether_it_may_have_arrived(database: str) -> None:
    _enqueue("a")
    (row,) = _claim("w")
    with db.transaction() as session:
        outbox.mark_retry(session, row.id, "timed out", NOW + SECOND, worker="w", is_unsure=True)
    assert _claim("w") == []
    (row,) = _claim("w", now=NOW + SECOND)
    assert row.is_unsure
    with db.transaction() as session:
        outbox.mark_retry(session, row.id, "429", NOW + SECOND, worker="w", is_unsure=False)
    assert not _claim("w", now=NOW + SECOND)[0].is_unsure


def test_what_failed_for_good_is_named_and_not_tried_again(sqlite_database: str) -> None:
    _enqueue("a", "b")
    (row,) = _claim("w", limit=1)
    with db.transaction() as session:
        outbox.mark_failed(session, row.id, "channel_not_found", worker="w")
    assert [left.key for left in _claim("w")] == ["b"]
    with db.reading() as session:
        named = [(left.key, left.last_error) for left in outbox.undelivered(session, NOW)]
    assert named == [("a", "channel_not_found"), ("b", None)]


def test_what_waits_for_its_next_try_is_named_too(sqlite_database: str) -> None:
    _enqueue("a")
    _enqueue("later", not_before=NOW + SECOND)
    (row,) = _claim("w")
    with db.transaction() as session:
        outbox.mark_retry(session, row.id, "Slack does not answer.", NOW + SECOND, worker="w")
    with db.reading() as session:
        named = [(left.key, left.last_error) for left in outbox.undelivered(session, NOW)]
    assert named == [("a", "Slack does not answer.")]


def test_there_is_something_to_send_only_when_it_is_due(sqlite_database: str) -> None:
    _enqueue("later", not_before=NOW + SECOND)
    with db.reading() as session:
        assert not outbox.has_due(session, NOW)
        assert outbox.has_due(session, NOW + SECOND)


def _in_state(key: str, state: OutboxState, **more: object) -> int:
    _enqueue(key)
    with db.transaction() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.key == key)).one()
        row.state = state
        for name, value in more.items():
            setattr(row, name, value)
        return row.id


@pytest.mark.parametrize("state", [OutboxState.FAILED, OutboxState.UNSURE])
def test_what_was_given_up_is_sent_again_when_a_person_asks(database: str, state: OutboxState) -> None:
    cast = make_cast()
    message_id = _in_state("a", state, attempts=9, is_unsure=True, payload={"week": "2026-11-16"})
    assert _claim("w") == []
    with db.transaction() as session:
        outbox.resend(session, message_id, actor=cast.ann, now=NOW)
    (row,) = _claim("w")
    assert (row.attempts, row.is_unsure) == (1, True)  # Slack is searched for it before it is posted again
    asked = {"by": "Ann", "user_id": cast.ann.user_id, "at": NOW.isoformat()}
    assert row.payload == {"week": "2026-11-16", "resent": [asked]}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (OutboxState.PENDING, "Message 1 waits to be sent."),
        (OutboxState.SENDING, "Message 1 is being sent."),
        (OutboxState.SENT, "Message 1 has arrived."),
    ],
)
def test_what_is_on_its_way_or_there_is_not_sent_again(sqlite_database: str, state: OutboxState, said: str) -> None:
    cast = make_cast()
    message_id = _in_state("a", state)
    with db.transaction() as session, pytest.raises(Moved) as refused:
        outbox.resend(session, message_id, actor=cast.ann, now=NOW)
    assert refused.value.message == said
    assert _only().payload == {}


def test_only_those_who_work_on_claims_send_again(sqlite_database: str) -> None:
    cast = make_cast()
    message_id = _in_state("a", OutboxState.FAILED)
    for actor in (cast.bill, cast.carl):
        with db.transaction() as session, pytest.raises(NotAllowed):
            outbox.resend(session, message_id, actor=actor, now=NOW)
    with db.transaction() as session, pytest.raises(NotFound):
        outbox.resend(session, 77, actor=cast.adam, now=NOW)


def test_what_a_person_should_look_at_is_given_up_unsure_or_long_overdue(database: str) -> None:
    hour = outbox.OVERDUE
    _in_state("failed", OutboxState.FAILED)
    _in_state("unsure", OutboxState.UNSURE)
    _in_state("fresh", OutboxState.PENDING, created_at=NOW - hour + SECOND)
    _in_state("overdue", OutboxState.PENDING, created_at=NOW - hour)
    _in_state("later", OutboxState.PENDING, created_at=NOW - hour, not_before=NOW + SECOND)
    _in_state("sent", OutboxState.SENT, created_at=NOW - hour)
    with db.reading() as session:
        found = session.scalars(select(OutboxMessage.key).where(outbox.stuck(NOW)).order_by(OutboxMessage.id)).all()
    assert found == ["failed", "unsure", "overdue"]
