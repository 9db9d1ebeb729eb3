"""What the rules say: findings with their evidence, and every candidate that is not one with the reason why."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import polars as pl

from detection.reports import Warned


@dataclass(frozen=True, slots=True)
class Evidence:
    """One report line that a finding rests on. `quantity`: the units it took part with; `note`: more in words."""

    report_type: str
    file: str
    line: int
    role: str
    quantity: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A discrepancy: units that Amazon took out of the seller's stock and has not made up for.

    status: upcoming, claimable or lapsed on the as-of date. Dates are days of the marketplace; `value` is rounded to
    the currency's digits, `unit_value` has at most six places; both and `currency` are None where nothing tells the
    value. natural_key: what makes the fingerprint, with claim type and marketplace.
    """

    claim_type: str
    fingerprint: str
    natural_key: tuple[str, ...]
    status: str
    marketplace: str
    fnsku: str | None
    asin: str | None
    msku: str | None
    title: str | None
    reference_kind: str
    reference_id: str
    fulfillment_center: str | None
    event_date: date
    opens_on: date
    closes_on: date
    quantity: int
    unit_value: Decimal | None
    value: Decimal | None
    currency: str | None
    value_basis: str
    policy: str
    policy_confirmed: bool
    caveats: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A loss that was looked at. `open_units` are claimed by its finding; where there are none, `reason` says why.

    Reasons: found, put_back, paid_by_amazon, disposed_by_seller, reconciled_by_amazon, charged_again (somebody made up
    for it), received (nothing is short), not_covered (a report that could tell is missing: nothing is said about it).
    """

    claim_type: str
    fingerprint: str
    lost_units: int
    open_units: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that suggests a loss but does not prove one (section 9): shown, never claimed."""

    code: str
    message: str
    fnsku: str | None
    reference: str | None
    quantity: int
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one run of the rules says.

    candidate_rows: one row per loss looked at: claim_type, marketplace, natural_key, lost_units, open_units, reason.
    judged_since: per claim type, the first day from which on every report that its rule needs is covered up to the
        as-of date. A loss of that day or later that is neither a finding nor a candidate is no longer shown by the
    rows. spent: per claim type, which settlement was spent on which loss (columns: natural_key, kind, report_type,
        file, line, units), joined when somebody collects it.
    """

    as_of: date
    findings: tuple[Finding, ...]
    candidate_rows: pl.DataFrame
    observations: tuple[Observation, ...] = ()
    warnings: tuple[Warned, ...] = ()
    judged_since: Mapping[str, date] = field(default_factory=dict)
    spent: Mapping[str, pl.LazyFrame] = field(default_factory=dict)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every loss that was looked at, claimed or not."""
        return tuple(
            Candidate(claim_type, fingerprint(claim_type, marketplace, key), lost, still_open, reason)
            for claim_type, marketplace, key, lost, still_open, reason in self.candidate_rows.iter_rows()
        )


def fingerprint(claim_type: str, marketplace: str, natural_key: str) -> str:
    """Return what names a discrepancy for good; `natural_key` has its parts joined by U+001F."""
    return hashlib.sha256("\x1f".join((claim_type, marketplace, natural_key)).encode()).hexdigest()[:32]
