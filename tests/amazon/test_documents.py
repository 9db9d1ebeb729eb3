import json
from datetime import date
from typing import Any

import pytest

from tests.amazon.delivered import column, problems, read_files, read_one


def money(amount: str) -> Any:
    return {"CurrencyCode": "USD", "CurrencyAmount": float(amount)}


def refund(order: str = "111-1", **more: Any) -> dict[str, Any]:
    return {
        "AmazonOrderId": order,
        "PostedDate": "2026-10-01T03:00:00Z",
        "MarketplaceName": "Amazon.com",
        "ShipmentItemAdjustmentList": [
            {
                "SellerSKU": "SKU-1",
                "OrderAdjustmentItemId": "17",
                "QuantityShipped": 1,
                "ItemChargeAdjustmentList": [
                    {"ChargeType": "Principal", "ChargeAmount": money("-19.99")},
                    {"ChargeType": "Tax", "ChargeAmount": money("-0.1")},
                ],
                "ItemFeeAdjustmentList": [{"FeeType": "Commission", "FeeAmount": money("3")}],
                "PromotionAdjustmentList": [{"PromotionType": "Coupon", "PromotionAmount": money("1.5")}],
            }
        ],
        **more,
    }


def page(*refunds: dict[str, Any], **lists: Any) -> dict[str, Any]:
    return {"payload": {"NextToken": "t", "FinancialEvents": {"RefundEventList": list(refunds), **lists}}}


def test_events_of_v0_are_one_row_an_amount(tmp_path):
    found = read_one(tmp_path, json.dumps(page(refund())), name="finances.json")
    assert (found.report, found.report_type, found.rows) == ("finances", "FinancialEvents", 1)
    assert (found.first_date, found.last_date) == (date(2026, 9, 30), date(2026, 9, 30))
    assert found.kept.select("part", "kind", "amount").rows() == [
        ("charge", "Principal", -19_990_000),
        ("charge", "Tax", -100_000),
        ("fee", "Commission", 3_000_000),
        ("promotion", "Coupon", 1_500_000),
    ]
    assert found.kept.select("event", "order_id", "sku", "quantity", "currency").unique().rows() == [
        ("refund", "111-1", "SKU-1", 1, "USD")
    ]


@pytest.mark.parametrize("amount", ["0.07", "1234567.89", "-0.000001", "99999999999.123456", "4.35", "1E+2"])
def test_amounts_are_those_of_the_text(tmp_path, amount):
    text = json.dumps(page(refund())).replace("-19.99", amount)
    micros = {"1E+2": 100_000_000}.get(amount) or int(amount.replace(".", "") + "0" * (6 - len(amount.split(".")[1])))
    assert column(read_one(tmp_path, text), "amount")[0] == micros


def test_an_item_without_amounts_is_one_row(tmp_path):
    found = read_one(tmp_path, json.dumps(page(refund(ShipmentItemAdjustmentList=[{"SellerSKU": "B"}]))))
    assert found.kept.select("sku", "quantity", "part", "amount").rows() == [("B", None, None, None)]


def test_adjustments_fees_and_retrocharges_are_read(tmp_path):
    events = {
        "AdjustmentEventList": [
            {
                "AdjustmentType": "WAREHOUSE_LOST",
                "PostedDate": "2026-10-02T09:00:00Z",
                "AdjustmentItemList": [{"Quantity": "2", "TotalAmount": money("10.5"), "SellerSKU": "SKU-1"}],
            },
            {"AdjustmentType": "ReserveDebit", "PostedDate": "2026-10-03T09:00:00Z", "AdjustmentAmount": money("-7")},
        ],
        "ServiceFeeEventList": [{"FeeList": [{"FeeType": "FBARemovalFee", "FeeAmount": money("-0.5")}]}],
        "RetrochargeEventList": [
            {"AmazonOrderId": "111-1", "PostedDate": "2026-10-02T09:00:00Z", "BaseTax": money("0.2")}
        ],
        "SomethingNewEventList": [{"PostedDate": "2026-10-02T09:00:00Z", "Proceeds": money("4")}],
    }
    found = read_one(tmp_path, json.dumps(page(**events)))
    assert found.rows == 5
    assert found.kept.select("event", "quantity", "part", "kind", "amount").rows() == [
        ("adjustment", 2, "adjustment", "WAREHOUSE_LOST", 10_500_000),
        ("adjustment", None, "adjustment", "ReserveDebit", -7_000_000),
        ("service_fee", None, "fee", "FBARemovalFee", -500_000),
        ("retrocharge", None, "charge", "BaseTax", 200_000),
        ("something_new", None, "adjustment", "Proceeds", 4_000_000),
    ]


