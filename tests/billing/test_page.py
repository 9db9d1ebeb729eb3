"""What stands on an invoice, and its PDF file."""

import re
import zlib
from base64 import a85decode
from datetime import date, timedelta
from decimal import Decimal

import pytest

import db
from billing import moves
from billing.page import Page, printed
from billing.pdf import rendered
from billing.queries import load_invoice
from claims import clients
from tests.billing.paying import SUNDAY, bill, billed_cast, filed, paid
from tests.factories import NOW, Cast

D = Decimal


@pytest.fixture
def cast(sqlite_database: str) -> Cast:
    cast = billed_cast()
    with db.transaction() as session:
        clients.set_agency(session, actor=cast.adam, name="Quay & Co", address="2 Pier\nTown", tax_number="T-1")
        terms = {"tax_rate": D("0.19"), "tax_number": "T-2", "case_manager_id": cast.ann.user_id}
        clients.set_client(session, cast.client_id, actor=cast.adam, now=NOW, **terms)
    return cast


def page_of(cast: Cast, invoice_id: int) -> Page:
    with db.reading() as session:
        return printed(load_invoice(session, invoice_id, cast.bill))


def pages_in(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def drawn(pdf: bytes) -> bytes:
    """Return the drawing instructions of all pages."""
    streams = re.findall(rb"/Filter \[ /ASCII85Decode /FlateDecode \].*?stream\s+(.*?)endstream", pdf, re.DOTALL)
    return b"\n".join(zlib.decompress(a85decode(b"<~" + stream.strip(), adobe=True)) for stream in streams)


def test_everything_an_invoice_has_to_say(cast: Cast) -> None:
    with db.transaction() as session:
        lost, short = filed(session, cast), filed(session, cast, claim_type="inbound_lost", case_id="123")
        paid(session, lost, "37.02", units=3)
        payment = paid(session, short, "1234.50", units=2)
        paid(session, short, "-617.25", units=-1, reverses=payment)
        paid(session, short, "0", units=0, stock=2)
    invoice_id = bill(cast).invoices[0].id
    draft = page_of(cast, invoice_id)
    assert (draft.title, draft.is_draft) == ("Invoice, draft", True)
    with db.transaction() as session:
        moves.send(session, invoice_id, actor=cast.bill, now=NOW)
    page = page_of(cast, invoice_id)
    assert (page.title, page.is_draft, page.file_name) == ("Invoice 00001", False, "invoice-00001.pdf")
    assert (page.agency.name, page.agency.lines) == ("Quay & Co", ("2 Pier", "Town", "Tax number T-1"))
    assert (page.client.name, page.client.lines) == ("Acme", ("1 Quay", "Port", "Tax number T-2"))
    assert dict(page.facts) == {
        "Invoice number": "00001",
        "Date": "23 Nov 2026",
        "Week": "16 Nov 2026 to 22 Nov 2026",
        "Can be queried until": "30 Nov 2026",
        "Currency": "USD",
    }
    assert [(group.name, group.recovered, group.fee) for group in page.groups] == [
        ("Lost in the warehouse", "37.02", "7.40"),
        ("Short on arrival", "617.25", "123.45"),
    ]
    credit = page.groups[1].rows[1]
    assert (credit.what, credit.units, credit.recovered, credit.rate, credit.fee) == (
        "Taken back",
        "-1",
        "-617.25",
        "20 %",
        "-123.45",
    )
    assert credit.about.startswith("Claim 2 · 123 · SKU-1 · R")
    assert page.sums == (
        ("Recovered", "654.27"),
        ("Fees", "254.30"),
        ("Credited for what Amazon took back", "-123.45"),
        ("Tax, 19 %", "24.86"),
    )
    assert page.total == ("Total to pay", "155.71")
    assert page.terms[0].startswith("Commission: 20 % of what is recovered.")
    assert [note.partition(": ")[2] for note in page.notes] == ["2 units in stock: no fee."]
    assert "until 30 Nov 2026" in page.how_to_query
    assert "Ann (ann@agency.example)" in page.how_to_query


def test_a_negative_total_is_a_credit_note(cast: Cast) -> None:
    with db.transaction() as session:
        paid(session, filed(session, cast), "-10.00", units=-1)
    page = page_of(cast, bill(cast).invoices[0].id)
    assert (page.title, page.total) == ("Credit note, draft", ("To your credit", "2.38"))
    assert page.to_do == "Nothing is to be paid: this amount is yours."


def test_the_rates_of_all_its_days_are_printed_and_no_other(cast: Cast) -> None:
    with db.transaction() as session:
        for rate, since in (("0.1", date(2025, 1, 1)), ("0.25", date(2026, 11, 20)), ("0.3", date(2027, 1, 1))):
            clients.set_client(
                session, cast.client_id, actor=cast.adam, now=NOW, commission_rate=D(rate), rate_from=since
            )
        paid(session, filed(session, cast), "10.00", on=date(2026, 11, 18))
    page = page_of(cast, bill(cast).invoices[0].id)
    assert page.terms[0].startswith("Commission: of what is recovered, 10 % from 1 Jan 2025, 25 % from 20 Nov 2026.")


def test_the_terms_of_a_contract_are_said_in_sentences(cast: Cast) -> None:
    terms = {"fee_on_stock": True, "fee_on_found": True, "keeps_fee_reversed": True, "tax_rate": D(0)}
    with db.transaction() as session:
        clients.set_client(session, cast.client_id, actor=cast.adam, now=NOW, **terms)
        paid(session, filed(session, cast), "10.00")
    assert page_of(cast, bill(cast).invoices[0].id).terms[1:] == (
        "No tax is added to the fee.",
        "Units that Amazon gives back instead of money bear a fee of their value.",
        "Units that Amazon finds again bear a fee of their value.",
        "The fee of what Amazon takes back stays due where no unit came back to you, else it is credited.",
    )


def test_the_same_invoice_is_the_same_file_and_a_draft_is_marked(cast: Cast) -> None:
    with db.transaction() as session:
        paid(session, filed(session, cast), "10.00")
    invoice_id = bill(cast).invoices[0].id
    draft = rendered(page_of(cast, invoice_id))
    assert draft == rendered(page_of(cast, invoice_id))
    with db.transaction() as session:
        moves.send(session, invoice_id, actor=cast.bill, now=NOW)
    sent = rendered(page_of(cast, invoice_id))
    # The mark is the only text of its size.
    assert (b" 120 Tf" in drawn(draft), b" 120 Tf" in drawn(sent)) == (True, False)
    assert pages_in(sent) == 1


def test_many_lines_go_on_a_second_page_and_letters_of_any_script_are_embedded(cast: Cast) -> None:
    with db.transaction() as session:
        claim = filed(session, cast)
        for n in range(60):
            paid(session, claim, f"{n}.50", on=SUNDAY - timedelta(days=n % 7))
    plain = rendered(page_of(cast, bill(cast).invoices[0].id))
    assert pages_in(plain) == 2
    assert b"DroidSans" not in plain
    with db.transaction() as session:
        clients.set_client(session, cast.client_id, actor=cast.adam, now=NOW, name="Łódź <b>& 株式会社さくら")
        paid(session, claim, "1.00")
    pdf = rendered(page_of(cast, bill(cast).invoices[0].id))
    assert b"DejaVuSans" in pdf
    assert b"DroidSans" in pdf
