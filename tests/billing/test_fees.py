"""Rates, roundings and shares: arithmetic alone."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.fees import Brought, Fee, credit_of, fee_of, keeps_fee, share_taken, tax_of, value_of_units

D = Decimal
cents = st.integers(0, 10**9).map(lambda n: D(n).scaleb(-2))
rates = st.integers(0, 10**6).map(lambda n: D(n).scaleb(-6))


def cash(amount: str, currency: str = "USD") -> Brought:
    return Brought(D(amount), 0, D(0), currency)


@pytest.mark.parametrize(
    ("amount", "rate", "currency", "fee"),
    [
        ("12.34", "0.20", "USD", "2.47"),
        ("0.025", "0.20", "USD", "0.01"),  # exactly half a cent goes up
        ("0.0249", "0.20", "USD", "0.00"),
        ("1234", "0.175", "JPY", "216"),
        ("999999999999.99", "0.333333", "USD", "333333000000.00"),
        ("100", "0", "USD", "0.00"),
        ("100", "1", "USD", "100.00"),
    ],
)
def test_a_fee_is_rounded_half_up_to_the_currencys_digits(amount: str, rate: str, currency: str, fee: str) -> None:
    assert fee_of(cash(amount, currency), D(rate)) == Fee(D(amount), D(fee), currency)


def test_units_given_back_count_at_the_claims_value_per_unit() -> None:
    assert value_of_units(1, value=D("37.03"), quantity=3, currency="USD") == D("12.34")
    assert value_of_units(3, value=D("37.03"), quantity=3, currency="USD") == D("37.03")
    brought = Brought(D("10.00"), 1, D("12.34"), "USD")
    assert fee_of(brought, D("0.5")) == Fee(D("22.34"), D("11.17"), "USD")


@given(paid=cents.filter(bool), rate=rates, parts=st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_credits_of_all_units_are_the_fee_to_the_cent(paid: Decimal, rate: Decimal, parts: list[int]) -> None:
    brought = Brought(paid, 0, D(0), "USD")
    billed = fee_of(brought, rate)
    came_to = Fee.none("USD")
    taken = Fraction(0)
    for part in parts:
        taken += Fraction(part, sum(parts))
        credit = credit_of(billed, taken, credited=came_to)
        assert credit.fee <= 0
        came_to += -credit
    assert came_to == billed


def test_more_taken_back_than_was_paid_credits_no_more_than_the_fee() -> None:
    paid = cash("10.00")
    billed = fee_of(paid, D("0.2"))
    taken = share_taken(cash("11.00"), paid, billed)
    assert credit_of(billed, taken, credited=Fee.none("USD")) == Fee(D("-10.00"), D("-2.00"), "USD")


def test_a_share_counts_cash_and_units_as_they_were_billed() -> None:
    paid = Brought(D("10.00"), 2, D("20.00"), "USD")
    billed = fee_of(paid, D("0.2"))
    assert share_taken(Brought(D(0), 1, D(0), "USD"), paid, billed) == Fraction(1, 3)
    assert share_taken(Brought(D(10), 2, D(0), "USD"), paid, billed) == 1
    free_stock = fee_of(Brought(D("10.00"), 2, D(0), "USD"), D("0.2"))
    assert share_taken(Brought(D(0), 2, D(0), "USD"), paid, free_stock) == 0
    assert share_taken(cash("5"), Brought(D(0), 2, D(0), "USD"), Fee.none("USD")) == 0


@pytest.mark.parametrize(
    ("is_back", "without", "with_unit", "kept"),
    [
        (True, False, True, True),
        (True, True, False, False),
        (False, True, False, True),
        (False, False, True, False),
        (None, True, False, False),
        (None, False, True, False),
        (None, True, True, True),
    ],
)
def test_a_fee_stays_where_the_terms_say_so_and_a_doubt_is_the_clients(
    is_back: bool | None, without: bool, with_unit: bool, kept: bool
) -> None:
    assert keeps_fee(is_unit_back=is_back, keeps_without_unit=without, keeps_with_unit=with_unit) is kept


def test_tax_is_rounded_once_and_away_from_zero_for_a_credit_too() -> None:
    assert tax_of(D("2.50"), D("0.19"), "USD") == D("0.48")
    assert tax_of(D("-2.50"), D("0.19"), "USD") == D("-0.48")
