"""Amounts are exact, whatever the size and whoever's decimal context."""

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import db
from models import Client
from money import CurrencyMismatch, Money, from_micros, to_micros
from tests.factories import make_client

WHOLE = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@given(WHOLE)
def test_every_number_of_millionths_comes_back(micros: int) -> None:
    with decimal.localcontext(prec=3):
        assert to_micros(from_micros(micros)) == micros


@pytest.mark.parametrize(
    "amount", ["0.0000001", "1.1234567", "9223372036854.775808", "1E+30", "NaN", "Infinity", "-Infinity", "sNaN"]
)
def test_what_cannot_be_kept_exactly_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        to_micros(Decimal(amount))


def test_a_float_is_never_money() -> None:
    for attempt in (lambda: to_micros(0.1), lambda: Money(0.1, "USD"), lambda: Money(Decimal(1), "USD") * 0.5):
        with pytest.raises(TypeError):
            attempt()


@pytest.mark.parametrize("text", ["99999999999.123456", "-0.000001", "9223372036854.775807", "0"])
def test_the_database_keeps_it_to_the_last_digit(database: str, text: str) -> None:
    with db.transaction() as session:
        made = make_client(session, min_value=Decimal(text)).id
    with db.reading() as session:
        assert session.get_one(Client, made).min_value == Decimal(text)


def test_currencies_are_never_mixed() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(Decimal(1), "USD") + Money(Decimal(1), "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.005", "USD", "1,234.01 USD"),
        ("-0.005", "EUR", "-0.01 EUR"),
        ("12.5", "JPY", "13 JPY"),
        ("37.1", "USD", "37.10 USD"),
    ],
)
def test_amounts_are_shown_in_the_digits_of_their_currency(amount: str, currency: str, shown: str) -> None:
    assert str(Money(Decimal(amount), currency)) == shown
