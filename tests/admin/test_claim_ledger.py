import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest

import db
from claims import ledger, queries, requests, review
from models import Claim, ClaimStatus, DiscrepancyStatus, RequestKind
from tests.admin.conftest import Office, Person, read
from tests.billing.paying import filed
from tests.factories import NOW, TODAY

LEDGER = "/admin/claims/"


@pytest.fixture
def ann(office: Office) -> Person:
    return office.signed_in(office.cast.ann)


def approved(office: Office, **more) -> int:
    """Return the id of the claim of a new discrepancy."""
    wanted = office.put(**more)
    with db.transaction() as session:
        return review.approve(session, wanted, actor=office.cast.ann, now=NOW).id


def test_what_was_approved_stands_in_the_ledger(office, ann):
    assert "Nothing was approved yet" in ann.text(LEDGER)
    approved(office)
    shown = ann.text(LEDGER)
    assert "1 claim " in shown
    assert "Lost in the warehouse" in shown
    assert "37.02 USD" in shown
    assert "To file" in shown


def test_an_undone_claim_stays_and_says_so(office, ann):
    approved(office)
    with db.transaction() as session:
        review.undo(session, 1, actor=office.cast.ann, now=NOW)
    assert "Closed: undone" in ann.text(LEDGER)
    assert "0 claims" not in ann.text(f"{LEDGER}?flt_status=to_submit")
    assert "No claims to file" in ann.text(f"{LEDGER}?flt_status=to_submit")


def test_it_is_searched_by_case_product_and_reference(office, ann):
    approved(office, fnsku="X00AA1", reference_id="REF-7")
    approved(office, fnsku="X00BB2")
    with db.transaction() as session:
        session.get_one(Claim, 2).case_id = "1234567890"
    for search, wanted in (("x00aa1", 1), ("ref-7", 1), ("1234567890", 2)):
        page = ann.get(f"{LEDGER}?search={search}").text
        assert f'href="{LEDGER}{wanted}/"' in page
        assert f'href="{LEDGER}{3 - wanted}/"' not in page
    assert "Nothing matches" in ann.text(f"{LEDGER}?search=nothing")


def test_one_claim_shows_what_it_was_made_of_with_evidence_and_history(office, ann):
    claim_id = approved(office)
    shown = ann.text(f"{LEDGER}{claim_id}/")
    for said in (
        "Claim 1: 3 units, 37.02 USD",
        "To file by 19 Dec 2026, in 26 days",
        "not filed yet",
        "Ann",
        "Blue mug",
    ):
        assert said in shown, said
    assert "ledger.txt, line" in shown
    assert 'href="/admin/discrepancies/1/"' in ann.get(f"{LEDGER}{claim_id}/").text


def test_a_claim_that_does_not_exist_is_told_in_words(ann):
    answer = ann.get(f"{LEDGER}77/")
    assert answer.status_code == 404
    assert "There is no claim 77" in read(answer)


def test_its_export_names_columns_as_the_command_line_does(office, ann):
    approved(office, fnsku="X00AA1")
    (row,) = csv.DictReader(io.StringIO(ann.get(f"{LEDGER}export/csv/").text))
    assert {"id", "discrepancy_ids", "client", "account", "claim_type", "status", "case_id"} <= set(row)
    assert (row["id"], row["discrepancy_ids"], row["value"], row["recovered"]) == ("1", "1", "37.02", "0")
    assert (row["next_step"], row["next_step_by"]) == ("To file", "2026-12-19")


def test_its_queries_do_not_grow_with_its_rows(office, ann):
    approved(office)
    with office.counted() as few:
        ann.get(LEDGER)
    for _ in range(20):
        approved(office)
    with office.counted() as many:
        ann.get(LEDGER)
    assert len(many) == len(few) <= 9


