"""The messages page: what is stuck and why, for whom, about what, and the button that sends it again."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

import db
import outbox
from claims import review
from models import Client, Medium, OutboxMessage, OutboxState
from tests.admin.conftest import Office, Person, read
from tests.factories import NOW, make_discrepancy

MESSAGES = "/admin/messages/"


@pytest.fixture
def ann(office: Office) -> Person:
    return office.signed_in(office.cast.ann)


def put(key: str, kind: str = outbox.WEEKLY_MAIL, state: OutboxState = OutboxState.FAILED, **more: Any) -> int:
    set_later = {name: more.pop(name) for name in ("last_error", "attempts", "channel", "created_at") if name in more}
    with db.transaction() as session:
        outbox.enqueue(session, kind, key, **({"now": NOW, "medium": Medium.MAIL} | more))
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.key == key)).one()
        row.state = state
        for name, value in set_later.items():
            setattr(row, name, value)
        return row.id


def state_of(message_id: int) -> OutboxState:
    with db.reading() as session:
        return session.get_one(OutboxMessage, message_id).state


def test_without_trouble_the_page_says_so(ann: Person) -> None:
    put("sent", state=OutboxState.SENT)
    shown = ann.text(MESSAGES)
    assert "Every message is on its way or has arrived" in shown
    assert "Nothing waits for you here" in shown


def test_what_is_stuck_is_shown_with_whose_it_is_why_and_where_it_should_go(office: Office, ann: Person) -> None:
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).billing_email = "bills@seller.example"
    put(
        "weekly:1",
        client_id=office.cast.client_id,
        payload={"week": "2026-11-16"},
        last_error="The mail server said: 550 No such user.",
        attempts=3,
    )
    put("fresh", state=OutboxState.PENDING)
    shown = ann.text(MESSAGES)
    assert "1 message to look at" in shown
    for said in (
        "Week for the client",
        "E-mail · Acme",
        "The week from 16 Nov 2026",
        "bills@seller.example",
        "Not sent",
        "550 No such user",
    ):
        assert said in shown, said


def test_each_message_leads_to_what_it_is_about(office: Office, ann: Person) -> None:
    found = office.put()
    with db.transaction() as session:
        claim_id = review.approve(session, found, actor=office.cast.ann, now=NOW).id
    put("c", outbox.CLAIM_NEWS, medium=Medium.SLACK, account_id=office.cast.account_id, claim_id=claim_id)
    put("d", outbox.CARD, medium=Medium.SLACK, account_id=office.cast.account_id, discrepancy_id=found)
    put("i", outbox.INVOICE_MAIL, client_id=office.cast.client_id, payload={"invoice_id": 7})
    page = ann.get(MESSAGES).text
    for link in (f"/admin/claims/{claim_id}/", f"/admin/discrepancies/{found}/", "/admin/invoices/7/"):
        assert f'href="{link}"' in page
    assert "Slack · Acme" in ann.text(MESSAGES)


def test_resend_puts_it_back_and_keeps_who_pressed(office: Office, ann: Person) -> None:
    message_id = put("unsure", state=OutboxState.UNSURE)
    assert "May have arrived" in ann.text(MESSAGES)
    answer = ann.press(MESSAGES, f"{MESSAGES}{message_id}/resend", state="stuck")
    assert "It is sent again: week for the client." in ann.told(answer)
    assert state_of(message_id) is OutboxState.PENDING
    assert "Sent again by Ann, 23 Nov 2026" in ann.text(f"{MESSAGES}?flt_status=all")


def test_a_second_press_is_told_that_it_is_on_its_way(office: Office, ann: Person) -> None:
    first, other = put("a"), put("b")
    ann.press(MESSAGES, f"{MESSAGES}{first}/resend")
    answer = ann.press(MESSAGES, f"{MESSAGES}{first}/resend")
    assert f"Message {first} waits to be sent." in ann.told(answer)
    assert state_of(other) is OutboxState.FAILED


@pytest.mark.parametrize("who", ["bill", "carl"])
def test_who_may_not_send_again_does_not_get_there(office: Office, ann: Person, who: str) -> None:
    message_id = put("a")
    other = office.signed_in(getattr(office.cast, who))
    assert other.get(MESSAGES).status_code == 403
    token = ann.get(MESSAGES).text  # a token of somebody else's session is none
    assert "csrf_token" in token
    assert other.http.post(f"{MESSAGES}{message_id}/resend").status_code in {400, 403}
    assert state_of(message_id) is OutboxState.FAILED


def test_it_is_narrowed_by_state_medium_and_client(office: Office, ann: Person) -> None:
    put("mine", client_id=office.cast.client_id, state=OutboxState.SENT, channel="mine@seller.example")
    put("theirs", client_id=office.cast.other_client_id, state=OutboxState.SENT, channel="theirs@seller.example")
    put("card", outbox.CARD, medium=Medium.SLACK, account_id=office.cast.account_id, channel="C0REVIEW")
    assert "2 messages sent" in ann.text(f"{MESSAGES}?flt_status=sent")
    by_client = ann.text(f"{MESSAGES}?flt_status=all&flt_client={office.cast.client_id}")
    assert "mine@" in by_client
    assert "C0REVIEW" in by_client
    assert "theirs@" not in by_client
    by_slack = ann.text(f"{MESSAGES}?flt_status=all&flt_medium=slack")
    assert "C0REVIEW" in by_slack
    assert "mine@" not in by_slack
    assert "theirs@" in ann.text(f"{MESSAGES}?flt_status=all&search=theirs")


def test_a_card_that_was_brought_up_to_date_names_the_channel_of_the_card(office: Office, ann: Person) -> None:
    with db.transaction() as session:
        row = make_discrepancy(session, office.cast.account_id, card_channel="C0CARDS", card_ts="1.2")
    put("update", outbox.CARD_UPDATE, OutboxState.SENT, medium=Medium.SLACK, discrepancy_id=row.id)
    shown = ann.text(f"{MESSAGES}?flt_status=sent")
    assert "C0CARDS" in shown
    assert "not known yet" not in shown


def test_a_long_list_takes_as_many_queries_as_a_short_one(office: Office, ann: Person) -> None:
    def queries() -> int:
        with office.counted() as sent:
            assert ann.get(MESSAGES).status_code == 200
        return len(sent)

    put("first", client_id=office.cast.client_id)
    few = queries()
    for number in range(20):
        client_id = office.cast.other_client_id if number % 2 else None
        put(f"more {number}", client_id=client_id, account_id=office.cast.account_id)
    assert queries() <= few + 1


def test_an_error_of_somebody_elses_words_is_shown_as_text(ann: Person) -> None:
    put("a", last_error="550 <script>alert(1)</script>")
    assert "<script>alert" not in ann.get(MESSAGES).text


def test_the_first_page_tells_of_messages_that_are_stuck(office: Office, ann: Person) -> None:
    assert "See why" not in ann.text("/admin/")
    put("late", state=OutboxState.PENDING, created_at=NOW - timedelta(hours=2))
    assert "See why, and send it again" in ann.text("/admin/")
    assert f'href="{MESSAGES}"' in ann.get("/admin/").text
    assert "Waiting" in read(ann.get(MESSAGES))