def test_an_event_stands_on_the_line_where_it_begins(tmp_path):
    text = json.dumps(page(refund("111-1"), refund("111-2")), indent=2)
    found = read_one(tmp_path, text)
    lines = text.split("\n")
    for line, order in set(found.kept.select("line", "order_id").rows()):
        assert (lines[line - 1].strip(), lines[line].strip()) == ("{", f'"AmazonOrderId": "{order}",')


def test_json_lines_hold_a_page_a_line_and_a_page_counts_once(tmp_path):
    pages = [page(refund("1")), page(refund("2")), page(refund("1"))["payload"], page(refund("3"), refund("3"))]
    found = read_one(tmp_path, "\n".join(map(json.dumps, pages)) + "\n\n", name="pages.jsonl")
    assert found.rows == 4
    assert found.kept.filter(kind="Principal").select("line", "order_id").rows() == [
        (1, "1"), (2, "2"), (4, "3"), (4, "3"),
    ]  # fmt: skip


@pytest.mark.parametrize("layout", ["array", "joined", "indented"])
def test_several_pages_in_a_file_are_read_however_they_are_put_together(tmp_path, layout):
    pages = [page(refund("1")), page(refund("2"))]
    text = {
        "array": json.dumps(pages),
        "joined": json.dumps(pages[0]) + json.dumps(pages[1]),
        "indented": json.dumps(pages[0], indent=1) + "\n" + json.dumps(pages[1], indent=1),
    }[layout]
    assert column(read_one(tmp_path, text), "order_id")[::4] == ["1", "2"]


def test_bad_events_and_lines_are_rejected_with_their_line(tmp_path):
    good = [page(refund(str(n))) for n in range(9)]
    bad = [page(refund(PostedDate="soon")), page(refund(PostedDate=None))]
    lines = [*map(json.dumps, [*good, *bad]), json.dumps(good[0])[:50]]
    path = tmp_path / "pages.jsonl"
    path.write_text("\n".join(lines))
    assert [no.code for no in read_files(path).refused] == ["too_many_rejected"]
    path.write_text("\n".join([*map(json.dumps, (page(refund(f"x{n}")) for n in range(9))), *lines]))
    found = read_files(path)
    assert problems(found) == [
        (19, "PostedDate is not a date: 'soon'"),
        (20, "PostedDate is empty"),
        (21, "The line is not valid JSON"),
    ]
    assert (found.deliveries[0].rows, found.deliveries[0].rejected) == (21, 3)


def transaction(number: str, status: str = "RELEASED", **more: Any) -> dict[str, Any]:
    def amount(value: str) -> dict[str, Any]:
        return {"currencyAmount": float(value), "currencyCode": "USD"}

    def branch(kind: str, value: str, *below: dict[str, Any]) -> dict[str, Any]:
        return {"breakdownType": kind, "breakdownAmount": amount(value), "breakdowns": list(below)}

    return {
        "transactionId": number,
        "transactionStatus": status,
        "transactionType": "Refund",
        "description": "Refund Order",
        "postedDate": "2026-10-01T03:00:00Z",
        "relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "111-1"}],
        "items": [
            {
                "contexts": [{"contextType": "ProductContext", "sku": "SKU-1", "asin": "B001", "quantityShipped": 1}],
                "breakdowns": [
                    branch("ProductCharges", "-19.99", branch("OurPricePrincipal", "-19.99")),
                    branch("Tax", "-1.1", branch("OurPriceTax", "-1.1")),
                    branch("AmazonFees", "2.4", branch("Commission", "3", branch("Base", "3")),
                           branch("RefundCommission", "-0.6")),
                ],
            }
        ],
        **more,
    }  # fmt: skip


