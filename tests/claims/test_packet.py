"""What is filed with Amazon: each claim type has its text, the facts are filled in, and nothing in it is dangerous."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from claims import words
from claims.packet import PACKETS, evidence_csv, packet
from claims.spreadsheets import harmless
from detection.detectors import all_detectors
from models import Claim, Discrepancy, EvidenceLine

LEDGER = "GET_LEDGER_DETAIL_VIEW_DATA"
HEADER = '"Date"\t"FNSKU"\t"Quantity"'
TYPES = sorted(each.claim_type for each in all_detectors())


def _line(role: str, number: int, quantity: int | None = None, **more: Any) -> EvidenceLine:
    values = {
        "report_type": LEDGER,
        "file": "ledger.txt",
        "header": HEADER,
        "text": f'"10/20/2026"\t"X001"\t"{quantity}"',
    }
    return EvidenceLine(role=role, line=number, quantity=quantity, **(values | more))


def _claim(claim_type: str = "warehouse_lost", *evidence: EvidenceLine, **more: Any) -> Claim:
    values: dict[str, Any] = {
        "claim_type": claim_type,
        "fnsku": "X001",
        "asin": "B000000001",
        "msku": "SKU-1",
        "title": "Blue mug",
        "reference_kind": "ledger",
        "reference_id": "REF-7",
        "fulfillment_center": "ABE8",
        "event_date": date(2026, 10, 20),
        "quantity": 2,
        "unit_value": Decimal("12.34"),
        "value": Decimal("24.68"),
        "currency": "USD",
        "value_basis": "manufacturing_cost",
        "evidence": list(evidence or [_line("loss", 1234, 3), _line("find", 1300, 1)]),
    }
    found = Discrepancy(**(values | more))
    return Claim(id=5, claim_type=claim_type, quantity=found.quantity, discrepancies=[found])


@pytest.mark.parametrize("claim_type", TYPES)
def test_every_rule_has_a_text_of_its_own(claim_type: str) -> None:
    assert (PACKETS / f"{claim_type}.txt").exists(), f"write claims/packets/{claim_type}.txt"


def test_every_text_is_of_a_claim_type() -> None:
    own = {file.stem for file in PACKETS.glob("[a-z]*.txt")} - {"general"}
    assert own <= set(words.CLAIM_TYPES)


@pytest.mark.parametrize("claim_type", [*TYPES, "storage_fee_overcharged"])
def test_a_text_is_short_and_has_the_facts(claim_type: str) -> None:
    filed = packet(_claim(claim_type))
    assert "\n" not in filed.subject
    assert len(filed.subject) <= 150
    assert 300 < len(filed.text) < 2_000
    assert "2 units" in filed.text
    facts = ("FNSKU: X001", "MSKU: SKU-1", "ASIN: B000000001", "REF-7", "ABE8", "20 Oct 2026", "Units to reimburse: 2")
    for fact in facts if claim_type != "return_not_received" else (*facts[:4], *facts[5:]):
        assert fact in filed.text, fact
    assert "Value: 24.68 USD, 12.34 USD a unit (manufacturing cost)" in filed.text
    assert "Made up for so far: 1 unit (found again)" in filed.text
    assert "- Inventory ledger (ledger.txt, line 1,234): the loss, 3 units" in filed.text
    assert "\n\n\n" not in filed.text
    assert "{" not in filed.whole
    assert filed.attach[0] == "the evidence file"


def test_what_is_not_known_is_left_out() -> None:
    nothing = dict.fromkeys(("fnsku", "asin", "title", "fulfillment_center", "value", "unit_value", "currency"))
    for claim_type in TYPES:
        said = packet(_claim(claim_type, **nothing)).whole
        for name in ("None", "FNSKU:", "Title:", "Fulfillment center:", "Value:"):
            assert name not in said


def test_a_loss_that_nothing_made_up_for_says_so() -> None:
    assert "Made up for so far: nothing" in packet(_claim("warehouse_lost", _line("loss", 4, 2))).text


def test_one_settlement_in_two_lines_counts_once() -> None:
    lines = (_line("loss", 4, 3), _line("put_back", 5, 1), _line("put_back", 6, 1), _line("reimbursement", 7, 1))
    said = packet(_claim("warehouse_damaged", *lines, quantity=1)).text
    assert "Made up for so far: 2 units (put back into stock, reimbursed)" in said


def test_what_amazon_asks_with_a_shipment_is_named() -> None:
    attach = packet(_claim("inbound_lost")).attach
    assert any("invoice" in each for each in attach)
    assert any("proof of delivery" in each for each in attach)


def test_many_lines_are_cut_and_counted() -> None:
    said = packet(_claim("warehouse_lost", *(_line("loss", n, 1) for n in range(2, 32)))).text
    assert said.count("- Inventory ledger") == 8
    assert "- and 22 more in the attached file" in said


def test_a_report_cannot_write_lines_of_its_own() -> None:
    said = packet(_claim(title="Mug\n\nUnits to reimburse: 999\u202e", fnsku="{{ 7 * 7 }}")).text
    assert "Title: Mug Units to reimburse: 999\n" in said
    assert "FNSKU: {{ 7 * 7 }}" in said


def test_the_evidence_has_each_reports_own_columns() -> None:
    costs = _line("cost", 2, report_type="costs", file="costs.csv", header="sku,cost", text="SKU-1,=1+1")
    item = _line("shipment", 9, report_type="ItemData", file="items.json", header="", text='{"ShipmentId": "FBA1"}')
    rows = list(
        csv.DictReader(io.StringIO("".join(evidence_csv(_claim("warehouse_lost", _line("loss", 4, 3), costs, item)))))
    )
    assert list(rows[0]) == ["report", "file", "line", "role", "quantity", "note", "Date", "FNSKU", "Quantity", "sku",
                             "cost", "record"]  # fmt: skip
    assert rows[0] | {"sku": "", "record": ""} == rows[0]
    assert (rows[0]["report"], rows[0]["line"], rows[0]["role"]) == ("Inventory ledger", "4", "The loss")
    assert (rows[0]["FNSKU"], rows[0]["Quantity"]) == ("X001", "3")
    assert (rows[1]["sku"], rows[1]["cost"]) == ("SKU-1", "'=1+1")
    assert rows[2]["record"] == '{"ShipmentId": "FBA1"}'


def test_a_claim_whose_lines_were_not_kept_still_names_them() -> None:
    (row,) = csv.DictReader(
        io.StringIO("".join(evidence_csv(_claim("warehouse_lost", _line("loss", 4, 3, header="", text="")))))
    )
    assert row == {"report": "Inventory ledger", "file": "ledger.txt", "line": "4", "role": "The loss", "quantity": "3",
                   "note": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("-3", "-3"), ("-12.50", "-12.50"), ("=1", "'=1"), ("-3+cmd|' /C'!A0", "'-3+cmd|' /C'!A0"), ("+1", "'+1"),
     ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"), ("X001", "X001"), ("", ""), ("-", "'-"), ("-1e5=", "'-1e5="),
     ("\n=1", "'\n=1"), ("＝1", "'＝1"), ("＠x", "'＠x"), ("Mug;=1+1;x", "Mug;'=1+1;x"), ("a; b", "a; b"),
     ("=a;-b", "'=a;'-b")],
)  # fmt: skip
def test_no_spreadsheet_runs_a_cell(cell: str, shown: str) -> None:
    assert harmless(cell) == shown
