"""Payments to match: what waits, a button for each claim it may be for, and the payments on a claim's page."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import db
from claims import payments
from claims.paid import Line
from claims.payments import Report
from models import Claim, ClaimStatus, DiscrepancyStatus, Reimbursement, ReimbursementState
from tests.admin.conftest import Office, Person
from tests.factories import NOW, TODAY, make_claim, make_discrepancy

PAGE = "/admin/payments/"
CASE = "10245671881"


@pytest.fixture
def ann(office: Office) -> Person:
    return office.signed_in(office.cast.ann)


def line(key: str = "a", **more: Any) -> Line:
    values: dict[str, Any] = {
        "key": key, "reimbursement_id": f"R-{key}", "approved_on": TODAY, "kind": "lost_warehouse",
        "reason": "Lost_Warehouse", "fnsku": "X001", "msku": "SKU-1", "cash_units": 3, "amount": Decimal("37.02"),
        "currency": "USD",
    }  # fmt: skip
    return Line(**(values | more))


def filed(office: Office, **more: Any) -> int:
    values: dict[str, Any] = {
        "status": ClaimStatus.SUBMITTED,
        "case_id": CASE,
        "submitted_at": NOW - timedelta(days=7),
        "approved_by_id": office.cast.ann.user_id,
    }
    with db.transaction() as session:
        row = make_discrepancy(session, office.cast.account_id, status=DiscrepancyStatus.APPROVED)
        return make_claim(session, row, **(values | more)).id


def record(office: Office, *lines: Line) -> None:
    with db.transaction() as session:
        payments.record(session, office.cast.account_id, Report(lines), {}, now=NOW)


def claim(claim_id: int) -> Claim:
    with db.reading() as session:
        return session.get_one(Claim, claim_id)


def test_where_nothing_waits_it_says_what_fills_the_list(ann: Person) -> None:
    assert "No payments to match" in ann.text(PAGE)
    assert "Every payment is where it belongs" in ann.text(PAGE)


def test_a_press_gives_the_payment_to_its_claim(office_on_each_database: Office) -> None:
    office = office_on_each_database
    ann = office.signed_in(office.cast.ann)
    claims = [filed(office), filed(office)]
    record(office, line())
    shown = ann.text(PAGE)
    for said in ("1 payment to match", "3 units, 37.02 USD", "R-a", "Lost_Warehouse", "For claim 1", "For claim 2"):
        assert said in shown, said
    answer = ann.press(PAGE, f"{PAGE}1/match", claim_id=str(claims[1]))
    assert ann.told(answer) == "Claim 2: 3 units, 37.02 USD."
    assert (claim(claims[1]).status, claim(claims[1]).recovered) == (ClaimStatus.RECOVERED, Decimal("37.02"))
    assert "No payments to match" in ann.text(PAGE)


def test_not_ours_takes_it_off_the_list(office: Office, ann: Person) -> None:
    filed(office), filed(office)
    record(office, line())
    assert ann.told(ann.press(PAGE, f"{PAGE}1/not-ours")) == "Reimbursement R-a is not ours."
    with db.reading() as session:
        assert session.get_one(Reimbursement, 1).state is ReimbursementState.NOT_OURS


def test_the_slower_of_two_people_is_told(office: Office, ann: Person) -> None:
    first, second = filed(office), filed(office)
    record(office, line(), line("b"))
    ann.press(PAGE, f"{PAGE}1/match", claim_id=str(first))
    told = ann.told(ann.press(PAGE, f"{PAGE}1/match", claim_id=str(second)))
    assert told == "All of reimbursement R-a is taken: claim 1 has it. Look at the claims that have it."


def test_what_is_taken_back_early_waits_for_nobody(office: Office, ann: Person) -> None:
    filed(office)
    record(office, line("b", kind="reversal", original_id="R-a", cash_units=-3, amount=Decimal("-37.02")))
    shown = ann.text(PAGE)
    assert "No payments to match" in shown
    assert "Taken back before the payment was seen" in shown
    assert "R-b" in shown


def test_outside_text_is_escaped(office: Office, ann: Person) -> None:
    filed(office), filed(office)
    record(office, line(reason="<b>Lost_Warehouse</b>"))
    assert "<b>Lost" not in ann.get(PAGE).text


def test_a_claim_shows_its_payments(office: Office, ann: Person) -> None:
    claim_id = filed(office)
    paid = line(case_id=CASE, cash_units=2, stock_units=1)
    back = line("b", kind="reversal", original_id="R-a", cash_units=-1, amount=Decimal("-18.51"))
    record(office, paid, back)
    shown = ann.text(f"/admin/claims/{claim_id}/")
    for said in ("Payments", "R-a", "matched by Amazon's case", "1 unit in stock", "37.02 USD", "Taken back", "-18.51"):
        assert said in shown, said


def test_the_queries_of_the_list_do_not_grow(office: Office, ann: Person) -> None:
    filed(office), filed(office)
    record(office, line())
    with office.counted() as few:
        ann.get(PAGE)
    record(office, line(), *(line(f"b{n}") for n in range(10)))
    with office.counted() as many:
        ann.get(PAGE)
    assert "11 payments to match" in ann.text(PAGE)
    assert len(many) == len(few) <= 7
