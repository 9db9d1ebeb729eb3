"""Laws that hold for whatever Amazon delivers, and the four rules against a slow second reading of the contract."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amazon.reading import read
from detection import engine, policy
from detection.findings import Evidence, Finding, Outcome
from detection.marketplaces import marketplaces
from detection.output import as_document
from detection.reports import Input
from detection.rows import KEEP
from tests.detection import oracle, report_files
from tests.detection.frames import REPORT_TYPES, delivered
from tests.detection.oracle import DAY_OF, Expected, File, Row
from tests.detection.worlds import covering, halves, order_worlds, side_by_side, stock_worlds

US = marketplaces()["US"]
# Around the change of windows, around the change of values, and today.
FIRST_DAYS = (date(2024, 9, 1), date(2025, 3, 1), date(2026, 5, 1))
UNITS_OF = {
    "ledger": "quantity",
    "reimbursements": "quantity_reimbursed_total",
    "removal_orders": "disposed_quantity",
}


def laws(examples: int) -> Any:
    """So many examples, the same ones in every run."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


@st.composite
def audits(draw: Any, *, most: int = 5, whole: bool = False) -> tuple[list[File], date]:
    """Files and an as-of date; which days the files cover is known, told by their rows, or known in part."""
    first = draw(st.sampled_from(FIRST_DAYS))
    worlds = st.one_of(stock_worlds(first), stock_worlds(first, fewest=6, most=20), order_worlds(first))
    files = side_by_side(draw(st.lists(worlds, min_size=1, max_size=most)))
    as_of = first + timedelta(days=draw(st.integers(40, 200)))
    known = "whole" if whole else draw(st.sampled_from(["whole", "rows", "part"]))
    if known == "whole":
        files = covering(files, first - timedelta(days=100), as_of)
    elif known == "part":
        early, late = draw(st.integers(0, 60)), draw(st.integers(0, 40))
        files = covering(files, first - timedelta(days=early), as_of - timedelta(days=late))
    return files, as_of


def run(given_files: Input, as_of: date) -> Outcome:
    return engine.run(given_files, marketplace=US, policy=policy.load("us"), as_of=as_of)


def said(findings: Sequence[Finding]) -> set[Expected]:
    return {
        Expected(
            f.claim_type, f.fingerprint, f.status, f.event_date, f.opens_on, f.closes_on, f.quantity, f.value,
            f.value_basis, frozenset(f.caveats),
        )
        for f in findings
    }  # fmt: skip


@laws(45)
@given(audits())
def test_the_rules_say_what_the_contract_says_unit_by_unit(audit: tuple[list[File], date]) -> None:
    files, as_of = audit
    outcome = run(delivered(files), as_of)
    assert len(said(outcome.findings)) == len(outcome.findings)
    assert said(outcome.findings) == set(oracle.findings(files, as_of))
    assert_no_unit_is_spent_twice(outcome, files)
    assert_money_is_exact_and_rounded_once(outcome)


@laws(10)
@given(st.data())
def test_a_file_split_in_overlapping_parts_equals_the_whole(data: st.DataObject) -> None:
    files, as_of = data.draw(audits(whole=True))
    whole = run(delivered(files), as_of)
    parts = run(delivered(data.draw(halves(files))), as_of)
    assert said(parts.findings) == said(whole.findings)


@laws(10)
@given(audits(), st.randoms(use_true_random=False))
def test_the_order_of_files_and_rows_changes_nothing(audit: tuple[list[File], date], dice: random.Random) -> None:
    files, as_of = audit
    shuffled = [
        File(file.report, f"{dice.randrange(10)}-{file.name}", dice.sample(file.rows, len(file.rows)), file.window)
        for file in files
    ]
    before, after = run(delivered(files), as_of), run(delivered(shuffled), as_of)
    assert [without_lines(f) for f in before.findings] == [without_lines(f) for f in after.findings]


def without_lines(finding: Finding) -> tuple[Any, ...]:
    evidence = Counter((e.report_type, e.role, e.quantity, e.note) for e in finding.evidence)
    return (*said([finding]), finding.fnsku, finding.asin, finding.unit_value, finding.policy, evidence)


