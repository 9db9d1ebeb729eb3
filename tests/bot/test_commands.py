"""`/claims status`: told to one person, who sees what is theirs."""

from decimal import Decimal

from claims import review
from db import transaction
from models import Client, ClientStatus, User
from tests.bot.conftest import Desk, slack_id
from tests.factories import NOW, make_discrepancy


def test_status_tells_counts_money_and_deadlines(desk: Desk) -> None:
    _fill(desk)
    assert desk.type("Ann", "status").is_taken
    assert desk.told("Ann") == (
        "All clients: to decide 3 · 50.00 USD · 1 of a value not known, claims to file 1 · 37.02 USD, "
        "next deadline 19 Dec 2026."
    )
    said = _shown(desk)
    assert "To decide: 3 · 50.00 USD · 1 of a value not known" in said
    assert "Approved: 1 · 37.02 USD" in said
    assert "To file: 1 · 37.02 USD" in said
    assert "19 Dec 2026, in 26 days: File claim 1 · Lost in the warehouse · Acme · 37.02 USD" in said


def test_status_is_told_to_nobody_else(desk: Desk) -> None:
    _fill(desk)
    desk.type("Ann", "status")
    desk.told("Ann")
    assert not desk.messages
    assert {e.user for e in desk.slack.workspace.ephemerals} == {slack_id("Ann")}


def test_status_of_a_client_leaves_the_others_out(desk: Desk) -> None:
    _fill(desk)
    desk.type("Ann", 'status "bolt"')
    assert desk.told("Ann").startswith("Bolt: to decide 1 · 10.00 USD, claims to file 0")


def test_status_of_a_claim_tells_where_it_stands(desk: Desk) -> None:
    _fill(desk)
    for count, text in enumerate(("status 1", "status #1", "STATUS   1 "), start=1):
        desk.type("Ann", text)
        assert desk.told("Ann", count).startswith(
            "Claim 1 · Lost in the warehouse · Acme: To file · 3 units · 37.02 USD"
        )


def test_status_of_nothing_that_exists_is_said_in_words(desk: Desk) -> None:
    for count, name in enumerate(("Nobody", "99"), start=1):
        desk.type("Ann", f"status {name}")
        assert desk.told("Ann", count).startswith(f"There is no client and no claim {name}.")


def test_unknown_words_and_none_get_help(desk: Desk) -> None:
    for count, text in enumerate(("", "help", "statuses", "approve 1"), start=1):
        desk.type("Ann", text)
        assert desk.told("Ann", count).startswith("Type `/claims status`")


def test_empty_status_says_what_fills_it(desk: Desk) -> None:
    desk.type("Ann", "status")
    assert "after an import" in desk.told("Ann")


def test_person_of_a_client_sees_that_client_only(desk: Desk) -> None:
    _fill(desk)
    desk.type("Carl", "status")
    assert desk.told("Carl").startswith("All clients: to decide 2 · 40.00 USD · 1 of a value not known")
    desk.type("Carl", "status Bolt")
    assert desk.told("Carl", 2).startswith("There is no client and no claim Bolt")
    with transaction() as session:
        session.get_one(User, desk.cast.carl.user_id).client_id = desk.cast.other_client_id
    desk.type("Carl", "status 1")
    assert desk.told("Carl", 3).startswith("There is no client and no claim 1")


def test_people_of_a_client_who_left_are_told_no_numbers(desk: Desk) -> None:
    _fill(desk)
    with transaction() as session:
        session.get_one(Client, desk.cast.client_id).status = ClientStatus.CANCELLED
    desk.type("Carl", "status 1")
    assert desk.told("Carl").startswith("The access of Acme has ended.")
    assert "USD" not in _shown(desk)


def test_billing_is_told_no_more_in_slack_than_in_the_back_office(desk: Desk) -> None:
    _fill(desk)
    desk.type("Bill", "status")
    assert desk.told("Bill").startswith("Bill may not work on claims")
    assert "USD" not in _shown(desk)


def test_unknown_person_is_told_no_numbers(desk: Desk) -> None:
    _fill(desk)
    desk.type("Vic", "status")
    assert "does not know you yet" in desk.told("Vic")
    assert "USD" not in _shown(desk)


def test_hostile_client_name_pings_nobody(desk: Desk) -> None:
    desk.type("Ann", "status <!channel> & co")
    assert desk.told("Ann").startswith("There is no client and no claim &lt;!channel&gt; &amp; co.")


def _fill(desk: Desk) -> None:
    with transaction() as session:
        first = make_discrepancy(session, desk.cast.account_id)
        make_discrepancy(session, desk.cast.account_id, value=Decimal("40"))
        make_discrepancy(session, desk.cast.account_id, value=None, unit_value=None, currency=None)
        make_discrepancy(session, desk.cast.other_account_id, value=Decimal("10"))
        review.approve(session, first.id, actor=desk.cast.ann, now=NOW)


def _shown(desk: Desk) -> str:
    return "\n".join(
        block["text"]["text"]
        for whisper in desk.slack.workspace.ephemerals
        for block in whisper.blocks
        if block["type"] == "section"
    )
