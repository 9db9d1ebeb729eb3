"""From report files to recovered claims at the command line: import, daily, approve, file, import, daily."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from claims import filing
from claims.access import actor_by_email
from db import reading, transaction
from models import Claim, Discrepancy
from tests.amazon.delivered import LEDGER, REIMBURSEMENTS, ledger, ledger_row, plain
from tests.factories import make_account, make_client, make_user
from wsgi import create_app

CASE = "10245671881"
BEGIN = date(2026, 10, 1)
FILED = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
LATER = FILED + timedelta(days=15)
ASKED = ["--as", "ann@agency.example"]


class Desk:
    """An account, a person, and the commands, at a day that moves."""

    def __init__(self, folder: Path, invoke: Callable[..., Any], set_clock: Callable[[datetime], None]) -> None:
        self.folder, self.invoke, self.set_clock = folder, invoke, set_clock
        with transaction() as session:
            make_user(session, name="Ann")
            self.account_id = make_account(session, make_client(session, name="Acme"), name="US").id
        self._imports = 0
        self.set_clock(FILED)

    def run(self, *arguments: object) -> str:
        ended = self.invoke(*arguments)
        assert ended.exit_code == 0, ended.output
        return str(ended.stdout)

    def deliver(self, lost: Sequence[dict[str, Any]], paid: Sequence[dict[str, str]] = (), *, until: date) -> None:
        """Import a ledger with these losses, and a reimbursements report; both reach from the begin to a day."""
        self._imports += 1
        place = self.folder / f"delivery-{self._imports}"
        place.mkdir()
        seen = [ledger_row(Event_Type="Receipts", Reason="", Reference_ID="FBA1", Quantity="1", Date=f"{day:%m/%d/%Y}",
                Unreconciled_Quantity="", Reconciled_Quantity="", FNSKU="X999")
                for day in days(until)]  # fmt: skip
        rows = [ledger_row(**({"Unreconciled_Quantity": loss.get("Quantity", "-3")} | loss)) for loss in lost]
        (place / "ledger.txt").write_text(ledger(*sorted(rows + seen, key=lambda row: row[LEDGER.index("Date")])))
        fees = [{"approval-date": f"{day}T11:30:00-07:00", "reimbursement-id": f"F{n}", "reason": "FeeCorrection"}
                for n, day in enumerate(days(until))]  # fmt: skip
        lines = [payment(**each) for each in (*paid, *fees)]
        (place / "reimbursements.txt").write_text(plain(REIMBURSEMENTS, *lines))
        self.run("import", "--account", self.account_id, place)

    def daily(self) -> str:
        return self.run("daily").removeprefix("Acme, US, as of ").strip()

    def approve_and_file(self, reference: str, case: str = CASE) -> int:
        row = self.discrepancy(reference)
        self.run("discrepancies", "approve", row.id, *ASKED)
        claim_id = self.discrepancy(reference).claims[-1].id
        self.run("claims", "submit", claim_id, "--case-id", case, *ASKED)
        return int(claim_id)

    def discrepancy(self, reference: str) -> Discrepancy:
        with reading() as session:
            wanted = select(Discrepancy).where(Discrepancy.reference_id == reference)
            return session.scalars(wanted.options(selectinload(Discrepancy.claims))).one()

    def claim(self, claim_id: int) -> tuple[str, str, int]:
        with reading() as session:
            row = session.get_one(Claim, claim_id)
            return row.status.value, f"{row.recovered:.2f}", row.recovered_quantity


def days(until: date) -> list[date]:
    return [BEGIN - timedelta(days=40) + timedelta(days=n) for n in range(0, (until - BEGIN).days + 41, 5)] + [until]


def payment(**more: str) -> list[str]:
    usual = {
        "approval-date": "2026-11-12T11:30:00-08:00",
        "reimbursement-id": "R1",
        "reason": "Lost_Warehouse",
        "sku": "SKU-1",
        "fnsku": "X001",
        "currency-unit": "USD",
        "amount-total": "37.02",
        "quantity-reimbursed-cash": "3",
        "quantity-reimbursed-inventory": "0",
    }
    usual.update({name.replace("_", "-"): value for name, value in more.items()})
    if usual["reason"] == "FeeCorrection":
        usual |= {"fnsku": "", "sku": "", "quantity-reimbursed-cash": "0", "amount-total": "0.10"}
    return [usual.get(name, "") for name in REIMBURSEMENTS]


@pytest.fixture
def desk(
    sqlite_database: str,
    tmp_path: Path,
    settings_of_the_test: Callable[..., None],
    set_clock: Callable[[datetime], None],
) -> Desk:
    settings_of_the_test(REDIS_URL="unix:///nobody/listens")
    runner: FlaskCliRunner = create_app(with_web=False).test_cli_runner()
    return Desk(tmp_path, lambda *arguments: runner.invoke(args=[str(argument) for argument in arguments]), set_clock)


LOSS = {"Reference_ID": "LB", "Date": "10/10/2026"}
OLDER = {"Reference_ID": "LA", "Date": "10/08/2026"}


def test_a_filed_claim_is_recovered_by_the_report_that_shows_its_payment(desk: Desk) -> None:
    desk.deliver([LOSS], until=date(2026, 11, 2))
    assert desk.daily() == "02 Nov 2026: 1 new."
    claim_id = desk.approve_and_file("LB")
    desk.set_clock(LATER)
    desk.deliver([LOSS], [{"case_id": CASE}], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: 1 payment matched."
    assert desk.claim(claim_id) == ("recovered", "37.02", 3)
    row = desk.discrepancy("LB")
    assert (row.status, row.is_changed_since_decision) == ("approved", False)
    assert desk.daily() == "17 Nov 2026: nothing new."


def test_a_payment_of_our_case_settles_no_older_loss_that_nobody_claimed(desk: Desk) -> None:
    desk.deliver([OLDER, LOSS], until=date(2026, 11, 2))
    assert desk.daily() == "02 Nov 2026: 2 new."
    claim_id = desk.approve_and_file("LB")
    desk.set_clock(LATER)
    desk.deliver([OLDER, LOSS], [{"case_id": CASE}], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: 1 payment matched."
    assert desk.claim(claim_id)[0] == "recovered"
    assert desk.discrepancy("LA").status == "open"
    desk.deliver(
        [OLDER, LOSS],
        [{"case_id": CASE}, {"reimbursement_id": "R2", "approval_date": "2026-11-14T11:30:00-08:00"}],
        until=date(2026, 11, 17),
    )
    assert desk.daily() == "17 Nov 2026: 1 settled."  # the one that nobody claimed, paid by Amazon itself
    assert desk.discrepancy("LA").status_reason == "paid_by_amazon"
    assert desk.claim(claim_id) == ("recovered", "37.02", 3)


def test_a_loss_that_amazon_has_reconciled_with_our_payment_uses_up_no_other(desk: Desk) -> None:
    desk.deliver([LOSS], until=date(2026, 11, 2))
    desk.daily()
    desk.approve_and_file("LB")
    desk.set_clock(LATER)
    reconciled = LOSS | {"Reconciled_Quantity": "3", "Unreconciled_Quantity": "0"}
    found = {"Reference_ID": "F", "Date": "11/08/2026", "Reason": "F", "Quantity": "3", "Unreconciled_Quantity": "0"}
    newer = {"Reference_ID": "LC", "Date": "10/30/2026"}
    desk.deliver([reconciled, newer, found], [{"case_id": CASE}], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: 1 payment matched."  # the find settles LC, so that LC is no new one


def test_amazons_own_payment_before_the_filing_withdraws_the_claim(desk: Desk) -> None:
    desk.deliver([LOSS], until=date(2026, 11, 2))
    desk.daily()
    desk.run("discrepancies", "approve", desk.discrepancy("LB").id, *ASKED)
    desk.set_clock(LATER)
    desk.deliver([LOSS], [{}], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: 1 settled, 1 claim withdrawn."
    assert desk.claim(1) == ("closed", "0.00", 0)
    assert desk.discrepancy("LB").status == "settled"


def test_a_claim_that_nobody_filed_in_time_is_told(desk: Desk) -> None:
    desk.deliver([LOSS], until=date(2026, 11, 2))
    desk.daily()
    desk.run("discrepancies", "approve", desk.discrepancy("LB").id, *ASKED)
    desk.set_clock(FILED + timedelta(days=60))
    assert desk.daily() == "01 Jan 2027: 1 claim not filed in time."
    assert (desk.claim(1)[0], desk.discrepancy("LB").status) == ("closed", "lapsed")
    assert desk.daily() == "01 Jan 2027: nothing new."


def test_a_payment_under_a_mistyped_case_is_found_once_the_case_is_right(desk: Desk) -> None:
    desk.deliver([LOSS], until=date(2026, 11, 2))
    desk.daily()
    claim_id = desk.approve_and_file("LB")
    desk.set_clock(LATER)
    desk.deliver([LOSS], [{"case_id": "10245671818"}], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: 1 flagged."
    with transaction() as session:
        ann = actor_by_email(session, ASKED[1])
        filing.correct_case(session, claim_id, case_id="10245671818", actor=ann, now=LATER)
    assert desk.daily() == "17 Nov 2026: 1 payment matched."
    assert desk.claim(claim_id) == ("recovered", "37.02", 3)
    assert not desk.discrepancy("LB").is_changed_since_decision


def test_a_payment_without_a_case_goes_to_the_claim_whose_loss_it_settles(desk: Desk) -> None:
    desk.deliver([OLDER, LOSS], until=date(2026, 11, 2))
    desk.daily()
    older, newer = desk.approve_and_file("LA"), desk.approve_and_file("LB", case="20000000002")
    desk.set_clock(LATER)
    desk.deliver([OLDER, LOSS], [{}], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: 1 payment matched."
    assert (desk.claim(older)[0], desk.claim(newer)[0]) == ("recovered", "submitted")
    assert not desk.discrepancy("LA").is_changed_since_decision


def test_a_reversal_and_what_is_paid_again(desk: Desk) -> None:
    desk.deliver([LOSS], until=date(2026, 11, 2))
    desk.daily()
    claim_id = desk.approve_and_file("LB")
    desk.set_clock(LATER)
    first = {"case_id": CASE, "approval_date": "2026-11-05T11:30:00-08:00"}
    back = {
        "reimbursement_id": "R2",
        "reason": "Reimbursement_Reversal",
        "original_reimbursement_id": "R1",
        "quantity_reimbursed_cash": "-3",
        "amount_total": "-37.02",
    }
    desk.deliver([LOSS], [first, back], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: 1 payment matched, 1 payment taken back."
    assert desk.claim(claim_id) == ("reversed", "0.00", 0)
    again = {"case_id": CASE, "reimbursement_id": "R3", "approval_date": "2026-11-14T11:30:00-08:00"}
    desk.deliver([LOSS], [first, back, again], until=date(2026, 11, 17))
    desk.daily()
    assert desk.claim(claim_id) == ("recovered", "37.02", 3)


def test_what_waits_is_listed_matched_and_declined(desk: Desk) -> None:
    desk.deliver([OLDER, LOSS], until=date(2026, 11, 2))
    desk.daily()
    claims = [desk.approve_and_file("LA"), desk.approve_and_file("LB", case="20000000002")]
    desk.set_clock(LATER)
    vague = [{"reason": "GeneralAdjustment", "reimbursement_id": f"R{n}"} for n in (1, 2)]
    desk.deliver([OLDER, LOSS], vague, until=date(2026, 11, 17))
    assert desk.daily().endswith("2 payments wait.")
    listed = json.loads(desk.run("claims", "waiting", "--format", "json"))
    assert [(row["reimbursement"], row["units_left"], row["claims"]) for row in listed] == [
        ("R1", 3, claims),
        ("R2", 3, claims),
    ]
    said = desk.run("claims", "match", claims[1], "--reimbursement", "R1", *ASKED)
    assert said == f"{claims[1]}: 3 units, 37.02 USD. Recovered\n"
    line = listed[1]["line"]
    assert desk.run("claims", "not-ours", line, *ASKED) == f"{line}: reimbursement R2 is not ours\n"
    assert json.loads(desk.run("claims", "waiting", "--format", "json")) == []
    taken = desk.invoke("claims", "match", claims[0], "--reimbursement", "R1", *ASKED)
    assert (taken.exit_code, taken.stderr) == (
        1,
        f"All of reimbursement R1 is taken: claim {claims[1]} has it. Look at the claims that have it.\n",
    )
    assert desk.invoke("claims", "match", claims[0], *ASKED).exit_code == 2


def test_a_payment_that_fits_no_claim_can_be_named_by_a_person_unless_it_came_before_the_filing(desk: Desk) -> None:
    desk.deliver([LOSS], until=date(2026, 11, 2))
    desk.daily()
    claim_id = desk.approve_and_file("LB")
    desk.set_clock(LATER)
    other = {"fnsku": "X00B", "sku": "SKU-B"}
    early = other | {"reimbursement_id": "R0", "approval_date": "2026-10-30T11:30:00-07:00"}
    desk.deliver([LOSS], [early, other], until=date(2026, 11, 17))
    assert desk.daily() == "17 Nov 2026: nothing new."
    refused = desk.invoke("claims", "match", claim_id, "--reimbursement", "R0", *ASKED)
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"Reimbursement R0 was approved on 30 Oct 2026, before claim {claim_id} was filed: Amazon paid it by itself.\n",
    )
    unknown = desk.invoke("claims", "match", claim_id, "--reimbursement", "R9", *ASKED)
    assert "No payment R9 of this account is known" in unknown.stderr
    assert desk.run("claims", "match", claim_id, "--reimbursement", "R1", *ASKED).endswith("Recovered\n")
    assert desk.daily() == "17 Nov 2026: nothing new."
    assert desk.claim(claim_id) == ("recovered", "37.02", 3)
