from datetime import date

from tests.amazon.delivered import column, problems, read_files, read_one

COSTS = (
    "MSKU,Unit Cost,Currency,From,Source\nA,1.50,USD,2026-01-01,INV-1\nA,1.75,usd,2026-06-01,\nB,2,EUR,01.02.2026,\n"
)


def test_costs_are_dated_and_exact(tmp_path):
    found = read_one(tmp_path, COSTS, name="costs.csv")
    assert (found.report, found.report_type, found.rows) == ("costs", "costs", 3)
    assert found.kept.rows() == [
        (2, "A", 1_500_000, "USD", date(2026, 1, 1), "INV-1"),
        (3, "A", 1_750_000, "USD", date(2026, 6, 1), None),
        (4, "B", 2_000_000, "EUR", date(2026, 2, 1), None),
    ]


def test_costs_need_no_source_and_nothing_is_told(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("msku,unit_cost,currency,from\nA,1.50,USD,2026-01-01\n")
    found = read_files(path)
    assert (found.warnings, column(found.deliveries[0], "source")) == ((), [None])


def test_wrong_rows_are_rejected_one_by_one_however_many(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(
        COSTS + "A,9,USD,2026-01-01,\nC,-1,USD,2026-01-01,\nC,1,XXX,2026-01-01,\nC,1,USD,soon,\n,1,USD,2026-01-01,\n"
    )
    found = read_files(path)
    assert problems(found) == [
        (5, "line 2 has the same msku and from already"),
        (6, "unit cost is below zero"),
        (7, "currency is not a currency that Recoup knows: 'XXX'"),
        (8, "from is not a date: 'soon'"),
        (9, "msku is empty"),
    ]
    (delivery,) = found.deliveries
    assert (delivery.rows, delivery.rejected, column(delivery, "line")) == (8, 5, [2, 3, 4])
    assert (delivery.first_date, delivery.last_date) == (date(2026, 1, 1), date(2026, 6, 1))


def test_costs_without_a_currency_are_refused_by_its_name(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("msku,unit_cost,from\nA,1.50,2026-01-01\n")
    (refused,) = read_files(path).refused
    assert refused.code == "missing_columns"
    assert "'currency'" in refused.message


def test_products_and_received_are_read(tmp_path):
    (tmp_path / "products.csv").write_text(
        "msku,length,width,height,length_unit,weight,weight_unit\nA,10.5,4,3,in,1.25,lb\nA,1,1,1,in,1,lb\n"
    )
    (tmp_path / "received.csv").write_text(
        "removal_order_id,fnsku,tracking_number,received_quantity,received_on\n"
        "R1,X1,1Z,0,2026-10-01\nR1,X1,1Z,-2,2026-10-02\nR1,X2,1Z,2,2026-10-02\n"
    )
    found = read_files(tmp_path)
    assert [(d.report, d.rows, d.rejected) for d in found.deliveries] == [("products", 2, 1), ("received", 3, 1)]
    assert column(found.deliveries[1], "received_quantity") == [0, 2]
    assert found.deliveries[1].last_date == date(2026, 10, 2)
