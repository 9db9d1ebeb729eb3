"""What a payment of Amazon's costs the client, and what is credited where Amazon takes it back: pure arithmetic.

The fee of a payment is what it brought times the rate, rounded half up to the currency's digits, payment by payment.
Cash always bears a fee; units given back do where the terms say so, at the claim's value per unit.

A reversal credits that share of its payment's fee that is the share taken back. Several reversals of one payment are
rounded as a running total, so that the credits of all its units are its fee to the cent, in whatever order they come.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from money import Money, digits


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee and what it is a part of, both in `currency`. Both are below zero for a credit."""

    recovered: Decimal
    fee: Decimal
    currency: str

    def __add__(self, other: "Fee") -> "Fee":
        """Add another one of the same currency. Raises CurrencyMismatch."""
        recovered = Money(self.recovered, self.currency) + Money(other.recovered, other.currency)
        return Fee(recovered.amount, self.fee + other.fee, self.currency)

    def __neg__(self) -> "Fee":
        """Return it with the sign turned round."""
        return Fee(-self.recovered, -self.fee, self.currency)

    @classmethod
    def none(cls, currency: str) -> "Fee":
        """Return no fee of nothing."""
        return cls(Decimal(0), Decimal(0), currency)


@dataclass(frozen=True, slots=True)
class Brought:
    """What a payment gave, or what reversals took of it (then as what is gone, above zero): cash, and units in stock.

    stock_value: of all those units, in `currency`; 0 where they bear no fee, or none whose value is known.
    """

    cash: Decimal
    stock_units: int
    stock_value: Decimal
    currency: str


def value_of_units(units: int, *, value: Decimal, quantity: int, currency: str) -> Decimal:
    """Return what some units are worth of `quantity` units worth `value`, in the currency's digits."""
    return _rounded(Fraction(value) * units / quantity, currency)


def fee_of(brought: Brought, rate: Decimal) -> Fee:
    """Return the fee of a payment. rate: a fraction of what it brought."""
    recovered = brought.cash + brought.stock_value
    return Fee(recovered, _rounded(Fraction(recovered) * Fraction(rate), brought.currency), brought.currency)


def credit_of(billed: Fee, taken: Fraction, *, credited: Fee) -> Fee:
    """Return what a reversal credits, below zero.

    billed: the fee of the payment it reverses. taken: the share of that payment which is gone with this reversal, of
    0 to 1. credited: what its earlier reversals came to, as a positive sum: credits, and fees that stayed due.
    """
    share = min(max(taken, Fraction(0)), Fraction(1))
    recovered = billed.recovered if share == 1 else _rounded(Fraction(billed.recovered) * share, billed.currency)
    fee = _rounded(Fraction(billed.fee) * share, billed.currency)
    return Fee(credited.recovered - recovered, credited.fee - fee, billed.currency)


def share_taken(gone: Brought, paid: Brought, billed: Fee) -> Fraction:
    """Return the share of a billed payment that is gone, 0 where nothing of it bore a fee.

    gone: all that its reversals took so far (its `stock_value` does not matter). billed: what the payment's line says:
    beyond its cash that is the value of its units.
    """
    if billed.recovered <= 0:
        return Fraction(0)
    of_stock = Fraction(gone.stock_units, paid.stock_units) if paid.stock_units > 0 else Fraction(0)
    lost = Fraction(gone.cash) + Fraction(billed.recovered - paid.cash) * of_stock
    return lost / Fraction(billed.recovered)


def keeps_fee(*, is_unit_back: bool | None, keeps_without_unit: bool, keeps_with_unit: bool) -> bool:
    """Whether the fee of a payment that Amazon took back stays due.

    is_unit_back: whether the client has the unit again; None where the reports do not tell. Then it stays only where
    the terms say so of both cases: a doubt is the client's.
    """
    if is_unit_back is None:
        return keeps_without_unit and keeps_with_unit
    return keeps_with_unit if is_unit_back else keeps_without_unit


def tax_of(fee: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Return the tax on the sum of an invoice's fees, rounded once. rate: a fraction."""
    return _rounded(Fraction(fee) * Fraction(rate), currency)


def _rounded(amount: Fraction, currency: str) -> Decimal:
    """Return the amount in the currency's digits, half up (away from zero), without any rounding before."""
    steps = abs(amount) * 10 ** digits(currency)
    whole = (2 * steps.numerator + steps.denominator) // (2 * steps.denominator)
    return Decimal(whole if amount >= 0 else -whole).scaleb(-digits(currency))