def test_transactions_are_told_in_the_words_of_v0(tmp_path):
    found = read_one(tmp_path, json.dumps({"payload": {"transactions": [transaction("t1")]}}))
    assert (found.report, found.report_type, found.rows) == ("finances", "transactions", 1)
    assert found.kept.select("event", "order_id", "sku", "quantity", "part", "kind", "amount").rows() == [
        ("refund", "111-1", "SKU-1", 1, "charge", "Principal", -19_990_000),
        ("refund", "111-1", "SKU-1", 1, "charge", "Tax", -1_100_000),
        ("refund", "111-1", "SKU-1", 1, "fee", "Commission", 3_000_000),
        ("refund", "111-1", "SKU-1", 1, "fee", "RefundCommission", -600_000),
    ]


def test_deferred_money_counts_once(tmp_path):
    released = transaction(
        "t2", relatedIdentifiers=[{"relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": "t1"}]
    )
    listed = [transaction("t0", "DEFERRED"), transaction("t1", "DEFERRED_RELEASED"), released, transaction("t1")]
    found = read_one(tmp_path, json.dumps({"transactions": listed}))
    assert found.rows == 4
    assert column(found, "kind").count("Principal") == 1


def test_inbound_shipments_and_items_are_read(tmp_path):
    shipments = [
        {"ShipmentId": "FBA1", "ShipmentStatus": "CLOSED", "DestinationFulfillmentCenterId": "ABE8"},
        {"ShipmentId": "FBA2", "ShipmentStatus": "WORKING"},
    ]
    items = [
        {"ShipmentId": "FBA1", "SellerSKU": "SKU-1", "FulfillmentNetworkSKU": "X001", "QuantityShipped": 10,
         "QuantityReceived": 8},
        {"ShipmentId": "FBA1", "SellerSKU": "SKU-2", "FulfillmentNetworkSKU": "X002", "QuantityShipped": "4"},
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"payload": {"ShipmentData": shipments}}, indent=1))
    (tmp_path / "b.json").write_text(json.dumps({"ItemData": items, "NextToken": "t"}))
    first, second = read_files(tmp_path).deliveries
    assert (first.report, first.report_type, first.rows) == ("inbound_shipments", "ShipmentData", 2)
    assert first.kept.drop("line").rows() == [("FBA1", "CLOSED", "ABE8"), ("FBA2", "WORKING", None)]
    assert (second.report, second.report_type, second.first_date) == ("inbound_items", "ItemData", None)
    assert second.kept.drop("line").rows() == [("FBA1", "SKU-1", "X001", 10, 8), ("FBA1", "SKU-2", "X002", 4, None)]


def test_an_empty_answer_is_a_file_without_rows(tmp_path):
    found = read_one(tmp_path, '{"payload": {"FinancialEvents": {}}}')
    assert (found.report, found.rows, found.kept.height) == ("finances", 0, 0)


