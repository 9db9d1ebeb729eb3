"""Exact amounts: a Decimal and its ISO 4217 currency. Never a float, never converted."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation
from typing import Self

MICRO = Decimal("0.000001")
MICROS = 1_000_000

# Currencies of the marketplaces whose smallest unit is not a hundredth (ISO 4217).
_DIGITS = {"JPY": 0}
CURRENCIES = frozenset(
    {"USD", "CAD", "MXN", "BRL", "GBP", "EUR", "SEK", "PLN", "TRY", "JPY", "AUD", "SGD"}
    | {"AED", "SAR", "EGP", "INR", "ZAR", "CHF", "NOK", "DKK", "CZK", "CNY", "HKD", "NZD"}
)

# Room for every number of 64 bits, and an error where a digit would be lost: not the context of whoever calls.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
_LEAST, _MOST = -(2**63), 2**63 - 1


class CurrencyMismatch(TypeError):
    """Two amounts of different currencies were put together: a bug in the caller, never shown as a sum."""


def to_micros(amount: Decimal) -> int:
    """Return the whole millionths of `amount`.

    Raises TypeError for a float, ValueError for a seventh place, for no number at all and for one beyond 64 bits.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"an exact amount is a Decimal, not {type(amount).__name__}")
    if not amount.is_finite():
        raise ValueError(f"not an amount: {amount}")
    try:
        micros = _EXACT.quantize(_EXACT.multiply(amount, Decimal(MICROS)), Decimal(1))
    except (Inexact, InvalidOperation) as error:
        raise ValueError(f"not an amount of at most six decimal places: {amount}") from error
    if not _LEAST <= micros <= _MOST:
        raise ValueError(f"an amount too large to be kept: {amount}")
    return int(micros)


def from_micros(micros: int) -> Decimal:
    """Return the amount of `micros` millionths, exactly."""
    return _EXACT.divide(Decimal(micros), Decimal(MICROS))


def digits(currency: str) -> int:
    """Return how many decimal places amounts of `currency` are paid in."""
    return _DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. `amount` may have more places than the currency until `rounded`."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse a float, whose value is not the one that was written."""
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"money is made of Decimal, not {type(self.amount).__name__}")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return nothing, in `currency`."""
        return cls(Decimal(0), currency)

    @classmethod
    def from_micros(cls, micros: int, currency: str) -> Self:
        """Return the amount of `micros` millionths."""
        return cls(from_micros(micros), currency)

    def rounded(self) -> Self:
        """Return the amount in whole cents of its currency, half up."""
        step = Decimal(1).scaleb(-digits(self.currency))
        return type(self)(self.amount.quantize(step, ROUND_HALF_UP), self.currency)

    def __add__(self, other: Self) -> Self:
        """Add an amount of the same currency."""
        self._same(other)
        return type(self)(self.amount + other.amount, self.currency)

    def __sub__(self, other: Self) -> Self:
        """Take away an amount of the same currency."""
        self._same(other)
        return type(self)(self.amount - other.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> Self:
        """Multiply by a number of units or a rate."""
        if not isinstance(factor, int | Decimal):
            raise TypeError(f"money is multiplied by int or Decimal, not {type(factor).__name__}")
        return type(self)(self.amount * factor, self.currency)

    def __str__(self) -> str:
        """Return it as a person reads it: grouped, in the currency's digits, the code after it."""
        return f"{self.rounded().amount:,} {self.currency}"

    def _same(self, other: Self) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
