"""The sums that charts are drawn of."""

from datetime import date, timedelta
from decimal import Decimal

import db
from claims import dashboard
from claims.dashboard import Closing, Received, WeekReceived
from models import ClaimStatus, DiscrepancyStatus
from tests.billing.paying import filed, paid
from tests.factories import TODAY, make_cast, make_claim, make_discrepancy

MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def test_what_was_recovered_is_summed_by_day_and_currency(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        claim = filed(session, cast)
        first = paid(session, claim, "10.50", on=TODAY)
        paid(session, claim, "0.25", on=TODAY)
        paid(session, claim, "3.00", on=TODAY, currency="GBP")
        paid(session, claim, "-10.50", on=TODAY + DAY, reverses=first)
        paid(session, claim, "99", on=TODAY - 9 * DAY)
        paid(session, filed(session, cast, account_id=cast.other_account_id), "7", on=TODAY)
    with db.reading() as session:
        days = dashboard.received(session, cast.carl, TODAY - DAY)
        everyones = dashboard.received(session, cast.ann, TODAY)
        of_one = dashboard.received(session, cast.ann, TODAY, client_id=cast.other_client_id)
    assert sorted(days, key=lambda day: (day.on, day.currency)) == [
        Received(TODAY, "GBP", 1, Decimal(3), Decimal(0)),
        Received(TODAY, "USD", 2, Decimal("10.75"), Decimal(0)),
        Received(TODAY + DAY, "USD", 0, Decimal(0), Decimal("10.50")),
    ]
    assert max(day.recovered for day in everyones) == Decimal("17.75")
    assert of_one == [Received(TODAY, "USD", 1, Decimal(7), Decimal(0))]


def test_weeks_without_a_payment_are_there_and_the_most_used_currency_is_first() -> None:
    days = [
        Received(MONDAY - 14 * DAY, "USD", 1, Decimal(5), Decimal(0)),
        Received(MONDAY - 8 * DAY, "USD", 1, Decimal(2), Decimal(1)),
        Received(MONDAY + 6 * DAY, "USD", 1, Decimal(1), Decimal(0)),
        Received(MONDAY, "EUR", 1, Decimal(900), Decimal(0)),
        Received(MONDAY - 15 * DAY, "USD", 9, Decimal(9), Decimal(0)),
        Received(MONDAY + 7 * DAY, "USD", 9, Decimal(9), Decimal(0)),
    ]
    found = dashboard.by_week(days, MONDAY, 3)
    assert list(found) == ["USD", "EUR"]
    assert found["USD"] == [
        WeekReceived(MONDAY - 14 * DAY, 2, Decimal(7), Decimal(1)),
        WeekReceived(MONDAY - 7 * DAY),
        WeekReceived(MONDAY, 1, Decimal(1), Decimal(0)),
    ]
    assert [week.recovered for week in found["EUR"]] == [0, 0, 900]


def test_what_closes_is_what_is_to_be_decided_and_what_is_to_be_filed(database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        for on in (TODAY, TODAY, TODAY - DAY):
            make_discrepancy(session, cast.account_id, closes_on=on)
        make_discrepancy(session, cast.account_id, closes_on=TODAY, status=DiscrepancyStatus.UPCOMING)
        for status in (ClaimStatus.TO_SUBMIT, ClaimStatus.SUBMITTED):
            lost = make_discrepancy(session, cast.account_id, status=DiscrepancyStatus.APPROVED, value=None)
            make_claim(session, lost, approved_by_id=cast.ann.user_id, status=status, closes_on=TODAY)
        make_discrepancy(session, cast.other_account_id, closes_on=TODAY)
    with db.reading() as session:
        found = dashboard.closing(session, cast.carl, TODAY)
    assert found == [Closing(TODAY, "USD", 2, Decimal("74.04")), Closing(TODAY, "USD", 1, None)]
