import pytest

from amazon.catalogue import catalogue, fold, recognise
from tests.amazon.delivered import LEDGER, REIMBURSEMENTS, RETURNS


@pytest.mark.parametrize("report", catalogue().reports.values(), ids=lambda report: report.short)
def test_every_report_is_recognised_by_its_own_header_in_any_order(report):
    names = [column.header for column in report.columns]
    for header in names, names[::-1], ["something new", *names]:
        found = recognise(header)
        assert found is not None
        assert (found.report.short, found.lacks) == (report.short, ())


@pytest.mark.parametrize("report", catalogue().reports.values(), ids=lambda report: report.short)
def test_required_columns_alone_are_enough(report):
    found = recognise([column.header for column in report.columns if column.required])
    assert found is not None
    assert (found.report.short, found.lacks) == (report.short, ())


def test_spellings_of_a_header_fold_together():
    assert fold("Fulfilment-Centre ID") == fold("fulfillment_center_id") == "fulfillmentcenterid"


@pytest.mark.parametrize("generation", [14, 15, 16])
def test_all_three_generations_of_the_ledger_are_recognised(generation):
    found = recognise(LEDGER[:generation])
    assert found is not None
    assert (found.report.short, found.lacks) == ("ledger", ())


def test_a_missing_required_column_is_named():
    found = recognise([name for name in LEDGER if name != "Quantity"])
    assert found is not None
    assert [column.header for column in found.lacks] == ["Quantity"]


@pytest.mark.parametrize(
    "header",
    [
        ["a", "b", "c"],
        # Reports that Recoup does not read, though their columns have names that others have too.
        [
            "amazon-order-id",
            "merchant-order-id",
            "purchase-date",
            "last-updated-date",
            "order-status",
            "fulfillment-channel",
            "sales-channel",
            "order-channel",
            "ship-service-level",
            "product-name",
            "sku",
            "asin",
            "item-status",
            "quantity",
            "currency",
            "item-price",
            "item-tax",
            "shipping-price",
            "shipping-tax",
            "gift-wrap-price",
            "gift-wrap-tax",
            "item-promotion-discount",
        ],
        [
            "sku",
            "fnsku",
            "asin",
            "product-name",
            "condition",
            "your-price",
            "mfn-listing-exists",
            "afn-warehouse-quantity",
        ],
    ],
    ids=["none", "all orders", "inventory"],
)
def test_other_headers_are_no_report(header):
    assert recognise(header) is None


def test_buyers_columns_are_known_by_their_mark_and_unknown_ones_by_their_name():
    known = catalogue()
    comments = next(c for c in known.reports["returns"].columns if c.name == "customer_comments")
    assert known.is_personal("customer-comments", comments)
    assert known.is_personal("buyer-cpf", None)
    assert not known.is_personal("shipment-id", None)
    assert {"customer_comments"}.isdisjoint(known.reports["returns"].schema)


def test_japanese_reimbursements_are_recognised():
    header = list(REIMBURSEMENTS)
    header[0], header[1], header[4] = "承認日", "補てんID", "理由"
    found = recognise(header)
    assert found is not None
    assert found.report.short == "reimbursements"


def test_a_column_given_twice_is_read_once():
    found = recognise([*RETURNS, "sku"])
    assert found is not None
    assert [column.name for column in found.columns if column].count("sku") == 1
