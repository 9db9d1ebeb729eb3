"""What Amazon does after the world's end: each story of a case, told in its own reports, the same way each time."""

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from amazon import reading
from detection import engine, policy
from detection.marketplaces import marketplaces
from detection.rows import KEEP
from sandbox.amazon import downloads
from sandbox.amazon.answers import STORIES, answer, next_case_id, story_of
from sandbox.amazon.cases import Asked, Case, Memory
from sandbox.formats import tables
from sandbox.truth import Truth
from sandbox.world import products_of, write

UNTIL = date(2026, 11, 22)
FILED = UNTIL + timedelta(days=1)
SEED, SCALE = 3, 0.1


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> downloads.Shop:
    folder = tmp_path_factory.mktemp("shop")
    write(folder, seed=SEED, until=UNTIL, scale=SCALE, page_size=1)
    return downloads.Shop(folder, account_id=1, seed=SEED, scale=SCALE)


@pytest.fixture
def discrepancies(shop) -> list[dict]:
    """Return what Recoup's list would say of the world's claimable mistakes."""
    truth = Truth.load(shop.folder / "truth.json")
    mskus = {product.fnsku: product.msku for product in products_of(SEED, SCALE)}
    rows = []
    for number, planted in enumerate(truth.with_status("claimable"), 1):
        is_order = planted.claim_type == "return_not_received"
        row = {"id": number, "account_id": 1, "status": "open", "claim_type": planted.claim_type}
        row |= {"fingerprint": planted.fingerprint, "quantity": planted.quantity, "reference_id": planted.key[0]}
        row |= {"msku": planted.key[1] if is_order else mskus[planted.key[1]], "closes_on": "2027-01-31"}
        rows.append(row | {"value": None if planted.value is None else f"{planted.value / 100:.2f}"})
    return rows


def filed(discrepancies: list[dict], case_ids: list[str]) -> list[dict]:
    return [
        {**row, "case_id": case_id, "discrepancy_ids": [row["id"]]}
        for row, case_id in zip(discrepancies, case_ids, strict=False)
    ]


def case_of(story: str, *asked: Asked) -> Case:
    number = list(STORIES).index(story) + 15_000_000_000 // len(STORIES) * len(STORIES)
    return Case(str(number), FILED, asked=asked)


def lost(claim_id: int, quantity: int, msku: str = "A") -> Asked:
    return Asked(claim_id, 1, "warehouse_lost", msku, "", quantity, 1000 * quantity, FILED)


def rows_of(folder: Path, kind: str) -> list[dict[str, str]]:
    with next(folder.glob(f"{kind}-*.txt")).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_cases_that_follow_one_another_tell_every_story():
    cases: list[Case] = []
    for _ in STORIES:
        cases.append(Case(next_case_id(7, cases), FILED))
    assert [story_of(case.case_id) for case in cases] == list(STORIES)
    assert all(len(case.case_id) == 11 for case in cases)


@pytest.mark.parametrize("story", sorted(STORIES.keys() - {"refused", "asks", "taken_back"}))
def test_what_is_paid_adds_up_to_the_claim(story):
    lines = answer(case_of(story, lost(1, 5)), seed=1).lines
    assert sum(share.cash + share.stock for line in lines for share in line.shares) == 5
    for line in lines:
        assert line.approved_on > FILED
        assert 1 <= (line.shown_on - line.approved_on).days <= 5


def test_one_payment_for_two_claims_of_a_case_and_a_line_for_each_product():
    lines = answer(case_of("paid", lost(1, 2), lost(2, 3), lost(3, 1, "B")), seed=1).lines
    assert [(line.msku, line.cash) for line in lines] == [("A", 5), ("B", 1)]
    assert [(share.claim_id, share.cash) for share in lines[0].shares] == [(1, 2), (2, 3)]
    assert len({line.key for line in lines}) == 1


def test_parts_go_to_the_oldest_claim_first():
    first, rest = answer(case_of("paid_in_parts", lost(1, 2), lost(2, 3)), seed=1).lines
    assert [(share.claim_id, share.cash) for share in first.shares] == [(1, 2), (2, 1)]
    assert [(share.claim_id, share.cash) for share in rest.shares] == [(2, 2)]
    assert rest.approved_on == first.approved_on + timedelta(days=3)


