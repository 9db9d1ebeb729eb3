from typing import Any

import pytest
from redis import Redis

import outbox
from db import transaction
from jobs import doorbell, queue, runs
from models import Run
from tests.factories import NOW, make_account, make_client


@pytest.fixture(autouse=True)
def listening(silent_doorbell: None) -> None:
    doorbell.listen()


@pytest.fixture
def account_id(database: str, redis: "Redis[bytes]") -> int:
    with transaction() as session:
        return make_account(session, make_client(session)).id


def queued(redis: "Redis[bytes]", name: str) -> list[str]:
    return queue.queue(name, redis).job_ids


def test_an_import_rings_at_its_commit_and_not_before(account_id: int, redis: "Redis[bytes]") -> None:
    with transaction() as session:
        with session.begin_nested():
            runs.after_import(session, account_id, 1, NOW)
        assert queued(redis, queue.WORK) == []
    with transaction() as session:
        run_id = session.query(Run.id).scalar()
    assert queued(redis, queue.WORK) == [f"run-{run_id}-0"]


def test_messages_ring_for_their_delivery(account_id: int, redis: "Redis[bytes]") -> None:
    with transaction() as session:
        outbox.enqueue(session, "test", "one", now=NOW)
        outbox.enqueue(session, "test", "two", now=NOW)
    assert queued(redis, queue.MESSAGES) == ["deliver-1"]


def test_what_was_rolled_back_rings_nothing(account_id: int, redis: "Redis[bytes]") -> None:
    with transaction() as session:
        outbox.enqueue(session, "test", "one", now=NOW)
        runs.after_import(session, account_id, 1, NOW)
        session.flush()
        session.rollback()
    with transaction() as session:
        session.get(Run, 1)
    assert queued(redis, queue.MESSAGES) == queued(redis, queue.WORK) == []


def test_a_message_written_while_one_delivers_is_rung_too(account_id: int, redis: "Redis[bytes]") -> None:
    assert queue.ring_delivery(redis)
    messages = queue.queue(queue.MESSAGES, redis)
    messages.pop_job_id()  # a worker has taken it
    assert queue.ring_delivery(redis)
    assert not queue.ring_delivery(redis)
    assert messages.job_ids == ["deliver-2"]


def test_without_a_redis_the_transaction_stands(database: str, settings_of_the_test: Any) -> None:
    settings_of_the_test(REDIS_URL="unix:///tmp/nobody-listens-here.sock")
    with transaction() as session:
        outbox.enqueue(session, "test", "one", now=NOW)
    with transaction() as session:
        assert outbox.has_due(session, NOW)
