import csv
import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detection.reports import Keep
from detection.rows import KEEP
from tests.amazon.delivered import (
    EVERYTHING,
    LEDGER,
    REIMBURSEMENTS,
    RETURNS,
    column,
    ledger,
    ledger_row,
    plain,
    problems,
    quoted,
    read_files,
    read_one,
    returns_row,
)

MANY = [ledger_row(Quantity=-n) for n in range(1, 11)]


def test_a_ledger_of_the_api_is_read(tmp_path):
    found = read_one(tmp_path, ledger(ledger_row(), ledger_row(Date="10/05/2026", Quantity=2, Reason="F")))
    assert (found.report, found.report_type) == ("ledger", "GET_LEDGER_DETAIL_VIEW_DATA")
    assert (found.file, found.rows, found.rejected) == ("report.txt", 2, 0)
    assert (found.first_date, found.last_date) == (date(2026, 10, 1), date(2026, 10, 5))
    assert found.kept.columns == ["line", *EVERYTHING["ledger"].columns]
    assert found.kept.rows() == [
        (2, date(2026, 10, 1), "X001", "A bottle", "Adjustments", -3, "M", -3, None),
        (3, date(2026, 10, 5), "X001", "A bottle", "Adjustments", 2, "F", -3, None),
    ]


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["bare", "mark"])
def test_separators_line_ends_and_byte_order_marks_change_nothing(tmp_path, separator, end, start):
    usual = read_one(tmp_path, ledger(*MANY), name="a.txt")
    other = read_one(tmp_path, start + ledger(*MANY, separator=separator, end=end).encode(), name="b.txt")
    assert other.kept.equals(usual.kept)
    assert (other.rows, other.first_date, other.columns) == (usual.rows, usual.first_date, usual.columns)


def test_columns_may_stand_in_any_order_with_unknown_ones_between(tmp_path):
    usual = read_one(tmp_path, ledger(*MANY), name="a.txt")
    order = [*reversed(range(len(LEDGER))), 3]
    rows = [[row[i] for i in order] for row in [[*LEDGER[:3], "Lot Number", *LEDGER[4:]], *MANY]]
    rows[0][-1] = "MSKU"
    assert read_one(tmp_path, quoted(rows), name="b.txt").kept.equals(usual.kept)


def test_reports_of_the_api_take_a_quote_for_a_letter(tmp_path):
    rows = [returns_row(product_name=name) for name in ('12" pan', '"quoted"', '"open', 'a "b" c')]
    found = read_one(tmp_path, plain(RETURNS, *rows))
    assert column(found, "product_name") == ['12" pan', '"quoted"', '"open', 'a "b" c']


def test_quotes_in_seller_central_csv_wrap(tmp_path):
    text = io.StringIO()
    csv.writer(text).writerows([RETURNS, returns_row(product_name='12" pan, large', customer_comments="a\nb")])
    csv.writer(text).writerow(returns_row(order_id="111-2"))
    found = read_one(tmp_path, text.getvalue(), name="returns.csv")
    assert column(found, "product_name") == ['12" pan, large', "A bottle"]
    assert column(found, "line") == [2, 4]


def test_lines_are_physical_where_cells_hold_line_breaks(tmp_path):
    rows = [ledger_row(), ledger_row(Title="two\nlines"), ledger_row(Title="three\n\nlines"), ledger_row()]
    assert column(read_one(tmp_path, ledger(*rows)), "line") == [2, 3, 5, 8]


def test_lines_hold_where_the_rows_with_line_breaks_are_not_kept(tmp_path):
    rows = [ledger_row(), ledger_row(Title="two\nlines", Event_Type="Shipments"), ledger_row(Quantity=-9)]
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(*rows))
    keep = {"ledger": Keep(("quantity",), pl.col("event_type") == "Adjustments")}
    (found,) = read_files(path, keep=keep).deliveries
    assert found.kept.rows() == [(2, -3), (5, -9)]
    assert found.scan.sort("line").collect()["line"].to_list() == [2, 3, 5]


def test_what_rules_read_of_the_ledger_does_not_hang_on_blanks_around_words(tmp_path):
    kinds = ("Adjustments", "Receipts", "Shipments", "CustomerReturns", "WhseTransfers", "Surprises")
    places = [
        (kind, blank, reference) for kind in kinds for blank in ("", " ", "\u00a0") for reference in ("R1", "", " ")
    ]
    rows = [ledger_row(Event_Type=kind + blank, Reference_ID=reference) for kind, blank, reference in places]
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(*rows))
    (found,) = read_files(path, keep=KEEP).deliveries
    assert found.kept["line"].to_list() == [
        line
        for line, (kind, _, reference) in enumerate(places, 2)
        if kind in ("Adjustments", "Receipts", "Surprises") or (kind == "WhseTransfers" and reference == "R1")
    ]


