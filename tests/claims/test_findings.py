"""What a run found becomes rows: kept by fingerprint, followed while open, flagged when decided, told once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

import db
from claims import evidence, findings, review
from claims.findings import Recorded
from detection.findings import Evidence, Finding, Outcome
from models import (
    Base,
    Claim,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    EvidenceLine,
    HistoryEntry,
    OutboxMessage,
    RejectReason,
)
from tests.factories import NOW, TODAY, Cast, make_cast, make_finding, make_outcome

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    header: str
    text: str
    sha256: str


def _record(cast: Cast, outcome: Outcome, lines: Mapping[tuple[str, int], Line] | None = None) -> Recorded:
    with db.transaction() as session:
        return findings.record_findings(session, cast.account_id, outcome, lines=lines or {}, now=NOW)


def _rows(cast: Cast) -> list[Discrepancy]:
    with db.reading() as session:
        wanted = select(Discrepancy).where(Discrepancy.account_id == cast.account_id).order_by(Discrepancy.id)
        wanted = wanted.options(
            selectinload(Discrepancy.caveats), selectinload(Discrepancy.evidence), selectinload(Discrepancy.history)
        )
        return list(session.scalars(wanted))


def _row(cast: Cast) -> Discrepancy:
    (row,) = _rows(cast)
    return row


def _messages(kind: str = "") -> list[OutboxMessage]:
    with db.reading() as session:
        rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
        return [row for row in rows if kind in row.kind]


def _everything() -> dict[str, list[tuple[Any, ...]]]:
    with db.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def _gone(finding: Finding, reason: str, **more: Any) -> Outcome:
    return make_outcome(gone=[(finding, reason)], **more)


def _approve(cast: Cast, discrepancy_id: int) -> Claim:
    with db.transaction() as session:
        return review.approve(session, discrepancy_id, actor=cast.ann, now=NOW)


def _reject(cast: Cast, discrepancy_id: int) -> None:
    with db.transaction() as session:
        review.reject(session, discrepancy_id, reason=RejectReason.NOT_OURS, actor=cast.ann, now=NOW)


def test_a_finding_becomes_a_row_with_evidence_caveats_and_history(database: str) -> None:
    cast = make_cast()
    lines = (
        Evidence("GET_LEDGER_DETAIL_VIEW_DATA", "ledger.txt", 12, "loss", 3),
        Evidence("GET_FBA_REIMBURSEMENTS_DATA", "paid.txt", 4, "settled", 1, "one unit paid"),
    )
    finding = make_finding(caveats=("partial_coverage",), evidence=lines)
    texts = {("ledger.txt", 12): Line("Date\tFNSKU", "10/20/2026\tX001", "ab" * 32)}
    with db.reading() as session:
        assert evidence.missing_lines(session, cast.account_id, make_outcome(finding)) == {
            ("ledger.txt", 12),
            ("paid.txt", 4),
        }
    assert _record(cast, make_outcome(finding), texts).new == 1
    row = _row(cast)
    assert (row.status, row.quantity, row.value, row.unit_value) == (
        DiscrepancyStatus.OPEN,
        3,
        Decimal("37.02"),
        Decimal("12.34"),
    )
    assert [caveat.code for caveat in row.caveats] == ["partial_coverage"]
    assert [(line.file, line.line, line.role, line.quantity, line.note) for line in row.evidence] == [
        ("ledger.txt", 12, "loss", 3, None),
        ("paid.txt", 4, "settled", 1, "one unit paid"),
    ]
    assert (row.evidence[0].header, row.evidence[0].text) == ("Date\tFNSKU", "10/20/2026\tX001")
    assert [(entry.action, entry.actor_name, entry.to_status) for entry in row.history] == [("found", "Recoup", "open")]


def test_odd_text_and_huge_numbers_of_a_report_cost_no_run(database: str) -> None:
    cast = make_cast()
    line = (Evidence("GET_LEDGER_DETAIL_VIEW_DATA", "ledger.txt", 2**33, "loss", 2**40),)
    odd = make_finding(title="Blue\x00mug" * 500, msku="\x00", quantity=2**40, evidence=line)
    texts = {("ledger.txt", 2**33): Line("Date\x00", "10/20/2026\x00\tX001", "ab" * 32)}
    _record(cast, make_outcome(odd), texts)
    before = _everything()
    _record(cast, make_outcome(odd), texts)
    assert _everything() == before
    assert (_row(cast).msku, _row(cast).quantity) == ("\ufffd", 2**40)
    assert _row(cast).evidence[0].text == "10/20/2026\ufffd\tX001"


@pytest.mark.parametrize(
    ("status", "stored"),
    [
        ("upcoming", DiscrepancyStatus.UPCOMING),
        ("claimable", DiscrepancyStatus.OPEN),
        ("lapsed", DiscrepancyStatus.LAPSED),
    ],
)
def test_only_what_is_claimable_is_announced(
    sqlite_database: str, slack_is_on: None, status: str, stored: DiscrepancyStatus
) -> None:
    cast = make_cast()
    _record(cast, make_outcome(make_finding(status=status)))
    assert _row(cast).status is stored
    assert len(_messages("discrepancy_card")) == (status == "claimable")


def test_the_same_run_twice_changes_nothing(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    outcome = make_outcome(
        make_finding(caveats=("in_research",)), make_finding(status="upcoming"), make_finding(value=None)
    )
    _record(cast, outcome)
    before = _everything()
    again = _record(cast, outcome)
    assert _everything() == before
    assert again == Recorded(0, 0, 0, 0, 0, 0, 0, 0, 0)
    with db.reading() as session:
        assert evidence.missing_lines(session, cast.account_id, outcome) == set()


def test_an_open_row_follows_what_is_found(database: str) -> None:
    cast = make_cast()
    finding = make_finding(caveats=("partial_coverage", "in_research"))
    _record(cast, make_outcome(finding))
    more = (Evidence("GET_LEDGER_DETAIL_VIEW_DATA", "ledger.txt", 99, "loss", 5),)
    now_five = replace(
        finding, quantity=5, value=Decimal("61.70"), caveats=("in_research", "cost_without_source"), evidence=more
    )
    before = _row(cast)
    assert _record(cast, make_outcome(now_five)).changed == 1
    row = _row(cast)
    assert (row.id, row.quantity, row.value, row.status) == (before.id, 5, Decimal("61.70"), DiscrepancyStatus.OPEN)
    assert [caveat.code for caveat in row.caveats] == ["cost_without_source", "in_research"]
    assert [line.line for line in row.evidence] == [99]
    assert [(entry.action, entry.reason, entry.note) for entry in row.history[1:]] == [
        ("quantity_changed", None, "3 → 5 units"),
        ("value_changed", None, "37.02 USD → 61.70 USD"),
        ("caveat_dropped", "partial_coverage", None),
        ("caveat_added", "cost_without_source", None),
    ]


def test_a_cleared_caveat_stays_cleared(sqlite_database: str) -> None:
    cast = make_cast()
    outcome = make_outcome(make_finding(caveats=("in_research",)))
    _record(cast, outcome)
    with db.transaction() as session:
        review.clear_caveat(session, _row(cast).id, code="in_research", note="Seen", actor=cast.ann, now=NOW)
    _record(cast, outcome)
    assert [caveat.note for caveat in _row(cast).caveats] == ["Seen"]


@pytest.mark.parametrize("decide", [_approve, _reject])
def test_a_decided_row_is_flagged_and_keeps_what_was_decided(database: str, decide: Callable[[Cast, int], Any]) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    decide(cast, _row(cast).id)
    five = make_outcome(replace(finding, quantity=5, value=Decimal("61.70")))
    assert _record(cast, five).flagged == 1
    row = _row(cast)
    assert (row.quantity, row.value, row.is_changed_since_decision) == (3, Decimal("37.02"), True)
    assert (row.history[-1].action, row.history[-1].note) == ("changed_since_decision", "3 → 5 units")
    assert _record(cast, five).flagged == 0
    _record(cast, make_outcome(finding))
    assert not _row(cast).is_changed_since_decision


@pytest.mark.parametrize(
    ("reason", "stored"), [("paid_by_amazon", "paid_by_amazon"), ("found", "found"), ("put_back", "found")]
)
def test_what_amazon_made_up_for_before_it_was_filed_is_settled_and_its_claim_withdrawn(
    database: str, slack_is_on: None, reason: str, stored: str
) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    claim_id = _approve(cast, _row(cast).id).id
    recorded = _record(cast, _gone(finding, reason))
    assert (recorded.settled, recorded.claims_withdrawn, recorded.flagged) == (1, 1, 0)
    row = _row(cast)
    assert (row.status, row.status_reason) == (DiscrepancyStatus.SETTLED, stored)
    with db.reading() as session:
        claim = session.get_one(Claim, claim_id, options=[selectinload(Claim.history)])
        assert (claim.status, claim.closed_reason) == (ClaimStatus.CLOSED, "withdrawn")
        assert (claim.recovered, claim.recovered_quantity) == (0, 0)
        assert "Amazon was faster" in (claim.history[-1].note or "")
    assert _messages("card_update")
    assert _record(cast, _gone(finding, reason)).settled == 0


def _file(claim_id: int) -> None:
    with db.transaction() as session:
        claim = session.get_one(Claim, claim_id)
        claim.status, claim.submitted_at, claim.case_id = ClaimStatus.SUBMITTED, NOW, "12345678901"


def test_a_filed_row_that_amazon_paid_for_of_itself_is_flagged(sqlite_database: str) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    _file(_approve(cast, _row(cast).id).id)
    assert _record(cast, _gone(finding, "paid_by_amazon")).flagged == 1
    row = _row(cast)
    assert (row.status, row.is_changed_since_decision) == (DiscrepancyStatus.APPROVED, True)
    assert row.history[-1].note == "Settled: paid by Amazon itself"


@pytest.mark.parametrize(("left", "is_changed"), [(3, False), (2, False), (1, False), (0, True), (4, True)])
def test_what_was_paid_because_we_claimed_it_is_no_change(sqlite_database: str, left: int, is_changed: bool) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    _file(_approve(cast, _row(cast).id).id)
    outcome = make_outcome(replace(finding, quantity=left)) if left else _gone(finding, "paid_by_amazon")
    with db.transaction() as session:
        paid = {finding.fingerprint: 2}
        findings.record_findings(session, cast.account_id, outcome, lines={}, paid=paid, now=NOW)
    assert _row(cast).is_changed_since_decision is is_changed


def test_units_found_after_the_filing_are_told_once_with_the_claim(database: str) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    claim_id = _approve(cast, _row(cast).id).id
    _file(claim_id)
    key = "\x1f".join(finding.natural_key)
    spent = pl.LazyFrame({"natural_key": [key, key], "kind": ["find", "cash"], "units": [2, 1]})
    for _ in range(2):
        _record(cast, _gone(finding, "found", spent={finding.claim_type: spent}))
    with db.reading() as session:
        claim = session.get_one(Claim, claim_id, options=[selectinload(Claim.history)])
        told = [entry.note for entry in claim.history if entry.action == "units_found"]
    assert claim.status is ClaimStatus.SUBMITTED
    assert told == ["2 units found of 3 claimed. A find is no money: nothing is recovered by it."]


def test_a_change_that_only_the_value_has_flags_nothing(sqlite_database: str) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    _approve(cast, _row(cast).id)
    assert _record(cast, make_outcome(replace(finding, value=Decimal("40.00")))).flagged == 0


def test_an_upcoming_row_opens_when_its_day_has_come(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    finding = make_finding(status="upcoming", opens_on=TODAY + DAY)
    _record(cast, make_outcome(finding))
    assert _messages() == []
    _record(cast, make_outcome(replace(finding, status="claimable"), as_of=TODAY + DAY))
    row = _row(cast)
    assert row.status is DiscrepancyStatus.OPEN
    assert [(entry.action, entry.from_status, entry.to_status) for entry in row.history] == [
        ("found", None, "upcoming"),
        ("opened", "upcoming", "open"),
    ]
    assert [message.discrepancy_id for message in _messages("discrepancy_card")] == [row.id]


@pytest.mark.parametrize("start", [DiscrepancyStatus.OPEN, DiscrepancyStatus.UPCOMING, DiscrepancyStatus.SNOOZED])
@pytest.mark.parametrize(
    ("reason", "status", "stored"),
    [
        ("found", DiscrepancyStatus.SETTLED, "found"),
        ("put_back", DiscrepancyStatus.SETTLED, "found"),
        ("received", DiscrepancyStatus.SETTLED, "found"),
        ("paid_by_amazon", DiscrepancyStatus.SETTLED, "paid_by_amazon"),
        ("reconciled_by_amazon", DiscrepancyStatus.SETTLED, "reconciled_by_amazon"),
        ("charged_again", DiscrepancyStatus.WITHDRAWN, "charged_again"),
        ("disposed_by_seller", DiscrepancyStatus.WITHDRAWN, "disposed_by_seller"),
    ],
)
def test_a_judged_loss_without_open_units_ends_with_its_reason(
    sqlite_database: str, start: DiscrepancyStatus, reason: str, status: DiscrepancyStatus, stored: str
) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    with db.transaction() as session:
        session.get_one(Discrepancy, _row(cast).id).status = start
    recorded = _record(cast, _gone(finding, reason))
    assert recorded.settled + recorded.withdrawn == 1
    row = _row(cast)
    assert (row.status, row.status_reason) == (status, stored)
    assert (row.history[-1].from_status, row.history[-1].to_status, row.history[-1].reason) == (
        start.value,
        status.value,
        stored,
    )


def test_a_loss_that_could_not_be_judged_stays(sqlite_database: str) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    before = _everything()
    _record(cast, _gone(finding, "not_covered"))
    _record(cast, make_outcome())
    assert _everything() == before


@pytest.mark.parametrize(
    ("since", "is_withdrawn"), [(date(2026, 10, 20), True), (date(2026, 10, 21), False), (None, False)]
)
def test_a_loss_that_covered_rows_no_longer_show_is_withdrawn(
    sqlite_database: str, since: date | None, is_withdrawn: bool
) -> None:
    cast = make_cast()
    _record(cast, make_outcome(make_finding()))
    _record(cast, make_outcome(judged_since={"warehouse_lost": since} if since else {}))
    row = _row(cast)
    assert (row.status is DiscrepancyStatus.WITHDRAWN) is is_withdrawn
    assert row.status_reason == ("not_shown" if is_withdrawn else None)


def test_a_run_for_an_earlier_day_leaves_later_losses_alone(sqlite_database: str) -> None:
    cast = make_cast()
    _record(cast, make_outcome(make_finding()))
    earlier = {"as_of": date(2026, 10, 1), "judged_since": {"warehouse_lost": date(2026, 1, 1)}}
    _record(cast, make_outcome(**earlier))
    assert _row(cast).status is DiscrepancyStatus.OPEN


def test_what_was_withdrawn_and_shows_again_is_open_again_and_not_told_again(
    sqlite_database: str, slack_is_on: None
) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    _record(cast, make_outcome(judged_since={"warehouse_lost": date(2026, 1, 1)}))
    _record(cast, make_outcome(finding))
    row = _row(cast)
    assert (row.status, row.status_reason) == (DiscrepancyStatus.OPEN, None)
    assert row.history[-1].action == "reopened"
    assert len(_messages("discrepancy_card")) == 1


@pytest.mark.parametrize("status", [DiscrepancyStatus.OPEN, DiscrepancyStatus.UPCOMING, DiscrepancyStatus.SNOOZED])
def test_a_deadline_passes_even_without_reports(sqlite_database: str, status: DiscrepancyStatus) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    with db.transaction() as session:
        session.get_one(Discrepancy, _row(cast).id).status = status
    _record(cast, make_outcome(as_of=finding.closes_on))
    assert _row(cast).status is status
    assert _record(cast, make_outcome(as_of=finding.closes_on + DAY)).lapsed == 1
    assert _row(cast).status is DiscrepancyStatus.LAPSED


def test_a_claim_that_nobody_filed_in_time_is_closed_as_lapsed(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    claim_id = _approve(cast, _row(cast).id).id
    assert _record(cast, make_outcome(as_of=finding.closes_on)).claims_lapsed == 0
    assert _record(cast, make_outcome(as_of=finding.closes_on + DAY)).claims_lapsed == 1
    with db.reading() as session:
        claim = session.get_one(Claim, claim_id, options=[selectinload(Claim.history)])
        assert (claim.status, claim.closed_reason) == (ClaimStatus.CLOSED, "lapsed")
        assert claim.history[-1].to_status == "closed"
    assert _row(cast).status is DiscrepancyStatus.LAPSED
    assert "claim" in _messages("card_update")[-1].key


def test_a_paused_client_gets_nothing_new_but_what_is_open_goes_on(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).status = ClientStatus.PAUSED
    recorded = _record(cast, make_outcome(replace(finding, quantity=4), make_finding()))
    assert (recorded.new, recorded.changed) == (0, 1)
    assert _row(cast).quantity == 4
    assert len(_messages("discrepancy_card")) == 1


def test_another_account_has_rows_of_its_own(sqlite_database: str) -> None:
    cast = make_cast()
    outcome = make_outcome(make_finding())
    _record(cast, outcome)
    with db.transaction() as session:
        findings.record_findings(session, cast.other_account_id, outcome, lines={}, now=NOW)
        findings.record_findings(session, cast.other_account_id, _gone(outcome.findings[0], "found"), lines={}, now=NOW)
    assert _row(cast).status is DiscrepancyStatus.OPEN


def test_twenty_become_cards_by_deadline_and_value_the_rest_is_one_number(database: str, slack_is_on: None) -> None:
    cast = make_cast()
    late = [make_finding(closes_on=date(2027, 1, day), value=Decimal(day)) for day in range(1, 16)]
    soon = [make_finding(closes_on=date(2026, 12, 1), value=Decimal(worth)) for worth in range(1, 11)]
    recorded = _record(cast, make_outcome(*late, *soon))
    assert (recorded.cards, recorded.counted) == (20, 5)
    cards = [message.discrepancy_id for message in _messages("discrepancy_card")]
    ids = {row.fingerprint: row.id for row in _rows(cast)}
    wanted = [*sorted(soon, key=lambda finding: -(finding.value or 0)), *late[:10]]
    assert cards == [ids[finding.fingerprint] for finding in wanted]
    (overflow,) = _messages("cards_overflow")
    assert overflow.payload == {"account_id": cast.account_id, "count": 5}
    assert all(row.announced_at == NOW for row in _rows(cast))


@pytest.mark.parametrize(
    ("value", "currency", "is_told"),
    [("49.99", "USD", False), ("50.00", "USD", True), (None, None, True), ("1.00", "CAD", True)],
)
def test_the_threshold_holds_back_known_values_in_its_own_currency(
    sqlite_database: str, slack_is_on: None, value: str | None, currency: str | None, is_told: bool
) -> None:
    cast = make_cast()
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).min_value = Decimal("50.00")
    _record(cast, make_outcome(make_finding(value=value and Decimal(value), currency=currency)))
    assert len(_messages("discrepancy_card")) == is_told
    assert (_row(cast).announced_at is not None) is is_told


def test_without_slack_nothing_is_queued_and_all_is_told_when_it_is_set_up(
    sqlite_database: str, settings_of_the_test: Callable[..., None]
) -> None:
    cast = make_cast()
    outcome = make_outcome(*(make_finding() for _ in range(3)))
    _record(cast, outcome)
    assert _messages() == []
    settings_of_the_test(SLACK_BOT_TOKEN="xoxb-test", SLACK_SIGNING_SECRET="signed")
    _record(cast, outcome)
    assert len(_messages("discrepancy_card")) == 3


def test_a_card_that_was_told_is_stale_when_its_row_changes(sqlite_database: str, slack_is_on: None) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    _record(cast, make_outcome(replace(finding, quantity=4, value=Decimal("49.36"))))
    assert len(_messages("card_update")) == 1
    _record(cast, _gone(finding, "found"))
    assert len(_messages("card_update")) == 2


RUNS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 3), st.sampled_from(["claimable", "claimable", "upcoming"])),
        max_size=8,
        unique_by=lambda loss: loss[0],
    ),
    min_size=1,
    max_size=4,
)


def _run(losses: Sequence[tuple[int, int, str]], base: Sequence[Finding]) -> Outcome:
    found = [replace(base[i], quantity=units, status=status) for i, units, status in losses if units]
    return make_outcome(*found, gone=[(base[i], "found") for i, units, _ in losses if not units])


@given(runs=RUNS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_runs_say_each_discrepancy_is_told_exactly_once(
    sqlite_database: str, slack_is_on: None, monkeypatch: pytest.MonkeyPatch, runs: list[Any]
) -> None:
    monkeypatch.setattr("claims.announcing.CARDS_A_RUN", 2)
    with db.transaction() as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in ("users", "clients", "agency_settings"):
                session.execute(table.delete())
        session.execute(Base.metadata.tables["clients"].update().values(case_manager_id=None))
        session.execute(Base.metadata.tables["users"].delete())
        session.execute(Base.metadata.tables["clients"].delete())
    cast = make_cast()
    base = [make_finding() for _ in range(8)]
    ever_open: set[str] = set()
    for losses in runs:
        outcome = _run(losses, base)
        _record(cast, outcome)
        _record(cast, outcome)
        ever_open |= {row.fingerprint for row in _rows(cast) if row.status is DiscrepancyStatus.OPEN}
        cards = [message.discrepancy_id for message in _messages("discrepancy_card")]
        counted = sum(message.payload["count"] for message in _messages("cards_overflow"))
        assert len(cards) == len(set(cards))
        assert len(cards) + counted == len(ever_open)
        assert {row.fingerprint for row in _rows(cast) if row.announced_at} == ever_open


def test_a_press_during_a_run_waits_and_decides_on_what_the_run_wrote(database: str) -> None:
    cast = make_cast()
    finding = make_finding()
    _record(cast, make_outcome(finding))
    row_id = _row(cast).id
    approved: list[Claim] = []
    pressing = threading.Thread(target=lambda: approved.append(_approve(cast, row_id)))
    with db.transaction() as session:
        changed = make_outcome(replace(finding, quantity=5, value=Decimal("61.70")))
        findings.record_findings(session, cast.account_id, changed, lines={}, now=NOW)
        pressing.start()
        pressing.join(timeout=0.5)
        assert pressing.is_alive()
    pressing.join(timeout=30)
    assert [(claim.quantity, claim.value) for claim in approved] == [(5, Decimal("61.70"))]


def test_many_findings_take_few_statements(sqlite_database: str) -> None:
    from sqlalchemy import event

    cast = make_cast()
    outcome = make_outcome(*(make_finding() for _ in range(400)))
    _record(cast, outcome)
    statements: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    _record(cast, outcome)
    assert len(statements) < 12
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(EvidenceLine)) == 400
        assert session.scalar(select(func.count()).select_from(HistoryEntry)) == 400
