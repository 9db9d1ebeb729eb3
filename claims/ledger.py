"""The money of the claim ledger: what was asked for and what was recovered, by where the claims stand.

Four words are never mixed: recovered (by a claim), paid by Amazon itself and lapsed (both without one), refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, null
from sqlalchemy.orm import Session

from claims import words
from models import Claim, Discrepancy, DiscrepancyStatus

_ORDER = list(words.CLAIM_STATUSES)

Amounts = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Total:
    """What stands in one place: how many, units, what was asked for and what was recovered, by currency.

    `reason` says why closed claims were closed. `unknown` counts those whose value is not known.
    """

    status: str
    reason: str | None
    count: int
    units: int
    asked: Amounts
    recovered: Amounts
    unknown: int

    @property
    def asked_in_words(self) -> list[str]:
        """What was asked for: "1,234.50 USD", "3 not known"."""
        told = [words.money(amount, currency) for currency, amount in self.asked]
        return [*told, f"{self.unknown:,} {words.NOT_KNOWN}"] if self.unknown else told

    @property
    def recovered_in_words(self) -> list[str]:
        """What was recovered; nothing where nothing was."""
        return [words.money(amount, currency) for currency, amount in self.recovered]


def totals(session: Session, claims: Select[Claim]) -> list[Total]:
    """Return what these claims come to by state, the closed ones by reason too. One statement."""
    counted: Any = claims.with_only_columns(
        Claim.status,
        Claim.closed_reason,
        Claim.currency,
        func.count(),
        func.sum(Claim.quantity),
        func.sum(Claim.value),
        func.sum(Claim.recovered),
        func.count().filter(Claim.value.is_(None)),
    )
    rows = session.execute(counted.group_by(Claim.status, Claim.closed_reason, Claim.currency).order_by(None)).all()
    return sorted(_grouped(rows), key=lambda total: (_ORDER.index(total.status), total.reason or ""))


def together(rows: Sequence[Total]) -> Total:
    """Add up several; currencies stay apart."""
    return Total(
        "",
        None,
        sum(row.count for row in rows),
        sum(row.units for row in rows),
        _summed(pair for row in rows for pair in row.asked),
        _summed(pair for row in rows for pair in row.recovered),
        sum(row.unknown for row in rows),
    )


def without_a_claim(session: Session, losses: Select[Discrepancy]) -> list[Total]:
    """Return what of these discrepancies Amazon paid by itself, and what lapsed and was never claimed; asked is worth.

    A kind that has none is left out. One statement.
    """
    counted: Any = losses.with_only_columns(
        Discrepancy.status,
        Discrepancy.status_reason,
        Discrepancy.currency,
        func.count(),
        func.sum(Discrepancy.quantity),
        func.sum(Discrepancy.value),
        null(),
        func.count().filter(Discrepancy.value.is_(None)),
    ).where(
        ((Discrepancy.status == DiscrepancyStatus.SETTLED) & (Discrepancy.status_reason == "paid_by_amazon"))
        | ((Discrepancy.status == DiscrepancyStatus.LAPSED) & ~Discrepancy.claims.any(Claim.closed_reason == "lapsed"))
    )
    grouping = (Discrepancy.status, Discrepancy.status_reason, Discrepancy.currency)
    found = _grouped(session.execute(counted.group_by(*grouping).order_by(None)).all())
    return sorted(found, key=lambda total: total.status, reverse=True)


def _grouped(rows: Iterable[Any]) -> list[Total]:
    """Make one total a state of rows by state and currency."""
    by_state: dict[tuple[str, str | None], list[Total]] = {}
    for status, reason, currency, count, units, asked, recovered, unknown in rows:
        row = Total(status.value, reason, count, int(units), _one(currency, asked), _one(currency, recovered), unknown)
        by_state.setdefault((row.status, row.reason), []).append(row)
    return [replace(together(group), status=at, reason=why) for (at, why), group in by_state.items()]


def _one(currency: str | None, amount: Decimal | None) -> Amounts:
    return ((currency, amount),) if currency and amount else ()


def _summed(amounts: Iterable[tuple[str, Decimal]]) -> Amounts:
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return tuple(sorted(sums.items()))
