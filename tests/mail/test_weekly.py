"""The report of a week as a mail: what stands in it, in which order, in both of its forms."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from billing.weekly import close_week
from claims.access import system_actor
from clock import utcnow
from db import transaction
from mail.delivery import deliver_due
from models import Approval, ClaimStatus, Client, ClientStatus, OutboxMessage, OutboxState
from sandbox.mail.inbox import Inbox, Mail, SmtpServer
from tests.billing.week_rows import WEEK, asked, claim, found, moved, paid, refused
from tests.factories import NOW, Cast, make_cast

ADDRESS = "1 Quay\nPort"


@pytest.fixture
def cast(database: str, set_clock: Any, mail_is_on: SmtpServer) -> Cast:
    set_clock(NOW)
    cast = make_cast()
    with transaction() as session:
        client = session.get_one(Client, cast.client_id)
        client.case_manager_id, client.address, client.billing_email = cast.ann.user_id, ADDRESS, "bills@seller.example"
    return cast


@pytest.fixture
def inbox(mail_is_on: SmtpServer) -> Inbox:
    return mail_is_on.handler


def close(cast: Cast, **change: Any) -> None:
    with transaction() as session:
        client = session.get_one(Client, cast.client_id)
        for name, value in change.items():
            setattr(client, name, value)
        close_week(session, client, WEEK, actor=system_actor(), now=utcnow())


def sent(cast: Cast, inbox: Inbox, **change: Any) -> Mail:
    close(cast, **change)
    assert deliver_due().left == []
    return list(inbox)[-1]


def fill(cast: Cast) -> None:
    with transaction() as session:
        account_id, ann = cast.account_id, cast.ann.user_id
        found(session, account_id)
        found(session, account_id, currency="EUR", value=Decimal("5.50"))
        settled = found(session, account_id, at=WEEK.ends_at)
        moved(session, settled, "settled", from_status="open", to_status="settled", reason="paid_by_amazon")
        paid(session, claim(session, account_id, ann, status=ClaimStatus.RECOVERED))
        asked(session, claim(session, account_id, ann), cast.client_id)
        refused(session, claim(session, account_id, ann), "We found <b>the units</b> & counted them.")


def read(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup.partition("<body")[2]).split())


def test_the_total_comes_first_then_what_is_wanted_then_the_figures(cast: Cast, inbox: Inbox) -> None:
    fill(cast)
    mail = sent(cast, inbox)
    assert mail.header("Subject") == "16–22 Nov 2026: 37.02 USD recovered last week"
    assert mail.header("To") == "bills@seller.example"
    assert mail.header("Reply-To") == "ann@agency.example"
    lines = [line for line in mail.body("plain").splitlines() if line]
    assert lines == [
        "37.02 USD recovered last week. Invoice 00001 is 7.40 USD.",
        "We need your answer about 1 claim.",
        "The invoice is attached. You can query any line until 30 Nov 2026.",
        "Answer in the portal:",
        "http://127.0.0.1:5000/portal/requests/",
        "Acme, 16–22 Nov 2026",
        "Recovered: 37.02 USD (1 claim · 3 units)",
        "Newly found: 5.50 EUR + 37.02 USD (2 losses · 6 units)",
        "Refused by Amazon: 37.02 USD (1 claim · 3 units)",
        "Paid by Amazon itself: 37.02 USD (1 loss · 3 units)",
        "Under way: 37.02 USD (1 claim · 3 units)",
        "Recovered since the start: 37.02 USD (1 claim · 3 units)",
        "Invoice 00001: 7.40 USD (can be queried until 30 Nov 2026)",
        "Why Amazon refused",
        "- Claim 3, Lost in the warehouse",
        '  Amazon wrote: "We found <b>the units</b> & counted them."',
        "Or reply to this mail: Ann reads it.",
        "-- ",
        "Our agency",
    ]


def test_the_html_says_the_same_with_one_button_and_nothing_from_elsewhere(cast: Cast, inbox: Inbox) -> None:
    fill(cast)
    page = sent(cast, inbox).body("html")
    said = read(page)
    first = "37.02 USD recovered last week. Invoice 00001 is 7.40 USD."
    assert said.index(first) < said.index("We need your answer") < said.index("Newly found")
    assert said.count(first) == 2  # the preview, and the first line
    assert page.count("background:#0a5c55") == 1
    assert "We found &lt;b&gt;the units&lt;/b&gt; &amp; counted them." in page
    assert not re.search(r"<(img|script|link|style)\b|src=", page)
    links = set(re.findall(r'href="([^"]+)"', page))
    assert all(link.startswith("http://127.0.0.1:5000/portal/") for link in links)
    assert "http://127.0.0.1:5000/portal/claims/?state=recovered" in links
    assert "http://127.0.0.1:5000/portal/invoices/1/" in links
    assert "<style" not in page
    assert 'width="600"' in page
    assert "<caption" in page


def test_who_was_cancelled_is_told_to_the_end_without_a_link_that_leads_nowhere(cast: Cast, inbox: Inbox) -> None:
    fill(cast)
    mail = sent(cast, inbox, status=ClientStatus.CANCELLED)
    assert "37.02 USD recovered last week. Invoice 00001 is 7.40 USD." in mail.body("plain")
    assert "\nReply to this mail: Ann reads it.\n" in mail.body("plain")
    assert "Recovered 1 claim · 3 units 37.02 USD" in read(mail.body("html"))
    assert not [part for part in ("plain", "html") if "/portal/" in mail.body(part)]
    assert len(mail.attachments) == 1


def test_the_invoice_is_attached_as_a_pdf(cast: Cast, inbox: Inbox) -> None:
    fill(cast)
    [file] = sent(cast, inbox).attachments
    assert (file.get_filename(), file.get_content_type()) == ("invoice-00001.pdf", "application/pdf")
    assert file.get_content().startswith(b"%PDF-")


def test_a_week_without_anything_says_so(cast: Cast, inbox: Inbox) -> None:
    mail = sent(cast, inbox)
    assert mail.header("Subject") == "16–22 Nov 2026: Nothing was recovered last week"
    assert mail.attachments == []
    assert "Recovered: nothing\n" in mail.body("plain")
    assert "Open your portal:" in mail.body("plain")


def test_without_an_address_there_is_no_invoice_and_the_report_asks_for_it(cast: Cast, inbox: Inbox) -> None:
    fill(cast)
    mail = sent(cast, inbox, address="", billing_email=None)
    assert mail.header("To") == "owner@seller.example"
    assert mail.attachments == []
    assert "no postal address of yours" in mail.body("plain")


def test_what_was_not_billed_for_want_of_an_address_comes_by_itself_later(cast: Cast, inbox: Inbox) -> None:
    fill(cast)
    sent(cast, inbox, address="")
    mail = sent(cast, inbox, address=ADDRESS)
    assert mail.header("Subject") == "Invoice 00001: 7.40 USD"
    assert "Open invoice 00001:\nhttp://127.0.0.1:5000/portal/invoices/1/" in mail.body("plain")
    assert len(mail.attachments) == 1
    close(cast)
    assert deliver_due().sent == 0
    assert len(inbox) == 2


def test_a_client_who_approves_is_led_there(cast: Cast, inbox: Inbox) -> None:
    with transaction() as session:
        found(session, cast.account_id)
    mail = sent(cast, inbox, approval=Approval.CLIENT)
    assert "We need your approval of 1 loss." in mail.body("plain")
    assert "Approve in the portal:\nhttp://127.0.0.1:5000/portal/approve/" in mail.body("plain")


def test_money_taken_back_and_stock_are_told_as_what_they_are(cast: Cast, inbox: Inbox) -> None:
    with transaction() as session:
        row = claim(session, cast.account_id, cast.ann.user_id)
        given = paid(session, row, on=date(2026, 11, 10))
        paid(session, row, "-37.02", cash=-3, reverses=given)
        paid(session, claim(session, cast.account_id, cast.ann.user_id), "0", cash=0, stock=2, currency=None)
    text = sent(cast, inbox).body("plain")
    assert "Recovered: 2 units back in stock (1 claim · 2 units)" in text
    assert "Taken back by Amazon: 37.02 USD (1 claim · 3 units)" in text


def test_no_other_clients_rows_are_told(cast: Cast, inbox: Inbox) -> None:
    with transaction() as session:
        refused(session, claim(session, cast.other_account_id, cast.ann.user_id), "Theirs.")
        paid(session, claim(session, cast.other_account_id, cast.ann.user_id))
    mail = sent(cast, inbox)
    assert "Theirs." not in mail.body("plain")
    assert "37.02" not in mail.body("plain") + mail.body("html")


def test_a_client_who_is_gone_from_the_database_is_told_to_staff(cast: Cast) -> None:
    close(cast)
    with transaction() as session:
        session.scalars(select(OutboxMessage)).one().client_id = None
    [(_, why)] = deliver_due().left
    assert "names no client" in why
    with transaction() as session:
        assert session.scalars(select(OutboxMessage)).one().state is OutboxState.FAILED
