"""The books: every discrepancy that was ever found stands in exactly one place, however its claim ends."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from claims import filing, findings, queries, review
from detection.findings import Outcome
from models import Claim, ClaimStatus, Discrepancy, DiscrepancyStatus, RejectReason
from tests.factories import NOW, Cast, make_cast, make_finding, make_outcome

BOOKS = {
    "upcoming": DiscrepancyStatus.UPCOMING,
    "open": DiscrepancyStatus.OPEN,
    "snoozed": DiscrepancyStatus.SNOOZED,
    "rejected": DiscrepancyStatus.REJECTED,
    "settled": DiscrepancyStatus.SETTLED,
    "withdrawn": DiscrepancyStatus.WITHDRAWN,
    "lapsed": DiscrepancyStatus.LAPSED,
}


def _books() -> Counter[str]:
    """Count each discrepancy where it belongs; *claimed* is one that is approved, with a claim that stands for it."""
    counted: Counter[str] = Counter()
    with db.reading() as session:
        for row in session.scalars(select(Discrepancy)):
            found = [name for name, status in BOOKS.items() if row.status is status]
            standing = [
                claim for claim in _claims_of(session, row.id) if claim.closed_reason not in ("lapsed", "undone")
            ]
            if row.status is DiscrepancyStatus.APPROVED and len(standing) == 1:
                found.append("claimed")
            assert len(found) == 1, (row.id, row.status, found)
            counted[found[0]] += 1
    return counted


def _close(cast: Cast, claim_id: int, *, reason: str) -> None:
    with db.transaction() as session:
        filing.record_outcome(
            session,
            claim_id,
            status=ClaimStatus.CLOSED,
            reason=reason,
            reply="We will not pay." if reason == "refused" else None,
            actor=cast.ann,
            now=NOW,
        )


def _record(cast: Cast, outcome: Outcome) -> findings.Recorded:
    with db.transaction() as session:
        return findings.record_findings(session, cast.account_id, outcome, lines={}, now=NOW)


def _claims_of(session: Session, discrepancy_id: int) -> list[Claim]:
    return list(session.scalars(select(Claim).where(Claim.discrepancies.any(Discrepancy.id == discrepancy_id))))


def test_the_books_hold_however_a_claim_ends(database: str) -> None:
    cast = make_cast()
    found = [make_finding(fnsku=f"X{n}", natural_key=(f"R{n}", "", "", "")) for n in range(8)]
    _record(cast, make_outcome(*found))
    with db.reading() as session:
        ids = list(session.scalars(select(Discrepancy.id).order_by(Discrepancy.id)))
    for discrepancy_id in ids[:6]:
        with db.transaction() as session:
            review.approve(session, discrepancy_id, actor=cast.ann, now=NOW)
    with db.transaction() as session:
        review.reject(session, ids[6], reason=RejectReason.TOO_SMALL, actor=cast.ann, now=NOW)
    assert _books() == {"claimed": 6, "rejected": 1, "open": 1}
    with db.transaction() as session:
        review.undo(session, ids[0], actor=cast.ann, now=NOW)
    _close(cast, 2, reason="withdrawn")
    for claim_id in (3, 4):
        with db.transaction() as session:
            filing.submit(session, claim_id, case_id="10245671881", actor=cast.ann, now=NOW)
    _close(cast, 3, reason="refused")
    assert _books() == {"claimed": 5, "rejected": 1, "open": 2}
    late = found[0].closes_on + timedelta(days=1)
    outcome = make_outcome(as_of=late)
    assert _record(cast, outcome).claims_lapsed == 2
    assert _books() == {"claimed": 3, "rejected": 1, "lapsed": 4}
    assert sum(_books().values()) == len(found)
    assert _record(cast, outcome).claims_lapsed == 0
    with db.reading() as session:
        lapsed = queries.load_discrepancy(session, ids[4], cast.ann)
        assert [move.action for move in lapsed.history][-1] == "lapsed"
        assert lapsed.claims[0].closed_reason == "lapsed"
