import csv
import io

import pytest

import db
from claims import review
from models import Claim
from tests.admin.conftest import Office, Person, read
from tests.factories import NOW

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


def test_its_queries_do_not_grow_with_its_rows(office, ann):
    approved(office)
    with office.counted() as few:
        ann.get(LEDGER)
    for _ in range(20):
        approved(office)
    with office.counted() as many:
        ann.get(LEDGER)
    assert len(many) == len(few) <= 5
