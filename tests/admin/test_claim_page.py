"""The page of a claim over HTTP: what is filed, what Amazon said, documents, and what a form that is not right says."""

import csv
import html
import io
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

import db
from claims import documents, filing, queries, review
from models import Claim, ClaimStatus, Client, ClientStatus, NoteKind, Request, RequestKind
from tests.admin.conftest import Office, Person, plain, read
from tests.factories import NOW, TODAY

PAGE = "/admin/claims/1/"
CASE = "10245671881"
S = ClaimStatus


@pytest.fixture
def ann(office: Office) -> Person:
    return office.signed_in(office.cast.ann)


@pytest.fixture
def claim(office: Office) -> int:
    """A claim to file: number 1, of discrepancy 1."""
    return approved(office)


def approved(office: Office, **more) -> int:
    wanted = office.put(**more)
    with db.transaction() as session:
        return review.approve(session, wanted, actor=office.cast.ann, now=NOW).id


def filed(office: Office, **more) -> int:
    claim_id = approved(office, **more)
    with db.transaction() as session:
        filing.submit(session, claim_id, case_id=CASE, actor=office.cast.ann, now=NOW)
    return claim_id


def row(office: Office, claim_id: int = 1) -> Claim:
    with db.reading() as session:
        return queries.load_claim(session, claim_id, office.cast.adam)


def aside(response: TestResponse) -> str:
    return plain(re.search(r"<aside.*?</aside>", response.text, re.DOTALL)[0])


def test_what_to_file_stands_on_the_page_to_be_copied(ann, claim):
    page = ann.get(PAGE)
    text = html.unescape(re.search(r'<pre id="packet-text".*?>(.*?)</pre>', page.text, re.DOTALL)[1])
    assert text.startswith("Hello,\n\nplease reimburse 3 units")
    assert "Units to reimburse: 3\n" in text
    assert 'data-copy-of="packet-text"' in page.text
    assert "Attach the evidence file." in read(page)
    assert "To file by 19 Dec 2026, in 26 days" in aside(page)


def test_the_evidence_is_a_file(ann, claim):
    answer = ann.get(f"{PAGE}evidence.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=claim-1-evidence.csv"
    assert answer.mimetype == "text/csv"
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["report"], line["role"], line["FNSKU"], line["Quantity"]) == (
        "Inventory ledger",
        "The loss",
        "X001",
        "-3",
    )


def test_a_claim_is_filed(office_on_each_database):
    office = office_on_each_database
    ann = office.signed_in(office.cast.ann)
    approved(office)
    answer = ann.press(PAGE, f"{PAGE}file", case_id=f" {CASE} ")
    assert "Filed as case 10245671881." in ann.told(answer)
    assert (row(office).status, row(office).case_id) == (S.SUBMITTED, CASE)
    shown = read(ann.get(PAGE))
    assert "Amazon has it: nothing to do before it answers" in shown
    assert "Filed with Amazon Ann in the back office, 23 Nov 2026, 09:14 UTC" in shown
    assert "Record as filed" not in shown


def test_what_is_no_case_comes_back_at_its_field(office, ann, claim):
    answer = ann.press(PAGE, f"{PAGE}file", case_id="<later>")
    assert answer.status_code == 422
    assert "Not saved yet" in read(answer)
    assert 'href="#file-case_id"' in answer.text
    field = re.search(r"<input[^>]*file-case_id[^>]*>", answer.text, re.DOTALL)[0]
    assert 'aria-invalid="true"' in field
    assert 'value="&lt;later&gt;"' in field
    assert row(office).status is S.TO_SUBMIT


def test_a_mistyped_case_is_put_right(office, ann):
    filed(office)
    assert "The case is 10245671882." in ann.told(ann.press(PAGE, f"{PAGE}case", case_id="10245671882"))
    assert "10245671881 → 10245671882" in ann.text(PAGE)
    assert ann.press(PAGE, f"{PAGE}case", case_id="typo").status_code == 422


def test_who_is_second_is_told(office, ann, claim):
    with db.transaction() as session:
        filing.submit(session, claim, case_id="555555555", actor=office.cast.bea, now=NOW)
    answer = ann.http.post(f"{PAGE}file", data={"csrf_token": _token(ann), "case_id": CASE})
    assert "Already filed as case 555555555 by Bea at 09:14 UTC." in ann.told(answer)


def test_what_holds_a_claim_is_said(office, ann, claim):
    with db.transaction() as session:
        session.add(
            Request(
                client_id=office.cast.client_id,
                claim_id=claim,
                kind=RequestKind.SEND_INVOICE,
                question="Which invoice covers <b>the mugs</b>?",
                asked_at=NOW,
            )
        )
    page = ann.get(PAGE)
    assert "It waits for the client, who was asked on 23 Nov 2026" in aside(page)
    assert "<b>the mugs" not in page.text
    answer = ann.press(PAGE, f"{PAGE}file", case_id=CASE)
    assert "waits for the client" in ann.told(answer)


