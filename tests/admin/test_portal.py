"""The portal: what a client sees on each page, and what they can do there."""

import re
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest

import db
from claims import documents, passwords, portal, requests
from models import (
    Approval,
    Claim,
    ClaimPayment,
    ClaimStatus,
    Client,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    Document,
    HistoryEntry,
    Invoice,
    InvoiceStatus,
    Reimbursement,
    RejectReason,
    RequestStatus,
    Through,
    User,
)
from money import Money
from tests.admin.conftest import Office, Person, read
from tests.admin.shop import PDF, Shop, stocked, stranger
from tests.factories import NOW, TODAY, make_account, make_discrepancy

PASSWORD = "correct horse 9 battery"


@pytest.fixture
def shop(office: Office) -> Shop:
    return stocked(office, office.cast.client_id, office.cast.carl, "Enamel")


@pytest.fixture
def carl(office: Office, shop: Shop) -> Person:
    return office.signed_in(shop.who)


def send(person: Person, path: str, *files: tuple[bytes, str], **fields: str):
    """Send the answer form of a page, with files as (content, name)."""
    token = re.search(r'csrf_token" value="([^"]+)', person.get(path).text)[1]
    data = {"csrf_token": token, **fields, "files": [(BytesIO(content), name) for content, name in files]}
    return person.http.post(path, data=data, content_type="multipart/form-data")


def the_request(request_id: int, actor):
    with db.reading() as session:
        return requests.load(session, request_id, actor)


# Home


def test_home_says_what_came_in_what_waits_and_what_is_owed(carl):
    said = carl.text("/portal/")
    assert "20.00 USD came in this week" in said
    assert "2 things wait for you. You owe 4.00 USD." in said
    assert "Your case manager: Ann, ann@agency.example" in said


def test_the_four_words_stand_apart(carl):
    said = carl.text("/portal/")
    for row in (
        "Recovered Amazon paid because we claimed it 1 20.00 USD",
        "Paid by Amazon itself before a claim was needed 1 11.00 USD",
        "Refused Amazon said no to our claim 1 37.02 USD",
        "Lapsed its last day passed before it was claimed 1 11.00 USD",
    ):
        assert row in said


def test_figures_belong_to_their_week_currency_and_client_on_each_database(office_on_each_database):
    office = office_on_each_database
    shop = stocked(office, office.cast.client_id, office.cast.carl, "Enamel")
    stocked(office, office.cast.other_client_id, stranger(office), "Foreign")
    with db.transaction() as session:
        late = make_discrepancy(session, office.cast.account_id, status=DiscrepancyStatus.LAPSED)
        session.add(
            HistoryEntry(
                discrepancy_id=late.id,
                at=NOW,
                actor_name="Recoup",
                through=Through.JOB,
                action="found",
                to_status="lapsed",
            )
        )
    with db.reading() as session:
        told = portal.figures(session, shop.who, NOW)
        later = portal.figures(session, shop.who, NOW + timedelta(days=7))
    assert (told.monday, told.this_week, told.last_week) == (TODAY, (Money(Decimal("20.00"), "USD"),), ())
    assert (later.this_week, later.last_week) == ((), (Money(Decimal("20.00"), "USD"),))
    assert (told.recovered.count, told.recovered.amounts) == (1, (Money(Decimal("20.00"), "USD"),))
    assert (told.lapsed.count, told.too_late.count) == (1, 1)
    assert (told.requests, told.to_approve, told.under_way.count, told.owed.count) == (1, 1, 1, 1)


def test_what_amazon_took_back_is_no_negative_income(office, shop, carl):
    with db.transaction() as session:
        payment = session.query(ClaimPayment).one()
        line = Reimbursement(
            account_id=office.cast.account_id,
            line_key="back",
            reimbursement_id="550999",
            state="matched",
            reason="Lost_Warehouse",
            kind="lost_warehouse",
            approved_on=TODAY,
            cash_units=-1,
            stock_units=0,
            amount_total=Decimal("-10.00"),
            currency="USD",
            first_seen_at=NOW,
        )
        session.add(line)
        session.flush()
        session.add(
            ClaimPayment(
                claim_id=payment.claim_id,
                reimbursement_line_id=line.id,
                reverses_id=payment.id,
                first_unit=1,
                cash_units=-1,
                stock_units=0,
                amount=line.amount_total,
                currency="USD",
                matched_by="reversal",
                matched_at=NOW,
            )
        )
    said = carl.text("/portal/")
    assert "20.00 USD came in this week" in said
    assert "10.00 USD taken back" in said
    assert "Recovered since the start 10.00 USD" in said


