"""The lines of the report, each once, under keys that later reports confirm."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from claims.paid import Line, Said
from claims.reimbursements import Wanted, ids_reported, read_lines
from detection.reports import Input
from detection.rows import KEEP
from tests.amazon.delivered import REIMBURSEMENTS, plain, read_files

AS_OF = date(2026, 11, 23)
EVERYTHING = Wanted(frozenset({"C1"}), date(2026, 11, 1), fnskus=frozenset({"X001", "X002"}))


def cells(**more: str) -> list[str]:
    usual = {
        "approval-date": "2026-11-10T11:30:00-08:00",
        "reimbursement-id": "R1",
        "case-id": "",
        "amazon-order-id": "",
        "reason": "Lost_Warehouse",
        "sku": "SKU-1",
        "fnsku": "X001",
        "asin": "B001",
        "product-name": "A bottle",
        "condition": "New",
        "currency-unit": "USD",
        "amount-per-unit": "12.34",
        "amount-total": "24.68",
        "quantity-reimbursed-cash": "2",
        "quantity-reimbursed-inventory": "0",
        "quantity-reimbursed-total": "2",
        "original-reimbursement-id": "",
        "original-reimbursement-type": "",
    }
    usual.update({name.replace("_", "-"): value for name, value in more.items()})
    return [usual[name] for name in REIMBURSEMENTS]


def given(folder: Path, *files: list[list[str]]) -> Input:
    """Return what is read of these files; each ends a day later than the one before."""
    paths = []
    for number, rows in enumerate(files, 1):
        path = folder / f"reimbursements-{number}.txt"
        last = cells(reimbursement_id=f"END{number}", approval_date=f"2026-11-{10 + number}T11:30:00-08:00")
        path.write_text(plain(REIMBURSEMENTS, *rows, last))
        paths.append(path)
    return read_files(*paths, keep=KEEP)


def lines(
    found: Input, booked: Mapping[str, Line] | None = None, *, wanted: Wanted = EVERYTHING, as_of: date = AS_OF
) -> list[Line]:
    read = read_lines(found, wanted, booked or {}, as_of=as_of)
    return sorted((each for each in read if not each.reimbursement_id.startswith("END")), key=lambda each: each.key)


def test_a_line_is_read_with_all_that_names_it(tmp_path: Path) -> None:
    row = cells(case_id="C1", amazon_order_id="111-1", original_reimbursement_id="R0")
    (line,) = lines(given(tmp_path, [row]))
    assert (line.reimbursement_id, line.case_id, line.order_id, line.original_id) == ("R1", "C1", "111-1", "R0")
    assert (line.kind, line.fnsku, line.msku, line.asin) == ("lost_warehouse", "X001", "SKU-1", "B001")
    assert (line.cash_units, line.stock_units, line.amount, line.currency) == (2, 0, Decimal("24.68"), "USD")
    assert (line.approved_on, line.places) == (date(2026, 11, 10), (("reimbursements-1.txt", 2),))


def test_the_same_line_of_two_reports_is_one_and_equal_lines_of_one_are_two(tmp_path: Path) -> None:
    once, twice = [cells()], [cells(), cells()]
    assert len(lines(given(tmp_path, once, once))) == 1
    both = lines(given(tmp_path, twice, once))
    assert len(both) == len({line.key for line in both}) == 2
    assert sorted(len(line.places) for line in both) == [1, 2]


def test_the_reason_may_be_spelled_otherwise(tmp_path: Path) -> None:
    assert len(lines(given(tmp_path, [cells()], [cells(reason="Lost:Warehouse")]))) == 1


@pytest.mark.parametrize(
    "differs",
    [
        {"case_id": "C1"},
        {"sku": "SKU-2"},
        {"fnsku": "X002"},
        {"amazon_order_id": "111-1"},
        {"reason": "Damaged_Warehouse"},
        {"original_reimbursement_id": "R0"},
        {"approval_date": "2026-11-09T11:30:00-08:00"},
    ],
)
def test_lines_of_one_id_are_told_apart_by_what_amazon_never_changes(tmp_path: Path, differs: dict[str, str]) -> None:
    assert len(lines(given(tmp_path, [cells(), cells(**differs)]))) == 2


def test_a_later_amount_changes_the_line_and_adds_none(tmp_path: Path) -> None:
    first = given(tmp_path, [cells()])
    (line,) = lines(first)
    (changed,) = lines(given(tmp_path, [cells()], [cells(amount_total="30.00")]), {line.key: line})
    assert (changed.key, changed.amount) == (line.key, Decimal("24.68"))
    assert changed.reported == Said(2, 0, Decimal("30.00"), "USD")
    assert len(changed.places) == 2
    (new,) = lines(given(tmp_path, [cells()], [cells(amount_total="30.00")]))
    assert (new.key, new.amount, new.reported) == (line.key, Decimal("30.00"), None)


def test_another_line_beside_it_is_no_change(tmp_path: Path) -> None:
    (line,) = lines(given(tmp_path, [cells()]))
    found = lines(given(tmp_path, [cells()], [cells(amount_total="30.00"), cells()]), {line.key: line})
    assert {each.key: each.reported for each in found if each.key == line.key} == {line.key: None}
    assert sorted(each.amount for each in found) == [Decimal("24.68"), Decimal("30.00")]


def test_an_older_file_that_comes_later_moves_no_key(tmp_path: Path) -> None:
    rows = [cells(amount_total="10.00"), cells(amount_total="20.00")]
    first = {line.key: line for line in lines(given(tmp_path, rows))}
    again = lines(given(tmp_path, [rows[1]], rows), first)
    assert {line.key: (line.amount, line.reported) for line in again} == {
        key: (line.amount, None) for key, line in first.items()
    }


def test_units_that_one_column_leaves_out_follow_from_the_others(tmp_path: Path) -> None:
    row = cells(quantity_reimbursed_cash="", quantity_reimbursed_inventory="1", quantity_reimbursed_total="3")
    (line,) = lines(given(tmp_path, [row]))
    assert (line.cash_units, line.stock_units) == (2, 1)


def test_a_reversal_keeps_its_signs(tmp_path: Path) -> None:
    row = cells(reason="Reimbursement_Reversal", quantity_reimbursed_cash="-2", amount_total="-24.68")
    (line,) = lines(given(tmp_path, [row]))
    assert (line.kind, line.cash_units, line.amount, line.takes_back) == ("reversal", -2, Decimal("-24.68"), True)


OLD = {"approval_date": "2026-10-01T11:30:00-07:00"}
OTHER = {"fnsku": "X777", "sku": "SKU-7"}


@pytest.mark.parametrize(
    ("row", "is_read"),
    [
        ({}, True),
        (OLD, False),
        (OTHER, False),
        (OTHER | {"case_id": "C1"}, True),
        (OLD | {"case_id": "C1"}, True),
        (OTHER | {"amazon_order_id": "111-1"}, True),
        (OTHER | {"original_reimbursement_id": "R0"}, True),
        (OTHER | {"reason": "Reimbursement Reversal"}, True),
        (OTHER | {"quantity_reimbursed_cash": "-2"}, True),
        (OTHER | {"amount_total": "-24.68"}, True),
        (OLD | {"reason": "Reimbursement_Reversal"}, False),
        (OLD | OTHER | {"reimbursement_id": "BOOKED"}, True),
    ],
)
def test_only_what_may_bear_on_our_claims_is_read(tmp_path: Path, row: dict[str, str], is_read: bool) -> None:
    wanted = Wanted(
        cases=frozenset({"C1"}),
        since=date(2026, 11, 1),
        booked_ids=frozenset({"BOOKED"}),
        fnskus=frozenset({"X001"}),
        references=frozenset({"111-1"}),
    )
    assert len(lines(given(tmp_path, [cells(**row)]), wanted=wanted)) == is_read


def test_rows_after_the_day_do_not_exist(tmp_path: Path) -> None:
    found = given(tmp_path, [cells()])
    assert lines(found, as_of=date(2026, 11, 9)) == []
    assert ids_reported(found, {"R1", "R2"}, as_of=AS_OF) == {"R1"}
    assert ids_reported(found, {"R1"}, as_of=date(2026, 11, 9)) == frozenset()
    assert ids_reported(found, set(), as_of=AS_OF) == frozenset()


def test_an_account_without_the_report_has_no_lines() -> None:
    nothing: Any = Input(())
    assert lines(nothing) == []
