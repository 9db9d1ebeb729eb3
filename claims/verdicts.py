"""What a run of the rules says about a discrepancy that is stored already. Pure: rows in, a new state out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from models import Discrepancy, DiscrepancyStatus

if TYPE_CHECKING:
    from detection.findings import Candidate, Finding, Outcome

UNDECIDED = (DiscrepancyStatus.UPCOMING, DiscrepancyStatus.OPEN, DiscrepancyStatus.SNOOZED)
DECIDED = (DiscrepancyStatus.APPROVED, DiscrepancyStatus.REJECTED)

_OF_FINDING = {
    "upcoming": DiscrepancyStatus.UPCOMING,
    "claimable": DiscrepancyStatus.OPEN,
    "lapsed": DiscrepancyStatus.LAPSED,
}
_NOT_COVERED = "not_covered"
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
    """What one run looked at, by fingerprint; everything else it says nothing about."""

    as_of: date
    findings: Mapping[str, "Finding"]
    reasons: Mapping[str, Sequence[str]]
    since: Mapping[str, date]


def judged(outcome: "Outcome") -> Judged:
    """Arrange what a run says by fingerprint."""
    return Judged(
        as_of=outcome.as_of,
        findings={finding.fingerprint: finding for finding in outcome.findings},
        reasons=_reasons(outcome.candidates),
        since=outcome.judged_since,
    )


def status_of(finding: "Finding") -> DiscrepancyStatus:
    """Return the state in which a finding is stored when it is new."""
    return _OF_FINDING[finding.status]


def status_after(row: Discrepancy, finding: "Finding") -> DiscrepancyStatus:
    """Return the state of an undecided row whose loss is still there; what is snoozed stays so until it lapses."""
    after = status_of(finding)
    snoozed = row.status is DiscrepancyStatus.SNOOZED and after is DiscrepancyStatus.OPEN
    return DiscrepancyStatus.SNOOZED if snoozed else after


def end_of(row: Discrepancy, run: Judged) -> tuple[DiscrepancyStatus, str] | None:
    """Return what a row became that the run does not find any more, with the reason.

    None where the run says nothing about it: a lack of coverage changes nothing, and rows dated after the as-of date
    do not exist for it.
    """
    if row.event_date > run.as_of or row.fingerprint in run.findings:
        return None
    reasons = run.reasons.get(row.fingerprint)
    if reasons is None:
        since = run.since.get(row.claim_type)
        return _NOT_SHOWN if since is not None and since <= row.event_date else None
    if not reasons or _NOT_COVERED in reasons:
        return None
    return _OF_REASON.get(reasons[0], (DiscrepancyStatus.WITHDRAWN, reasons[0]))


def is_past(row: Discrepancy, run: Judged) -> bool:
    """Whether nobody can claim it any more on the day of the run."""
    return row.closes_on < run.as_of


def _reasons(candidates: Sequence["Candidate"]) -> dict[str, list[str]]:
    """Return why each candidate has no open units; an empty list where some loss of the fingerprint has."""
    found: dict[str, list[str]] = {}
    still_open = {candidate.fingerprint for candidate in candidates if candidate.open_units}
    for candidate in candidates:
        reasons = found.setdefault(candidate.fingerprint, [])
        if candidate.reason is not None and candidate.fingerprint not in still_open:
            reasons.append(candidate.reason)
    return found