def test_a_claim_that_amazon_made_up_for_in_stock_counts_as_recovered(office, shop, carl):
    with db.transaction() as session:
        claim = session.query(Claim).filter_by(status=ClaimStatus.TO_SUBMIT).one()
        claim.status = ClaimStatus.RECOVERED
    said = carl.text("/portal/")
    assert "Recovered since the start 20.00 USD on 2 claims" in said
    assert "Recovered Amazon paid because we claimed it 2 20.00 USD" in said


def test_a_new_client_is_told_that_nothing_came_yet(office):
    said = office.signed_in(office.cast.carl).text("/portal/")
    assert "Nothing has come in yet" in said
    assert "Nothing waits for you. You owe nothing." in said


# Claims


def test_claims_are_found_by_state_and_by_product(office, shop, carl):
    assert "3 claims" in carl.text("/portal/claims/")
    assert "1 claim: recovered" in carl.text("/portal/claims/?state=recovered")
    assert "1 claim: refused" in carl.text("/portal/claims/?state=refused")
    assert "Enamel whisk" in carl.text("/portal/claims/?search=whisk")
    assert "Nothing matches “100%”" in carl.text("/portal/claims/?search=100%25")
    assert "3 claims" in carl.text("/portal/claims/?state=nonsense&page=-4")


def test_long_lists_have_pages(office, shop, carl):
    with db.transaction() as session:
        claim = session.get_one(Claim, shop.claim_id)
        for _ in range(30):
            session.add(
                Claim(
                    account_id=claim.account_id,
                    claim_type=claim.claim_type,
                    quantity=1,
                    closes_on=claim.closes_on,
                    approved_by_id=claim.approved_by_id,
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
    first, second = carl.get("/portal/claims/").text, carl.get("/portal/claims/?page=1").text
    assert (first.count('class="row"'), second.count('class="row"')) == (25, 8)
    assert 'rel="next" href="/portal/claims/?page=1"' in first
    assert 'rel="prev" href="/portal/claims/"' in second


def test_what_is_below_the_least_value_is_not_put_to_the_client(shop):
    with db.transaction() as session:
        waiting = session.get_one(Discrepancy, shop.to_approve_id)
        client = session.get_one(Client, shop.who.client_id)
        for least, shown in ((waiting.value, 1), (waiting.value + 1, 0), (None, 1)):
            client.min_value = least
            session.flush()
            assert len(session.scalars(portal.to_approve(shop.who)).all()) == shown


def test_lists_ask_the_database_as_often_for_many_rows_as_for_few(office, shop, carl):
    carl.get("/portal/claims/")
    for path in ("/portal/claims/", "/portal/requests/", "/portal/approve/", "/portal/"):
        with office.counted() as few:
            carl.get(path)
        assert len(few) <= 20, path
    with db.transaction() as session:
        for _ in range(8):
            make_discrepancy(session, office.cast.account_id)
    with office.counted() as one:
        carl.get("/portal/approve/")
    with office.counted() as again:
        carl.get("/portal/approve/")
    assert len(one) == len(again)


def test_a_claim_tells_its_story_without_the_staffs_notes(shop, carl):
    said = carl.text(f"/portal/claims/{shop.filed_id}/")
    assert "Amazon's case 10245671881" in said
    assert "Filed with Amazon 23 Nov 2026, 09:14 UTC , by your agency" in said
    assert "You answered : answer a question 23 Nov 2026, 09:14 UTC , by you" in said
    assert "5501239871 23 Nov 2026" in said
    assert "ledger.txt, line" in said
    assert "SECRET" not in said


def test_a_claim_that_waits_says_so_first(shop, carl):
    said = carl.text(f"/portal/claims/{shop.claim_id}/")
    assert "We ask you: confirm a shipment" in said
    assert "We file it when you have answered, at the latest on 19 Dec 2026 (in 26 days)" in said


# Requests


def test_a_request_is_answered_with_text_and_files(office, shop, carl):
    path = f"/portal/requests/{shop.asked_id}/"
    assert "1 request waits for your answer" in carl.text("/portal/requests/")
    answer = send(carl, path, (PDF, "note.pdf"), (b"\x89PNG\r\n\x1a\n" + b"0" * 20, "box.png"), text="Two boxes.")
    assert carl.told(answer) == "Thank you. Your case manager has your answer."
    found = the_request(shop.asked_id, shop.who)
    assert (found.status, found.answer) == (RequestStatus.ANSWERED, "Two boxes.")
    assert [each.name for each in found.documents] == ["note.pdf", "box.png"]
    said = carl.text(path)
    assert "Your answer Two boxes." in said
    assert "by Carl" in said
    assert "<textarea" not in carl.get(path).text
    assert "Nothing waits for your answer" in carl.text("/portal/requests/")
    with db.reading() as session:
        [entry] = session.query(HistoryEntry).filter_by(claim_id=shop.claim_id, action="request_answered")
    assert entry.through is Through.PORTAL


def test_a_file_comes_back_as_it_was_sent_and_never_runs_in_the_browser(shop, carl):
    answer = carl.get(f"/portal/requests/{shop.answered_id}/files/{shop.document_id}")
    assert answer.data == PDF + b"Enamel"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert carl.get(f"/portal/requests/{shop.asked_id}/files/{shop.document_id}").status_code == 404


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([(b"MZ\x90\x00\x03\x00\x00\x00", "invoice.pdf")], "invoice.pdf is of a kind that is not taken"),
        ([(b"<html><script>alert(1)</script>", "page.html")], "page.html is of a kind that is not taken"),
        ([(PDF, "good.pdf"), (b"", "empty.pdf")], "empty.pdf: The file is empty"),
        ([(PDF + b"0" * documents.LARGEST, "scan.pdf")], "scan.pdf: The file is larger than 20 MB"),
        ([(PDF, f"{n}.pdf") for n in range(6)], "These are 6 files"),
    ],
)
def test_a_file_that_is_not_taken_comes_back_at_its_field_and_the_text_stays(shop, carl, files, problem):
    answer = send(carl, f"/portal/requests/{shop.asked_id}/", *files, text="Here it is.")
    assert answer.status_code == 422
    assert problem in read(answer)
    assert "Not sent yet" in read(answer)
    assert ">Here it is.</textarea>" in answer.text
    assert the_request(shop.asked_id, shop.who).status is RequestStatus.ASKED
    with db.reading() as session:
        assert session.query(Document).count() == 1


