"""Report lines taken apart: nothing is lost or renamed beyond recognition, and odd text is no trouble."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from claims.report_lines import fields, in_short

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


def test_an_amount_stands_under_its_own_name_with_its_currency() -> None:
    charges = [
        {"ChargeType": "Principal", "ChargeAmount": {"CurrencyCode": "USD", "CurrencyAmount": -18.290}},
        {"ChargeType": "Tax", "ChargeAmount": {"CurrencyCode": "USD", "CurrencyAmount": -1.46}},
    ]
    fee = {"FeeType": "Commission", "FeeAmount": {"CurrencyCode": "USD", "CurrencyAmount": 2.74}}
    refund = {
        "AmazonOrderId": "111-1",
        "ShipmentItemAdjustmentList": [
            {
                "SellerSKU": "MUG",
                "QuantityShipped": 1,
                "ItemChargeAdjustmentList": charges,
                "ItemFeeAdjustmentList": [fee],
            }
        ],
    }
    assert fields(json.dumps(refund).replace("-18.29", "-18.290")) == {
        "AmazonOrderId": "111-1",
        "SellerSKU": "MUG",
        "QuantityShipped": "1",
        "Principal": "-18.290 USD",
        "Tax": "-1.46 USD",
        "Commission": "2.74 USD",
    }


def test_nested_breakdowns_keep_each_amount() -> None:
    amount = {"currencyCode": "USD", "currencyAmount": -5.0}
    inner = {"breakdownType": "OurPricePrincipal", "breakdownAmount": amount, "breakdowns": None}
    outer = {"breakdownType": "ProductCharges", "breakdownAmount": amount, "breakdowns": [inner]}
    found = fields(json.dumps({"totalAmount": amount, "breakdowns": [outer]}))
    assert [found[name] for name in ("totalAmount", "ProductCharges", "OurPricePrincipal")] == ["-5.0 USD"] * 3


def test_places_and_entries_without_a_name_are_told_apart() -> None:
    text = '{"From": {"City": "Reno"}, "City": "Rome", "Items": [{"SKU": "A"}, {"SKU": "B"}],'
    text += ' "Open": false, "Tags": ["x", "y"]}'
    assert fields(text) == {
        "From.City": "Reno",
        "City": "Rome",
        "Items 1.SKU": "A",
        "Items 2.SKU": "B",
        "Open": "false",
        "Tags": "x, y",
    }


def test_text_that_is_no_whole_object_has_no_fields() -> None:
    for text in ("", "[1]", '{"a": ', "null", "[" * 3_000, '{"a":' * 3_000 + "1" + "}" * 3_000):
        assert fields(text) == {}


def test_a_line_in_short_leaves_out_what_is_empty() -> None:
    assert in_short("10/01/2026\tX1\t\t-3\t", "Date\tFNSKU\tStore\tQuantity\tNote") == "10/01/2026 | X1 | -3"
    assert in_short('MUG,"Mug, blue",,4.20', "msku,title,asin,unit_cost") == "MUG | Mug, blue | 4.20"
    assert (
        in_short('{"SellerSKU": "MUG", "Note": "", "QuantityShipped": 40}', "") == "SellerSKU MUG | QuantityShipped 40"
    )
    assert in_short('{"cut', "") == '{"cut'


def test_a_line_in_short_tells_a_long_value_once_and_each_number() -> None:
    header = "order\tbought\tpaid\tsent\treceived"
    assert in_short("111-1\t2026-08-08T02:29\t2026-08-08T02:29\t40\t40", header) == "111-1 | 2026-08-08T02:29 | 40 | 40"
    orders = '{"AmazonOrderId": "111-8419293-7105940", "SellerOrderId": "111-8419293-7105940", "Sent": 1, "Got": 1}'
    assert in_short(orders, "") == "AmazonOrderId 111-8419293-7105940 | Sent 1 | Got 1"


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_every_value_of_any_object_is_there(value: dict[str, Any]) -> None:
    said = fields(json.dumps(value))
    for leaf in _leaves(value):
        assert any(leaf in each or leaf in name for name, each in said.items())


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [] if value is None or isinstance(value, bool) else [str(value)]
