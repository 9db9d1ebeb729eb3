"""Asking the client from a card, and cards of clients who approve themselves."""

from typing import Any

import pytest

from claims import requests, review
from db import reading, transaction
from models import Approval, Claim, Client, Discrepancy, DiscrepancyStatus, HistoryEntry, Request, RequestKind, Through
from tests.bot.conftest import Desk, action_ids, eventually, shown
from tests.factories import NOW

ASK, APPROVE, REJECT, UNDO = "claim:ask", "discrepancy:approve", "discrepancy:reject", "discrepancy:undo"


def approved(desk: Desk, **more: Any) -> int:
    found = desk.post(**more)
    with transaction() as session:
        claim = review.approve(session, found, actor=desk.cast.ann, now=NOW)
    desk.deliver()
    assert claim is not None
    return claim.id


def the_request(desk: Desk) -> Request:
    def look() -> list[Request]:
        with reading() as session:
            return list(session.scalars(requests.request_list(desk.cast.adam)))

    return eventually(look)[0]


def wants(desk: Desk, approval: Approval) -> None:
    with transaction() as session:
        session.get_one(Client, desk.cast.client_id).approval = approval


def test_the_client_is_asked_from_the_card_which_says_so(desk_on_both: Desk) -> None:
    desk = desk_on_both
    claim_id = approved(desk)
    desk.press("Ann", ASK)
    assert "Claim 1 · Lost in the warehouse · Acme · 3 units · 37.02 USD" in shown(desk.form("Ann"))
    answer, errors = desk.fill("Ann", kind="send_invoice")
    assert (answer.is_taken, errors) == (True, {})
    found = the_request(desk)
    assert (found.kind, found.claim_id, found.asked_by_id) == (
        RequestKind.SEND_INVOICE,
        claim_id,
        desk.cast.ann.user_id,
    )
    assert "3 units of Blue mug (SKU-1)" in found.question
    eventually(lambda: "the client is asked since 23 Nov 2026" in shown(desk.messages[0]))
    with reading() as session:
        [entry] = session.query(HistoryEntry).filter_by(action="request_asked")
    assert entry.through is Through.SLACK


def test_something_else_without_a_question_comes_back_at_its_field(desk: Desk) -> None:
    approved(desk)
    desk.press("Ann", ASK)
    _, errors = desk.fill("Ann", kind="other")
    assert errors == {"question": "Write what the client is to say or send."}
    _, errors = desk.fill("Ann", kind="other", question="Which box was it?")
    assert errors == {}
    assert the_request(desk).question == "Which box was it?"


def test_who_asks_the_same_second_is_told(desk: Desk) -> None:
    claim_id = approved(desk)
    desk.press("Ann", ASK)
    desk.form("Ann")
    with transaction() as session:
        requests.ask(session, claim_id, kind=RequestKind.SEND_INVOICE, question=None, actor=desk.cast.bea, now=NOW)
    desk.fill("Ann", kind="send_invoice")
    assert desk.told("Ann").startswith("Already asked by Bea at 09:14")


@pytest.mark.parametrize("who", ["Bill", "Carl"])
def test_people_without_the_right_get_words_and_no_form(desk: Desk, who: str) -> None:
    approved(desk)
    desk.press(who, ASK)
    assert "may not work on claims" in desk.told(who)
    assert not desk.has_form(who)


def test_about_a_claim_that_is_over_no_form_opens(desk: Desk) -> None:
    claim_id = approved(desk)
    with transaction() as session:
        session.get_one(Claim, claim_id).status = "closed"
    desk.press("Ann", ASK)
    assert "nothing to ask for" in desk.told("Ann")


def test_with_both_sides_the_card_waits_for_the_client_and_can_be_undone(desk_on_both: Desk) -> None:
    desk = desk_on_both
    wants(desk, Approval.BOTH)
    found = desk.post()
    assert "The client has to approve it too" in shown(desk.messages[0])
    desk.press("Ann", APPROVE)
    eventually(lambda: "Approved by Ann, waiting for the client" in shown(desk.messages[0]))
    assert action_ids(desk.messages[0]) == [UNDO, REJECT, "page:open"]
    assert desk.row(found).status is DiscrepancyStatus.OPEN
    desk.press("Bea", UNDO)
    eventually(lambda: APPROVE in action_ids(desk.messages[0]))


def test_the_clients_approval_makes_the_claim_and_the_card_follows(desk: Desk) -> None:
    wants(desk, Approval.BOTH)
    found = desk.post()
    desk.press("Ann", APPROVE)
    eventually(lambda: "waiting for the client" in shown(desk.messages[0]))
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.carl, now=NOW)
    desk.deliver()
    assert "Approved by Carl" in shown(desk.messages[0])
    assert "Claim 1: not filed yet" in shown(desk.messages[0])


def test_the_client_who_was_first_is_named_on_the_card(desk: Desk) -> None:
    wants(desk, Approval.BOTH)
    found = desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.carl, now=NOW)
    desk.deliver()
    assert "Approved by Carl of the client" in shown(desk.messages[0])
    desk.press("Ann", APPROVE)
    eventually(lambda: "Approved by Ann" in shown(desk.messages[0]))
    with reading() as session:
        assert session.get_one(Discrepancy, found).status is DiscrepancyStatus.APPROVED


def test_what_the_client_alone_approves_has_no_button_and_an_old_one_says_why(desk: Desk) -> None:
    found = desk.post()
    old = {**desk.messages[0]}
    wants(desk, Approval.CLIENT)
    with transaction() as session:
        session.get_one(Discrepancy, found).version += 1
    desk.press("Ann", APPROVE, old)
    assert desk.told("Ann").startswith("Acme approves for itself.")
