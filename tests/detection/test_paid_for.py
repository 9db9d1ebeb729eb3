"""A payment of which somebody knows for which loss it was made settles that one, and no other."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from detection import engine, policy
from detection.findings import Finding, Outcome
from detection.marketplaces import marketplaces
from detection.settlements import PaidFor
from tests.detection.frames import delivered
from tests.detection.oracle import File, Row
from tests.detection.worlds import adjustment, covering, ledger, money, payment

US = marketplaces()["US"]
TODAY = date(2026, 9, 1)
OLD, NEW, LATER = date(2026, 6, 1), date(2026, 7, 1), date(2026, 7, 20)


def run(*files: File, paid_for: Iterable[PaidFor] = ()) -> Outcome:
    given = delivered(covering(list(files), date(2026, 1, 1), TODAY))
    return engine.run(given, marketplace=US, policy=policy.load("us"), as_of=TODAY, paid_for=paid_for)


def warehouse(rows: list[Row], paid: list[Row], paid_for: Iterable[PaidFor] = ()) -> dict[str, int]:
    """Return the open units of each loss, by reference."""
    files = File("ledger", "ledger.txt", rows), File("reimbursements", "paid.txt", paid)
    return {found.reference_id: found.quantity for found in run(*files, paid_for=paid_for).findings}


def fingerprint_of(reference: str, *files: File) -> str:
    def only(found: Finding) -> bool:
        return found.reference_id == reference

    return next(filter(only, run(*files).findings)).fingerprint


def lost(day: date, reference: str, units: int = 3, **more: object) -> Row:
    return adjustment(day, "M", -units, reference_id=reference, **more)


def of_ledger(rows: list[Row], reference: str) -> str:
    return fingerprint_of(reference, File("ledger", "ledger.txt", rows), File("reimbursements", "paid.txt", []))


def test_it_settles_the_newer_loss_though_an_older_one_is_open() -> None:
    rows, paid = [lost(OLD, "A"), lost(NEW, "B")], [payment(LATER, "9", "Lost_Warehouse", cash=3)]
    known = PaidFor("paid.txt", 2, "cash", of_ledger(rows, "B"), 3)
    assert warehouse(rows, paid) == {"B": 3}
    assert warehouse(rows, paid, [known]) == {"A": 3}


def test_what_is_not_known_of_a_line_goes_to_the_oldest_as_ever() -> None:
    rows, paid = [lost(OLD, "A"), lost(NEW, "B")], [payment(LATER, "9", "Lost_Warehouse", cash=4)]
    known = PaidFor("paid.txt", 2, "cash", of_ledger(rows, "B"), 3)
    assert warehouse(rows, paid, [known]) == {"A": 2}


def test_what_is_more_than_the_loss_settles_nothing_else() -> None:
    rows, paid = [lost(OLD, "A"), lost(NEW, "B")], [payment(LATER, "9", "Lost_Warehouse", cash=5)]
    known = PaidFor("paid.txt", 2, "cash", of_ledger(rows, "B"), 5)
    assert warehouse(rows, paid, [known]) == {"A": 3}


def test_two_losses_paid_by_one_line_each_get_their_own() -> None:
    rows, paid = [lost(OLD, "A"), lost(NEW, "B", 2)], [payment(LATER, "9", "Lost_Warehouse", cash=3)]
    names = {reference: of_ledger(rows, reference) for reference in "AB"}
    known = [PaidFor("paid.txt", 2, "cash", names["B"], 2), PaidFor("paid.txt", 2, "cash", names["A"], 1)]
    assert warehouse(rows, paid, known) == {"A": 2}


def test_stock_and_cash_of_a_line_are_told_apart() -> None:
    rows = [lost(OLD, "A"), lost(NEW, "B")]
    paid = [payment(LATER, "9", "Lost_Warehouse", cash=1, stock=2)]
    known = PaidFor("paid.txt", 2, "stock", of_ledger(rows, "B"), 2)
    assert warehouse(rows, paid, [known]) == {"A": 2, "B": 1}


def test_a_loss_that_amazon_reconciled_with_it_uses_up_no_find() -> None:
    before, after = lost(OLD, "A"), lost(OLD, "A", reconciled_quantity=3, unreconciled_quantity=0)
    newer, find = lost(NEW, "B"), adjustment(LATER, "F", 3, reference_id="F")
    paid = [payment(LATER, "9", "Lost_Warehouse", cash=3)]
    known = PaidFor("paid.txt", 2, "cash", of_ledger([before], "A"), 3)
    assert warehouse([after, newer, find], paid, [known]) == {}


def test_the_same_line_in_two_files_settles_once() -> None:
    rows, paid = [lost(OLD, "A"), lost(NEW, "B")], [payment(LATER, "9", "Lost_Warehouse", cash=3)]
    name = of_ledger(rows, "B")
    files = [File("ledger", "ledger.txt", rows), *(File("reimbursements", f, paid) for f in ("a.txt", "b.txt"))]
    found = run(*files, paid_for=[PaidFor(f, 2, "cash", name, 3) for f in ("a.txt", "b.txt")]).findings
    assert {each.reference_id: each.quantity for each in found} == {"A": 3}


def test_a_short_shipment_is_settled_by_its_own_payment() -> None:
    def items(shipment: str) -> list[Row]:
        return [{"shipment_id": shipment, "msku": "SKU-1", "fnsku": "X001", "shipped": 10, "received": 8}]

    files = [
        File("ledger", "ledger.txt", [
            ledger(day, "Receipts", 8, reference_id=name, msku="SKU-1")
            for day, name in ((date(2026, 2, 1), "FBA1"), (date(2026, 2, 10), "FBA2"))
        ]),
        File("inbound_items", "items.json", items("FBA1") + items("FBA2")),
        File("inbound_shipments", "shipments.json", [
            {"shipment_id": name, "status": "CLOSED", "destination": "ABE8"} for name in ("FBA1", "FBA2")
        ]),
    ]  # fmt: skip
    paid = File("reimbursements", "paid.txt", [payment(date(2026, 5, 1), "9", "Lost_Inbound", cash=2)])
    name = fingerprint_of("FBA2", *files, File("reimbursements", "paid.txt", []))
    assert [f.reference_id for f in run(*files, paid).findings] == ["FBA2"]
    assert [f.reference_id for f in run(*files, paid, paid_for=[PaidFor("paid.txt", 2, "cash", name, 2)]).findings] == [
        "FBA1"
    ]


def test_a_refund_is_settled_by_a_payment_that_names_no_order() -> None:
    def sale(entry: int, order: str) -> list[Row]:
        charged = {("charge", "Principal"): Decimal(20), ("fee", "FBAPerUnitFulfillmentFee"): Decimal(-3)}
        back = {("charge", "Principal"): Decimal(-20)}
        return money(entry, "shipment", OLD, order, "X001", 1, charged) + money(
            entry + 1, "refund", date(2026, 6, 10), order, "X001", 1, back
        )

    files = [
        File("finances", "money.json", sale(1, "111-1") + sale(3, "111-2")),
        File("returns", "returns.txt", []),
    ]
    none = File("reimbursements", "paid.txt", [])
    assert {f.reference_id for f in run(*files, none).findings} == {"111-1", "111-2"}
    name = fingerprint_of("111-1", *files, none)
    paid = File("reimbursements", "paid.txt", [payment(LATER, "9", "CustomerReturn", cash=1)])
    found = run(*files, paid, paid_for=[PaidFor("paid.txt", 2, "cash", name, 1)])
    assert [f.reference_id for f in found.findings] == ["111-2"]