def test_a_claim_that_lapsed_is_filed_with_the_day_on_which_it_really_was(office, ann):
    claim_id = approved(office)
    with db.transaction() as session:
        claim = session.get_one(Claim, claim_id)
        claim.status, claim.closed_reason = S.CLOSED, "lapsed"
    assert "It was filed on an earlier day" in ann.get(PAGE).text
    answer = ann.press(PAGE, f"{PAGE}late", case_id=CASE, filed_on="")
    assert (answer.status_code, "The day of filing is missing" in plain(answer.text)) == (422, True)
    answer = ann.press(PAGE, f"{PAGE}late", case_id=CASE, filed_on=TODAY.isoformat())
    assert f"Filed as case {CASE}." in ann.told(answer)
    assert (row(office).status, row(office).case_id) == (S.SUBMITTED, CASE)
    assert "It was filed on an earlier day" not in ann.get(PAGE).text


def test_a_late_claim_is_not_filed(office, ann):
    approved(office, closes_on=TODAY - timedelta(days=1))
    assert "can no longer be filed" in ann.told(ann.press(PAGE, f"{PAGE}file", case_id=CASE))


def test_a_reply_is_kept_as_amazon_wrote_it(office, ann):
    filed(office)
    answer = ann.press(
        PAGE, f"{PAGE}reply", reply="Dear seller,\n  <script>send</script> an invoice.", next_action_on="2026-12-01"
    )
    assert "Amazon's reply is kept." in ann.told(answer)
    assert row(office).status is S.SUBMITTED
    page = ann.get(PAGE)
    assert "Dear seller,\n  &lt;script&gt;send" in page.text
    assert "To look at the case again by 1 Dec 2026, in 8 days" in aside(page)


def test_a_reply_may_change_the_state(office, ann):
    filed(office)
    answer = ann.press(PAGE, f"{PAGE}reply", reply="Which invoice?", outcome="needs_info", seen="submitted")
    assert "Recorded: Amazon asks." in ann.told(answer)
    seen = row(office)
    assert (seen.status, seen.notes[0].kind, seen.notes[0].text) == (
        S.NEEDS_INFO,
        NoteKind.AMAZON_REPLY,
        "Which invoice?",
    )


def test_a_claim_goes_its_whole_way(office, ann):
    filed(office)
    for outcome, fields in (
        ("needs_info", {"note": "they want an invoice"}),
        ("submitted", {}),
        ("denied", {"note": "no"}),
        ("appealed", {"next_action_on": "2026-12-09"}),
        ("denied", {"note": "no again"}),
        ("closed:refused", {}),
    ):
        ann.press(PAGE, f"{PAGE}outcome", outcome=outcome, **fields)
    seen = row(office)
    assert (seen.status, seen.closed_reason, seen.rounds) == (S.CLOSED, "refused", 1)
    shown = read(ann.get(PAGE))
    assert "Closed: refused by Amazon" in shown
    assert shown.index("no again") < shown.index("they want an invoice")  # newest first
    assert shown.count("they want an invoice") == 1
    assert "Outcome…" not in shown


@pytest.mark.parametrize(
    ("fields", "said", "field"),
    [
        ({}, "Choose what became of it.", "outcome"),
        ({"outcome": "recovered"}, "Choose what became of it.", "outcome"),
        ({"outcome": "denied"}, "Refused needs Amazon's reply or a note.", ""),
        ({"outcome": "closed:other"}, "Another reason needs a note.", "note"),
        (
            {"outcome": "closed:withdrawn", "next_action_on": "2026-12-01"},
            "A closed claim has no next",
            "next_action_on",
        ),
        ({"outcome": "denied", "note": "kept", "next_action_on": "2026-11-22"}, "has passed", "next_action_on"),
        ({"outcome": "denied", "note": "kept", "next_action_on": "soon"}, "is no day", "next_action_on"),
    ],
)
def test_an_outcome_that_is_not_right_comes_back_with_what_was_entered(office, ann, fields, said, field):
    filed(office)
    answer = ann.press(PAGE, f"{PAGE}outcome", **fields)
    assert answer.status_code == 422
    shown = read(answer)
    assert said in shown
    for name in fields.keys() & {"note"}:
        assert fields[name] in shown
    if field:
        assert f'id="outcome-{field}-wrong"' in answer.text
    assert re.search(r"<details open>\s*<summary data-key=\"o\"", answer.text)
    assert row(office).status is S.SUBMITTED


def test_what_moved_since_the_page_was_opened_is_not_recorded(office, ann):
    filed(office)
    token = _token(ann)
    with db.transaction() as session:
        filing.record_outcome(session, 1, status=S.DENIED, note="no", actor=office.cast.bea, now=NOW)
    fields = {"csrf_token": token, "seen": "submitted", "outcome": "closed:withdrawn"}
    answer = ann.http.post(f"{PAGE}outcome", data=fields)
    assert "Claim 1 moved since you opened it: it is Refused now, not Filed." in ann.told(answer)


def test_a_claim_that_is_not_worth_filing_is_withdrawn(office, ann, claim):
    assert "Close…" in aside(ann.get(PAGE))
    assert "Recorded: Closed: withdrawn." in ann.told(ann.press(PAGE, f"{PAGE}outcome", outcome="closed:withdrawn"))