def test_lines_hold_where_an_unexpected_column_has_the_line_breaks(tmp_path):
    rows = [ledger_row(), ledger_row(Reason="M\n"), ledger_row(Quantity=-9)]
    assert column(read_one(tmp_path, ledger(*rows)), "line") == [2, 3, 5]


def test_blank_lines_and_lines_of_spaces_are_no_rows(tmp_path):
    text = ledger(*MANY).split("\n")
    found = read_one(tmp_path, "\n".join([*text[:3], "", *text[3:], "  ", "", ""]))
    assert (found.rows, found.rejected) == (10, 0)
    assert column(found, "line") == [2, 3, *range(5, 13)]


def test_notes_above_the_header_are_passed_over(tmp_path):
    found = read_one(tmp_path, "Report of October\nAll amounts in USD\n\n" + ledger(*MANY))
    assert (found.rows, column(found, "line")[0]) == (10, 5)


def test_a_header_alone_is_no_rows_and_nothing_to_tell(tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger())
    found = read_files(path)
    assert (found.refused, found.warnings) == ((), ())
    assert [(d.rows, d.first_date, d.kept.height, d.scan.collect().height) for d in found.deliveries] == [
        (0, None, 0, 0)
    ]


@pytest.mark.parametrize(
    ("cell", "value", "words"),
    [
        ("Quantity", "x", "Quantity is not a whole number: 'x'"),
        ("Quantity", "1.5", "Quantity is not a whole number: '1.5'"),
        ("Quantity", "", "Quantity is empty"),
        ("Date", "13/45/2026", "Date is not a date: '13/45/2026'"),
        ("Date", "10/01/26", "Date is not a date: '10/01/26'"),
        ("Date", "", "Date is empty"),
        ("FNSKU", "", "FNSKU is empty"),
        ("FNSKU", "  ", "FNSKU is empty"),
        ("Unreconciled Quantity", "?", "Unreconciled Quantity is not a whole number: '?'"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_with_line_and_reason(tmp_path, cell, value, words):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(*MANY[:4], ledger_row(**{cell: value}), *MANY[4:]))
    found = read_files(path)
    assert problems(found) == [(6, words)]
    assert [w.facts["file"] for w in found.warnings] == ["ledger.txt"]
    (delivery,) = found.deliveries
    assert (delivery.rows, delivery.rejected, delivery.kept.height) == (11, 1, 10)
    assert 6 not in delivery.scan.collect()["line"]


@pytest.mark.parametrize(
    "broken",
    [
        '"10/01/2026"\t"X001"',
        quoted([ledger_row()]).strip() + '\t"more"',
        quoted([ledger_row()]).strip() + '\t"more"\t"and more"',
        quoted([ledger_row(Title="A bottle")]).strip().replace('"A bottle"', '"A 12" bottle"'),
        quoted([ledger_row(Title="A bottle")]).strip().replace('"A bottle"', '"A bottle'),
        quoted([ledger_row()]).strip()[:-1],
    ],
    ids=["short", "long", "longer", "stray quote", "never closed", "never closed at the end"],
)
@pytest.mark.parametrize("place", [0, 3, 10])
def test_one_broken_row_costs_one_row(tmp_path, broken, place):
    path = tmp_path / "ledger.txt"
    rows = quoted(MANY).splitlines()
    path.write_text(quoted([LEDGER]) + "\n".join([*rows[:place], broken, *rows[place:]]) + "\n")
    found = read_files(path)
    (delivery,) = found.deliveries
    assert found.refused == ()
    assert [line for line, _ in problems(found)] == [place + 2]
    assert (delivery.rows, delivery.rejected) == (11, 1)
    good = [line for line in range(2, 13) if line != place + 2]
    assert delivery.kept.select("line", "quantity").rows() == [(line, -n) for n, line in enumerate(good, 1)]


def test_a_quote_inside_a_bare_cell_is_a_letter(tmp_path):
    rows = quoted(MANY).replace('"A bottle"', 'A 12" bottle', 1)
    found = read_one(tmp_path, quoted([LEDGER]) + rows)
    assert (found.rows, found.rejected, column(found, "title")[0]) == (10, 0, 'A 12" bottle')


def test_an_over_long_row_of_an_unquoted_report_costs_one_row(tmp_path):
    path = tmp_path / "returns.txt"
    path.write_text(plain(RETURNS, *[returns_row()] * 6, [*returns_row(), "x", "y"], returns_row()))
    found = read_files(path)
    assert problems(found) == [(8, "The row has more than 13 cells")]
    assert column(found.deliveries[0], "line") == [2, 3, 4, 5, 6, 7, 9]


def test_rows_that_end_early_are_read_where_nothing_needed_is_missing(tmp_path):
    found = read_one(tmp_path, plain(RETURNS, returns_row()[:9], returns_row(), returns_row()[:12]))
    assert (found.rows, found.rejected) == (3, 0)
    assert column(found, "license_plate_number") == [None, "LPN1", "LPN1"]


def test_more_than_a_fifth_of_the_rows_refuses_the_file(tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(*MANY[:8], ledger_row(Quantity="x"), ledger_row(Quantity="y")))
    assert [d.rejected for d in read_files(path).deliveries] == [2]
    path.write_text(ledger(*MANY[:7], *[ledger_row(Quantity="x")] * 2))
    found = read_files(path)
    assert [(no.file, no.code) for no in found.refused] == [("ledger.txt", "too_many_rejected")]
    assert "line 9: Quantity is not a whole number: 'x'" in found.refused[0].message
    assert (found.deliveries, found.warnings) == ((), ())


def test_many_rejected_rows_are_summed_up(tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(ledger(*[ledger_row()] * 900, *[ledger_row(Quantity="x")] * 150))
    found = read_files(path)
    assert len(problems(found)) == 100
    assert [(w.code, w.facts["count"]) for w in found.warnings[100:]] == [("rejected_rows", 50)]


def test_local_spellings_of_numbers_and_dates_are_read(tmp_path):
    usual = dict.fromkeys(REIMBURSEMENTS, "") | {
        "approval-date": "2026-10-01T07:00:00+00:00", "reimbursement-id": "1", "reason": "Lost_Warehouse",
        "fnsku": "X001", "currency-unit": "EUR", "quantity-reimbursed-cash": "1", "quantity-reimbursed-inventory": "0",
    }  # fmt: skip
    spelled = [
        {"amount-total": "12,50"},
        {"amount-total": "1.234,56", "approval-date": "01.10.2026 07:00:00 UTC"},
        {"amount-total": "(3.00)", "approval-date": "2026/10/01"},
        {"amount-total": "--", "quantity-reimbursed-cash": "--"},
    ]
    rows = [[{**usual, **cells}[name] for name in REIMBURSEMENTS] for cells in spelled]
    found = read_one(tmp_path, plain(REIMBURSEMENTS, *rows))
    assert column(found, "amount_total") == [12_500_000, 1_234_560_000, -3_000_000, None]
    assert set(column(found, "approval_date")) == {date(2026, 10, 1)}
    assert (found.rejected, found.first_date, found.last_date) == (0, date(2026, 10, 1), date(2026, 10, 1))


def test_time_stamps_become_days_of_the_marketplace(tmp_path):
    text = plain(RETURNS, returns_row(return_date="2026-09-05T06:00:00+00:00"))
    assert column(read_one(tmp_path, text), "return_date") == [date(2026, 9, 4)]
    assert column(read_one(tmp_path, text, marketplace="DE"), "return_date") == [date(2026, 9, 5)]


def test_a_day_first_ledger_is_told_by_its_time_stamps(tmp_path):
    rows = [ledger_row(Date=f"0{n}/10/2026", Date_and_Time=f"2026-10-0{n}T00:00:00+0100") for n in range(1, 9)]
    found = read_one(tmp_path, ledger(*rows))
    assert (found.first_date, found.last_date) == (date(2026, 10, 1), date(2026, 10, 8))


def test_buyers_columns_are_never_kept(tmp_path):
    found = read_one(tmp_path, plain(RETURNS, returns_row()))
    assert "customer_comments" not in found.scan.collect_schema().names()
    assert "customer_comments" not in found.columns
    rejected = tmp_path / "rejected.txt"
    rejected.write_text(plain(RETURNS, *[returns_row()] * 5, returns_row(quantity="Ann Smith")))
    assert "Ann" not in str(read_files(rejected).warnings)


def test_missing_columns_that_rules_read_are_named_once(tmp_path):
    gone = {"Unreconciled Quantity", "Reconciled Quantity", "Date and Time", "Store"}
    keep = [i for i, name in enumerate(LEDGER) if name not in gone]
    path = tmp_path / "ledger.txt"
    path.write_text(quoted([[row[i] for i in keep] for row in (LEDGER, *MANY)]))
    found = read_files(path)
    assert [(w.code, w.facts) for w in found.warnings] == [
        ("missing_columns", {"file": "ledger.txt", "columns": ["Unreconciled Quantity"]})
    ]
    assert column(found.deliveries[0], "unreconciled_quantity") == [None] * 10
    assert "store" not in found.deliveries[0].columns


def test_a_file_that_lacks_a_required_column_is_refused_by_its_name(tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text(quoted([[*row[:7], *row[8:]] for row in (LEDGER, *MANY)]))
    (refused,) = read_files(path).refused
    assert refused.code == "missing_columns"
    assert "'Quantity'" in refused.message


cell = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters='\n"\t,'), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(titles=st.lists(cell, min_size=1, max_size=12), separator=st.sampled_from("\t,"))
def test_every_title_is_read_as_the_standard_library_reads_it(tmp_path: Path, titles, separator):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([LEDGER, *(ledger_row(Title=title) for title in titles)])
    found = read_one(tmp_path, text.getvalue())
    lines = [2]
    for title in titles:
        lines.append(lines[-1] + title.count("\n") + 1)
    assert column(found, "title") == [title.strip() or None for title in titles]
    assert column(found, "line") == lines[:-1]