def assert_no_unit_is_spent_twice(outcome: Outcome, files: list[File]) -> None:
    rows = {
        (REPORT_TYPES[file.report], file.name, line): row[UNITS_OF[file.report]]
        for file in files
        if file.report in UNITS_OF
        for line, row in enumerate(file.rows, 2)
    }
    spent: Counter[tuple[str, str, int]] = Counter()
    settled: Counter[tuple[str, str]] = Counter()
    for claim_type, frame in outcome.spent.items():
        for row in frame.collect().iter_rows(named=True):
            spent[row["report_type"], row["file"], row["line"]] += row["units"]
            settled[claim_type, row["natural_key"]] += row["units"]
    assert all(units <= rows[place] for place, units in spent.items())
    for f in outcome.findings:
        lost = sum(e.quantity or 0 for e in f.evidence if e.role == "loss")
        assert 0 < f.quantity <= lost
        assert f.quantity + settled[f.claim_type, "\x1f".join(f.natural_key)] <= lost + reconciled(f, files)


def reconciled(finding: Finding, files: list[File]) -> int:
    """Units that Amazon's own count has matched: settled, though never open."""
    ledgers = {file.name: file.rows for file in files if file.report == "ledger"}
    lines = [e for e in finding.evidence if e.role == "loss" and e.file in ledgers]
    return sum(ledgers[e.file][e.line - 2]["reconciled_quantity"] or 0 for e in lines)


def assert_money_is_exact_and_rounded_once(outcome: Outcome) -> None:
    for f in outcome.findings:
        if f.value is None or f.unit_value is None:
            assert (f.value, f.unit_value, f.currency, f.value_basis) == (None, None, None, "unknown")
            continue
        assert f.value.as_tuple().exponent == -2
        assert abs(f.unit_value * f.quantity - f.value) <= Decimal("0.005") + f.quantity * Decimal("0.0000005")


@laws(4)
@given(audits(most=3))
def test_the_same_input_gives_the_same_bytes(audit: tuple[list[File], date]) -> None:
    files, as_of = audit
    assert text(delivered(files), as_of) == text(delivered(files), as_of)


def text(given_files: Input, as_of: date) -> str:
    return json.dumps(as_document(given_files, run(given_files, as_of)))


@laws(8)
@given(audits(most=3))
def test_report_files_are_judged_as_their_rows_are(
    tmp_path_factory: pytest.TempPathFactory, audit: tuple[list[File], date]
) -> None:
    files, as_of = audit
    files = [File(file.report, file.name, file.rows) for file in files]  # a file by itself has no window
    folder = tmp_path_factory.mktemp("reports")
    report_files.write(files, folder)
    outcome = run(read([folder], marketplace=US, keep=KEEP), as_of)
    assert said(outcome.findings) == set(oracle.findings(files, as_of))
    assert_lines_show_the_rows(outcome, folder)


def assert_lines_show_the_rows(outcome: Outcome, folder: Path) -> None:
    """Each loss is proved by the very line of the file that it names."""
    for f in outcome.findings:
        for e in f.evidence:
            if e.role == "loss" and e.file == "ledger.txt":
                assert_shows(f, e, (folder / e.file).read_text().splitlines()[e.line - 1])


def assert_shows(finding: Finding, evidence: Evidence, line: str) -> None:
    cells = [cell.strip('"') for cell in line.split("\t")]
    assert cells[0] == f"{finding.event_date:%m/%d/%Y}"
    assert (cells[1], cells[6], cells[7]) == (finding.fnsku, finding.reference_id, str(-(evidence.quantity or 0)))


def test_worlds_hold_every_kind_of_row() -> None:
    """The laws say something only where the worlds drawn have losses of each rule, and settlements of each kind."""
    seen: Counter[str] = Counter()

    @laws(25)
    @given(audits(whole=True))
    def draw(audit: tuple[list[File], date]) -> None:
        files, as_of = audit
        seen.update(expected.claim_type for expected in oracle.findings(files, as_of))
        for file in files:
            if file.report in DAY_OF:
                seen.update(kinds(file.rows))

    draw()
    wanted = {"warehouse_lost", "warehouse_damaged", "inbound_lost", "return_not_received"}
    assert {kind for kind in wanted | set("MFNOEQP5") if not seen[kind]} == set()


def kinds(rows: Sequence[Row]) -> list[str]:
    return [row["reason"] for row in rows if row.get("event_type") == "Adjustments"]
