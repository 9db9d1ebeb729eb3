import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import select

import outbox
from billing.moves import send
from claims.leases import account_lease, held
from clock import utcnow
from db import reading, transaction
from jobs import cron, queue, runs
from models import AccountStatus, ClientStatus, Run, RunState
from tests.billing.paying import bill, billed_cast, filed, paid
from tests.factories import NOW, make_account, make_client
from tests.waiting import wait_until

MORNING = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # five o'clock in Los Angeles, fourteen in Berlin


def make_an_account(marketplace: str = "US", **more: Any) -> int:
    client = more.pop("client", ClientStatus.ACTIVE)
    with transaction() as session:
        return make_account(session, make_client(session, status=client), marketplace=marketplace, **more).id


def slots() -> list[tuple[int | None, str, str]]:
    with reading() as session:
        return [(run.account_id, run.kind, run.slot) for run in session.scalars(select(Run).order_by(Run.id))]


def test_each_account_gets_the_day_of_its_marketplace(database: str) -> None:
    american, german = make_an_account(), make_an_account("DE")
    cron.make_slots(MORNING - timedelta(minutes=1))
    assert sorted(slots()) == sorted([(american, "daily", "2026-11-22"), (german, "daily", "2026-11-23")])
    cron.make_slots(MORNING)
    assert (american, "daily", "2026-11-23") in slots()


def test_after_days_of_silence_only_the_latest_day_is_made(database: str) -> None:
    account = make_an_account()
    cron.make_slots(MORNING)
    cron.make_slots(MORNING + timedelta(days=5))
    assert slots() == [(account, "daily", "2026-11-23"), (account, "daily", "2026-11-28")]


@pytest.mark.parametrize("status", [AccountStatus.PAUSED, AccountStatus.CANCELLED, AccountStatus.DISCONNECTED])
def test_an_account_that_is_not_active_is_left_alone(sqlite_database: str, status: AccountStatus) -> None:
    make_an_account(status=status)
    make_an_account(client=ClientStatus.CANCELLED)
    assert cron.make_slots(MORNING) == 0


def test_a_paused_client_is_still_looked_after(sqlite_database: str) -> None:
    make_an_account(client=ClientStatus.PAUSED)
    assert cron.make_slots(MORNING) == 1


def test_two_crons_make_a_slot_once(database: str) -> None:
    accounts = [make_an_account() for _ in range(3)]
    together = threading.Barrier(2)

    def turn() -> None:
        together.wait()
        cron.make_slots(MORNING)

    crons = [threading.Thread(target=turn) for _ in range(2)]
    for thread in crons:
        thread.start()
    for thread in crons:
        thread.join()
    assert sorted(slots()) == [(account, "daily", "2026-11-23") for account in accounts]


@pytest.fixture
def due_run(sqlite_database: str, redis: "Redis[bytes]", set_clock: Callable[[datetime], None]) -> int:
    set_clock(MORNING)
    make_an_account()
    cron.make_slots(MORNING)
    with reading() as session:
        return session.scalars(select(Run.id)).one()


def queued(redis: "Redis[bytes]") -> list[str]:
    return [*queue.queue(queue.MESSAGES, redis).job_ids, *queue.queue(queue.WORK, redis).job_ids]


def test_what_is_due_is_rung_once_however_often_cron_turns(due_run: int, redis: "Redis[bytes]") -> None:
    for _ in range(3):
        cron.turn()
    assert queued(redis) == [f"run-{due_run}-0"]


def test_a_redis_that_was_emptied_is_rung_again(due_run: int, redis: "Redis[bytes]") -> None:
    cron.turn()
    redis.flushall()
    cron.turn()
    assert queued(redis) == [f"run-{due_run}-0"]


def test_a_run_is_rung_again_when_its_workers_lease_ran_out(due_run: int, redis: "Redis[bytes]") -> None:
    with reading() as session:
        account_id = session.scalars(select(Run.account_id)).one()
    with held(account_lease(account_id)) as lease:
        with transaction(lease) as session:
            assert runs.begin_all(session, account_id, utcnow()) == [due_run]
        cron.turn()
        assert queued(redis) == []
    cron.turn()
    assert queued(redis) == [f"run-{due_run}-1"]


def test_nothing_is_rung_for_work_that_is_done_or_not_yet_due(due_run: int, redis: "Redis[bytes]") -> None:
    with transaction() as session:
        session.get_one(Run, due_run).due_at = MORNING + timedelta(hours=1)
    cron.turn()
    with transaction() as session:
        run = session.get_one(Run, due_run)
        run.due_at, run.state = MORNING, RunState.DONE
    cron.turn()
    assert queued(redis) == []


def test_messages_that_wait_are_rung(due_run: int, redis: "Redis[bytes]", slack_is_on: None) -> None:
    with transaction() as session:
        session.get_one(Run, due_run).state = RunState.DONE
        outbox.enqueue(session, "test", "now", now=MORNING)
    cron.turn()
    assert queued(redis) == ["deliver-1"]


def test_the_archive_is_swept_once_a_day(sqlite_database: str, redis: "Redis[bytes]") -> None:
    stop = threading.Event()
    loop = threading.Thread(target=cron.run, args=(stop,), kwargs={"every_seconds": 0.01})
    loop.start()
    wait_until(lambda: queued(redis))
    redis.flushall()
    stop.wait(0.1)
    stop.set()
    loop.join()
    assert queued(redis) == []


def test_a_redis_that_is_gone_ends_a_turn_and_not_the_loop(
    sqlite_database: str, settings_of_the_test: Callable[..., None], set_clock: Callable[[datetime], None]
) -> None:
    set_clock(MORNING)
    account = make_an_account()
    settings_of_the_test(REDIS_URL="unix:///tmp/nobody-listens-here.sock")
    stop = threading.Event()
    loop = threading.Thread(target=cron.run, args=(stop,), kwargs={"every_seconds": 0.01})
    loop.start()
    stop.wait(0.2)
    assert loop.is_alive()
    stop.set()
    loop.join()
    assert slots() == [(account, "daily", "2026-11-23")]


def test_an_invoice_becomes_final_on_the_day_after_its_last(sqlite_database: str) -> None:
    cast = billed_cast()
    with transaction() as session:
        paid(session, filed(session, cast), "10.00")
    invoice_id = bill(cast).invoices[0].id
    with transaction() as session:
        send(session, invoice_id, actor=cast.bill, now=NOW)  # can be queried until the 30th, in Los Angeles
    assert cron.make_invoices_final(datetime(2026, 12, 1, 7, 59, tzinfo=UTC)) == 0
    assert cron.make_invoices_final(datetime(2026, 12, 1, 8, 0, tzinfo=UTC)) == 1
    assert cron.make_invoices_final(datetime(2026, 12, 2, tzinfo=UTC)) == 0
