from datetime import date
from decimal import Decimal

import pytest

from claims import words
from models import ClaimStatus, DiscrepancyStatus, RejectReason, Through


@pytest.mark.parametrize("status", DiscrepancyStatus)
def test_every_discrepancy_status_has_a_word(status):
    assert status.value in words.DISCREPANCY_STATUSES


@pytest.mark.parametrize("status", ClaimStatus)
def test_every_claim_status_has_a_word(status):
    assert status.value in words.CLAIM_STATUSES


def test_every_reason_and_door_has_a_word():
    assert {reason.value for reason in RejectReason} == set(words.REJECT_REASONS)
    assert {door.value for door in Through} == set(words.THROUGH)


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (date(2026, 11, 29), "in 9 days"),
        (date(2026, 11, 21), "tomorrow"),
        (date(2026, 11, 20), "today"),
        (date(2026, 11, 19), "yesterday"),
        (date(2026, 11, 17), "3 days ago"),
        (date(2030, 11, 20), "in 1,461 days"),
    ],
)
def test_a_deadline_is_told_in_days(on, said):
    assert words.days_left(on, date(2026, 11, 20)) == said


def test_an_unknown_value_is_never_zero():
    assert words.money(None, None) == "not known"
    assert words.money(Decimal("1234.5"), "USD") == "1,234.50 USD"
    assert words.money(Decimal("1234"), "JPY") == "1,234 JPY"


def test_a_settled_one_says_by_what():
    assert words.status_name("settled", "paid_by_amazon") == "Settled: paid by Amazon itself"
    assert words.status_name("open", "paid_by_amazon") == "To decide"
    assert words.claim_status_name("closed", "undone") == "Closed: undone"


def test_a_policy_is_told_with_its_first_day():
    assert words.policy_name("us/2024-10-23", is_confirmed=True) == "US rules from 23 Oct 2024, confirmed"
    assert words.policy_name("us/start", is_confirmed=False) == "US rules, not confirmed by Amazon"


def test_a_code_without_a_word_is_still_readable():
    assert words.claim_type_name("brand_new_rule") == "Brand new rule"
    assert words.caveat_line("brand_new") == ""


def test_a_day_and_units_are_written_one_way():
    assert words.day(date(2026, 11, 5)) == "5 Nov 2026"
    assert (words.units(1), words.units(1200)) == ("1 unit", "1,200 units")
