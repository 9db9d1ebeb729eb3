"""News of claims: one line each, in the thread of the card or in the review channel, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import db
from bot.news_blocks import KNOWN, News, Waiting, news, waiting
from claims import by_hand, payments
from claims.paid import Line
from claims.payments import Report
from models import ClaimStatus, Discrepancy
from tests.bot.conftest import Desk
from tests.factories import NOW, TODAY, make_claim, make_discrepancy

CASE = "10245671881"
DATA = News(
    what="recovered",
    claim_id=7,
    claim_type="Lost in the warehouse",
    client="Acme",
    told="3 units, 37.02 USD",
    standing="Recovered",
    so_far="3 of 3 units",
    link="http://here/admin/claims/7/",
)


@pytest.mark.parametrize(
    ("what", "more", "said"),
    [
        (
            "recovered",
            {},
            "Recovered: Amazon paid 3 units, 37.02 USD for claim 7 (Lost in the warehouse, Acme).",
        ),
        (
            "partly_recovered",
            {"standing": "Partly recovered", "told": "1 unit, 12.34 USD", "so_far": "1 of 3 units"},
            "Partly recovered: Amazon paid 1 unit, 12.34 USD for claim 7 (Lost in the warehouse, Acme), "
            "1 of 3 units so far.",
        ),
        (
            "reversed",
            {"standing": "Taken back", "so_far": "0 of 3 units"},
            "Amazon took back 3 units, 37.02 USD of claim 7 (Lost in the warehouse, Acme). It is taken back now, with "
            "0 of 3 units made up for.",
        ),
        (
            "payment_changed",
            {"told": "3 units, 30.00 USD"},
            "A later report says otherwise about a payment of claim 7 (Lost in the warehouse, Acme): "
            "3 units, 30.00 USD. Nothing is booked by it; look at it.",
        ),
        (
            "answered",
            {"told": "send an invoice"},
            "Acme answered about claim 7 (Lost in the warehouse, Acme): send an invoice.",
        ),
    ],
)
def test_each_kind_is_one_sentence_with_a_way_to_the_claim(what: str, more: dict[str, str], said: str) -> None:
    message = news(replace(DATA, what=what, **more))
    assert message.text == said
    assert message.blocks[0]["text"] == {"type": "plain_text", "text": said, "emoji": False}
    assert message.blocks[1]["elements"][0]["url"] == DATA.link
    assert what in KNOWN


def test_what_waits_names_the_only_one_and_counts_more() -> None:
    data = Waiting("Acme", "US", 1, "37.02 USD, reimbursement R1", "http://here/admin/payments/")
    assert waiting(data).text == (
        "A payment to Acme, US waits for you: 37.02 USD, reimbursement R1. Say for which claim it was."
    )
    many = waiting(replace(data, count=1200, first=""))
    assert many.text == "1,200 payments to Acme, US wait for you. Say for which claims they were."


def test_outside_text_pings_nobody() -> None:
    assert "<!channel>" not in news(replace(DATA, client="<!channel> & Sons")).text


def line(key: str = "a", **more: Any) -> Line:
    values: dict[str, Any] = {
        "key": key, "reimbursement_id": f"R-{key}", "approved_on": TODAY, "kind": "lost_warehouse", "case_id": CASE,
        "fnsku": "X001", "msku": "SKU-1", "cash_units": 3, "amount": Decimal("37.02"), "currency": "USD",
    }  # fmt: skip
    return Line(**(values | more))


def file(desk: Desk, discrepancy_id: int) -> int:
    with db.transaction() as session:
        return make_claim(
            session,
            session.get_one(Discrepancy, discrepancy_id),
            approved_by_id=desk.cast.ann.user_id,
            status=ClaimStatus.SUBMITTED,
            case_id=CASE,
            submitted_at=NOW - timedelta(days=7),
        ).id


def record(desk: Desk, *lines: Line) -> None:
    with db.transaction() as session:
        payments.record(session, desk.cast.account_id, Report(lines), {}, now=NOW)


def test_a_payment_is_told_in_the_thread_of_its_card(desk_on_both: Desk) -> None:
    desk = desk_on_both
    claim_id = file(desk, desk.post())
    card = desk.messages[-1]
    record(desk, line())
    assert not desk.deliver().left
    told = desk.messages[-1]
    assert told["thread_ts"] == card["ts"]
    assert told["text"].startswith(f"Recovered: Amazon paid 3 units, 37.02 USD for claim {claim_id} ")
    assert desk.deliver().sent == 0


def test_without_a_card_it_is_told_in_the_review_channel(desk: Desk) -> None:
    with db.transaction() as session:
        discrepancy_id = make_discrepancy(session, desk.cast.account_id).id
    file(desk, discrepancy_id)
    record(desk, line())
    desk.deliver()
    assert [m.get("thread_ts") for m in desk.messages if "Recovered" in m["text"]] == [None]


def test_a_lost_answer_is_looked_up_in_the_thread(desk: Desk, set_clock: Callable[..., None]) -> None:
    file(desk, desk.post())
    record(desk, line())
    desk.fail("chat.postMessage", "lost_answer")
    assert desk.deliver().left
    set_clock(NOW + timedelta(minutes=1))
    assert not desk.deliver().left
    assert len([m for m in desk.messages if m["text"].startswith("Recovered")]) == 1


def test_where_the_card_was_deleted_it_is_told_in_the_channel(desk: Desk) -> None:
    file(desk, desk.post())
    desk.messages.clear()
    record(desk, line())
    desk.deliver()
    assert [m.get("thread_ts") for m in desk.messages if m["text"].startswith("Recovered")] == [None]


def test_what_waits_is_told_in_the_channel_unless_a_person_was_faster(desk: Desk) -> None:
    claims = [file(desk, desk.post()) for _ in range(2)]
    record(desk, line(case_id=None))
    desk.deliver()
    assert "A payment to Acme" in desk.messages[-1]["text"]
    record(desk, line("b", case_id=None))
    with db.transaction() as session:
        by_hand.match(session, claims[0], reimbursement="R-b", actor=desk.cast.ann, now=NOW)
    delivered = desk.deliver()
    assert not delivered.left
    assert not [m for m in desk.messages if "R-b" in m["text"]]
