"""The mail that asks a client: what it says, to whom, and whom the answer reaches."""

from typing import Any

import pytest

from claims import requests
from claims.access import Actor
from db import transaction
from mail.delivery import deliver_due
from models import ClaimStatus, Client, RequestKind
from sandbox.mail.inbox import Mail, SmtpServer
from tests.factories import NOW, Cast, make_cast, make_claim, make_discrepancy


@pytest.fixture
def cast(database: str, set_clock: Any, mail_is_on: SmtpServer) -> Cast:
    set_clock(NOW)
    return make_cast()


def ask(cast: Cast, status: ClaimStatus = ClaimStatus.TO_SUBMIT, manager: Actor | None = None, **more: Any) -> int:
    with transaction() as session:
        session.get_one(Client, cast.client_id).case_manager_id = manager.user_id if manager else None
        row = make_discrepancy(session, cast.account_id, **more)
        claim = make_claim(session, row, approved_by_id=cast.ann.user_id, status=status)
        kind = RequestKind.SEND_INVOICE
        return requests.ask(session, claim.id, kind=kind, question=None, actor=cast.ann, now=NOW).id


def sent(server: SmtpServer) -> Mail:
    assert deliver_due().left == []
    [mail] = server.handler
    return mail


def test_the_question_the_money_and_the_last_day_stand_in_both_forms(cast: Cast, mail_is_on: SmtpServer) -> None:
    made = ask(cast, manager=cast.ann)
    mail = sent(mail_is_on)
    assert mail.header("Subject") == "Please send us a supplier's invoice for claim 1"
    assert mail.header("To") == "owner@seller.example"
    assert mail.header("Reply-To") == "ann@agency.example"
    for form in ("plain", "html"):
        body = " ".join(mail.body(form).replace("&#39;", "'").split())
        assert "Please send us a supplier's invoice: 37.02 USD depends on it." in body
        assert "Amazon asks what 3 units of Blue mug (SKU-1) cost you." in body
        assert "Amazon takes this claim until 19 Dec 2026. We do not file it before you have answered." in body
        assert f"http://127.0.0.1:5000/portal/requests/{made}/" in body
        assert "reply to this mail: Ann reads it." in body


def test_a_claim_without_a_known_value_is_told_in_units(cast: Cast, mail_is_on: SmtpServer) -> None:
    ask(cast, value=None, unit_value=None, currency=None)
    mail = sent(mail_is_on)
    assert "3 units depend on it." in mail.body("plain")
    assert mail.header("Reply-To") in (None, "")


def test_what_is_asked_about_a_filed_claim_says_that_amazon_waits(cast: Cast, mail_is_on: SmtpServer) -> None:
    ask(cast, status=ClaimStatus.NEEDS_INFO)
    assert "Amazon waits for it" in sent(mail_is_on).body("plain")


def test_a_question_that_was_closed_meanwhile_asks_for_nothing_any_more(cast: Cast, mail_is_on: SmtpServer) -> None:
    made = ask(cast)
    with transaction() as session:
        requests.close(session, made, actor=cast.ann, now=NOW)
    assert "This is settled meanwhile" in sent(mail_is_on).body("plain")


def test_outside_text_is_text_in_the_mail(cast: Cast, mail_is_on: SmtpServer) -> None:
    ask(cast, title="<script>alert(1)</script>\r\nBcc: x@evil.example")
    mail = sent(mail_is_on)
    assert "<script>" not in mail.body("html")
    assert mail.header("Bcc") in (None, "")
    assert "\nBcc:" not in mail.body("plain").replace("\r", "")
