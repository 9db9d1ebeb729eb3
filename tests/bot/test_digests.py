"""Digests as JSON: five lines and a link, whatever the figures and names are."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.statement import Bill, Figure, Statement, Sum
from billing.week import Week
from bot.blocks import Message
from bot.digest_blocks import Desk, Links, client_digest, staff_digest
from sandbox.slack.checks import check_message_blocks

WEEK = Week(date(2026, 11, 16), ZoneInfo("Europe/Berlin"))
LINK = "http://127.0.0.1:5000/portal/"
OFFICE = Links(
    today="http://127.0.0.1:5000/admin/",
    to_decide="http://decide/",
    to_file="http://file/",
    at_client="http://client/",
    stuck="http://stuck/",
    figures={figure: f"http://{figure.value}/" for figure in Figure},
)


def usd(count: int, money: str | None, units: int = 3) -> tuple[Sum, ...]:
    return (Sum("USD" if money else None, count, units, Decimal(money) if money else None),)


def told(sums: Mapping[Figure, tuple[Sum, ...]] | None = None, *bills: Bill) -> Statement:
    return Statement(WEEK, sums or {}, bills=bills)


def lines(message: Message) -> list[str]:
    text: str = message.blocks[1]["text"]["text"]
    return text.splitlines()


FULL = {
    Figure.RECOVERED: usd(2, "1234.50"),
    Figure.SINCE_START: (*usd(7, "9000"), Sum("EUR", 1, 1, Decimal("5.50"))),
    Figure.FOUND: usd(3, "50"),
    Figure.FILED: usd(2, "40"),
    Figure.REFUSED: usd(1, None),
    Figure.TO_ANSWER: usd(1, "37.02"),
    Figure.TO_APPROVE: usd(2, "37.02"),
    Figure.UNDER_WAY: usd(4, "100"),
    Figure.LAPSED: usd(1, "10"),
    Figure.PAID_BY_AMAZON: usd(1, "12"),
}
INVOICE = Bill(1, "R-7", "Acme", "USD", Decimal("246.90"))
CREDIT = Bill(2, "R-8", "Acme", "EUR", Decimal("-1.10"))


def test_a_client_reads_the_total_then_the_changes_then_what_is_wanted() -> None:
    message = client_digest(told(FULL, INVOICE, CREDIT), client="Acme", link=LINK)
    assert lines(message) == [
        "1,234.50 USD recovered last week. Since the start: 9,000.00 USD + 5.50 EUR.",
        "Since the week before: 3 found · 2 filed · 1 refused · 1 lapsed · 1 paid by Amazon itself.",
        "We need your answer about 1 claim and your approval of 2 losses.",
        "Under way: 100.00 USD (4 claims · 3 units).",
        "Invoice R-7: 246.90 USD · Credit note R-8: 1.10 EUR.",
    ]
    assert message.text.startswith("Acme · 16–22 Nov 2026: 1,234.50 USD recovered last week.")


def test_the_staff_read_what_waits_for_them_and_get_there_by_a_click() -> None:
    desk = Desk(to_decide=12, to_file=5, stuck=1, unbilled=[f"Client {n}" for n in range(7)])
    message = staff_digest(told(FULL, INVOICE, CREDIT), desk, OFFICE)
    assert lines(message)[1:] == [
        "Since the week before: <http://found/|3 found> · <http://filed/|2 filed> · <http://refused/|1 refused> · "
        "<http://lapsed/|1 lapsed> · <http://paid_by_amazon/|1 paid by Amazon itself>.",
        "For you: <http://decide/|12 to decide> · <http://file/|5 to file> · <http://client/|3 waiting for a client> · "
        "<http://stuck/|1 message to look at> · not billed for want of an address: `Client 0`, `Client 1`, `Client 2`, "
        "`Client 3`, `Client 4` and 2 more.",
        "Under way: 100.00 USD (4 claims · 3 units).",
        "1 credit note: -1.10 EUR · 1 invoice: 246.90 USD.",
    ]
    assert "For you: 12 to decide · 5 to file" in message.text
    assert "http" not in message.text


def test_a_quiet_week_says_so_in_five_lines() -> None:
    assert lines(client_digest(told(), client="Acme", link=LINK)) == [
        "Nothing was recovered last week. Since the start: nothing.",
        "Since the week before: no other change.",
        "Nothing is wanted from you.",
        "Nothing is under way.",
        "No invoice.",
    ]


def test_nothing_can_be_pressed_in_a_clients_channel() -> None:
    message = client_digest(told(FULL), client="Acme", link=LINK)
    assert {block["type"] for block in message.blocks} == {"header", "section"}
    assert message.blocks[-1]["text"]["text"] == f"<{LINK}|Open your portal>"


SUMS = st.builds(
    Sum,
    currency=st.sampled_from(["USD", "EUR", "JPY"]),
    count=st.integers(1, 10**9),
    units=st.integers(0, 10**12),
    money=st.decimals(-(10**12), 10**12, places=2),
    in_stock=st.integers(0, 1000),
)


@settings(max_examples=60, deadline=None)
@given(
    sums=st.dictionaries(st.sampled_from(Figure), st.lists(SUMS, min_size=1, max_size=12).map(tuple)),
    name=st.text(max_size=300),
    number=st.text(max_size=40),
)
def test_slack_takes_every_digest_and_no_name_becomes_a_mark(
    sums: dict[Figure, tuple[Sum, ...]], name: str, number: str
) -> None:
    statement = told(sums, *[Bill(1, number, name, "USD", Decimal(1))] * 20)
    for message in (
        client_digest(statement, client=name, link=LINK),
        staff_digest(statement, Desk(1, 2, 3, [name] * 9), OFFICE),
    ):
        check_message_blocks(message.blocks)
        assert len(lines(message)) == 5
        assert "<!" not in message.text
        assert "<!" not in message.blocks[1]["text"]["text"]


@pytest.mark.parametrize("name", ["<!channel>", "*bold* `code`", "\n\n"])
def test_a_strange_name_is_shown_as_it_is(name: str) -> None:
    message = client_digest(told(), client=name, link=LINK)
    assert "<!channel>" not in message.blocks[0]["text"]["text"]
    assert message.blocks[0]["text"]["type"] == "plain_text"
