"""An audit as other programs read it: the JSON of `flask audit`, and flat rows for tables and CSV."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from detection.findings import Evidence, Finding, Observation, Outcome
from detection.reports import Delivery, Input, Warned
from money import digits

SCHEMA = 1
_GROUPS = ("claimable", "with_caveats", "upcoming", "lapsed")


# The columns of `flat`, in this order also where nothing was found.
FLAT_COLUMNS = (
    "claim_type", "fingerprint", "status", "marketplace", "fnsku", "asin", "msku", "title", "fulfillment_center",
    "event_date", "opens_on", "closes_on", "quantity", "unit_value", "value", "currency", "value_basis", "policy",
    "policy_confirmed", "caveats", "evidence", "reference_kind", "reference_id",
)  # fmt: skip


def as_document(given: Input, outcome: Outcome) -> dict[str, Any]:
    """Return the whole audit as plain values: amounts and dates as text. The same input gives the same document."""
    return {
        "schema": SCHEMA,
        "as_of": outcome.as_of.isoformat(),
        "reports": [_report(d) for d in sorted(given.deliveries, key=lambda d: (d.file, d.report_type))],
        "refused": [{"file": r.file, "code": r.code, "message": r.message} for r in given.refused],
        "warnings": [_warning(w) for w in (*given.warnings, *outcome.warnings)],
        "discrepancies": [_discrepancy(finding) for finding in outcome.findings],
        "observations": [_observation(observation) for observation in outcome.observations],
        "summary": summary(outcome.findings),
    }


def summary(findings: Iterable[Finding]) -> dict[str, dict[str, Any]]:
    """Count the findings: `claimable` leaves out those with a caveat, which `with_caveats` counts."""
    groups: dict[str, list[Finding]] = {group: [] for group in _GROUPS}
    for finding in findings:
        has_caveat = finding.status == "claimable" and finding.caveats
        groups["with_caveats" if has_caveat else finding.status].append(finding)
    return {group: _counted(members) for group, members in groups.items()}


def flat(finding: Finding) -> dict[str, str | int | None]:
    """Return a finding as one row of text and numbers (FLAT_COLUMNS), for a table or CSV."""
    row = _discrepancy(finding)
    reference = row.pop("reference")
    row["reference_kind"], row["reference_id"] = reference["kind"], reference["id"]
    row["caveats"] = ", ".join(row["caveats"])
    row["policy_confirmed"] = "yes" if finding.policy_confirmed else "no"
    row["evidence"] = "; ".join(f"{e.file}, line {e.line} ({e.role})" for e in finding.evidence)
    return row


def unit_text(value: Decimal | None, currency: str | None) -> str | None:
    """Return an amount per unit with the currency's digits, or as many more, up to six, as it has."""
    if value is None or currency is None:
        return None
    whole, _, places = f"{value:.6f}".partition(".")
    kept = places.rstrip("0").ljust(digits(currency), "0")
    return f"{whole}.{kept}" if kept else whole


def _counted(members: Sequence[Finding]) -> dict[str, Any]:
    value: dict[str, Decimal] = {}
    for finding in members:
        if finding.value is not None and finding.currency is not None:
            value[finding.currency] = value.get(finding.currency, Decimal(0)) + finding.value
    return {
        "count": len(members),
        "quantity": sum(finding.quantity for finding in members),
        "value": {currency: str(value[currency]) for currency in sorted(value)},
    }


def _report(delivery: Delivery) -> dict[str, Any]:
    return {
        "file": delivery.file,
        "report_type": delivery.report_type,
        "rows": delivery.rows,
        "rejected": delivery.rejected,
        "first_date": _day(delivery.first_date),
        "last_date": _day(delivery.last_date),
        "sha256": delivery.sha256,
    }


def _warning(warned: Warned) -> dict[str, Any]:
    facts = {name: _day(value) if isinstance(value, date) else value for name, value in warned.facts.items()}
    return {"code": warned.code, "message": warned.message, **facts}


def _discrepancy(finding: Finding) -> dict[str, Any]:
    return {
        "claim_type": finding.claim_type,
        "fingerprint": finding.fingerprint,
        "status": finding.status,
        "marketplace": finding.marketplace,
        "fnsku": finding.fnsku,
        "asin": finding.asin,
        "msku": finding.msku,
        "title": finding.title,
        "reference": {"kind": finding.reference_kind, "id": finding.reference_id},
        "fulfillment_center": finding.fulfillment_center,
        "event_date": finding.event_date.isoformat(),
        "opens_on": finding.opens_on.isoformat(),
        "closes_on": finding.closes_on.isoformat(),
        "quantity": finding.quantity,
        "unit_value": unit_text(finding.unit_value, finding.currency),
        "value": None if finding.value is None else str(finding.value),
        "currency": finding.currency,
        "value_basis": finding.value_basis,
        "policy": finding.policy,
        "policy_confirmed": finding.policy_confirmed,
        "caveats": list(finding.caveats),
        "evidence": [_line(evidence) for evidence in finding.evidence],
    }


def _observation(observation: Observation) -> dict[str, Any]:
    return {
        "code": observation.code,
        "message": observation.message,
        "fnsku": observation.fnsku,
        "reference": observation.reference,
        "quantity": observation.quantity,
        "evidence": [_line(evidence) for evidence in observation.evidence],
    }


def _line(evidence: Evidence) -> Mapping[str, Any]:
    line = {"report_type": evidence.report_type, "file": evidence.file, "line": evidence.line, "role": evidence.role}
    more = {"quantity": evidence.quantity, "note": evidence.note}
    return line | {name: value for name, value in more.items() if value is not None}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
