"""Requests to clients in the back office: asking from a claim, who is waited for, answering for them, closing."""

import re
from datetime import timedelta
from io import BytesIO

import pytest

import db
from claims import filing, requests
from models import Claim, ClaimStatus, HistoryEntry, Request, RequestKind, RequestStatus
from tests.admin.conftest import Office, Person, read
from tests.admin.shop import PDF, Shop, stocked, stranger
from tests.factories import NOW


@pytest.fixture
def shop(office: Office) -> Shop:
    return stocked(office, office.cast.client_id, office.cast.carl, "Enamel")


@pytest.fixture
def ann(office: Office, shop: Shop) -> Person:
    return office.signed_in(office.cast.ann)


def the_request(office: Office, request_id: int) -> Request:
    with db.reading() as session:
        return requests.load(session, request_id, office.cast.ann)


def test_a_claims_page_leads_to_asking_and_says_what_was_asked(office, shop, ann):
    said = ann.text(f"/admin/claims/{shop.claim_id}/")
    assert "Asked of the client Confirm a shipment waits for the client, 23 Nov 2026" in said
    assert "It waits for the client, who was asked on 23 Nov 2026" in said
    path = f"/admin/requests/ask/{shop.claim_id}"
    assert f'href="{path}"' in ann.get(f"/admin/claims/{shop.claim_id}/").text
    form = ann.text(path)
    assert "The claim is held until then." in form
    assert "e-mail is off, so tell them that they are asked" in form
    assert "Amazon asks what 3 units of Enamel mug" in form
    answer = ann.press(path, path, kind="send_invoice", question="")
    assert answer.location == f"/admin/claims/{shop.claim_id}/"
    assert ann.told(answer).startswith("Acme is asked. The claim is held until the answer.")
    assert "Send a supplier's invoice" in ann.text(f"/admin/claims/{shop.claim_id}/")


def test_about_a_claim_that_is_over_nothing_can_be_asked(office, shop, ann):
    with db.transaction() as session:
        session.get_one(Claim, shop.claim_id).status = ClaimStatus.CLOSED
    assert "Ask the client" not in ann.text(f"/admin/claims/{shop.claim_id}/")
    path = f"/admin/requests/ask/{shop.claim_id}"
    assert "nothing to ask for" in ann.told(ann.press(path, path, kind="send_invoice", question=""))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"kind": "", "question": "Why?"}, "Choose what the client is asked for."),
        ({"kind": "other", "question": " "}, "This needs a question."),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_nothing_is_lost(shop, ann, given, problem):
    path = f"/admin/requests/ask/{shop.claim_id}"
    answer = ann.press(path, path, **given)
    assert (answer.status_code, problem in read(answer)) == (422, True)
    assert f">{given['question']}</textarea>" in answer.text


def test_the_list_says_who_is_waited_for_since_when(office, shop, ann, set_clock):
    stocked(office, office.cast.other_client_id, stranger(office), "Copper")
    set_clock(NOW + timedelta(days=3))
    said = ann.text("/admin/requests/")
    assert "2 requests wait for the client" in said
    assert "3 days ago" in said
    assert "holds the claim" in said
    only = ann.text(f"/admin/requests/?flt_client={office.cast.client_id}")
    assert "1 request waits for the client" in only
    assert "Copper" not in only
    assert "2 requests are answered" in ann.text("/admin/requests/?flt_status=answered")
    assert "Nothing matches “zzz”" in ann.text("/admin/requests/?search=zzz")


def test_the_list_costs_as_many_statements_for_many_rows_as_for_few(office, shop, ann):
    ann.get("/admin/requests/")
    with office.counted() as few:
        ann.get("/admin/requests/?flt_status=all")
    with db.transaction() as session:
        for number in range(9):
            requests.ask(
                session, shop.claim_id, kind=RequestKind.OTHER, question=f"{number}?", actor=office.cast.bea, now=NOW
            )
    with office.counted() as many:
        ann.get("/admin/requests/?flt_status=all")
    assert len(many) == len(few)


def test_staff_answer_for_the_client_and_the_history_says_so(office, shop, ann):
    path = f"/admin/requests/{shop.asked_id}/"
    token = re.search(r'csrf_token" value="([^"]+)', ann.get(path).text)[1]
    form = {"csrf_token": token, "text": "Told by phone.", "files": [(BytesIO(PDF), "note.pdf")]}
    answer = ann.http.post(f"{path}answer", data=form, content_type="multipart/form-data")
    assert ann.told(answer) == "Answered for the client."
    said = ann.text(path)
    assert "Answered for the client Told by phone. note.pdf" in said
    assert the_request(office, shop.asked_id).status is RequestStatus.ANSWERED
    with db.reading() as session:
        [entry] = session.query(HistoryEntry).filter_by(action="request_answered_for")
    assert entry.actor_name == "Ann"


def test_a_file_of_a_wrong_kind_comes_back_with_the_text(office, shop, ann):
    path = f"/admin/requests/{shop.asked_id}/"
    token = re.search(r'csrf_token" value="([^"]+)', ann.get(path).text)[1]
    form = {"csrf_token": token, "text": "By phone.", "files": [(BytesIO(b"MZ\x90\x00\x03"), "run.pdf")]}
    answer = ann.http.post(f"{path}answer", data=form, content_type="multipart/form-data")
    assert (answer.status_code, "run.pdf is of a kind that is not taken" in read(answer)) == (422, True)
    assert ">By phone.</textarea>" in answer.text
    assert the_request(office, shop.asked_id).status is RequestStatus.ASKED


def test_the_clients_answer_is_read_and_the_request_closed(office, shop, ann):
    path = f"/admin/requests/{shop.answered_id}/"
    said = ann.text(path)
    assert "The client's answer Enamel packs. Enamel paper.pdf" in said
    file = ann.get(f"{path}files/{shop.document_id}")
    assert (file.data, file.headers["Content-Disposition"][:10]) == (PDF + b"Enamel", "attachment")
    assert ann.get(f"/admin/requests/{shop.asked_id}/files/{shop.document_id}").status_code == 404
    assert ann.told(ann.press(path, f"{path}close")) == "Closed: nothing is waited for any more."
    assert the_request(office, shop.answered_id).status is RequestStatus.CLOSED


def test_closing_frees_the_claim_and_who_comes_second_is_told(office, shop, ann):
    path = f"/admin/requests/{shop.asked_id}/"
    page = ann.get(path).text
    with db.transaction() as session:
        requests.close(session, shop.asked_id, actor=office.cast.bea, now=NOW)
    token = re.search(r'csrf_token" value="([^"]+)', page)[1]
    assert "This request was closed at 09:14 UTC" in ann.told(ann.http.post(f"{path}close", data={"csrf_token": token}))
    with db.reading() as session:
        assert filing.holding_request(session, shop.claim_id) is None


def test_the_usual_question_is_the_one_that_is_sent(office, shop, ann):
    path = f"/admin/requests/ask/{shop.filed_id}"
    shown = ann.text(path)
    ann.press(path, path, kind="proof_of_delivery", question="")
    with db.reading() as session:
        [sent] = session.query(Request).filter_by(kind=RequestKind.PROOF_OF_DELIVERY)
    assert sent.question in shown
