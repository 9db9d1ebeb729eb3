from admin.evidence import sheets
from models import EvidenceLine


def line(**more):
    values = {
        "role": "loss",
        "report_type": "GET_LEDGER_DETAIL_VIEW_DATA",
        "file": "ledger.txt",
        "line": 1234,
        "quantity": 3,
        "note": None,
        "header": "Date\tFNSKU\tQuantity",
        "text": "10/20/2026\tX001\t-3",
        "sha256": "0" * 64,
    }
    return EvidenceLine(**(values | more))


def test_a_line_is_shown_under_the_reports_own_header_with_what_names_it_marked():
    (sheet,) = sheets([line()], keys=["X001", None])
    assert (sheet.report, sheet.columns) == ("Inventory ledger", ("Date", "FNSKU", "Quantity"))
    assert sheet.lines[0].place == "ledger.txt, line 1,234"
    assert [(cell.text, cell.is_key) for cell in sheet.lines[0].cells] == [
        ("10/20/2026", False),
        ("X001", True),
        ("-3", True),
    ]


def test_lines_of_one_file_share_a_table_and_files_keep_their_order():
    found = sheets([line(line=9), line(file="r.txt", line=1), line(line=4)], keys=[])
    assert [(sheet.file, [each.number for each in sheet.lines]) for sheet in found] == [
        ("ledger.txt", [9, 4]),
        ("r.txt", [1]),
    ]


def test_quoted_cells_lose_their_quotes_and_keep_tabs_and_line_breaks_inside():
    header, text = '"Title"\t"Quantity"', '"Mug\twith\nhandle"\t"-3"\r\n'
    (sheet,) = sheets([line(header=header, text=text)], keys=[])
    assert sheet.columns == ("Title", "Quantity")
    assert [cell.text for cell in sheet.lines[0].cells] == ["Mug\twith\nhandle", "-3"]


def test_in_a_report_without_quotes_a_quote_is_a_letter():
    (sheet,) = sheets([line(header="sku\ttitle\tqty", text='A"1\t12" mug\t3')], keys=[])
    assert [cell.text for cell in sheet.lines[0].cells] == ['A"1', '12" mug', "3"]


def test_a_short_line_is_filled_up_and_a_long_one_cut_to_the_header():
    (sheet,) = sheets([line(text="only"), line(text="a\tb\tc\td", line=2)], keys=[])
    assert [len(each.cells) for each in sheet.lines] == [3, 3]


def test_columns_in_which_no_line_has_anything_are_named_and_not_drawn():
    (sheet,) = sheets([line(text="10/20/2026\t\t-3"), line(text="10/21/2026\t\t1", line=2)], keys=[])
    assert (sheet.columns, sheet.empty) == (("Date", "Quantity"), ("FNSKU",))
    assert [[cell.text for cell in each.cells] for each in sheet.lines] == [["10/20/2026", "-3"], ["10/21/2026", "1"]]


def test_json_is_shown_by_its_fields_and_as_delivered():
    texts = ['{"ShipmentId": "FBA15Z", "QuantityReceived": 3}', '{"ShipmentId": "FBA15Z", "QuantityInCase": 0}']
    (sheet,) = sheets([line(header="", text=text, line=at) for at, text in enumerate(texts, 1)], keys=["FBA15Z"])
    assert sheet.columns == ("ShipmentId", "QuantityReceived", "QuantityInCase")
    assert [[cell.text for cell in each.cells] for each in sheet.lines] == [["FBA15Z", "3", ""], ["FBA15Z", "", "0"]]
    assert [[cell.is_key for cell in each.cells] for each in sheet.lines] == [[True, True, False], [True, False, False]]
    assert (sheet.is_json, [each.raw for each in sheet.lines]) == (True, texts)


def test_json_that_was_cut_is_shown_as_it_was_kept():
    (sheet,) = sheets([line(header="", text='{"ShipmentId": "FBA1…')], keys=[])
    assert (sheet.columns, sheet.is_json, sheet.lines[0].raw) == ((), False, '{"ShipmentId": "FBA1…')


def test_seller_centrals_csv_is_read_by_its_commas():
    (sheet,) = sheets([line(header="Date,Title", text='10/20/2026,"Mug, blue"')], keys=[])
    assert [cell.text for cell in sheet.lines[0].cells] == ["10/20/2026", "Mug, blue"]