@pytest.mark.parametrize(("story", "replies"), [("refused", 1), ("asks", 1)])
def test_a_case_that_is_not_paid_says_why_and_pays_when_the_seller_writes_again(story, replies):
    case = case_of(story, lost(1, 2))
    before = answer(case, seed=1)
    assert (len(before.replies), before.lines) == (replies, ())
    written = replace(case, written_on=before.replies[0].day)
    after = answer(written, seed=1)
    assert after.replies[0] == before.replies[0]
    assert after.lines[0].approved_on == before.replies[0].day + timedelta(days=1)


def test_what_is_taken_back_names_what_was_paid():
    paid, back = answer(case_of("taken_back", lost(1, 2)), seed=1).lines
    assert (paid.cash, back.cash, back.original, back.reason) == (2, -2, paid.key, "Reimbursement_Reversal")
    assert back.approved_on > paid.shown_on


def test_an_order_is_paid_by_its_number_whatever_the_story():
    asked = replace(lost(1, 1), claim_type="return_not_received", order_id="111-1234567-1234567")
    for story in ("paid", "paid_in_stock", "unnamed", "taken_back"):
        [line] = answer(case_of(story, asked), seed=1).lines
        assert (line.reason, line.order_id, line.cash) == ("CustomerReturn", "111-1234567-1234567", 1)


def test_memory_can_be_read_back(tmp_path, discrepancies):
    memory = Memory(up_to=FILED)
    memory.learn(filed(discrepancies, ["15000000005"]), discrepancies, FILED)
    memory.choose_own(discrepancies[1:], FILED, seed=SEED)
    memory.save(tmp_path / "amazon.json")
    assert Memory.load(tmp_path / "amazon.json") == memory
    assert Memory.load(tmp_path / "none.json") == Memory()


def test_reports_of_a_later_day_hold_those_of_the_earlier_and_nothing_too_soon(shop, discrepancies):
    memory = Memory()
    cases = [str(15_000_000_004 + number) for number in range(len(STORIES))]
    memory.learn(filed(discrepancies, cases), discrepancies, FILED)
    early, late = (downloads.write(shop, memory, FILED + timedelta(days=days)) for days in (4, 14))
    for kind in ("ledger", "reimbursements", "returns", "shipments"):
        assert all(row in rows_of(late, kind) for row in rows_of(early, kind)), kind
    known = {line.shown_on for line in downloads.lines_of(shop, memory)}
    assert min(known) <= FILED + timedelta(days=14)
    paid = rows_of(early, "reimbursements")
    assert list(paid[0]) == list(tables.REIMBURSEMENTS)
    shown = [line for line in downloads.lines_of(shop, memory) if line.shown_on <= FILED + timedelta(days=4)]
    ids = [downloads.reimbursement_id(line.key) for line in shown]
    assert sorted(row["reimbursement-id"] for row in paid if row["reimbursement-id"] in ids) == sorted(ids)
    later = [row for row in rows_of(late, "reimbursements") if row["case-id"] in cases]
    assert len([row for row in paid if row["case-id"] in cases]) < len(later)


def test_the_same_memory_gives_the_same_bytes(shop, discrepancies):
    memory = Memory()
    memory.learn(filed(discrepancies, ["15000000005", "15000000006"]), discrepancies, FILED)
    first, second = (
        {path.name: path.read_bytes() for path in downloads.write(shop, memory, FILED + timedelta(days=9)).iterdir()}
        for _ in range(2)
    )
    assert first == second


def test_what_amazon_makes_good_by_itself_is_owed_no_more_and_the_rest_still_is(shop, discrepancies):
    memory = Memory()
    memory.choose_own(discrepancies, FILED, seed=SEED)
    assert sorted(own.kind for own in memory.own) == ["found", "paid"]
    today = FILED + timedelta(days=21)
    folder = downloads.write(shop, memory, today)
    marketplace = marketplaces()["US"]
    given = reading.read([shop.folder / "reports", folder], marketplace=marketplace, keep=KEEP)
    outcome = engine.run(given, marketplace=marketplace, policy=policy.load(marketplace.policy), as_of=today)
    assert {warning.code for warning in outcome.warnings} == {"other_store"}
    assert {caveat for finding in outcome.findings for caveat in finding.caveats} <= {"cost_without_source"}
    found = {finding.fingerprint for finding in outcome.findings}
    planted = {planted.fingerprint for planted in Truth.load(shop.folder / "truth.json").planted}
    assert planted - found == {own.fingerprint for own in memory.own}
    assert found <= planted
