"""What a run of the rules says about a discrepancy that is stored already. Pure: rows in, a new state out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from models import Discrepancy, DiscrepancyStatus

if TYPE_CHECKING:
    from detection.findings import Finding, Outcome

UNDECIDED = (DiscrepancyStatus.UPCOMING, DiscrepancyStatus.OPEN, DiscrepancyStatus.SNOOZED)
DECIDED = (DiscrepancyStatus.APPROVED, DiscrepancyStatus.REJECTED)

_OF_FINDING = {
    "upcoming": DiscrepancyStatus.UPCOMING,
    "claimable": DiscrepancyStatus.OPEN,
    "lapsed": DiscrepancyStatus.LAPSED,
}
_NOT_COVERED = "not_covered"
# The kinds of settlements by which Amazon paid; what the seller had disposed of it neither paid nor found.
_PAYMENTS = frozenset({"cash", "stock", "disposal"})
# Why a loss has no open units, and what that makes of its discrepancy. Only what Amazon itself did settles it; the
# other reasons say that there is nothing to claim.
_OF_REASON = {
    "found": (DiscrepancyStatus.SETTLED, "found"),
    "put_back": (DiscrepancyStatus.SETTLED, "found"),
    "received": (DiscrepancyStatus.SETTLED, "found"),
    "paid_by_amazon": (DiscrepancyStatus.SETTLED, "paid_by_amazon"),
    "reconciled_by_amazon": (DiscrepancyStatus.SETTLED, "reconciled_by_amazon"),
}
_NOT_SHOWN = (DiscrepancyStatus.WITHDRAWN, "not_shown")


@dataclass(frozen=True, slots=True)
class Judged:
    """What one run looked at, by fingerprint; everything else it says nothing about.

    `reasons`: why a loss has no open units, None where it has some. `since`: by claim type, from which day on all
    losses were looked at.
    """

    as_of: date
    findings: Mapping[str, "Finding"]
    reasons: Mapping[str, str | None]
    since: Mapping[str, date]


def judged(outcome: "Outcome") -> Judged:
    """Arrange what a run says by fingerprint."""
    return Judged(
        as_of=outcome.as_of,
        findings={finding.fingerprint: finding for finding in outcome.findings},
        reasons={candidate.fingerprint: candidate.reason for candidate in outcome.candidates},
        since=outcome.judged_since,
    )


def found_units(outcome: "Outcome", rows: Mapping[str, Discrepancy]) -> dict[str, int]:
    """Return how many units of the losses of these rows (by fingerprint) were found or put back, where any were."""
    from detection.findings import fingerprint

    units: dict[str, int] = {}
    markets = {(row.claim_type, row.marketplace) for row in rows.values()}
    for claim_type, marketplace in markets:
        spent = outcome.spent.get(claim_type)
        if spent is None:
            continue
        for key, kind, of_it in spent.select("natural_key", "kind", "units").collect().iter_rows():
            name = fingerprint(claim_type, marketplace, key) if kind not in _PAYMENTS else ""
            if name in rows:
                units[name] = units.get(name, 0) + of_it
    return units


def status_of(finding: "Finding", *, is_waited_for: bool = False) -> DiscrepancyStatus:
    """Return the state in which a finding is stored when it is new; the client may want to wait before it is open."""
    status = _OF_FINDING[finding.status]
    return DiscrepancyStatus.UPCOMING if is_waited_for and status is DiscrepancyStatus.OPEN else status


def status_after(row: Discrepancy, finding: "Finding", *, is_waited_for: bool = False) -> DiscrepancyStatus:
    """Return the state of a row whose loss is still there and which nobody decided.

    What was open stays open when the client's wait grows, and what is snoozed stays so until it lapses.
    """
    was_shown = row.status in (DiscrepancyStatus.OPEN, DiscrepancyStatus.SNOOZED)
    after = status_of(finding, is_waited_for=is_waited_for and not was_shown)
    snoozed = row.status is DiscrepancyStatus.SNOOZED and after is DiscrepancyStatus.OPEN
    return DiscrepancyStatus.SNOOZED if snoozed else after


def end_of(row: Discrepancy, run: Judged) -> tuple[DiscrepancyStatus, str] | None:
    """Return what a row became that the run does not find any more, with the reason.

    None where the run says nothing about it: a lack of coverage changes nothing, and rows dated after the as-of date
    do not exist for it.
    """
    if row.event_date > run.as_of or row.fingerprint in run.findings:
        return None
    if row.fingerprint not in run.reasons:
        since = run.since.get(row.claim_type)
        return _NOT_SHOWN if since is not None and since <= row.event_date else None
    reason = run.reasons[row.fingerprint]
    if reason is None or reason == _NOT_COVERED:
        return None
    return _OF_REASON.get(reason, (DiscrepancyStatus.WITHDRAWN, reason))


def is_past(row: Discrepancy, run: Judged) -> bool:
    """Whether nobody can claim it any more on the day of the run."""
    return row.closes_on < run.as_of
