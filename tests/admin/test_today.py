from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

import db
from claims import review
from models import Account, ClaimStatus, Client, CommissionRate, DiscrepancyStatus, Import, User
from tests.admin.conftest import Office, Person
from tests.billing.paying import filed, paid
from tests.factories import NOW, TODAY

HOME = "/admin/"


@pytest.fixture
def ann(office: Office) -> Person:
    return office.signed_in(office.cast.ann)


def test_the_day_begins_with_what_is_to_decide_and_what_is_urgent(office, ann):
    office.put(closes_on=TODAY + timedelta(days=2), value=Decimal("1200.50"))
    office.put(closes_on=TODAY + timedelta(days=30), caveats=["partial_coverage"])
    office.put(status=DiscrepancyStatus.UPCOMING)
    shown = ann.text(HOME)
    assert "2 discrepancies to decide" in shown
    assert "23 Nov 2026 : 1 closes in under 4 days" in shown
    assert "To decide 2 1,237.52 USD" in shown
    assert "Of these, check first 1" in shown
    assert "Upcoming 1" in shown


def test_the_nearest_deadlines_lead_to_what_is_to_do(office, ann):
    office.put(closes_on=TODAY + timedelta(days=3))
    with db.transaction() as session:
        review.approve(session, 1, actor=office.cast.ann, now=NOW)
    office.put(closes_on=TODAY + timedelta(days=5))
    shown = ann.text(HOME)
    assert shown.index("File: Lost in the warehouse") < shown.index("Decide: Lost in the warehouse")
    assert "in 3 days 26 Nov 2026" in shown


def test_a_day_is_over_when_it_is_over_in_its_marketplace(office, ann, set_clock):
    office.put(closes_on=TODAY)
    set_clock(datetime(TODAY.year, TODAY.month, TODAY.day, 23, 59, tzinfo=UTC) + timedelta(hours=6))
    shown = ann.text(HOME)
    assert "23 Nov 2026 : 1 closes in under 4 days" in shown
    assert "today 23 Nov 2026" in shown


def test_currencies_and_unknown_values_are_never_added_up(office, ann):
    office.put()
    office.put(value=Decimal("5.00"), currency="GBP")
    office.put(value=None, currency=None)
    assert "To decide 3 5.00 GBP + 37.02 USD + 1 not known" in ann.text(HOME)


def test_weeks_ahead_have_their_numbers_and_urgency_in_words(office, ann):
    office.put(closes_on=TODAY + timedelta(days=1))
    office.put(closes_on=TODAY + timedelta(days=5))
    office.put(closes_on=TODAY + timedelta(days=15))
    office.put(closes_on=TODAY + timedelta(days=90))
    with db.transaction() as session:
        review.approve(session, 2, actor=office.cast.ann, now=NOW)  # to file counts as to decide does
    shown = ann.text(HOME)
    assert "1 of 3 deadlines in under 4 days" in shown
    assert "23 Nov 1 in under 4 days, 1 in under 10 days 74.04 USD" in shown
    assert "30 Nov 0 –" in shown
    assert "7 Dec 1 later 37.02 USD" in shown
    assert "1 more closes later." in shown


def test_what_was_recovered_is_drawn_by_week_for_each_currency_of_its_own(office, ann):
    with db.transaction() as session:
        claim = filed(session, office.cast)
        first = paid(session, claim, "1000.50", on=date(2026, 11, 23))
        paid(session, claim, "20.00", on=date(2026, 11, 22))
        paid(session, claim, "-15.00", on=date(2026, 11, 23), reverses=first)
        paid(session, claim, "7.00", on=date(2026, 11, 18), currency="GBP")
        paid(session, claim, "99.00", on=date(2026, 9, 1))  # before the first week
    shown = ann.text(HOME)
    assert "1,020.50 USD recovered in eight weeks, the most in the week from 23 Nov" in shown
    assert "16 Nov 1 20.00 USD 23 Nov 1 1,000.50 USD 15.00 USD taken back" in shown
    assert shown.index("1,020.50 USD recovered") < shown.index("7.00 GBP recovered in eight weeks")


def test_what_is_open_stands_by_its_next_step(office, ann):
    office.put()
    office.put(status=DiscrepancyStatus.UPCOMING)
    with db.transaction() as session:
        filed(session, office.cast)
        filed(session, office.cast, status=ClaimStatus.DENIED)
        filed(session, office.cast, status=ClaimStatus.APPEALED, value=None, currency=None)
        filed(session, office.cast, status=ClaimStatus.RECOVERED)
    shown = ann.text(HOME)
    assert "2 of 4 open are with Amazon" in shown
    assert "With Amazon 2 6 37.02 USD 1 not known To appeal or close 1 3 37.02 USD" in shown


def test_charts_without_numbers_say_what_brings_them(office, ann):
    office.put(status=DiscrepancyStatus.UPCOMING)
    shown = ann.text(HOME)
    assert "Nothing recovered in eight weeks A bar appears for each week" in shown
    assert "No deadline ahead" in shown
    assert "Nothing is open" in shown


def test_it_asks_the_database_a_fixed_number_of_times(office, ann):
    office.put()
    with office.counted() as few:
        ann.get(HOME)
    for _ in range(30):
        office.put()
    with office.counted() as many:
        ann.get(HOME)
    assert len(many) == len(few) <= 10


def test_with_everything_decided_it_says_so(office, ann):
    office.put()
    ann.approve(1)
    assert "Everything is decided" in ann.text(HOME)


class TestEmpty:
    def test_without_an_account_it_says_how_to_begin(self, ann):
        with db.transaction() as session:
            session.query(Account).delete()
            session.query(User).update({"client_id": None})
            session.query(CommissionRate).delete()
            session.query(Client).delete()
        shown = ann.text(HOME)
        assert "No reports have been read yet" in shown
        assert "flask accounts add" in shown

    def test_without_reports_it_says_how_they_are_read(self, ann):
        assert "flask import --account" in ann.text(HOME)

    def test_reports_without_a_loss_are_no_empty_page(self, office, ann):
        with db.transaction() as session:
            session.add(Import(account_id=office.cast.account_id, started_at=NOW))
        assert "show nothing that Amazon owes" in ann.text(HOME)