def test_notes_and_hands(office, ann, claim):
    assert "Note kept." in ann.told(ann.press(PAGE, f"{PAGE}note", note="rang them"))
    assert "rang them" in ann.text(PAGE)
    assert ann.press(PAGE, f"{PAGE}note", note=" ").status_code == 422
    bea = str(office.cast.bea.user_id)
    assert "Assigned." in ann.told(ann.press(PAGE, f"{PAGE}assign", assignee_id=bea))
    assert "In whose hands Bea" in aside(ann.get(PAGE))
    refused = ann.press(PAGE, f"{PAGE}assign", assignee_id=str(office.cast.carl.user_id))
    assert (refused.status_code, "does not work on claims" in read(refused)) == (422, True)
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).case_manager_id = office.cast.ann.user_id
    ann.press(PAGE, f"{PAGE}assign", assignee_id="")
    assert "In whose hands Ann" in aside(ann.get(PAGE))


def put_file(person: Person, content: bytes, name: str = "invoice.pdf", kind: str = "invoice") -> TestResponse:
    fields = {"csrf_token": _token(person), "kind": kind, "file": (io.BytesIO(content), name)}
    return person.http.post(f"{PAGE}documents", data=fields, content_type="multipart/form-data")


def test_a_document_is_kept_and_sent_as_a_file_to_save(office, ann, claim):
    content = b"%PDF-1.7 " + b"x" * (3 * 1024 * 1024)  # more than any other request may have
    assert "Kept: Rechnung 7 ä.pdf." in ann.told(put_file(ann, content, "Rechnung 7 ä.pdf"))
    assert "Supplier's invoice, 3.0 MB, from Ann" in ann.text(PAGE)
    sent = ann.get(f"{PAGE}documents/1")
    assert sent.data == content
    assert sent.headers["Content-Disposition"].startswith("attachment; ")
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert sent.mimetype == "application/pdf"
    assert "filename*=UTF-8''Rechnung%207%20%C3%A4.pdf" in sent.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ((b"", "invoice.pdf", "invoice"), "The file is empty."),
        ((b"x", "", "invoice"), "Choose a file."),
        ((b"MZ\x00", "invoice.pdf", "invoice"), "invoice.pdf is of a kind that is not taken."),
        ((b"%PDF-1.7", "invoice.pdf", "love letter"), "Say what the file is."),
        ((b"%PDF-" + b"x" * documents.LARGEST, "invoice.pdf", "invoice"), "The file is larger than 20 MB."),
    ],
)
def test_what_is_no_document_comes_back_at_its_field(office, ann, claim, sent, said):
    answer = put_file(ann, *sent)
    assert answer.status_code == 422
    assert said in read(answer)
    assert row(office).documents == []


def test_a_request_that_is_far_too_large_is_told_on_a_page(office, ann, claim):
    answer = put_file(ann, b"%PDF-" + b"x" * (documents.LARGEST + 1024 * 1024))
    assert answer.status_code == 413
    assert "too large" in read(answer)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("is_signed_in", "taken"), [(True, 25_000_000), (False, 0)])
def test_a_browser_that_sends_too_much_is_heard_out_to_read_why(office, ann, claim, is_signed_in, taken):
    person = ann if is_signed_in else office.visitor()
    sent = io.BytesIO(b"x" * 25_000_000)
    answer = person.http.post(
        f"{PAGE}documents", input_stream=sent, content_length=25_000_000, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 413
    assert sent.tell() == taken


def test_nobody_else_finds_the_document(office, ann, claim):
    put_file(ann, b"%PDF-1.7")
    assert ann.get("/admin/claims/2/documents/1").status_code == 404
    assert ann.get(f"{PAGE}documents/9").status_code == 404
    for who in (office.cast.carl, office.cast.bill):
        assert office.signed_in(who).get(f"{PAGE}documents/1").status_code == 403
    assert office.visitor().get(f"{PAGE}documents/1").status_code == 302


@pytest.mark.parametrize("action", ["file", "case", "reply", "outcome", "note", "assign", "documents"])
def test_who_may_not_changes_nothing(office, claim, action):
    for who in (office.cast.carl, office.cast.bill):
        person = office.signed_in(who)
        answer = person.http.post(f"{PAGE}{action}", data={"csrf_token": _token(person, "/"), "case_id": CASE})
        assert answer.status_code in (400, 403)
    assert row(office).status is S.TO_SUBMIT
    assert office.signed_in(office.cast.ann).http.post(f"{PAGE}{action}").status_code == 400  # no token


def test_a_client_who_left_gets_nothing_filed(office, ann, claim):
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).status = ClientStatus.CANCELLED
    assert "Acme is cancelled" in ann.told(ann.press(PAGE, f"{PAGE}file", case_id=CASE))


def test_a_claim_that_changed_in_the_reports_says_so(office, ann, claim):
    with db.transaction() as session:
        queries.load_discrepancy(session, 1, office.cast.ann).is_changed_since_decision = True
    assert "Look at it again before you file it." in ann.text(PAGE)


def _token(person: Person, path: str = PAGE) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', person.get(path).text)
    return found[1] if found else ""
