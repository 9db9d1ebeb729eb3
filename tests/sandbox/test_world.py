"""The simulated world: the same seed gives the same bytes, in Amazon's format, with a truth that can be checked."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from sandbox.formats import tables
from sandbox.stories import inbound, returns, warehouse
from sandbox.truth import Truth, fingerprint, status_on
from sandbox.world import write

UNTIL = date(2026, 11, 22)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write(folder, seed=3, until=UNTIL, scale=0.3)
    return folder


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def ledger_rows(world: Path) -> list[dict[str, str]]:
    rows = []
    for path in sorted((world / "reports").glob("ledger-*.txt")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file, delimiter="\t"))
    return rows


def test_same_seed_gives_the_same_bytes(world, tmp_path):
    write(tmp_path, seed=3, until=UNTIL, scale=0.3)
    assert all_bytes(tmp_path) == all_bytes(world)


def test_another_seed_gives_another_trade_with_the_same_stories(world, tmp_path):
    other = write(tmp_path, seed=4, until=UNTIL, scale=0.3)
    assert all_bytes(tmp_path) != all_bytes(world)
    assert {p.scenario for p in other.planted} >= {story.tell.__name__ for story in warehouse.OPEN}


def test_truth_can_be_read_back(world):
    assert Truth.load(world / "truth.json") == write(world, seed=3, until=UNTIL, scale=0.3)


def test_every_story_is_in_the_truth(world):
    truth = Truth.load(world / "truth.json")
    told = {p.scenario for p in truth.planted} | {s.scenario for s in truth.silent}
    for part in (warehouse, inbound, returns):
        assert told >= {story.tell.__name__ for story in (*part.OPEN, *part.CLOSED)}


def test_every_claim_type_stands_at_claimable(world):
    truth = Truth.load(world / "truth.json")
    assert {p.claim_type for p in truth.with_status("claimable")} == {
        "warehouse_lost",
        "warehouse_damaged",
        "inbound_lost",
        "return_not_received",
    }
    assert len({p.fingerprint for p in truth.planted}) == len(truth.planted)


def test_a_larger_scale_has_mistakes_at_every_status(tmp_path):
    counts = write(tmp_path, seed=1, until=UNTIL).counts()
    assert counts["claimable"] > 20
    assert counts["upcoming"] > 5
    assert counts["lapsed"] > 3


def test_planted_warehouse_losses_stand_in_the_ledger(world):
    rows = ledger_rows(world)
    losses = {
        (r["Reference ID"], r["FNSKU"], r["Fulfillment Center"], f"{r['Date'][6:]}-{r['Date'][:2]}-{r['Date'][3:5]}")
        for r in rows
        if r["Event Type"] == "Adjustments" and r["Reason"] in {"M", "5", "E"}
    }
    truth = Truth.load(world / "truth.json")
    assert {p.key for p in truth.planted if p.claim_type.startswith("warehouse")} <= losses


def test_ledger_has_sixteen_quoted_columns_and_escaped_quotes(world):
    path = next((world / "reports").glob("ledger-*.txt"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "\t".join(f'"{name}"' for name in tables.LEDGER)
    assert all(len(line.split("\t")) == 16 for line in lines)
    assert any('wok 2"""' in line for line in lines)


def test_other_flat_files_are_not_quoted_and_hold_a_lone_quote(world):
    text = "".join(path.read_text(encoding="utf-8") for path in (world / "reports").glob("shipments-*.txt"))
    assert '\tCarbon steel wok 2"\t' in text
    assert len(text.splitlines()[0].split("\t")) == 48


def test_shipments_never_span_more_than_a_month(world):
    for path in (world / "reports").glob("shipments-*.txt"):
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        assert {row[8][:7] for row in rows} == {path.stem.removeprefix("shipments-")}


def test_nothing_is_dated_after_the_last_day(world):
    days = {f"{r['Date'][6:]}-{r['Date'][:2]}-{r['Date'][3:5]}" for r in ledger_rows(world)}
    assert max(days) == UNTIL.isoformat()
    reports = world / "reports"
    for name in ("reimbursements.txt", "returns.txt", "removal_orders.txt"):
        lines = (reports / name).read_text(encoding="utf-8").splitlines()[1:]
        assert max(line[:10] for line in lines) <= UNTIL.isoformat()


def test_finances_are_pages_with_exact_amounts(world):
    pages = [json.loads(line, parse_float=str) for line in (world / "reports/finances.jsonl").read_text().splitlines()]
    for page in pages:
        assert sum(map(len, page["payload"]["FinancialEvents"].values())) <= 50
    assert all("NextToken" in page["payload"] for page in pages[:-1])
    first = pages[0]["payload"]["FinancialEvents"]["ShipmentEventList"][0]["ShipmentItemList"][0]
    amount = first["ItemChargeList"][0]["ChargeAmount"]["CurrencyAmount"]
    assert amount.split(".")[1].isdigit()
    assert len(amount.split(".")[1]) == 2


def test_finances_of_the_new_version_say_the_same_sums(world, tmp_path):
    write(tmp_path, seed=3, until=UNTIL, scale=0.3, finances="2024-06-19")
    old, new = 0, 0
    for line in (world / "reports/finances.jsonl").read_text().splitlines():
        for refund in json.loads(line)["payload"]["FinancialEvents"]["RefundEventList"]:
            old += len(refund["ShipmentItemAdjustmentList"])
    for line in (tmp_path / "reports/finances.jsonl").read_text().splitlines():
        transactions = json.loads(line)["payload"]["transactions"]
        new += sum(len(t["items"]) for t in transactions if t["description"] == "Refund Order")
    assert old == new > 0


def test_inbound_json_has_one_shipment_for_every_item(world):
    def entries(name: str, key: str) -> list[dict[str, object]]:
        lines = (world / "reports" / name).read_text().splitlines()
        return [entry for line in lines for entry in json.loads(line)["payload"][key]]

    shipments = {entry["ShipmentId"] for entry in entries("inbound_shipments.jsonl", "ShipmentData")}
    assert {entry["ShipmentId"] for entry in entries("inbound_items.jsonl", "ItemData")} == shipments


def test_status_follows_the_window_to_the_day():
    assert status_on(date(2026, 10, 15), "warehouse_lost", date(2026, 10, 1)) == "upcoming"
    assert status_on(date(2026, 10, 16), "warehouse_lost", date(2026, 10, 1)) == "claimable"
    assert status_on(date(2026, 11, 30), "warehouse_lost", date(2026, 10, 1)) == "claimable"
    assert status_on(date(2026, 12, 1), "warehouse_lost", date(2026, 10, 1)) == "lapsed"


def test_fingerprint_joins_its_parts_with_the_unit_separator():
    assert fingerprint("inbound_lost", "US", ("FBA1", "X001")) == "4d4e89f4f8769fe074afa257e7ca99db"


def test_a_world_under_older_rules_is_refused(tmp_path):
    with pytest.raises(ValueError, match="2025-12-01"):
        write(tmp_path, seed=1, until=date(2025, 1, 1))