class TestMoney:
    @pytest.fixture
    def mixed(self, office: Office) -> Office:
        """Claims in many states and two currencies, and losses that were never claimed."""
        with db.transaction() as session:
            for status, more in (
                (ClaimStatus.SUBMITTED, {}),
                (ClaimStatus.SUBMITTED, {"value": Decimal(5), "currency": "GBP"}),
                (ClaimStatus.SUBMITTED, {"value": None, "currency": None}),
                (ClaimStatus.DENIED, {}),
                (ClaimStatus.RECOVERED, {"recovered": Decimal("30.00"), "recovered_quantity": 3}),
                (ClaimStatus.CLOSED, {"closed_reason": "refused"}),
                (ClaimStatus.CLOSED, {"closed_reason": "lapsed"}),
            ):
                filed(session, office.cast, status=status, **more)
            filed(session, office.cast, account_id=office.cast.other_account_id, claim_type="inbound_lost")
        office.put(status=DiscrepancyStatus.SETTLED, status_reason="paid_by_amazon")
        office.put(status=DiscrepancyStatus.SETTLED, status_reason="found")
        office.put(status=DiscrepancyStatus.LAPSED)
        return office

    @pytest.mark.usefixtures("mixed")
    def test_it_stands_by_state_above_the_list_and_the_words_are_never_mixed(self, ann):
        shown = ann.text(LEDGER)
        assert "8 claims, asked for 5.00 GBP + 222.12 USD + 1 not known, recovered 30.00 USD" in shown
        assert "Filed 4 claims 4 12 5.00 GBP 74.04 USD 1 not known –" in shown
        assert "Refused 1 claim 1 3 37.02 USD –" in shown
        assert "Recovered 1 claim 1 3 37.02 USD 30.00 USD" in shown
        assert "Closed: refused by Amazon 1 claim 1 3 37.02 USD –" in shown
        assert "Closed: not filed in time 1 claim 1 3 37.02 USD –" in shown
        assert "1 settled: paid by Amazon itself , 3 units worth 37.02 USD; 1 lapsed , 3 units worth 37.02" in shown

    def test_the_sums_follow_client_and_type_and_not_the_state(self, mixed, ann):
        shown = ann.text(f"{LEDGER}?flt_client={mixed.cast.other_client_id}")
        assert "1 claim, asked for 37.02 USD" in shown
        assert "paid by Amazon itself" not in shown
        shown = ann.text(f"{LEDGER}?flt_type=inbound_lost&flt_status=denied")
        assert "1 claim, asked for 37.02 USD" in shown
        assert "Lost: Short on arrival" in shown
        assert "No claims refused" in shown

    @pytest.mark.usefixtures("mixed")
    def test_closed_claims_are_narrowed_by_their_reason(self, ann):
        shown = ann.text(f"{LEDGER}?flt_status=closed:lapsed")
        assert "1 claim closed: not filed in time" in shown
        assert "State: Closed: not filed in time" in shown
        assert "2 claims closed" in ann.text(f"{LEDGER}?flt_status=closed")
        assert ann.get(f"{LEDGER}?flt_status=closed:nonsense").status_code == 200

    def test_it_is_the_same_on_each_database(self, office_on_each_database):
        office = office_on_each_database
        with db.transaction() as session:
            filed(session, office.cast)
            filed(session, office.cast, value=None)
        office.put(status=DiscrepancyStatus.LAPSED, value=None)
        with db.reading() as session:
            (total,) = ledger.totals(session, queries.claim_list(office.cast.carl))
            (lapsed,) = ledger.without_a_claim(session, queries.discrepancy_list(office.cast.carl))
        assert (total.count, total.units, total.asked, total.unknown) == (2, 6, (("USD", Decimal("37.02")),), 1)
        assert (lapsed.count, lapsed.asked_in_words) == (1, ["1 not known"])


class TestNextStep:
    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({}, "Amazon has it 3 37.02 USD"),
            ({"status": ClaimStatus.REVERSED}, "Amazon took the money back: appeal, or close it"),
            ({"next_action_on": TODAY + timedelta(days=2)}, "in 2 days 25 Nov 2026 To look at the case again"),
            ({"status": ClaimStatus.DENIED, "next_action_on": TODAY}, "today 23 Nov 2026 To appeal or to close"),
        ],
    )
    def test_each_claim_says_what_is_to_be_done_and_by_when(self, office, ann, more, said):
        with db.transaction() as session:
            filed(session, office.cast, **more)
        assert said in ann.text(LEDGER)

    def test_what_is_late_is_red_and_sorts_first(self, office, ann):
        with db.transaction() as session:
            filed(session, office.cast)
            filed(session, office.cast, next_action_on=TODAY + timedelta(days=9))
            filed(session, office.cast, next_action_on=TODAY - timedelta(days=1))
        page = ann.get(f"{LEDGER}?sort=3").text
        assert re.findall(r'href="/admin/claims/(\d)/"', page) == ["3", "2", "1"]
        assert 'class="due urgent" datetime="2026-11-22"' in page

    def test_a_claim_that_waits_for_the_client_says_so(self, office, ann):
        claim_id = approved(office)
        with db.transaction() as session:
            kind = RequestKind.SEND_INVOICE
            requests.ask(session, claim_id, kind=kind, question=None, actor=office.cast.ann, now=NOW)
        assert "To file Waits for the client" in ann.text(LEDGER)