def test_more_than_one_request_takes_is_refused_in_words(shop, carl):
    big = PDF + b"0" * (documents.LARGEST - 100)
    answer = send(carl, f"/portal/requests/{shop.asked_id}/", (big, "a.pdf"), (big, "b.pdf"), (big, "c.pdf"))
    assert answer.status_code == 413
    assert "send smaller files" in read(answer)


def test_other_forms_take_no_files_and_visitors_send_none(office, shop, carl):
    big = {"csrf_token": "x", "files": (BytesIO(b"0" * (3 * 1024 * 1024)), "a.pdf")}
    assert carl.http.post("/portal/settings/password", data={**big}).status_code == 413
    big["files"] = (BytesIO(b"0" * (3 * 1024 * 1024)), "a.pdf")
    assert office.visitor().http.post(f"/portal/requests/{shop.asked_id}/", data=big).status_code == 413


def test_an_answer_without_words_and_files_comes_back(shop, carl):
    answer = send(carl, f"/portal/requests/{shop.asked_id}/", text="  ")
    assert (answer.status_code, "An answer needs some words or a file." in read(answer)) == (422, True)


def test_who_answers_second_is_told(office, shop, carl):
    path = f"/portal/requests/{shop.asked_id}/"
    page = carl.get(path).text
    with db.transaction() as session:
        requests.answer(session, shop.asked_id, text="By phone.", actor=office.cast.bea, now=NOW)
    token = re.search(r'csrf_token" value="([^"]+)', page)[1]
    answer = carl.http.post(path, data={"csrf_token": token, "text": "mine"})
    assert carl.told(answer) == "Already answered by your agency at 09:14 UTC."
    assert "Answered for you by your agency By phone." in carl.text(path)


# To approve


def test_where_the_agency_decides_there_is_nothing_to_approve(office):
    shop = stocked(office, office.cast.client_id, office.cast.carl, "Enamel", approval=Approval.AGENCY)
    person = office.signed_in(shop.who)
    assert "To approve" not in person.text("/portal/")
    assert person.get(f"/portal/approve/{shop.to_approve_id}/").status_code == 404
    assert "Nothing waits for your approval" in person.text("/portal/approve/")


