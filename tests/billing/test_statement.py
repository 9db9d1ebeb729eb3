"""The figures of a week: what belongs to it, in which currency, and whose."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

import db
from billing import moves, phrases
from billing.invoices import make_invoices
from billing.statement import Bill, Figure, Statement, Sum, statement
from models import (
    Approval,
    ApprovalGiven,
    ClaimStatus,
    Client,
    DiscrepancyStatus,
    Invoice,
    InvoiceStatus,
    RequestStatus,
)
from tests.billing.week_rows import IN_WEEK, WEEK, asked, claim, found, moved, paid, refused
from tests.factories import NOW, Cast, make_cast

SECOND = timedelta(seconds=1)
BEFORE, AFTER = WEEK.begins_at - SECOND, WEEK.ends_at
EDGES = (WEEK.begins_at, WEEK.ends_at - SECOND)


@pytest.fixture
def cast(database: str) -> Cast:
    return make_cast()


def read(cast: Cast, **more: Any) -> Statement:
    with db.reading() as session:
        return statement(session, WEEK, **({"client_id": cast.client_id} | more))


def usd(count: int, units: int, money: str, in_stock: int = 0) -> Sum:
    return Sum("USD", count, units, Decimal(money), in_stock)


def test_a_week_without_anything_is_empty(cast: Cast) -> None:
    assert read(cast) == Statement(WEEK)


def test_what_was_found_counts_in_the_week_of_the_clients_calendar(cast: Cast) -> None:
    with db.transaction() as session:
        for at in (BEFORE, *EDGES, AFTER):
            found(session, cast.account_id, at=at)
        found(session, cast.account_id, to="upcoming", status=DiscrepancyStatus.UPCOMING)
    assert read(cast).of(Figure.FOUND) == (usd(3, 9, "111.06"),)


def test_currencies_stay_apart_and_an_unknown_value_is_counted_without_money(cast: Cast) -> None:
    with db.transaction() as session:
        found(session, cast.account_id)
        found(session, cast.account_id, currency="EUR", value=Decimal("5.50"))
        found(session, cast.account_id, value=None, unit_value=None)
    assert read(cast).of(Figure.FOUND) == (
        Sum("EUR", 1, 3, Decimal("5.50")),
        usd(1, 3, "37.02"),
        Sum(None, 1, 3, None),
    )


def test_a_loss_that_was_too_old_when_it_was_found_is_not_told_as_one_that_was_missed(cast: Cast) -> None:
    with db.transaction() as session:
        found(session, cast.account_id, to="lapsed", status=DiscrepancyStatus.LAPSED)
        missed = found(session, cast.account_id, at=BEFORE, status=DiscrepancyStatus.LAPSED)
        moved(session, missed, "lapsed", from_status="open", to_status="lapsed", reason="lapsed")
    told = read(cast)
    assert told.of(Figure.TOO_LATE) == told.of(Figure.LAPSED) == (usd(1, 3, "37.02"),)
    assert told.of(Figure.FOUND) == ()


def test_what_amazon_paid_by_itself_is_not_recovered(cast: Cast) -> None:
    with db.transaction() as session:
        for reason in ("paid_by_amazon", "found"):
            row = found(session, cast.account_id, at=BEFORE, status=DiscrepancyStatus.SETTLED)
            moved(session, row, "settled", from_status="open", to_status="settled", reason=reason)
    told = read(cast)
    assert told.of(Figure.PAID_BY_AMAZON) == (usd(1, 3, "37.02"),)
    assert not told.of(Figure.RECOVERED) + told.of(Figure.SINCE_START)


def test_money_is_of_the_week_in_which_amazon_approved_it_however_late_it_was_seen(cast: Cast) -> None:
    with db.transaction() as session:
        for on in ("2026-11-15", "2026-11-16", "2026-11-22", "2026-11-23"):
            paid(session, claim(session, cast.account_id, cast.ann.user_id), on=date.fromisoformat(on))
    told = read(cast)
    assert told.of(Figure.RECOVERED) == (usd(2, 6, "74.04"),)
    assert told.of(Figure.SINCE_START) == (usd(3, 9, "111.06"),)


def test_what_came_too_late_for_its_own_week_is_told_with_the_invoice_that_has_it(cast: Cast) -> None:
    """The report lags by days: what was approved on a Friday is seldom known on Monday."""
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).address = "1 Quay"
        row, other = (claim(session, cast.account_id, cast.ann.user_id) for _ in range(2))
        given = paid(session, row, on=date(2026, 11, 13))
        paid(session, row, "-12.34", cash=-1, reverses=given, on=date(2026, 11, 14))
        paid(session, other, on=date(2026, 11, 17))
    assert not read(cast).of(Figure.BILLED_NOW)
    with db.transaction() as session:
        made = make_invoices(session, cast.client_id, WEEK.sunday, actor=cast.bill, now=AFTER)
    told = read(cast)
    assert told.of(Figure.BILLED_NOW) == (usd(1, 3, "37.02"),)
    assert told.of(Figure.CREDITED_NOW) == (usd(1, -1, "-12.34"),)
    assert told.of(Figure.RECOVERED) == (usd(1, 3, "37.02"),)
    assert phrases.total(told) == "37.02 USD recovered last week."
    late = replace(told, sums={figure: sums for figure, sums in told.sums.items() if figure is not Figure.RECOVERED})
    assert phrases.total(late) == "37.02 USD recovered earlier is billed now."
    assert not read(cast, client_id=cast.other_client_id).sums
    with db.transaction() as session:
        moves.void(session, made.invoices[0].id, note="wrong", actor=cast.bill, now=AFTER)
    assert not read(cast).of(Figure.BILLED_NOW)


def test_a_claim_that_is_paid_twice_is_one_claim_and_stock_is_no_money(cast: Cast) -> None:
    with db.transaction() as session:
        row = claim(session, cast.account_id, cast.ann.user_id)
        paid(session, row, "12.34", cash=1)
        paid(session, row, "12.34", cash=1)
        paid(session, row, "0", cash=0, stock=1, currency=None)
    assert read(cast).of(Figure.RECOVERED) == (usd(1, 2, "24.68"), Sum(None, 1, 1, None, 1))


def test_what_amazon_took_back_is_told_apart_and_leaves_the_total(cast: Cast) -> None:
    with db.transaction() as session:
        row = claim(session, cast.account_id, cast.ann.user_id)
        given = paid(session, row, on=date(2026, 11, 10))
        paid(session, claim(session, cast.account_id, cast.ann.user_id))
        paid(session, row, "-12.34", cash=-1, reverses=given)
    told = read(cast)
    assert told.of(Figure.RECOVERED) == (usd(1, 3, "37.02"),)
    assert told.of(Figure.TAKEN_BACK) == (usd(1, -1, "-12.34"),)
    assert told.of(Figure.SINCE_START) == (usd(2, 5, "61.70"),)


def test_filed_and_refused_are_of_the_week_and_a_refusal_has_what_amazon_wrote(cast: Cast) -> None:
    with db.transaction() as session:
        for at in (BEFORE, *EDGES, AFTER):
            claim(session, cast.account_id, cast.ann.user_id, submitted_at=at)
        row = claim(session, cast.account_id, cast.ann.user_id)
        refused(session, row, "We found the units.")
        refused(session, row, at=IN_WEEK + SECOND)  # appealed, and refused again
        refused(session, claim(session, cast.account_id, cast.ann.user_id), "Too late.", at=BEFORE)
    told = read(cast)
    assert told.of(Figure.FILED) == (usd(2, 6, "74.04"),)
    assert told.of(Figure.REFUSED) == (usd(1, 3, "37.02"),)
    assert [each.why for each in told.refusals] == ["We found the units.", ""]


def test_what_is_to_be_filed_or_answered_by_amazon_is_under_way(cast: Cast) -> None:
    with db.transaction() as session:
        for status in ClaimStatus:
            claim(session, cast.account_id, cast.ann.user_id, status=status)
    assert read(cast).of(Figure.UNDER_WAY) == (usd(4, 12, "148.08"),)


def test_what_waits_for_the_client_is_what_is_asked_now(cast: Cast) -> None:
    with db.transaction() as session:
        row = claim(session, cast.account_id, cast.ann.user_id)
        asked(session, row, cast.client_id, asked_at=AFTER)
        asked(session, row, cast.client_id)
        answered = claim(session, cast.account_id, cast.ann.user_id)
        asked(session, answered, cast.client_id, status=RequestStatus.ANSWERED)
    assert read(cast).of(Figure.TO_ANSWER) == (usd(1, 3, "37.02"),)


@pytest.mark.parametrize(("approval", "count"), [(Approval.AGENCY, 0), (Approval.CLIENT, 1), (Approval.BOTH, 1)])
def test_a_client_who_approves_is_told_what_waits_for_it(cast: Cast, approval: Approval, count: int) -> None:
    with db.transaction() as session:
        client = session.get_one(Client, cast.client_id)
        client.approval, client.min_value = approval, Decimal("37.02")
        found(session, cast.account_id)
        found(session, cast.account_id, value=Decimal("37.01"))  # too small to be shown
        found(session, cast.account_id, caveats=["partial_coverage"])  # the agency has to look first
        given = found(session, cast.account_id)
        session.add(ApprovalGiven(discrepancy_id=given.id, side=Approval.CLIENT, user_id=cast.carl.user_id, at=IN_WEEK))
    assert read(cast).count(Figure.TO_APPROVE) == count


def test_a_client_sees_no_other_clients_rows_and_the_staff_see_all(cast: Cast) -> None:
    with db.transaction() as session:
        for account_id in (cast.account_id, cast.other_account_id):
            fill(session, cast, account_id)
    own, other = read(cast), read(cast, client_id=cast.other_client_id)
    everything = read(cast, client_id=None)
    assert own.sums == other.sums
    assert set(own.sums) == set(Figure) - {
        Figure.TO_APPROVE,
        Figure.TAKEN_BACK,
        Figure.BILLED_NOW,
        Figure.CREDITED_NOW,
    }
    for figure in own.sums:
        assert everything.count(figure) == 2 * own.count(figure), figure
    assert [each.client for each in other.refusals] == ["Bolt"]
    assert len(everything.refusals) == 2


def fill(session: Session, cast: Cast, account_id: int) -> None:
    """Put one of each into the week."""
    found(session, account_id)
    found(session, account_id, to="lapsed")
    for status, reason in (("lapsed", "lapsed"), ("settled", "paid_by_amazon")):
        row = found(session, account_id, at=BEFORE)
        moved(session, row, status, from_status="open", to_status=status, reason=reason)
    row = claim(session, account_id, cast.ann.user_id, submitted_at=IN_WEEK)
    asked(session, row, cast.client_id if account_id == cast.account_id else cast.other_client_id)
    paid(session, row)
    refused(session, claim(session, account_id, cast.ann.user_id), "No.")


def make_invoice(session: Session, client_id: int, **more: Any) -> Invoice:
    values: dict[str, Any] = {
        "client_id": client_id,
        "number": "R-7",
        "status": InvoiceStatus.SENT,
        "currency": "USD",
        "week_from": WEEK.monday,
        "week_to": WEEK.sunday,
        "recovered": Decimal("37.02"),
        "fee": Decimal("7.40"),
        "tax_rate": Decimal("0.19"),
        "tax": Decimal("1.41"),
        "total": Decimal("8.81"),
        "created_at": NOW,
        "sent_at": NOW,
    }
    made = Invoice(**(values | more))
    session.add(made)
    session.flush()
    return made


def test_the_bills_are_those_that_were_sent_for_the_week(cast: Cast) -> None:
    with db.transaction() as session:
        made = make_invoice(session, cast.client_id)
        make_invoice(session, cast.client_id, number=None, status=InvoiceStatus.DRAFT, currency="EUR")
        make_invoice(session, cast.client_id, number="R-6", week_from=date(2026, 11, 9))
        make_invoice(session, cast.other_client_id, number="R-8")
        make_invoice(session, cast.other_client_id, number="R-9", status=InvoiceStatus.VOID, currency="EUR")
    assert read(cast).bills == (Bill(made.id, "R-7", "Acme", "USD", Decimal("8.81")),)
    assert [bill.number for bill in read(cast, client_id=None).bills] == ["R-7", "R-8"]


@contextmanager
def counted() -> Iterator[list[str]]:
    sent: list[str] = []

    def note(*said: Any) -> None:
        if not said[2].startswith("BEGIN"):
            sent.append(said[2])

    event.listen(db.engine(), "before_cursor_execute", note)
    yield sent
    event.remove(db.engine(), "before_cursor_execute", note)


def test_three_statements_tell_a_week_however_much_there_is(cast: Cast) -> None:
    with db.transaction() as session:
        for _ in range(3):
            fill(session, cast, cast.account_id)
    with db.reading() as session, counted() as sent:
        statement(session, WEEK, client_id=cast.client_id)
    assert len(sent) == 3
