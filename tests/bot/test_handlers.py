"""Presses, over HTTP both ways: the stand-in signs and sends them, our web app answers, the card follows."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from structlog.testing import CapturingLogger

from bot import cards
from bot.handlers import answering
from claims import review
from db import reading, transaction
from models import Caveat, Claim, DiscrepancyStatus, HistoryEntry, User
from sandbox.slack.workspace import Person
from tests.bot.conftest import Desk, action_ids, eventually, shown, slack_id
from tests.factories import NOW

APPROVE, REJECT, CLEAR, UNDO = "discrepancy:approve", "discrepancy:reject", "discrepancy:clear", "discrepancy:undo"


def test_approve_makes_a_claim_and_the_card_says_who_and_when(desk_on_both: Desk) -> None:
    desk = desk_on_both
    found = desk.post()
    assert desk.press("Ann", APPROVE).is_taken
    eventually(lambda: "Approved by Ann" in shown(desk.messages[0]))
    row = desk.row(found)
    assert (row.status, row.decided_by_id) == (DiscrepancyStatus.APPROVED, desk.cast.ann.user_id)
    assert "23 Nov 2026, 09:14 UTC" in shown(desk.messages[0])
    assert "Claim 1: not filed yet, to file by 19 Dec 2026, in 26 days" in shown(desk.messages[0])
    assert action_ids(desk.messages[0]) == ["claim:packet", "claim:filed", "claim:ask", UNDO, "page:open"]
    assert "Approved by Ann" in desk.messages[0]["text"]


def test_second_press_is_told_who_was_first(desk_on_both: Desk) -> None:
    desk = desk_on_both
    found = desk.post()
    card = {**desk.messages[0]}
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    assert desk.press("Ann", APPROVE, card).is_taken
    assert desk.told("Ann").startswith("Already approved by Bea at 09:14")
    eventually(lambda: "Approved by Bea" in shown(desk.messages[0]))


def test_of_two_people_who_press_at_once_one_decides_and_the_other_is_told(desk_on_both: Desk) -> None:
    desk = desk_on_both
    found = desk.post()
    card = {**desk.messages[0]}
    with ThreadPoolExecutor(2) as hands:
        answers = list(hands.map(lambda who: desk.press(who, APPROVE, card), ("Ann", "Bea")))
    assert all(answer.is_taken for answer in answers)
    eventually(lambda: desk.slack.workspace.ephemerals)
    winner = "Ann" if desk.row(found).decided_by_id == desk.cast.ann.user_id else "Bea"
    loser = {"Ann": "Bea", "Bea": "Ann"}[winner]
    assert desk.told(loser).startswith(f"Already approved by {winner}")
    with reading() as session:
        assert session.query(Claim).count() == 1
    eventually(lambda: f"Approved by {winner}" in shown(desk.messages[0]))


def test_the_same_press_twice_decides_once(desk: Desk) -> None:
    desk.post()
    card = {**desk.messages[0]}
    desk.press("Ann", APPROVE)
    eventually(lambda: "Approved by Ann" in shown(desk.messages[0]))
    version = desk.row(1).version
    desk.slack.workspace.channels["C0REVIEW"].messages[0]["blocks"] = card["blocks"]
    assert desk.press("Ann", APPROVE).is_taken
    assert desk.told("Ann").startswith("Already approved by Ann")
    assert desk.row(1).version == version


def test_reject_asks_for_a_reason_and_keeps_it(desk: Desk) -> None:
    found = desk.post()
    desk.press("Ann", REJECT)
    assert "Acme" in shown(desk.form("Ann"))
    answer, errors = desk.fill("Ann", reason="too_small", note="not worth an afternoon")
    assert (answer.is_taken, errors) == (True, {})
    eventually(lambda: "Rejected by Ann" in shown(desk.messages[0]))
    assert "Too small to pursue: not worth an afternoon" in shown(desk.messages[0])
    assert (desk.row(found).status, desk.row(found).status_reason) == (DiscrepancyStatus.REJECTED, "too_small")


def test_another_reason_without_a_note_comes_back_at_its_field(desk: Desk) -> None:
    found = desk.post()
    desk.press("Ann", REJECT)
    _, errors = desk.fill("Ann", reason="other")
    assert errors == {"note": "Say in the note what the other reason is."}
    assert desk.row(found).status is DiscrepancyStatus.OPEN
    _, errors = desk.fill("Ann", reason="other", note="the client sold the brand")
    assert not errors
    eventually(lambda: desk.row(found).status is DiscrepancyStatus.REJECTED)


def test_form_is_not_opened_for_what_is_decided(desk: Desk) -> None:
    found = desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    desk.press("Ann", REJECT)
    assert desk.told("Ann").startswith("Already approved by Bea")
    assert not desk.has_form("Ann")


def test_form_sent_too_late_is_told_who_was_first(desk: Desk) -> None:
    found = desk.post()
    desk.press("Ann", REJECT)
    desk.form("Ann")
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    desk.fill("Ann", reason="found")
    assert desk.told("Ann").startswith("Already approved by Bea")


def test_caveat_is_cleared_with_a_note_before_approving(desk: Desk) -> None:
    found = desk.post(caveats=("partial_coverage",))
    assert action_ids(desk.messages[0]) == [CLEAR, REJECT, "page:open"]
    desk.press("Ann", CLEAR)
    _, errors = desk.fill("Ann")
    assert list(errors) == ["note"]
    desk.fill("Ann", note="downloaded them by hand: nothing")
    eventually(lambda: action_ids(desk.messages[0])[0] == APPROVE)
    with reading() as session:
        assert session.query(Caveat).one().note == "downloaded them by hand: nothing"
    assert "Checked: The newest reports are missing" in shown(desk.messages[0])
    assert desk.row(found).status is DiscrepancyStatus.OPEN


def test_of_several_caveats_the_chosen_one_is_cleared(desk: Desk) -> None:
    desk.post(caveats=("in_research", "partial_coverage"))
    desk.press("Ann", CLEAR)
    desk.fill("Ann", caveat="partial_coverage", note="looked")
    eventually(lambda: "Checked: The newest reports are missing" in shown(desk.messages[0]))
    assert action_ids(desk.messages[0])[0] == CLEAR
    desk.press("Ann", CLEAR)
    eventually(lambda: "still looking" in shown(desk.form("Ann")))
    desk.fill("Ann", note="found none")
    eventually(lambda: action_ids(desk.messages[0])[0] == APPROVE)


def test_approve_of_an_old_card_with_a_caveat_says_what_to_check(desk: Desk) -> None:
    found = desk.post(caveats=("in_research",))
    desk.messages[0]["blocks"][-1]["elements"][0]["action_id"] = APPROVE
    desk.press("Ann", APPROVE)
    assert desk.told("Ann").startswith("Check first: Amazon is still looking for units")
    assert desk.row(found).status is DiscrepancyStatus.OPEN


def test_undo_opens_the_card_again(desk: Desk) -> None:
    found = desk.post()
    desk.press("Ann", APPROVE)
    eventually(lambda: UNDO in action_ids(desk.messages[0]))
    desk.press("Bea", UNDO)
    eventually(lambda: action_ids(desk.messages[0])[0] == APPROVE)
    assert desk.row(found).status is DiscrepancyStatus.OPEN


def test_undo_goes_after_ten_minutes(desk: Desk, set_clock) -> None:
    found = desk.post()
    desk.press("Ann", APPROVE)
    eventually(lambda: UNDO in action_ids(desk.messages[0]))
    old = {**desk.messages[0]}
    set_clock(NOW + timedelta(minutes=11))
    desk.deliver()
    assert action_ids(desk.messages[0]) == ["claim:packet", "claim:filed", "claim:ask", "page:open"]
    desk.messages[0]["blocks"] = old["blocks"]
    desk.press("Ann", UNDO)
    assert desk.told("Ann").startswith("Too late to undo")
    assert desk.row(found).status is DiscrepancyStatus.APPROVED


@pytest.mark.parametrize(("who", "said"), [("Bill", "Bill may not decide"), ("Carl", "Carl may not decide")])
@pytest.mark.parametrize("action_id", [APPROVE, REJECT])
def test_who_has_no_such_role_presses_in_vain_and_is_told_why(desk: Desk, who: str, said: str, action_id: str) -> None:
    found = desk.post()
    desk.press(who, action_id)
    assert desk.told(who).startswith(said)
    assert desk.row(found).status is DiscrepancyStatus.OPEN
    assert not desk.has_form(who)


def test_person_whose_access_ended_presses_in_vain(desk: Desk) -> None:
    found = desk.post()
    with transaction() as session:
        session.query(User).filter_by(email="ann@agency.example").one().is_active = False
    desk.press("Ann", APPROVE)
    assert "no longer has access" in desk.told("Ann")
    assert desk.row(found).status is DiscrepancyStatus.OPEN


def test_unknown_person_is_told_why_and_decides_nothing(desk: Desk) -> None:
    found = desk.post()
    desk.press("Vic", APPROVE)
    assert "does not know you yet" in desk.told("Vic")
    assert "U0VIC" in desk.told("Vic")
    assert desk.row(found).status is DiscrepancyStatus.OPEN


def test_unknown_person_is_linked_by_e_mail_and_presses_again(desk: Desk) -> None:
    found = desk.post()
    _unlink("ann@agency.example")
    desk.press("Ann", APPROVE)
    assert desk.told("Ann") == "You are linked to Recoup now, as Ann. Press again."
    assert desk.row(found).status is DiscrepancyStatus.OPEN
    desk.press("Ann", APPROVE)
    eventually(lambda: desk.row(found).status is DiscrepancyStatus.APPROVED)


@pytest.mark.parametrize("mark", ["is_bot", "is_restricted", "deleted"])
def test_bots_guests_and_the_deleted_are_not_linked(desk: Desk, mark: str) -> None:
    desk.post()
    _unlink("ann@agency.example")
    setattr(desk.slack.workspace.people[slack_id("Ann")], mark, True)
    desk.press("Ann", APPROVE)
    assert desk.told("Ann").startswith("Bots, guests and people of other workspaces")
    assert _slack_id_of("ann@agency.example") is None


def test_person_of_another_workspace_is_neither_linked_nor_heard(desk: Desk) -> None:
    found = desk.post()
    people = desk.slack.workspace.people
    people[slack_id("Ann")] = Person(slack_id("Ann"), "Ann", "ann@agency.example", team_id="T0OTHER")
    desk.press("Ann", APPROVE)
    assert desk.told("Ann").startswith("You belong to another Slack workspace")
    assert desk.row(found).status is DiscrepancyStatus.OPEN


def test_user_of_another_slack_id_is_not_taken_over(desk: Desk) -> None:
    desk.post()
    desk.slack.workspace.people[slack_id("Vic")].email = "ann@agency.example"
    desk.press("Vic", APPROVE)
    assert "Ann is linked to another Slack user" in desk.told("Vic")
    assert _slack_id_of("ann@agency.example") == slack_id("Ann")


def test_press_counts_even_if_the_card_cannot_be_updated(desk: Desk, monkeypatch) -> None:
    log = CapturingLogger()
    monkeypatch.setattr(cards, "log", log)
    found = desk.post()
    desk.fail("chat.update", "server_error")
    desk.press("Ann", APPROVE)
    eventually(lambda: desk.row(found).status is DiscrepancyStatus.APPROVED)
    eventually(lambda: log.calls)
    assert log.calls[0].args == ("slack_card_not_updated",)
    assert action_ids(desk.messages[0])[0] == APPROVE
    desk.deliver()
    assert "Approved by Ann" in shown(desk.messages[0])


def test_slow_slack_does_not_hold_up_the_acknowledgement(desk: Desk) -> None:
    desk.post()
    desk.fail("chat.update", "slow", seconds=2)
    began = time.monotonic()
    assert desk.press("Ann", APPROVE).is_taken
    assert time.monotonic() - began < 1.5
    eventually(lambda: "Approved by Ann" in shown(desk.messages[0]))


def test_twelve_people_at_once_are_all_acknowledged_and_one_decides(desk: Desk) -> None:
    found = desk.post()
    card = {**desk.messages[0]}
    desk.fail("chat.update", "slow", times=12, seconds=0.5)
    with ThreadPoolExecutor(12) as hands:
        answers = list(hands.map(lambda _: desk.press("Ann", APPROVE, card), range(12)))
    assert all(answer.is_taken for answer in answers)
    desk.told("Ann", count=11)
    with reading() as session:
        assert session.query(HistoryEntry).filter_by(discrepancy_id=found, action="approved").count() == 1


def test_bug_gives_the_person_a_reference_that_the_log_has(desk: Desk, monkeypatch) -> None:
    desk.post()
    log = CapturingLogger()
    monkeypatch.setattr(answering, "log", log)

    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError("not for people")

    monkeypatch.setattr(review, "approve", broken)
    assert desk.press("Ann", APPROVE).is_taken
    said = desk.told("Ann")
    assert "not for people" not in said
    [told] = log.calls
    assert (told.method_name, told.args) == ("exception", ("slack_handler_failed",))
    assert said.endswith(f"the reference {told.kwargs['reference']}.")


def test_retired_button_says_where_to_go(desk: Desk) -> None:
    desk.post()
    desk.messages[0]["blocks"][-1]["elements"][0]["action_id"] = "claim:approve:v0"
    assert desk.press("Ann", "claim:approve:v0").is_taken
    assert "back office" in desk.told("Ann")


def test_button_of_a_row_that_is_gone_says_so(desk: Desk) -> None:
    desk.post()
    desk.messages[0]["blocks"][-1]["elements"][0]["value"] = "999"
    desk.press("Ann", APPROVE)
    assert desk.told("Ann") == "There is no discrepancy 999."


def test_button_without_a_row_says_so(desk: Desk) -> None:
    desk.post()
    desk.messages[0]["blocks"][-1]["elements"][0]["value"] = "1; drop"
    desk.press("Ann", APPROVE)
    assert desk.told("Ann") == "This button names no discrepancy. Decide in the back office."


def test_link_button_is_acknowledged_and_does_nothing(desk: Desk) -> None:
    desk.post()
    assert desk.press("Ann", "page:open").is_taken
    assert not desk.slack.workspace.ephemerals


def _unlink(email: str) -> None:
    with transaction() as session:
        session.query(User).filter_by(email=email).one().slack_user_id = None


def _slack_id_of(email: str) -> str | None:
    with reading() as session:
        return session.query(User).filter_by(email=email).one().slack_user_id
