"""From the approved card to Amazon's answer, in Slack: what is shown, what is asked, and that the card follows."""

from typing import Any

import pytest

from claims import filing, queries, review
from db import reading, transaction
from models import Claim, ClaimStatus, Discrepancy, HistoryEntry, Through
from tests.bot.conftest import Desk, action_ids, eventually, shown
from tests.factories import NOW

WHAT_TO_FILE, FILED, REPLIED, UNDO = "claim:packet", "claim:filed", "claim:replied", "discrepancy:undo"
CASE = "10245671881"


def approve(desk: Desk, **more: Any) -> int:
    """Post a card and approve it; return the claim's id."""
    found = desk.post(**more)
    with transaction() as session:
        claim_id = review.approve(session, found, actor=desk.cast.ann, now=NOW).id
    desk.deliver()
    assert "not filed yet" in shown(desk.messages[-1])
    return claim_id


def file(desk: Desk, **more: Any) -> int:
    claim_id = approve(desk, **more)
    with transaction() as session:
        filing.submit(session, claim_id, case_id=CASE, actor=desk.cast.ann, now=NOW)
    desk.deliver()
    return claim_id


def claim(desk: Desk, claim_id: int = 1) -> Claim:
    with reading() as session:
        return queries.load_claim(session, claim_id, desk.cast.adam)


def test_what_to_file_is_shown_to_be_copied(desk: Desk) -> None:
    approve(desk)
    desk.press("Ann", WHAT_TO_FILE)
    said = shown(desk.form("Ann"))
    assert "```\nFBA reimbursement request: 3 units lost in a fulfillment center, FNSKU X001\n```" in said
    assert "```\nHello,\n\nplease reimburse 3 units" in said
    assert "Units to reimburse: 3\n" in said
    assert "Attach the evidence file." in said
    links = [e["url"] for b in desk.form("Ann")["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert links == ["http://127.0.0.1:5000/admin/claims/1/"]


def test_what_the_reports_changed_is_said_before_it_is_filed(desk: Desk) -> None:
    approve(desk)
    with transaction() as session:
        session.get_one(Discrepancy, 1).is_changed_since_decision = True
    desk.press("Ann", WHAT_TO_FILE)
    assert "look at it again first" in shown(desk.form("Ann"))


def test_a_claim_is_filed_and_its_card_follows(desk_on_both: Desk) -> None:
    desk = desk_on_both
    approve(desk)
    desk.press("Ann", FILED)
    assert "Claim 1 · Lost in the warehouse · Acme · 3 units · 37.02 USD" in shown(desk.form("Ann"))
    answer, errors = desk.fill("Ann", case_id=f" {CASE} ")
    assert (answer.is_taken, errors) == (True, {})
    eventually(lambda: f"Claim 1: Filed, case {CASE}" in shown(desk.messages[0]))
    assert action_ids(desk.messages[0]) == [REPLIED, "claim:ask", "page:open"]
    assert "not filed yet" not in desk.messages[0]["text"]
    seen = claim(desk)
    assert (seen.status, seen.case_id) == (ClaimStatus.SUBMITTED, CASE)
    assert (seen.history[-1].actor_name, seen.history[-1].through) == ("Ann", Through.SLACK)


@pytest.mark.parametrize("junk", ["tbd", "12", "10245671881 or so"])
def test_what_is_no_case_comes_back_at_its_field(desk: Desk, junk: str) -> None:
    approve(desk)
    desk.press("Ann", FILED)
    _, errors = desk.fill("Ann", case_id=junk)
    assert list(errors) == ["case_id"]
    assert "is no case ID of Amazon's" in errors["case_id"]
    assert claim(desk).status is ClaimStatus.TO_SUBMIT


def test_of_two_who_file_the_second_is_told(desk: Desk) -> None:
    approve(desk)
    desk.press("Ann", FILED)
    desk.form("Ann")
    with transaction() as session:
        filing.submit(session, 1, case_id="555555555", actor=desk.cast.bea, now=NOW)
    desk.fill("Ann", case_id=CASE)
    assert desk.told("Ann").startswith("Already filed as case 555555555 by Bea at 09:14 UTC.")
    eventually(lambda: "case 555555555" in shown(desk.messages[0]))


def test_an_old_card_opens_no_form_in_vain(desk: Desk) -> None:
    approve(desk)
    old = {**desk.messages[0]}
    with transaction() as session:
        filing.submit(session, 1, case_id=CASE, actor=desk.cast.bea, now=NOW)
    desk.press("Ann", FILED, old)
    assert desk.told("Ann").startswith(f"Claim 1 is not to be filed: it is Filed as case {CASE}.")
    assert not desk.has_form("Ann")


def test_a_reply_is_kept_and_the_card_says_when_to_act(desk_on_both: Desk) -> None:
    desk = desk_on_both
    file(desk)
    desk.press("Bea", REPLIED)
    answer, errors = desk.fill(
        "Bea", outcome="needs_info", reply="Which invoice?\nRegards", next_action_on="2026-12-01"
    )
    assert (answer.is_taken, errors) == (True, {})
    eventually(lambda: "to answer Amazon by 1 Dec 2026, in 8 days" in shown(desk.messages[0]))
    seen = claim(desk)
    assert (seen.status, seen.notes[0].text, seen.notes[0].author_name) == (
        ClaimStatus.NEEDS_INFO,
        "Which invoice?\nRegards",
        "Bea",
    )


def test_a_reply_that_changes_nothing_is_kept(desk: Desk) -> None:
    file(desk)
    desk.press("Ann", REPLIED)
    desk.fill("Ann", reply="We are looking into it.")
    eventually(lambda: claim(desk).notes)
    assert claim(desk).status is ClaimStatus.SUBMITTED


def test_a_refusal_is_appealed_and_at_last_closed(desk: Desk) -> None:
    file(desk)
    for outcome, reply, shows in (
        ("denied", "No.", "Claim 1: Refused"),
        ("appealed", None, "Claim 1: Appealed"),
        ("denied", "Still no.", "Claim 1: Refused"),
        ("closed:refused", "Final.", "Claim 1: Closed: refused by Amazon"),
    ):
        desk.press("Ann", REPLIED)
        eventually(lambda: desk.has_form("Ann"))
        _, errors = desk.fill("Ann", outcome=outcome, **({"reply": reply} if reply else {}))
        assert errors == {}
        eventually(lambda shows=shows: shows in shown(desk.messages[0]))
    assert claim(desk).rounds == 1
    assert action_ids(desk.messages[0]) == ["page:open"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "reply"),
        ({"outcome": "denied"}, "reply"),
        ({"reply": "No.", "next_action_on": "2026-11-22"}, "next_action_on"),
        ({"outcome": "closed:withdrawn", "next_action_on": "2026-12-01"}, "next_action_on"),
    ],
)
def test_a_reply_that_is_not_right_comes_back_at_its_field(desk: Desk, fields: dict[str, str], wrong: str) -> None:
    file(desk)
    desk.press("Ann", REPLIED)
    _, errors = desk.fill("Ann", **fields)
    assert list(errors) == [wrong]
    assert claim(desk).notes == []