def approve(person: Person, discrepancy_id: int, seen: str = "3 37.02 USD"):
    path = f"/portal/approve/{discrepancy_id}/"
    return person.press(path, f"{path}yes", seen=seen)


def test_the_client_approves_and_the_agency_is_waited_for(office, shop, carl):
    assert "1 loss waits for your approval" in carl.text("/portal/approve/")
    assert "unchecked" not in carl.text("/portal/approve/")
    said = carl.told(approve(carl, shop.to_approve_id))
    assert said == "Approved: 3 units, 37.02 USD. Your agency looks at it too, then files the claim."
    page = carl.text(f"/portal/approve/{shop.to_approve_id}/")
    assert "Approved by Carl" in page
    assert "It waits for your agency now" in page
    assert "Nothing waits for your approval" in carl.text("/portal/approve/")
    path = f"/portal/approve/{shop.to_approve_id}/"
    assert carl.told(carl.press(path, f"{path}undo")) == "Taken back. It waits for you again."


def test_where_the_client_decides_alone_a_claim_is_made(office):
    shop = stocked(office, office.cast.client_id, office.cast.carl, "Enamel", approval=Approval.CLIENT)
    person = office.signed_in(shop.who)
    assert "Your agency files the claim." in person.told(approve(person, shop.to_approve_id))
    assert "to file" in person.text(f"/portal/approve/{shop.to_approve_id}/")


def test_what_changed_since_the_page_was_opened_is_not_approved(shop, carl):
    said = carl.told(approve(carl, shop.to_approve_id, seen="2 24.68 USD"))
    assert said.startswith("Not approved: it changed meanwhile, to 3 units, 37.02 USD.")
    assert "1 loss waits" in carl.text("/portal/approve/")


def test_the_client_rejects_with_a_reason(office, shop, carl):
    path = f"/portal/approve/{shop.to_approve_id}/"
    assert "Choose a reason." in read(carl.press(path, f"{path}no"))
    assert "Choose a reason." in read(carl.press(path, f"{path}no", reason="policy"))
    answer = carl.press(path, f"{path}no", reason="other")
    assert (answer.status_code, "Another reason needs a note." in read(answer)) == (422, True)
    assert carl.told(carl.press(path, f"{path}no", reason="not_ours")) == "Noted: nothing is claimed for it."
    with db.reading() as session:
        found = session.get_one(Discrepancy, shop.to_approve_id)
    assert (found.status, found.status_reason) == (DiscrepancyStatus.REJECTED, RejectReason.NOT_OURS)


# Invoices


def ask_about(person: Person, shop: Shop, text: str = "Which shipment is that?"):
    path = f"/portal/invoices/{shop.invoice_id}/"
    return person.press(path, f"{path}lines/{shop.line_id}/query", text=text)


def test_invoices_say_what_is_owed_and_until_when_they_can_be_queried(carl):
    said = carl.text("/portal/invoices/")
    assert "You owe 4.00 USD on 1 invoice" in said
    assert "Invoice Enamel-1" in said


def test_a_draft_is_nobodys_business_yet(office, shop, carl):
    with db.transaction() as session:
        invoice = session.get_one(Invoice, shop.invoice_id)
        invoice.status, invoice.sent_at, invoice.number = InvoiceStatus.DRAFT, None, None
    assert "No invoices yet" in carl.text("/portal/invoices/")
    assert carl.get(f"/portal/invoices/{shop.invoice_id}/").status_code == 404
    assert "flask" not in carl.text(f"/portal/invoices/{shop.invoice_id}/")


def test_an_invoice_reads_as_it_was_printed_and_comes_as_a_file(shop, carl):
    said = carl.text(f"/portal/invoices/{shop.invoice_id}/")
    assert "Invoice Enamel-1: 4.00 USD" in said
    assert "10245671881" in said
    assert "Commission: 20 % of what is recovered." in said
    file = carl.get(f"/portal/invoices/{shop.invoice_id}/pdf")
    assert (file.mimetype, file.data[:5]) == ("application/pdf", b"%PDF-")
    assert file.headers["Content-Disposition"] == 'attachment; filename="invoice-Enamel-1.pdf"'


