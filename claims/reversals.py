"""What a reimbursement line that takes something back takes from which payment. Pure: payments in, reversals out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from claims.paid import BY_REVERSAL, Line, Payment, PaymentKey, portion, shares_of


def taken_back(
    line: Line, sources: Sequence[Payment], back: Mapping[PaymentKey, int], lines: Mapping[str, Line]
) -> list[Payment]:
    """Return how a line takes back units, or money alone, from payments in their order; empty if nothing is left.

    back: how many units of each payment were taken back before. lines: those of the payments, by key.
    """
    if line.units and any(source.units for source in sources):
        return _units_back(line, sources, back)
    return _money_back(line, sources, lines)


def _units_back(line: Line, sources: Sequence[Payment], back: Mapping[PaymentKey, int]) -> list[Payment]:
    reversals, taken = [], 0
    for source in sources:
        units = min(line.units - taken, source.units - back.get(source.key, 0))
        if units > 0:
            cash, stock, amount = portion(_positive(line), taken + 1, units)
            of, by = source.claim_id, BY_REVERSAL
            reversals.append(Payment(of, line.key, taken + 1, -cash, -stock, -amount, line.currency, by, source.key))
            taken += units
    return reversals


def _money_back(line: Line, sources: Sequence[Payment], lines: Mapping[str, Line]) -> list[Payment]:
    """Correct the value of what was paid: no unit, only money, from each claim by what it got."""
    first: dict[int, PaymentKey] = {}
    for source in sources:
        first.setdefault(source.claim_id, source.key)
    over = lines[sources[0].line_key].units
    return [
        Payment(claim_id, line.key, 0, 0, 0, -part, line.currency, BY_REVERSAL, first[claim_id])
        for claim_id, part in shares_of(_positive(line), sources, over).items()
    ]


def _positive(line: Line) -> Line:
    """Return a line that takes back as if it gave: only the sizes count."""
    return replace(line, cash_units=abs(line.cash_units), stock_units=abs(line.stock_units), amount=abs(line.amount))