def test_what_moved_while_the_form_was_open_is_told(desk: Desk) -> None:
    file(desk)
    desk.press("Ann", REPLIED)
    desk.form("Ann")
    with transaction() as session:
        filing.record_outcome(session, 1, status=ClaimStatus.DENIED, note="no", actor=desk.cast.bea, now=NOW)
    desk.fill("Ann", outcome="closed:withdrawn")
    assert desk.told("Ann").startswith("Claim 1 moved since you opened it: it is Refused now, not Filed.")


@pytest.mark.parametrize("action", [WHAT_TO_FILE, FILED])
def test_who_may_not_work_on_claims_is_told(desk: Desk, action: str) -> None:
    approve(desk)
    desk.press("Bill", action)
    assert "Bill may not work on claims" in desk.told("Bill")
    assert not desk.has_form("Bill")


def test_a_claim_that_was_undone_is_not_filed_from_an_old_card(desk: Desk) -> None:
    approve(desk)
    old = {**desk.messages[0]}
    with transaction() as session:
        review.undo(session, 1, actor=desk.cast.ann, now=NOW)
    desk.press("Ann", FILED, old)
    assert "has no claim" in desk.told("Ann")


def test_a_card_drawn_while_its_claim_moved_is_drawn_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim's move leaves the discrepancy as it is, so the card has to look at both."""
    from bot import cards

    approve(desk)
    sent = cards._send

    def slow(*args: Any) -> None:
        monkeypatch.setattr(cards, "_send", sent)
        with transaction() as session:
            filing.submit(session, 1, case_id=CASE, actor=desk.cast.bea, now=NOW)
        sent(*args)

    monkeypatch.setattr(cards, "_send", slow)
    assert cards.update_card(cards.web_client(), 1)
    assert f"case {CASE}" in shown(desk.messages[0])
    with reading() as session:
        assert session.query(HistoryEntry).filter_by(action="submitted").count() == 1
