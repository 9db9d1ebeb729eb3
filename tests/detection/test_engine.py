"""What an audit of several deliveries promises, case by case; the rules' own cases are in tests/golden."""

from datetime import date
from decimal import Decimal

from detection import engine, policy
from detection.findings import Finding
from detection.marketplaces import marketplaces
from tests.detection.frames import delivered
from tests.detection.oracle import File, Row
from tests.detection.worlds import adjustment, covering, money, payment, sold

US = marketplaces()["US"]
LOST_ON = date(2026, 6, 1)
TODAY = date(2026, 9, 1)


def audit(*files: File) -> tuple[Finding, ...]:
    given = delivered(covering(list(files), date(2026, 1, 1), TODAY))
    return engine.run(given, marketplace=US, policy=policy.load("us"), as_of=TODAY).findings


def warehouse(ledger: list[Row], paid: list[Row]) -> tuple[Finding, ...]:
    return audit(File("ledger", "ledger.txt", ledger), File("reimbursements", "paid.txt", paid))


def orders(*files: File) -> tuple[Finding, ...]:
    return audit(File("reimbursements", "paid.txt", []), File("returns", "returns.txt", []), *files)


def refund(entry: int, amount: str) -> list[Row]:
    return money(entry, "refund", date(2026, 6, 5), "111-1", "X001", None, {("charge", "Principal"): -Decimal(amount)})


def test_a_refund_that_two_downloads_hold_at_different_places_is_one_refund() -> None:
    charged = money(
        1,
        "shipment",
        LOST_ON,
        "111-1",
        "X001",
        2,
        {("charge", "Principal"): Decimal(20), ("fee", "FBAPerUnitFulfillmentFee"): Decimal(-6)},
    )
    other = money(2, "refund", date(2026, 6, 6), "999-9", "X001", None, {("charge", "Principal"): Decimal(-10)})
    found = orders(
        File("finances", "june.json", charged + refund(2, "10.00")),
        File("finances", "july.json", refund(1, "10.00") + other),
    )
    assert [finding.quantity for finding in found] == [1]


def test_a_shipped_item_counts_once_in_its_latest_state() -> None:
    pending = sold(LOST_ON, "111-1", "X001", 1, Decimal(0))
    charged = sold(LOST_ON, "111-1", "X001", 1, Decimal(12))
    found = orders(
        File("shipments", "first.txt", [pending]),
        File("shipments", "second.txt", [charged]),
        File("finances", "money.json", refund(1, "12.00")),
    )
    assert [finding.quantity for finding in found] == [1]


def test_stock_given_on_top_of_another_payment_is_no_find() -> None:
    lost = adjustment(LOST_ON, "M", -1, reference_id="1")
    given = adjustment(date(2026, 6, 3), "N", 1, reference_id="2")
    top_up = payment(date(2026, 6, 3), "9", "Lost_Warehouse", stock=1, original_reimbursement_id="8")
    assert [finding.quantity for finding in warehouse([lost, given], [top_up])] == [1]
    assert warehouse([lost, given], []) == ()
