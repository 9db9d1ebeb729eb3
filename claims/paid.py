"""What the books know of claims and of the lines that pay them: values without a database, for `claims.matching`.

The units of a reimbursement line are counted from 1, those paid in cash before those given in stock. A payment covers
a range of them; what is money alone (a top-up, a correction) covers none and begins at 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from models import ReimbursementState
from money import Money

Place = tuple[str, int]
PaymentKey = tuple[str, int, int]

#: payments that are known by what the line itself names, whatever else may have been lost or paid
BY_CASE, BY_ORDER, BY_SHIPMENT, BY_UNITS = "case_id", "order_id", "shipment_id", "units"
BY_ORIGINAL, BY_REVERSAL, BY_PERSON = "original", "reversal", "person"


@dataclass(frozen=True, slots=True)
class Filed:
    """A claim that was filed with Amazon.

    kinds: the kinds of reasons by which Amazon pays such a loss. losses: the fingerprints that it was made of, each
    with its units. orders, shipments, reimbursements: what it refers to, by Amazon's ids. filed_on: a day of the
    marketplace. is_closed: we had given it up.
    """

    id: int
    case_id: str | None
    units: int
    filed_on: date
    kinds: frozenset[str] = frozenset()
    fnskus: frozenset[str] = frozenset()
    mskus: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    shipments: frozenset[str] = frozenset()
    reimbursements: frozenset[str] = frozenset()
    losses: tuple[tuple[str, int], ...] = ()
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the reimbursements report. `key` names it for good, `places` are the files and lines that show it.

    `reported` are the units and the amount of the latest report, where they are not those that the books have.
    """

    key: str
    reimbursement_id: str
    approved_on: date
    kind: str
    reason: str = ""
    case_id: str | None = None
    order_id: str | None = None
    fnsku: str | None = None
    msku: str | None = None
    asin: str | None = None
    cash_units: int = 0
    stock_units: int = 0
    amount: Decimal = Decimal(0)
    currency: str | None = None
    original_id: str | None = None
    places: tuple[Place, ...] = ()
    reported: "Said | None" = None

    @property
    def units(self) -> int:
        """How many units it pays for, or takes back. A fee is money alone."""
        return 0 if self.kind == "fee" else abs(self.cash_units) + abs(self.stock_units)

    @property
    def takes_back(self) -> bool:
        """Whether Amazon takes something back by it."""
        return self.kind == "reversal" or min(self.cash_units, self.stock_units) < 0 or self.amount < 0

    @property
    def said(self) -> "Said":
        """Return what a later report could say differently."""
        return Said(self.cash_units, self.stock_units, self.amount, self.currency)


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """What a report says of a line besides what names it."""

    cash_units: int
    stock_units: int
    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Payment:
    """What a line gave a claim; units and amount are below zero where it took them back, from `reverses`."""

    claim_id: int
    line_key: str
    first_unit: int
    cash_units: int
    stock_units: int
    amount: Decimal
    currency: str | None
    matched_by: str
    reverses: PaymentKey | None = None

    @property
    def key(self) -> PaymentKey:
        """What tells it from every other."""
        return self.line_key, self.claim_id, self.first_unit

    @property
    def units(self) -> int:
        """Units in cash and in stock together."""
        return self.cash_units + self.stock_units


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books have of a line already."""

    state: ReimbursementState
    payments: tuple[Payment, ...] = ()
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of which something waits: for a person who says which of the candidates it paid, or for its payment."""

    line_key: str
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be booked: new payments in the order in which they count, what waits, and what is not ours.

    not_ours: lines that would fit a claim but name somebody else's case.
    """

    payments: tuple[Payment, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    not_ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """The filed claims of an account, and the lines that the books have, by key, with what was booked of them."""

    claims: tuple[Filed, ...] = ()
    lines: Mapping[str, Line] = field(default_factory=dict)
    booked: Mapping[str, Booked] = field(default_factory=dict)


def portion(line: Line, first_unit: int, units: int) -> tuple[int, int, Decimal]:
    """Return the cash units, stock units and cash of a range of a line's units; the ranges add up to the line.

    The money is spread over the units in cash (where there are none, over all) and rounded so far as it has come, so
    that no cent is lost or made.
    """
    cash, before = abs(line.cash_units), first_unit - 1
    in_cash = max(min(before + units, cash) - min(before, cash), 0)
    return in_cash, units - in_cash, _of_range(line, before, before + units, cash or line.units)


def shares_of(line: Line, payments: Iterable[Payment], over: int) -> dict[int, Decimal]:
    """Return what of a line's money falls on each claim (by id) of some payments, by its part of `over` units."""
    weights: dict[int, int] = {}
    for payment in payments:
        weights[payment.claim_id] = weights.get(payment.claim_id, 0) + (payment.units or 1)
    over, so_far, shares = max(over, sum(weights.values())), 0, {}
    for claim_id, weight in weights.items():
        shares[claim_id] = _of_range(line, so_far, so_far + weight, over)
        so_far += weight
    return shares


def _of_range(line: Line, after: int, until: int, over: int) -> Decimal:
    """Return the part of a line's money that falls on its parts from `after` + 1 to `until`, of `over` equal ones."""
    before = _spread(line.amount, line.currency, after, over)
    return _spread(line.amount, line.currency, until, over) - before


def _spread(amount: Decimal, currency: str | None, so_far: int, over: int) -> Decimal:
    """Return the part of an amount that falls on the first `so_far` of `over` equal parts, in whole cents."""
    if so_far >= over:
        return amount
    return Money(amount * so_far / over, currency or "USD").rounded().amount
