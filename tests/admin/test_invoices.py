"""Invoices in the back office: who sees what, and what can be done there."""

import re

import pytest

import db
from billing import moves
from models import Client, Invoice, InvoiceStatus
from tests.admin.conftest import Office
from tests.billing.paying import bill, filed, lines_of, paid
from tests.factories import NOW


@pytest.fixture
def invoice_id(office: Office) -> int:
    """A draft of two lines for the cast's client."""
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).address = "1 Quay"
        claim = filed(session, office.cast)
        paid(session, claim, "37.02", units=3)
        paid(session, claim, "1000.00", units=2)
    return bill(office.cast).invoices[0].id


def send(office: Office, invoice_id: int) -> None:
    with db.transaction() as session:
        moves.send(session, invoice_id, actor=office.cast.bill, now=NOW)


def status(invoice_id: int) -> InvoiceStatus:
    with db.reading() as session:
        return session.get_one(Invoice, invoice_id).status


def test_billing_sees_invoices_and_nothing_else(office, invoice_id):
    bill_ = office.signed_in(office.cast.bill)
    shown = bill_.text("/admin/invoices/")
    assert "1 invoice" in shown
    assert "Draft 1 Acme · Draft" in shown
    assert "207.40 USD" in shown
    for page in ("", "discrepancies/", "claims/", "clients/", "users/", "settings/"):
        assert bill_.get(f"/admin/{page}").status_code == 403
    assert re.findall(r'href="(/admin/[a-z]*/?)"', bill_.get("/admin/invoices/").text)[0] == "/admin/invoices/"


@pytest.mark.parametrize("page", ["", "1/", "1/pdf"])
def test_a_case_manager_and_a_client_see_none_of_it(office, invoice_id, page):
    for who in (office.cast.ann, office.cast.carl):
        assert office.signed_in(who).get(f"/admin/invoices/{page}").status_code == 403
    assert office.visitor().get(f"/admin/invoices/{page}").location.startswith("/sign-in")


@pytest.mark.parametrize("move", ["send", "paid", "void", "answer"])
def test_who_may_not_see_it_can_move_nothing(office, invoice_id, move):
    ann = office.signed_in(office.cast.ann)
    answer = ann.press("/admin/claims/", f"/admin/invoices/{invoice_id}/{move}", note="x", line_id="1", text="x")
    assert answer.status_code == 403
    assert status(invoice_id) is InvoiceStatus.DRAFT


def test_the_page_is_what_is_printed(office, invoice_id):
    adam = office.signed_in(office.cast.adam)
    shown = adam.text("/admin/invoices/1/")
    assert "Invoice, draft: 207.40 USD" in shown
    for said in ("1 Quay", "Lost in the warehouse, together", "1,037.02", "Total to pay 207.40 USD", "20 %"):
        assert said in shown
    pdf = adam.get("/admin/invoices/1/pdf")
    assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="invoice-draft-1.pdf"'
    assert adam.get("/admin/invoices/77/").status_code == 404


def test_an_invoice_is_sent_by_hand_paid_and_then_stays(office, invoice_id):
    person, page = office.signed_in(office.cast.bill), f"/admin/invoices/{invoice_id}/"
    assert person.told(person.press(page, f"{page}send")) == "Invoice 00001 is sent now."
    assert person.told(person.press(page, f"{page}paid")) == "Invoice 00001 is paid now."
    assert "Nothing is left to do." in person.text(page)
    shown = person.text(page)
    history = shown[shown.index("History") :]
    assert history.index("Paid") < history.index("Final") < history.index("Sent by hand")


def test_making_it_void_needs_a_reason(office, invoice_id):
    person, page = office.signed_in(office.cast.bill), f"/admin/invoices/{invoice_id}/"
    assert "words are missing" in person.told(person.press(page, f"{page}void", note=" "))
    assert person.told(person.press(page, f"{page}void", note="Wrong")) == "Draft 1 is void now."


def test_a_query_is_answered_at_its_line(office, invoice_id):
    send(office, invoice_id)
    line = lines_of(invoice_id)[1]
    with db.transaction() as session:
        moves.query_line(session, line.id, "Was <b>this</b> ours?", actor=office.cast.carl, now=NOW)
    person, page = office.signed_in(office.cast.bill), f"/admin/invoices/{invoice_id}/"
    shown = person.text(page)
    assert "Asked: Was <b>this</b> ours?" in shown
    assert "1 query waits for an answer" in shown
    answered = person.press(page, f"{page}answer", line_id=str(line.id), text="Yes.")
    assert person.told(answered) == "Invoice 00001 is sent now."
    assert "Answered: Yes." in person.text(page)


def test_the_list_is_narrowed_searched_and_exported(office, invoice_id):
    adam = office.signed_in(office.cast.adam)
    assert "No invoices paid" in adam.text("/admin/invoices/?flt_status=paid")
    assert "1 invoice draft" in adam.text("/admin/invoices/?flt_status=draft")
    assert "No invoice fits" in adam.text(f"/admin/invoices/?flt_client={office.cast.other_client_id}")
    assert "Nothing matches" in adam.text("/admin/invoices/?search=zzz")
    exported = adam.get("/admin/invoices/export/csv/").text.splitlines()
    assert exported[0].startswith("id,number,client,status,week_from,week_to,currency")
    assert exported[1] == "1,,Acme,draft,2026-11-16,2026-11-22,USD,1037.02,207.40,0.00,207.40,2"


def test_the_list_asks_a_fixed_number_of_times(office, invoice_id):
    adam = office.signed_in(office.cast.adam)
    with office.counted() as few:
        adam.get("/admin/invoices/")
    with db.transaction() as session:
        for currency in ("CAD", "EUR", "GBP", "MXN"):
            paid(session, filed(session, office.cast), "5.00", currency=currency)
    bill(office.cast)
    with office.counted() as many:
        adam.get("/admin/invoices/")
    assert len(many) == len(few)
