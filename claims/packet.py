"""What a case manager files with Amazon: a subject and a text to paste into Seller Support, and the evidence as CSV.

The words stand in `packets/`, a file for each claim type: first the subject and what is to be attached, a line each,
then a blank line and the text. Pure: a claim with its discrepancies and their evidence in, text out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from claims import report_lines, words
from claims.spreadsheets import csv_lines
from models import Claim, Discrepancy, EvidenceLine

PACKETS = Path(__file__).parent / "packets"

_GENERAL = "general"
_LINES_SHOWN = 8
# Roles of lines that make up for a part of a loss, and what Amazon is told that it was.
_MAKES_UP = {
    "find": "found again",
    "put_back": "put back into stock",
    "correction": "corrected",
    "surplus": "too many of another item in the shipment",
    "charged_again": "charged to the customer again",
    "reimbursement": "reimbursed",
    "disposal": "disposed of on our order",
}
_OWN_COLUMNS = ("report", "file", "line", "role", "quantity", "note")
_NO_COLUMNS = "record"  # of a report that is no table: the record itself
_HEAD = re.compile(r"(Subject|Attach): (.+)")


@dataclass(frozen=True, slots=True)
class Packet:
    """What is filed. `attach` says what Amazon wants with it, the evidence file first."""

    subject: str
    text: str
    attach: tuple[str, ...]

    @property
    def whole(self) -> str:
        """Subject and text, as one text to copy."""
        return f"{self.subject}\n\n{self.text}"


def packet(claim: Claim) -> Packet:
    """Return the text for a claim, with the facts filled in; a fact that is not known is left out."""
    has_its_own = (PACKETS / f"{claim.claim_type}.txt").exists()
    template = _templates().get_template(f"{claim.claim_type if has_its_own else _GENERAL}.txt")
    facts = [_facts(row) for row in claim.discrepancies]
    filled = template.render(
        claim_type=words.claim_type_name(claim.claim_type),
        claim_type_line=words.claim_type_line(claim.claim_type) or words.claim_type_name(claim.claim_type),
        units=words.units(claim.quantity),
        discrepancies=facts,
        first=facts[0],
    )
    head, _, text = filled.strip().partition("\n\n")
    fields = [found.groups() for line in head.splitlines() if (found := _HEAD.fullmatch(line.strip()))]
    subject = next(value for name, value in fields if name == "Subject")
    attach = tuple(value for name, value in fields if name == "Attach")
    return Packet(subject, re.sub(r"\n{3,}", "\n\n", text).strip(), attach)


def evidence_csv(claim: Claim) -> Iterator[str]:
    """Yield the lines that a claim rests on, as CSV: where each stands, then the columns of its own report."""
    lines = [line for row in claim.discrepancies for line in row.evidence]
    columns = list(dict.fromkeys(name for line in lines for name in _columns(line)))
    yield from csv_lines([*_OWN_COLUMNS, *columns], (_csv_row(line, columns) for line in lines))


def evidence_name(claim: Claim) -> str:
    """Return what the evidence file is called."""
    return f"claim-{claim.id}-evidence.csv"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(PACKETS),
        autoescape=False,  # noqa: S701 - it makes plain text
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _facts(row: Discrepancy) -> dict[str, Any]:
    """Return what a text says of one discrepancy, in words; None for what is not known."""
    lines = list(row.evidence)
    lost = _units_of(lines, "loss")
    booked_in = _units_of(lines, "receipt")
    return {
        "fnsku": _one_line(row.fnsku),
        "msku": _one_line(row.msku),
        "asin": _one_line(row.asin),
        "title": _one_line(row.title),
        "reference_name": words.reference_name(row.reference_kind),
        "reference_id": _one_line(row.reference_id),
        "fulfillment_center": _one_line(row.fulfillment_center),
        "event_date": words.day(row.event_date),
        "quantity": f"{row.quantity:,}",
        "lost": f"{lost:,}" if lost else None,
        "received": f"{booked_in:,}" if booked_in else None,
        "made_up": _made_up(lines, lost - row.quantity),
        "value": _amount(row.value, row.currency),
        "unit_value": _amount(row.unit_value, row.currency),
        "value_basis": words.value_basis_name(row.value_basis).lower(),
        "lines": [_line(line) for line in lines[:_LINES_SHOWN]],
        "more_lines": max(len(lines) - _LINES_SHOWN, 0),
    }


def _units_of(lines: Sequence[EvidenceLine], role: str) -> int:
    return sum(abs(line.quantity or 0) for line in lines if line.role == role)


def _made_up(lines: Sequence[EvidenceLine], units: int) -> str | None:
    """Say how many of the lost units are not asked for, and why. One settlement may stand in two lines of a report."""
    if units <= 0:
        return None
    roles = {line.role for line in lines}
    how = ", ".join(words_for for role, words_for in _MAKES_UP.items() if role in roles)
    return f"{words.units(units)} ({how})" if how else words.units(units)


def _line(line: EvidenceLine) -> str:
    part = "" if line.quantity is None else f", {words.units(abs(line.quantity))}"
    where = f"{words.report_name(line.report_type)} ({_one_line(line.file)}, line {line.line:,})"
    return f"{where}: {_lowered(words.evidence_role_name(line.role))}{part}"


def _amount(value: Decimal | None, currency: str | None) -> str | None:
    return None if value is None else words.money(value, currency)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _one_line(text: str | None) -> str | None:
    """Return a report's text so that it cannot make lines of its own."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split()) or None


def _columns(line: EvidenceLine) -> list[str]:
    if report_lines.is_table(line.header):
        return [name for name in report_lines.cells(line.header, line.header) if name]
    return [_NO_COLUMNS] if line.text else []


def _csv_row(line: EvidenceLine, columns: Sequence[str]) -> list[str]:
    quantity = "" if line.quantity is None else str(line.quantity)
    where = [words.report_name(line.report_type), line.file, str(line.line), words.evidence_role_name(line.role)]
    own = _own(line)
    return [*where, quantity, line.note or "", *(own.get(name, "") for name in columns)]


def _own(line: EvidenceLine) -> dict[str, str]:
    if not report_lines.is_table(line.header):
        return {_NO_COLUMNS: line.text}
    names = report_lines.cells(line.header, line.header)
    return dict(zip(names, report_lines.cells(line.text, line.header), strict=False))
