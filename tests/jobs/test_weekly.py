"""Mondays at eight: which week is due for whom, and that closing one twice or halfway tells nobody twice."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from billing.week import Week
from claims.leases import client_lease, held
from clock import utcnow
from db import reading, transaction
from errors import InvalidInput
from jobs import cron, runs, weekly, work
from jobs.schedule import EACH_MONDAY, EachWeek, latest_week, week_due_at
from models import (
    Account,
    AccountStatus,
    AgencySettings,
    Claim,
    ClaimPayment,
    ClaimStatus,
    Client,
    ClientStatus,
    Invoice,
    InvoiceStatus,
    OutboxMessage,
    Run,
    RunState,
)
from tests.billing.week_rows import WEEK, claim, paid
from tests.factories import Cast, make_cast, make_client

AT_EIGHT = EachWeek("weekly", at=time(8))
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
MONDAY = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # eight o'clock in Los Angeles
SECOND = timedelta(seconds=1)
ZONES = ["America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "Africa/Cairo", "Australia/Lord_Howe", "America/Havana"]


@pytest.mark.parametrize(
    ("zone", "week", "utc"),
    [
        ("America/Los_Angeles", "2026-11-16", "2026-11-23T16:00"),
        ("America/Los_Angeles", "2026-03-02", "2026-03-09T15:00"),  # the clocks went forward on Sunday
        ("America/Los_Angeles", "2026-10-26", "2026-11-02T16:00"),  # and back
        ("Europe/Berlin", "2026-03-23", "2026-03-30T06:00"),
        ("Asia/Tokyo", "2026-11-16", "2026-11-22T23:00"),
    ],
)
def test_a_week_is_due_on_the_monday_after_it_at_eight_by_the_wall_clock(zone: str, week: str, utc: str) -> None:
    at, monday = datetime.fromisoformat(utc).replace(tzinfo=UTC), date.fromisoformat(week)
    assert week_due_at(AT_EIGHT, monday, ZoneInfo(zone)) == at
    assert latest_week(AT_EIGHT, at, ZoneInfo(zone)) == monday
    assert latest_week(AT_EIGHT, at - SECOND, ZoneInfo(zone)) == monday - timedelta(days=7)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    start=st.integers(0, 4 * 366 * 24).map(lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
    step=st.integers(1, 7 * 24).map(lambda hours: timedelta(hours=hours)),
)
def test_no_week_is_skipped_or_comes_twice(zone: ZoneInfo, start: datetime, step: timedelta) -> None:
    found = [latest_week(AT_EIGHT, start + i * step, zone) for i in range(120)]
    assert {monday.weekday() for monday in found} == {0}
    assert {(after - before).days for before, after in pairwise(found)} <= {0, 7}


@pytest.fixture
def cast(database: str, set_clock: Callable[[datetime], None], settings_of_the_test: Callable[..., None]) -> Cast:
    """At eight on Monday: the client Acme has an address, a channel, and money that came last week."""
    set_clock(MONDAY)
    settings_of_the_test(SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="desk@agency.example")
    settings_of_the_test(SLACK_BOT_TOKEN="xoxb-test", SLACK_SIGNING_SECRET="signed", SLACK_REVIEW_CHANNEL="C0REVIEW")
    cast = make_cast()
    with transaction() as session:
        for client in session.scalars(select(Client)):
            client.created_at = MONDAY - timedelta(days=90)
        for account in session.scalars(select(Account)):
            account.status = AccountStatus.PAUSED  # no daily runs
        acme = session.get_one(Client, cast.client_id)
        acme.address, acme.client_channel = "1 Quay", "C0ACME"
        session.get_one(Client, cast.other_client_id).status = ClientStatus.ONBOARDING
        paid(session, claim(session, cast.account_id, cast.ann.user_id, status=ClaimStatus.RECOVERED))
    return cast


def set_client(cast: Cast, **change: Any) -> None:
    with transaction() as session:
        for name, value in change.items():
            setattr(session.get_one(Client, cast.client_id), name, value)


def slots() -> list[tuple[int | None, str]]:
    with reading() as session:
        found = session.execute(select(Run.client_id, Run.slot).where(Run.kind == EACH_MONDAY.kind).order_by(Run.id))
        return [tuple(row) for row in found]


def queued() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(OutboxMessage.key).order_by(OutboxMessage.key)))


def invoices() -> list[tuple[str | None, InvoiceStatus, Decimal]]:
    with reading() as session:
        return [
            (each.number, each.status, each.total) for each in session.scalars(select(Invoice).order_by(Invoice.id))
        ]


def the_run() -> Run:
    with reading() as session:
        return session.scalars(select(Run).where(Run.kind == EACH_MONDAY.kind)).one()


def due_run() -> int:
    cron.make_slots(utcnow())
    return the_run().id


def test_each_client_is_due_once_and_two_crons_make_no_second(cast: Cast) -> None:
    cron.make_slots(MONDAY - SECOND)
    together = threading.Barrier(2)

    def turn() -> None:
        together.wait()
        cron.make_slots(MONDAY)

    crons = [threading.Thread(target=turn) for _ in range(2)]
    for each in crons:
        each.start()
    for each in crons:
        each.join()
    assert slots() == [(cast.client_id, "2026-11-09"), (cast.client_id, "2026-11-16")]


def test_each_client_has_the_week_of_its_own_clock(cast: Cast) -> None:
    with transaction() as session:
        tokyo = make_client(session, time_zone="Asia/Tokyo", created_at=MONDAY - timedelta(days=90)).id
    cron.make_slots(MONDAY - timedelta(hours=17))
    assert sorted(slots()) == [(cast.client_id, "2026-11-09"), (tokyo, "2026-11-16")]


def test_nobody_is_told_of_a_week_before_it_became_a_client(cast: Cast) -> None:
    set_client(cast, created_at=WEEK.ends_at)
    cron.make_slots(MONDAY)
    assert slots() == []
    cron.make_slots(MONDAY + timedelta(days=7))
    assert slots() == [(cast.client_id, "2026-11-23")]


@pytest.mark.parametrize(
    ("status", "is_told"), [(ClientStatus.ACTIVE, True), (ClientStatus.PAUSED, True), (ClientStatus.ONBOARDING, False)]
)
def test_a_paused_client_is_told_and_billed_too(cast: Cast, status: ClientStatus, is_told: bool) -> None:
    set_client(cast, status=status)
    cron.make_slots(MONDAY)
    assert bool(slots()) is is_told


def test_who_left_is_told_until_nothing_is_open(cast: Cast) -> None:
    set_client(cast, status=ClientStatus.CANCELLED)
    with transaction() as session:
        last = claim(session, cast.account_id, cast.ann.user_id)
        last_id = last.id
        for payment in session.scalars(select(ClaimPayment)):
            payment.matched_at = MONDAY
    told = []
    for number in range(3):
        at = MONDAY + timedelta(days=7 * number)
        cron.make_slots(at)
        told.append(len(slots()))
        with transaction() as session:
            session.get_one(Claim, last_id).status = ClaimStatus.CLOSED
    assert told == [1, 2, 2]  # the second for the money that was matched on the first Monday


def test_closing_a_week_bills_it_and_queues_mail_and_digest_at_once(cast: Cast) -> None:
    work.do(due_run())
    assert invoices() == [("00001", InvoiceStatus.SENT, Decimal("7.40"))]
    assert queued() == ["weekly_digest:1:2026-11-16", "weekly_mail:1:2026-11-16"]
    assert the_run().state is RunState.DONE
    work.do(the_run().id)
    weekly.do_now(cast.client_id, WEEK)
    assert len(invoices()) == 1
    assert len(queued()) == 2


def test_a_run_that_fails_leaves_neither_a_number_nor_a_message(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = due_run()

    def stumble(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(runs, "finish", stumble)
        with pytest.raises(ZeroDivisionError):
            work.do(run_id)
    assert (invoices(), queued()) == ([], [])
    assert (the_run().state, the_run().error) == (RunState.DUE, "ZeroDivisionError: see the log.")
    with transaction() as session:
        session.get_one(Run, run_id).due_at = MONDAY
    work.do(run_id)
    assert len(queued()) == 2
    assert invoices()[0][0] == "00001"


def test_a_run_whose_worker_died_is_done_again(cast: Cast) -> None:
    run_id = due_run()
    with transaction() as session:
        assert [run.id for run in runs.begin_all_for_client(session, cast.client_id, utcnow())] == [run_id]
    with reading() as session:
        assert [each.run_id for each in runs.due(session, utcnow())] == [run_id]
    work.do(run_id)
    assert len(queued()) == 2


def test_a_client_that_is_worked_on_is_left_to_the_other(cast: Cast) -> None:
    run_id = due_run()
    with held(client_lease(cast.client_id)):
        with reading() as session:
            assert runs.due(session, utcnow()) == []
        work.do(run_id)
    assert the_run().attempts == 0


def test_two_weeks_that_are_due_are_both_told(cast: Cast, set_clock: Callable[[datetime], None]) -> None:
    due_run()
    set_clock(MONDAY + timedelta(days=7))
    cron.make_slots(utcnow())
    with reading() as session:
        first = session.scalars(select(Run.id).order_by(Run.id)).first()
    work.do(first)
    assert [key for key in queued() if key.startswith("weekly_mail")] == [
        "weekly_mail:1:2026-11-16",
        "weekly_mail:1:2026-11-23",
    ]


def test_by_hand_it_does_what_is_due(cast: Cast) -> None:
    due_run()
    weekly.do_now(cast.client_id, WEEK)
    assert the_run().state is RunState.DONE


def test_a_week_that_is_not_over_is_not_closed(cast: Cast) -> None:
    running = Week.containing(date(2026, 11, 23), LOS_ANGELES)
    with pytest.raises(InvalidInput, match="not over yet"):
        weekly.do_now(cast.client_id, running)
    assert queued() == []


def test_without_mail_the_invoice_stays_a_draft_until_there_is(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, settings_of_the_test: Callable[..., None]
) -> None:
    monkeypatch.delenv("SMTP_URL")
    settings_of_the_test()
    closed = weekly.do_now(cast.client_id, WEEK)
    assert (closed.drafts, closed.queued) == (1, ("weekly_digest",))
    assert invoices() == [(None, InvoiceStatus.DRAFT, Decimal("7.40"))]
    settings_of_the_test(SMTP_URL="smtp://127.0.0.1:1")
    weekly.do_now(cast.client_id, WEEK)
    assert invoices()[0][:2] == ("00001", InvoiceStatus.SENT)


def test_without_a_channel_or_slack_there_is_no_digest(cast: Cast) -> None:
    set_client(cast, client_channel=None)
    assert weekly.do_now(cast.client_id, WEEK).queued == ("weekly_mail",)


def test_without_an_address_there_is_no_invoice_and_the_week_is_told_all_the_same(cast: Cast) -> None:
    set_client(cast, address="")
    closed = weekly.do_now(cast.client_id, WEEK)
    assert "has no address" in closed.not_billed
    assert invoices() == []
    assert len(queued()) == 2


def test_the_staff_are_told_once_a_week_by_the_agencys_clock(cast: Cast) -> None:
    with transaction() as session:
        session.add(AgencySettings(id=1, time_zone="Europe/Berlin"))
    eight_in_berlin = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert cron.make_staff_digest(eight_in_berlin - SECOND)
    assert cron.make_staff_digest(eight_in_berlin)
    assert not cron.make_staff_digest(eight_in_berlin + timedelta(days=6))
    assert queued() == ["staff_digest:2026-11-09", "staff_digest:2026-11-16"]


def test_the_staff_are_told_after_the_clients_invoices_are_made(cast: Cast) -> None:
    cron.make_slots(MONDAY)
    assert not cron.make_staff_digest(MONDAY)
    weekly.do_now(cast.client_id, WEEK)
    assert cron.make_staff_digest(MONDAY)


def test_the_staff_are_told_nothing_while_slack_is_off_or_there_is_no_client(
    sqlite_database: str, set_clock: Callable[[datetime], None], slack_is_on: None
) -> None:
    set_clock(MONDAY)
    assert not cron.make_staff_digest(MONDAY)
    assert queued() == []