def test_a_mixed_file_is_refused(tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_text('{"ItemData": []}\n{"ShipmentData": []}\n')
    assert [no.code for no in read_files(path).refused] == ["unknown_header"]


def shipment(number: int) -> dict[str, Any]:
    return {"ShipmentId": f"FBA{number}", "ShipmentStatus": "CLOSED", "DestinationFulfillmentCenterId": "ABE8"}


def inbound_item(number: int) -> dict[str, Any]:
    return {"ShipmentId": "FBA1", "SellerSKU": f"SKU-{number}", "QuantityShipped": 10, "QuantityReceived": 8}


def charged(amount: Any) -> dict[str, Any]:
    return refund(ShipmentItemAdjustmentList=[{"ItemChargeAdjustmentList": [{"ChargeAmount": amount}]}])


GOOD = {
    "RefundEventList": [refund("1"), refund("2")],
    "transactions": [transaction("a"), transaction("b")],
    "ShipmentData": [shipment(1), shipment(2)],
    "ItemData": [inbound_item(1), inbound_item(2)],
}


def answer(listed: str, *entries: Any) -> str:
    """Return an answer with an entry a line, the first on line 2."""
    before = '{"payload": {"FinancialEvents": {' if listed == "RefundEventList" else '{"payload": {'
    between = ",\n".join(json.dumps(entry) for entry in entries)
    return f'{before}"{listed}": [\n{between}\n]{"}" * before.count("{")}'


@pytest.mark.parametrize("listed", GOOD)
@pytest.mark.parametrize(
    ("bad", "said"), [(None, "null"), (5, "a number"), ("x", "text"), ([[]], "a list"), (True, "true")]
)
def test_an_entry_that_is_no_object_costs_that_entry(tmp_path, listed, bad, said):
    path = tmp_path / "page.json"
    path.write_text(answer(listed, GOOD[listed][0], bad, GOOD[listed][1]))
    found = read_files(path)
    assert problems(found) == [(3, f"{listed} holds {said} where an object belongs")]
    assert found.refused == ()
    assert (found.deliveries[0].rows, found.deliveries[0].rejected) == (3, 1)
    assert set(column(found.deliveries[0], "line")) == {2, 4}


@pytest.mark.parametrize(
    ("listed", "bad", "said"),
    [
        ("RefundEventList", charged(None), "ChargeAmount is missing"),
        ("RefundEventList", charged("19.99"), "ChargeAmount is '19.99' where an object belongs"),
        ("RefundEventList", charged([]), "ChargeAmount is a list where an object belongs"),
        ("RefundEventList", charged({"CurrencyCode": "USD"}), "ChargeAmount has no amount"),
        ("RefundEventList", charged({"CurrencyAmount": None}), "CurrencyAmount is missing"),
        ("RefundEventList", charged({"CurrencyAmount": "ten"}), "CurrencyAmount is not an amount: 'ten'"),
        ("RefundEventList", charged({"CurrencyAmount": float("nan")}), "CurrencyAmount is not an amount: 'NaN'"),
        ("RefundEventList", charged({"CurrencyAmount": float("-inf")}), "CurrencyAmount is not an amount: '-Infinity'"),
        ("RefundEventList", charged({"CurrencyAmount": "1e999999"}), "CurrencyAmount is not an amount: '1e999999'"),
        ("RefundEventList", charged({"CurrencyAmount": 10**20}), f"CurrencyAmount is not an amount: '{10**20}'"),
        ("RefundEventList", charged({"CurrencyAmount": "HUGE"}), "It holds a number of too many digits"),
        ("RefundEventList", refund(ShipmentItemList=5), "ShipmentItemList is '5' where a list belongs"),
        ("RefundEventList", refund(ShipmentItemList=[None]), "ShipmentItemList holds null where an object belongs"),
        ("RefundEventList", refund(PostedDate=[1]), "PostedDate is not a date: a list"),
        ("RefundEventList", refund({"a": 1}), "AmazonOrderId is an object where text belongs"),
        ("transactions", transaction("c", items=7), "items is '7' where a list belongs"),
        ("transactions", transaction("c", items=None), "totalAmount is missing"),
        ("transactions", transaction("c", marketplaceDetails="x"), "marketplaceDetails is 'x' where an object belongs"),
        ("transactions", transaction("c", transactionStatus=["RELEASED"]), "transactionStatus is a list where text"),
        ("transactions", transaction("c", transactionStatus=None), "transactionStatus is empty"),
        ("transactions", transaction("c", items=[{"breakdowns": [{}]}]), "breakdownAmount is missing"),
        ("ShipmentData", {"ShipmentId": None}, "ShipmentId is empty"),
        ("ShipmentData", {"ShipmentId": ["FBA1"]}, "ShipmentId is a list where text belongs"),
        ("ItemData", {**inbound_item(3), "ShipmentId": None}, "ShipmentId is empty"),
        ("ItemData", {**inbound_item(3), "QuantityShipped": None}, "QuantityShipped is empty"),
        ("ItemData", {**inbound_item(3), "QuantityReceived": {}}, "QuantityReceived is not a whole number: an object"),
    ],
)
def test_an_entry_not_of_amazons_form_costs_that_entry(tmp_path, listed, bad, said):
    path = tmp_path / "page.json"
    text = json.dumps(bad).replace('"HUGE"', "7" * 5000)
    path.write_text(answer(listed, GOOD[listed][0], "BAD", GOOD[listed][1]).replace('"BAD"', text))
    found = read_files(path)
    ((line, problem),) = problems(found)
    assert line == 3
    assert problem.startswith(said)
    assert found.refused == ()
    assert (found.deliveries[0].rows, found.deliveries[0].rejected) == (3, 1)


@pytest.mark.parametrize("listed", GOOD)
def test_what_python_cannot_hold_costs_its_entry_in_every_layout(tmp_path, listed):
    deep = '{"a": ' * 100_000 + '"]"' + "}" * 100_000
    twice = '{"ShipmentId": "FBA1", "ShipmentId": "FBA2"}'
    text = answer(listed, GOOD[listed][0], "DEEP", "TWICE", GOOD[listed][1]).replace('"DEEP"', deep)
    text = text.replace('"TWICE"', twice)
    path = tmp_path / "page.json"
    for written in (text, text.replace("\n", " ") + "\n" + answer(listed, *GOOD[listed]).replace("\n", " ")):
        path.write_text(written)
        found = read_files(path)
        assert [words for _, words in problems(found)] == [
            "It is nested too deeply", "It has two values for ShipmentId",
        ]  # fmt: skip
        assert found.refused == ()


def test_breakdowns_below_breakdowns_have_an_end(tmp_path):
    tree: dict[str, Any] = {"breakdownType": "Fee", "breakdownAmount": {"currencyAmount": 1, "currencyCode": "USD"}}
    for _ in range(200):
        tree = {"breakdownType": "Fee", "breakdowns": [tree]}
    path = tmp_path / "page.json"
    path.write_text(answer("transactions", transaction("a"), transaction("b", items=[{"breakdowns": [tree]}])))
    assert problems(read_files(path)) == [(3, "breakdowns are nested too deeply")]


def test_half_a_character_and_nul_are_read_as_the_sign_for_unreadable(tmp_path):
    items = json.dumps([{**inbound_item(1), "SellerSKU": "a\ud83d"}, {**inbound_item(1), "SellerSKU": "b\x00"}])
    text = '{"ItemData": ' + items[:-1] + r', {"ShipmentId": "F", "SellerSKU": "\\ud83d \ud83d\ude00", '
    found = read_one(tmp_path, text + '"QuantityShipped": 1}]}', name="items.json")
    assert column(found, "msku") == ["a\ufffd", "b\ufffd", "\\ud83d \U0001f600"]


def test_a_list_that_is_null_is_empty_and_one_that_is_none_is_told(tmp_path):
    found = read_one(tmp_path, '{"payload": {"ShipmentData": null}}')
    assert (found.report, found.rows) == ("inbound_shipments", 0)
    path = tmp_path / "events.json"
    path.write_text(json.dumps(page(refund("1"), AdjustmentEventList=5)))
    assert problems(read_files(path)) == [(1, "AdjustmentEventList holds a number where a list belongs")]


@pytest.mark.parametrize("separator", [",\n", "\n"])
def test_an_answer_that_is_no_object_costs_that_answer(tmp_path, separator):
    text = separator.join([json.dumps(page(refund("1"))), "null", json.dumps(page(refund("2")))])
    path = tmp_path / "pages.json"
    path.write_text(f"[{text}]" if "," in separator else text)
    found = read_files(path)
    assert problems(found) == [(2, "The file holds null where an answer belongs")]
    assert (found.deliveries[0].rows, found.deliveries[0].rejected) == (3, 1)


@pytest.mark.parametrize("text", ["[1, null]", '{"errors": [{"code": "QuotaExceeded"}]}', '{"payload": 5}', "[" * 9999])
def test_json_of_another_form_is_refused(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    (refused,) = read_files(path).refused
    assert refused.code in {"unknown_header", "unreadable"}


@pytest.mark.parametrize("listed", GOOD)
def test_a_file_cut_short_is_refused_with_the_line(tmp_path, listed):
    path = tmp_path / "cut.json"
    path.write_text(answer(listed, *GOOD[listed])[:-40])
    (refused,) = read_files(path).refused
    assert refused.code == "unreadable"
    assert "From line 3 on" in refused.message