def test_a_line_is_queried_until_the_last_day(office, shop, carl, set_clock):
    assert "Each line can be queried until 30 Nov 2026 (in 7 days)" in carl.text(f"/portal/invoices/{shop.invoice_id}/")
    assert carl.told(ask_about(carl, shop)).startswith("Thank you. Your agency looks at this line")
    said = carl.text(f"/portal/invoices/{shop.invoice_id}/")
    assert "Asked: Which shipment is that?" in said
    assert "Query this line" not in said
    with db.reading() as session:
        assert session.get_one(Invoice, shop.invoice_id).status is InvoiceStatus.QUERIED


def test_after_the_last_day_no_line_is_queried(office, shop, carl, set_clock):
    set_clock(NOW + timedelta(days=9))
    assert "Query this line" not in carl.text(f"/portal/invoices/{shop.invoice_id}/")
    assert "could be queried until 30 Nov 2026" in carl.told(ask_about(carl, shop))


def test_a_query_says_something_and_belongs_to_this_invoice(shop, carl):
    answer = ask_about(carl, shop, text=" ")
    assert (answer.status_code, "Some words are missing." in read(answer)) == (422, True)
    path = f"/portal/invoices/{shop.invoice_id}/"
    assert carl.press(path, f"{path}lines/999/query", text="x").status_code == 404


# Settings


def test_settings_say_what_is_agreed_and_who_to_write_to(carl):
    said = carl.text("/portal/settings/")
    assert "Your case manager is Ann" in said
    assert "Enamel Street 1" in said
    assert "To change it, write to Ann, ann@agency.example" in said
    assert "Commission 20 %, of what is recovered by our claims" in said
    assert "You and your agency both have to approve what is claimed." in said


def signed_in_by_password(office: Office, password: str = PASSWORD) -> Person:
    person = office.visitor()
    person.press("/sign-in", "/sign-in", email="carl@agency.example", password=password)
    return person


@pytest.fixture
def with_password(office: Office, shop: Shop) -> Person:
    with db.transaction() as session:
        session.get_one(User, shop.who.user_id).password_hash = passwords.hashed(PASSWORD)
    return signed_in_by_password(office)


def change(person: Person, current: str = PASSWORD, new: str = "another 42 better one", again: str | None = None):
    form = {"current": current, "new": new, "again": new if again is None else again}
    return person.press("/portal/settings/", "/portal/settings/password", **form)


def test_a_new_password_keeps_this_session_and_ends_the_others(office, with_password):
    elsewhere = signed_in_by_password(office)
    assert with_password.get("/").location == "/portal/"
    assert "Your password is changed." in with_password.told(change(with_password))
    assert with_password.get("/portal/").status_code == 200
    assert elsewhere.get("/portal/").status_code == 302
    assert signed_in_by_password(office, "another 42 better one").get("/portal/").status_code == 200


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"current": "not this one 1"}, "That is not your password of today."),
        ({"new": "short"}, "The password is too easy to guess."),
        ({"again": "something else 1"}, "The two new passwords are not the same."),
    ],
)
def test_what_is_wrong_with_a_new_password_is_said_at_its_field(with_password, given, problem):
    answer = change(with_password, **given)
    assert (answer.status_code, problem in read(answer)) == (422, True)
    assert "another 42 better one" not in answer.text


def test_too_many_tries_at_the_password_are_refused(with_password, monkeypatch):
    monkeypatch.setattr(passwords, "verify", lambda *_: False)
    answers = [change(with_password, current="x").status_code for _ in range(7)]
    assert answers == [422] * 6 + [429]


def test_people_of_a_cancelled_client_are_told_so_after_the_right_password_alone(office, with_password):
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).status = ClientStatus.CANCELLED
    person = office.visitor()
    right = person.press("/sign-in", "/sign-in", email="carl@agency.example", password=PASSWORD)
    assert (right.status_code, "The access of Acme has ended." in read(right)) == (403, True)
    wrong = person.press("/sign-in", "/sign-in", email="carl@agency.example", password="not this one 1")
    assert (wrong.status_code, "has ended" in read(wrong)) == (401, False)


def test_accounts_of_one_client_stand_together(office, shop, carl):
    with db.transaction() as session:
        second = make_account(session, session.get_one(Client, office.cast.client_id), name="Canada", marketplace="CA")
        make_discrepancy(session, second.id, title="Enamel snow globe")
    assert "Enamel snow globe" in carl.text("/portal/approve/")
