"""The report lines that discrepancies rest on. Their text is kept with them: pages need nothing but SQL."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from claims.verdicts import DECIDED
from models import Discrepancy, EvidenceLine

if TYPE_CHECKING:
    from detection.findings import Evidence, Finding, Outcome

Place = tuple[str, int]
_Lines = tuple[tuple[Any, ...], ...]
_AT_ONCE = 1000
_SAME = (
    EvidenceLine.role,
    EvidenceLine.report_type,
    EvidenceLine.file,
    EvidenceLine.line,
    EvidenceLine.quantity,
    EvidenceLine.note,
)


class LineText(Protocol):
    """The text of one line as kept, its file's header, and the SHA-256 of the delivered file."""

    @property
    def header(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102


def missing_lines(session: Session, account_id: int, outcome: "Outcome") -> set[Place]:
    """Return the lines, by file and number, whose text `record_findings` will need: those it will store anew."""
    stored = _stored(session, account_id)
    decided = set(
        session.scalars(
            select(Discrepancy.fingerprint).where(Discrepancy.account_id == account_id, Discrepancy.status.in_(DECIDED))
        )
    )
    return {
        (line.file, line.line)
        for finding in outcome.findings
        if finding.fingerprint not in decided and stored.get(finding.fingerprint) != _key(finding.evidence)
        for line in finding.evidence
    }


def replace(
    session: Session,
    account_id: int,
    found: Iterable[tuple[Discrepancy, "Finding"]],
    lines: Mapping[Place, LineText],
) -> None:
    """Store the evidence of each finding with its row, where it differs from what is there. All rows have their ids."""
    stored = _stored(session, account_id)
    changed = [(row, finding) for row, finding in found if stored.get(row.fingerprint) != _key(finding.evidence)]
    gone = [row.id for row, _ in changed if row.fingerprint in stored]
    for start in range(0, len(gone), _AT_ONCE):
        part = gone[start : start + _AT_ONCE]
        session.execute(
            delete(EvidenceLine).where(EvidenceLine.discrepancy_id.in_(part)),
            execution_options={"synchronize_session": False},
        )
    rows = [
        _row(row.id, position, line, lines.get((line.file, line.line)))
        for row, finding in changed
        for position, line in enumerate(finding.evidence)
    ]
    if rows:
        session.execute(insert(EvidenceLine), rows)


def storable(text: str) -> str:
    """Return a report's text as both databases can keep it: PostgreSQL has no NUL."""
    return text.replace("\x00", "\ufffd")


def _stored(session: Session, account_id: int) -> dict[str, _Lines]:
    """Return the evidence of each of the account's undecided discrepancies, by fingerprint."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    rows = session.execute(
        select(Discrepancy.fingerprint, *_SAME)
        .join(Discrepancy, Discrepancy.id == EvidenceLine.discrepancy_id)
        .where(Discrepancy.account_id == account_id, Discrepancy.status.not_in(DECIDED))
        .order_by(EvidenceLine.discrepancy_id, EvidenceLine.position)
    )
    for fingerprint, *line in rows:
        found.setdefault(fingerprint, []).append(tuple(line))
    return {fingerprint: tuple(stored) for fingerprint, stored in found.items()}


def _key(evidence: Sequence["Evidence"]) -> _Lines:
    return tuple((each.role, each.report_type, each.file, each.line, each.quantity, each.note) for each in evidence)


def _row(discrepancy_id: int, position: int, line: "Evidence", kept: LineText | None) -> dict[str, Any]:
    return {
        "discrepancy_id": discrepancy_id,
        "position": position,
        "role": line.role,
        "report_type": line.report_type,
        "file": line.file,
        "line": line.line,
        "quantity": line.quantity,
        "note": line.note,
        "header": storable(kept.header) if kept else "",
        "text": storable(kept.text) if kept else "",
        "sha256": kept.sha256 if kept else "",
    }
