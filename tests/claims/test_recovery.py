"""What a client's recovery settings do to what is found, shown, claimed and billed."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session, selectinload

import db
from admin.people import SignedIn, may_enter
from billing import weekly
from billing.week import Week
from claims import clients, findings, recovery, requests, review
from claims.access import Actor
from detection.detectors import all_detectors
from detection.findings import Outcome
from errors import Moved, NotAllowed
from jobs.accounts import active_accounts
from models import (
    Approval,
    Claim,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    Invoice,
    OutboxMessage,
    RequestKind,
    Through,
    User,
)
from tests.billing.paying import SUNDAY, bill, filed, paid
from tests.factories import NOW, TODAY, Cast, make_cast, make_claim, make_discrepancy, make_finding, make_outcome

S = DiscrepancyStatus
DAY = timedelta(days=1)


def _record(cast: Cast, outcome: Outcome) -> findings.Recorded:
    with db.transaction() as session:
        return findings.record_findings(session, cast.account_id, outcome, lines={}, now=NOW)


def _set(cast: Cast, **changes: Any) -> None:
    with db.transaction() as session:
        clients.set_client(session, cast.client_id, actor=cast.adam, now=NOW, **changes)


def _move(cast: Cast, to: ClientStatus) -> None:
    with db.transaction() as session:
        clients.move_client(session, cast.client_id, to=to, actor=cast.adam, now=NOW)


def _rows() -> list[Discrepancy]:
    with db.reading() as session:
        found = select(Discrepancy).options(selectinload(Discrepancy.history)).order_by(Discrepancy.id)
        return list(session.scalars(found))


def _standing() -> list[tuple[str, S, str | None]]:
    return [(row.claim_type, row.status, row.status_reason) for row in _rows()]


def _told(kind: str) -> list[OutboxMessage]:
    with db.reading() as session:
        return list(session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)))


def test_the_claim_types_that_can_be_switched_are_those_that_have_a_rule() -> None:
    assert recovery.claim_types() == tuple(sorted(each.claim_type for each in all_detectors()))


def test_a_type_that_is_off_is_withdrawn_and_comes_back_when_it_is_on(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    kept, off = make_finding(), make_finding(claim_type="warehouse_damaged")
    outcome = make_outcome(kept, off)
    _record(cast, outcome)
    _set(cast, claim_types_off=["warehouse_damaged"])
    withdrawn = ("warehouse_damaged", S.WITHDRAWN, "switched_off")
    assert _standing() == [("warehouse_lost", S.OPEN, None), withdrawn]
    _record(cast, outcome)
    assert _standing()[1] == withdrawn
    _set(cast, claim_types_off=[])
    assert _standing()[1] == ("warehouse_damaged", S.OPEN, None)
    moves = [(entry.action, entry.actor_name, entry.reason) for entry in _rows()[1].history]
    assert moves == [
        ("found", "Recoup", None),
        ("withdrawn", "Adam", "switched_off"),
        ("reopened", "Adam", None),
    ]
    assert len(_told("card_update")) == 2  # its card says so, both times


def test_nothing_new_is_kept_or_announced_of_it_until_it_is_on(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    outcome = make_outcome(make_finding(), make_finding(claim_type="inbound_lost"))
    _set(cast, claim_types_off=["inbound_lost"])
    assert _record(cast, outcome).new == 1
    _set(cast, claim_types_off=[])
    recorded = _record(cast, outcome)
    assert (recorded.new, recorded.cards) == (1, 1)


def test_a_run_that_began_before_it_was_switched_off_is_put_right_by_the_next(sqlite_database: str) -> None:
    cast = make_cast()
    outcome = make_outcome(make_finding())
    _record(cast, outcome)
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).claim_types_off = ["warehouse_lost"]
    _record(cast, outcome)
    assert _standing() == [("warehouse_lost", S.WITHDRAWN, "switched_off")]


def test_what_amazon_paid_for_meanwhile_is_settled_and_not_withdrawn(sqlite_database: str) -> None:
    cast = make_cast()
    lost = make_finding()
    _record(cast, make_outcome(lost))
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).claim_types_off = ["warehouse_lost"]
    _record(cast, make_outcome(gone=[(lost, "paid_by_amazon")]))
    assert _standing() == [("warehouse_lost", S.SETTLED, "paid_by_amazon")]


def test_what_was_decided_goes_its_way(sqlite_database: str) -> None:
    cast = make_cast()
    outcome = make_outcome(make_finding())
    _record(cast, outcome)
    with db.transaction() as session:
        review.approve(session, 1, actor=cast.ann, now=NOW)
    _set(cast, claim_types_off=["warehouse_lost"])
    _record(cast, outcome)
    assert _standing() == [("warehouse_lost", S.APPROVED, None)]


@pytest.mark.parametrize(
    ("opens", "closes", "status"), [(1, 30, S.UPCOMING), (0, 30, S.OPEN), (-9, 0, S.OPEN), (-9, -1, S.LAPSED)]
)
def test_it_comes_back_as_its_days_say(sqlite_database: str, opens: int, closes: int, status: S) -> None:
    cast = make_cast()
    with db.transaction() as session:
        make_discrepancy(
            session,
            cast.account_id,
            status=S.WITHDRAWN,
            status_reason="switched_off",
            opens_on=TODAY + opens * DAY,
            closes_on=TODAY + closes * DAY,
        )
        session.get_one(Client, cast.client_id).claim_types_off = ["warehouse_lost"]
    _set(cast, claim_types_off=[])
    assert _standing() == [("warehouse_lost", status, None)]


def test_another_client_is_not_touched(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        make_discrepancy(session, cast.other_account_id)
    _set(cast, claim_types_off=["warehouse_lost"])
    assert _standing() == [("warehouse_lost", S.OPEN, None)]


def test_the_history_of_the_client_says_what_is_left_alone(sqlite_database: str) -> None:
    cast = make_cast()
    _set(cast, claim_types_off=["warehouse_lost"], wait_days=9)
    with db.reading() as session:
        note = session.scalars(select(HistoryEntry.note).where(HistoryEntry.client_id == cast.client_id)).one()
    assert note == "left alone: Lost in the warehouse, wait 9 days"


@pytest.mark.parametrize(
    ("window", "wait", "shown"),
    [
        (60, 0, 0),
        (60, 20, 20),
        (60, 50, 50),
        (60, 51, 50),  # the last days are kept for deciding
        (60, 120, 50),
        (10, 5, 0),
        (5, 5, 0),  # a window shorter than that is shown from its first day on
    ],
)
def test_a_wait_never_takes_the_last_days(window: int, wait: int, shown: int) -> None:
    lost = make_finding(opens_on=TODAY, closes_on=TODAY + window * DAY)
    assert recovery.shown_on(lost, wait) == TODAY + shown * DAY


WINDOW = {"opens_on": date(2026, 11, 4), "closes_on": date(2026, 12, 31)}


def _waited(on: date) -> Outcome:
    status = "claimable" if on >= WINDOW["opens_on"] else "upcoming"
    return make_outcome(make_finding(natural_key=("R", "", "", ""), status=status, **WINDOW), as_of=on)


def test_it_is_upcoming_until_the_wait_is_over_and_then_announced(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    _set(cast, wait_days=20)
    for on in (date(2026, 11, 4), date(2026, 11, 23)):
        _record(cast, _waited(on))
        assert [row.status for row in _rows()] == [S.UPCOMING]
    with pytest.raises(Moved, match="can be decided from 24 Nov 2026 on"), db.transaction() as session:
        review.approve(session, 1, actor=cast.ann, now=NOW)
    assert _record(cast, _waited(date(2026, 11, 24))).cards == 1
    assert [(row.status, row.history[-1].action) for row in _rows()] == [(S.OPEN, "opened")]


def test_a_shorter_wait_holds_at_once(sqlite_database: str) -> None:
    cast = make_cast()
    _set(cast, wait_days=30)
    _record(cast, _waited(TODAY))
    _set(cast, wait_days=19)
    assert [row.status for row in _rows()] == [S.OPEN]


def test_a_longer_wait_takes_nothing_away_that_was_shown(sqlite_database: str) -> None:
    cast = make_cast()
    _record(cast, _waited(TODAY))
    _set(cast, wait_days=30)
    _record(cast, _waited(TODAY + DAY))
    assert [row.status for row in _rows()] == [S.OPEN]


def test_the_next_run_says_the_same_as_the_change_of_the_setting(sqlite_database: str) -> None:
    cast = make_cast()
    _set(cast, wait_days=30)
    _record(cast, _waited(TODAY))
    _set(cast, wait_days=5)
    _record(cast, _waited(TODAY))
    assert [entry.action for entry in _rows()[0].history] == ["found", "opened"]


def test_below_the_least_value_there_is_no_card(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    _set(cast, min_value=Decimal(50))
    _record(cast, make_outcome(make_finding(), make_finding(value=Decimal(50)), make_finding(value=None)))
    assert len(_told("discrepancy_card")) == 2


@pytest.mark.parametrize(
    ("approval", "may", "may_not"), [("agency", "ann", "carl"), ("client", "carl", "ann"), ("both", "ann", None)]
)
def test_who_approves_is_asked(sqlite_database: str, approval: str, may: str, may_not: str | None) -> None:
    cast = make_cast()
    _set(cast, approval=approval)
    _record(cast, make_outcome(make_finding()))
    if may_not:
        with pytest.raises(NotAllowed), db.transaction() as session:
            review.approve(session, 1, actor=getattr(cast, may_not), now=NOW)
    with db.transaction() as session:
        claim = review.approve(session, 1, actor=getattr(cast, may), now=NOW)
        assert (claim is None) is (approval == Approval.BOTH)


@pytest.mark.parametrize("holds", [True, False])
def test_a_request_holds_the_claim_where_the_client_wants_it(sqlite_database: str, holds: bool) -> None:
    cast = make_cast()
    _set(cast, requests_hold_claims=holds)
    with db.transaction() as session:
        claim = make_claim(session, make_discrepancy(session, cast.account_id), approved_by_id=cast.ann.user_id)
        kind = RequestKind.SEND_INVOICE
        asked = requests.ask(session, claim.id, kind=kind, question=None, actor=cast.ann, now=NOW)
        assert asked.holds_claim is holds


def test_a_clients_own_channel_brings_the_weeks_digest(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    _set(cast, client_channel="C0ACME")
    with db.transaction() as session:
        week = Week(date(2026, 11, 9), _zone(session, cast))
        weekly.close_week(session, session.get_one(Client, cast.client_id), week, actor=cast.adam, now=NOW)
    assert [row.client_id for row in _told("weekly_digest")] == [cast.client_id]


def _zone(session: Session, cast: Cast) -> ZoneInfo:
    return ZoneInfo(session.get_one(Client, cast.client_id).time_zone)


def test_a_paused_client_gets_no_new_claims_but_open_ones_are_worked_to_their_end_and_billed(
    sqlite_database: str,
) -> None:
    cast = _billable()
    with db.transaction() as session:
        paid(session, filed(session, cast), "37.02")
    _record(cast, make_outcome(make_finding()))
    _move(cast, ClientStatus.PAUSED)
    assert _record(cast, make_outcome(make_finding())).new == 0
    with pytest.raises(Moved, match="no new claims"), db.transaction() as session:
        review.approve(session, 2, actor=cast.ann, now=NOW)
    assert cast.account_id in _watched()
    assert len(bill(cast).invoices) == 1
    _move(cast, ClientStatus.ACTIVE)
    assert _record(cast, make_outcome(make_finding())).new == 1


def test_what_is_undecided_is_withdrawn_and_never_comes_back(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    lost = [make_finding(), make_finding(), make_finding(status="upcoming", opens_on=TODAY + DAY)]
    _record(cast, make_outcome(*lost))
    with db.transaction() as session:
        review.approve(session, 1, actor=cast.ann, now=NOW)
    _move(cast, ClientStatus.CANCELLED)
    states = [(S.APPROVED, None), (S.WITHDRAWN, "client_left"), (S.WITHDRAWN, "client_left")]
    assert [(row.status, row.status_reason) for row in _rows()] == states
    _record(cast, make_outcome(*lost, make_finding()))
    assert [(row.status, row.status_reason) for row in _rows()] == states
    with db.reading() as session:
        claim = session.get_one(Claim, 1)
        assert (claim.status, claim.closed_reason) == (ClaimStatus.CLOSED, "client_left")


def test_what_is_with_amazon_is_watched_to_its_end_and_billed(sqlite_database: str) -> None:
    cast = _billable()
    with db.transaction() as session:
        claim = filed(session, cast)
        paid(session, claim, "37.02")
    _move(cast, ClientStatus.CANCELLED)
    assert cast.account_id in _watched()
    with db.transaction() as session:
        session.get_one(Claim, claim.id).status = ClaimStatus.RECOVERED
    assert cast.account_id not in _watched()
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).created_at = NOW - 60 * DAY
        week = Week(SUNDAY - 6 * DAY, _zone(session, cast))
        assert cast.client_id in [client.id for client in session.scalars(weekly.reported(week))]
    assert [row.id for row in bill(cast).invoices] == [1]
    with db.reading() as session:
        assert session.get_one(Invoice, 1).recovered == Decimal("37.02")


def test_the_access_of_the_clients_people_ends(sqlite_database: str) -> None:
    cast = make_cast()
    assert _enters(cast.carl)
    _move(cast, ClientStatus.CANCELLED)
    assert not _enters(cast.carl)
    assert _enters(cast.ann)


def test_the_books_hold_through_every_setting(database: str) -> None:
    cast = make_cast()
    found = [make_finding(claim_type=kind) for kind in ("warehouse_lost", "warehouse_damaged", "inbound_lost") * 3]
    outcome = make_outcome(*found)
    _record(cast, outcome)
    for changes in (
        {"claim_types_off": ["warehouse_damaged", "inbound_lost"]},
        {"wait_days": 40},
        {"claim_types_off": ["inbound_lost"]},
        {"wait_days": 0, "claim_types_off": []},
    ):
        _set(cast, **changes)
        _record(cast, outcome)
        assert len(_rows()) == len(found)
    assert Counter(row.status for row in _rows()) == {S.OPEN: len(found)}


def test_messages_about_a_client_can_be_written_while_its_settings_change(postgres_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        clients.set_client(session, cast.client_id, wait_days=5, actor=cast.adam, now=NOW)
        with db.engine().begin() as another:  # a daily run, which may hold what the change waits for
            another.execute(text("SET LOCAL lock_timeout = '2s'"))
            another.execute(insert(HistoryEntry).values(_entry(cast.client_id)))
    with db.reading() as session:
        told = session.scalars(select(HistoryEntry.action).where(HistoryEntry.client_id == cast.client_id)).all()
    assert sorted(told) == ["changed", "told"]


def _entry(client_id: int) -> dict[str, Any]:
    return {"client_id": client_id, "at": NOW, "actor_name": "Recoup", "through": Through.JOB, "action": "told"}


def _billable() -> Cast:
    cast = make_cast()
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).address = "1 Quay"
    return cast


def _watched() -> list[int]:
    with db.reading() as session:
        return [account.id for account in active_accounts(session)]


def _enters(who: Actor) -> bool:
    with db.reading() as session:
        user = session.scalar(select(User).where(User.id == who.user_id).options(selectinload(User.client)))
        return may_enter(SignedIn(user), user.client)
