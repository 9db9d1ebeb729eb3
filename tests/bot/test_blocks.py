"""Cards as JSON: what they say, and that nothing from outside can break or disguise them."""

import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import blocks, claim_forms, decision_forms, ids
from bot.form_parts import About, notice
from bot.text import code, code_lines, plain
from claims import outcomes
from errors import InvalidInput
from models import ClaimStatus, DiscrepancyStatus, RejectReason
from money import Money
from sandbox.slack.checks import check_message_blocks, check_view, text_length
from tests.bot.conftest import action_ids, shown

MUG = blocks.Card(
    discrepancy_id=7,
    claim_type="warehouse_lost",
    client="Acme",
    status=DiscrepancyStatus.OPEN,
    quantity=3,
    value=Decimal("37.02"),
    unit_value=Decimal("12.34"),
    currency="USD",
    value_basis="manufacturing_cost",
    product="Blue mug · X001 · SKU-1",
    reference="Ledger reference R1",
    event_date=date(2026, 10, 1),
    closes_on=date(2026, 11, 30),
    today=date(2026, 11, 21),
    policy="us/2024-10-23",
    policy_confirmed=True,
    link="http://127.0.0.1:5000/admin/discrepancies/7/",
    evidence=(blocks.Line("ledger.txt", 1234, "loss", "10/01/2026 | X001 | -3 | M"),),
)
APPROVED = blocks.Decision("Approved", "Ann", datetime(2026, 11, 21, 9, 14, tzinfo=UTC), can_be_undone=True)
HOSTILE = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="<>&`*_~|!@#\n\t\x00 ", max_size=5_000),
    st.sampled_from(["<!channel>", "&lt;", "<@U123>", "</b>", "&" * 5_000, "💥" * 3_000, "", " ", "```", "\u202e"]),
)


def test_open_card_is_read_from_top_to_bottom() -> None:
    message = blocks.card(MUG)
    assert shown({"blocks": message.blocks}).splitlines() == [
        "Lost in the warehouse · Acme",
        "3 units · 37.02 USD · in 9 days (30 Nov 2026)",
        "Amazon misplaced units and did not find or pay for them on 1 Oct 2026 (12.34 USD a unit: the unit cost in the "
        "seller's own file on the day of the loss). Blue mug · X001 · SKU-1",
        "`ledger.txt`, line 1,234 · The loss",
        "`10/01/2026 | X001 | -3 | M`",
        "US rules from 23 Oct 2024, confirmed",
        "Ledger reference R1",
        "Approve 37.02 USD",
        "Reject…",
        "Open in the back office",
    ]
    assert message.text == (
        "Lost in the warehouse for Acme: 3 units worth 37.02 USD, to be filed by 30 Nov 2026, in 9 days."
    )


def test_buttons_name_the_row_and_one_is_primary() -> None:
    approve, reject, link = _buttons(MUG)
    assert (approve["action_id"], approve["value"], approve["style"]) == (ids.APPROVE, "7", "primary")
    assert (reject["action_id"], reject["value"], reject.get("style")) == (ids.REJECT, "7", None)
    assert link["url"].endswith("/admin/discrepancies/7/")
    assert approve["accessibility_label"] == "Approve 37.02 USD: Lost in the warehouse · Acme"


def test_caveat_is_to_be_checked_first_and_takes_approve_away() -> None:
    message = blocks.card(replace(MUG, caveats=("partial_coverage",), cleared=("in_research",)))
    said = shown({"blocks": message.blocks})
    assert "*Check first*\n• The newest reports are missing. The last days are not covered" in said
    assert "Checked: Amazon is still looking for units" in said
    assert action_ids({"blocks": message.blocks}) == [ids.CLEAR, ids.REJECT, ids.OPEN_PAGE]


def test_unknown_value_is_said_and_never_zero() -> None:
    message = blocks.card(replace(MUG, value=None, unit_value=None, currency=None, value_basis="unknown"))
    said = shown({"blocks": message.blocks})
    assert "3 units · value not known · in 9 days" in said
    assert "Approve 3 units" in said
    assert "no cost, sale or reimbursement in the input tells the value" in said
    assert " 0" not in said.replace("2026", "")
    assert "worth value not known" in message.text


def test_policy_that_nobody_confirmed_is_shown_as_such() -> None:
    assert "not confirmed by Amazon" in shown({"blocks": blocks.card(replace(MUG, policy_confirmed=False)).blocks})


def test_three_lines_of_evidence_are_shown_and_the_rest_counted() -> None:
    lines = tuple(blocks.Line("ledger.txt", n, "loss", "text") for n in range(1, 6))
    said = shown({"blocks": blocks.card(replace(MUG, evidence=lines, more_evidence=2)).blocks})
    assert said.count("`ledger.txt`") == 3
    assert "2 more lines of evidence in the back office" in said


def test_decided_card_says_who_and_when_and_can_be_undone() -> None:
    message = blocks.card(replace(MUG, decision=APPROVED))
    said = shown({"blocks": message.blocks})
    assert "Lost in the warehouse · Acme · 3 units · 37.02 USD" in said
    assert "Approved by Ann" in said
    assert "<!date^1795252440^{date_short_pretty}, {time}|21 Nov 2026, 09:14 UTC>" in said
    assert action_ids({"blocks": message.blocks}) == [ids.UNDO, ids.OPEN_PAGE]
    assert message.text.endswith("Approved by Ann, 21 Nov 2026, 09:14 UTC.")


def test_decided_card_loses_undo() -> None:
    late = replace(MUG, decision=replace(APPROVED, can_be_undone=False))
    assert action_ids({"blocks": blocks.card(late).blocks}) == [ids.OPEN_PAGE]


@pytest.mark.parametrize(
    ("claim", "buttons"),
    [
        (blocks.ClaimLine("Claim 3: not filed yet", is_to_file=True), [ids.WHAT_TO_FILE, ids.FILED]),
        (blocks.ClaimLine("Claim 3: Filed, case 123456", takes_replies=True), [ids.REPLIED]),
        (blocks.ClaimLine("Claim 3: Filed", takes_replies=True, can_ask=True), [ids.REPLIED, ids.ASK]),
        (blocks.ClaimLine("Claim 3: Closed: refused by Amazon"), []),
    ],
)
def test_decided_card_follows_its_claim(claim: blocks.ClaimLine, buttons: list[str]) -> None:
    decision = replace(APPROVED, can_be_undone=False)
    message = blocks.card(replace(MUG, decision=decision, claim=claim))
    assert claim.text in shown({"blocks": message.blocks})
    assert action_ids({"blocks": message.blocks}) == [*buttons, ids.OPEN_PAGE]
    assert message.text.endswith(f"09:14 UTC. {claim.text}.")
    assert sum(button.get("style") == "primary" for button in message.blocks[-1]["elements"]) == bool(claim.is_to_file)


def test_an_approval_that_waits_for_the_client_can_be_taken_back_or_rejected() -> None:
    half = replace(APPROVED, can_be_undone=True, waits_for="the client")
    message = blocks.card(replace(MUG, decision=half))
    assert "Approved by Ann, waiting for the client" in shown({"blocks": message.blocks})
    assert action_ids({"blocks": message.blocks}) == [ids.UNDO, ids.REJECT, ids.OPEN_PAGE]


def test_what_the_client_alone_approves_cannot_be_approved_here() -> None:
    message = blocks.card(replace(MUG, approval="Only the client approves it, in the portal", is_ours=False))
    assert "Only the client approves it, in the portal" in shown({"blocks": message.blocks})
    assert action_ids({"blocks": message.blocks}) == [ids.REJECT, ids.OPEN_PAGE]


def test_overflow_says_how_many_what_worth_and_where() -> None:
    totals = (Money(Decimal("20"), "CAD"), Money(Decimal("1234.5"), "USD"))
    message = blocks.overflow(blocks.Overflow("Acme", "Main (US)", 25, totals, "http://127.0.0.1:5000/admin/x"))
    said = shown({"blocks": message.blocks})
    assert "25 more discrepancies · Acme" in said
    assert "Worth 20.00 CAD and 1,234.50 USD in all" in said
    assert message.blocks[-1]["elements"][0]["url"] == "http://127.0.0.1:5000/admin/x"
    assert message.text.startswith("25 more discrepancies to decide for Acme · Main (US), worth 20.00 CAD and 1,234.50")


@settings(max_examples=150, deadline=None)
@given(st.tuples(*[HOSTILE] * 6))
def test_nothing_from_outside_breaks_a_card(texts: tuple[str, ...]) -> None:
    client, product, line, file, who, note = texts
    evidence = tuple(blocks.Line(file, n, "loss", line) for n in range(3))
    hostile = replace(MUG, client=client, product=product, reference=product, evidence=evidence)
    decision = replace(APPROVED, by=who, note=note)
    overflow = blocks.Overflow(client, product, 2, (), MUG.link)
    caveats = ("partial_coverage", "reconciled_later", "in_research", "ledger_incomplete")
    for message in (
        blocks.card(replace(hostile, caveats=caveats, cleared=("cost_without_source",), more_evidence=9)),
        blocks.card(replace(hostile, decision=decision)),
        blocks.card(replace(hostile, decision=decision, claim=blocks.ClaimLine(note, is_to_file=True))),
        blocks.overflow(overflow),
    ):
        assert check_message_blocks(message.blocks) == []
        assert text_length(message.blocks) < 9_000
        assert 0 < len(message.text) < 4_000
        for text in [message.text, *_texts(message.blocks)]:
            assert _marks(text) <= {"date"}, text


@settings(max_examples=60, deadline=None)
@given(title=HOSTILE, code_=st.sampled_from([("in_research",), ("in_research", "partial_coverage")]))
def test_nothing_from_outside_breaks_a_form(title: str, code_: tuple[str, ...]) -> None:
    about = About(7, "C1", "1.2")
    for view in (
        decision_forms.reject_form(about, title=title),
        decision_forms.clear_form(about, title=title, caveats=code_),
    ):
        assert check_view(view) == []
        assert all(not _marks(text) for text in _texts(view["blocks"]))


@settings(max_examples=100, deadline=None)
@given(st.tuples(*[HOSTILE] * 4))
def test_nothing_from_outside_breaks_what_is_shown_of_a_claim(texts: tuple[str, ...]) -> None:
    title, subject, text, attach = texts
    about = claim_forms.AboutClaim(7, "C1", "1.2", claim_id=3, seen="submitted", today="2026-11-23")
    for view in (
        claim_forms.packet_sheet(subject, text, attach=[attach], warning=title, link=MUG.link),
        claim_forms.filed_form(about, title=title),
        claim_forms.replied_form(about, title=title, offered=outcomes.choices(ClaimStatus.SUBMITTED)),
    ):
        assert check_view(view) == []
        assert all(not _marks(text) for text in _texts(view["blocks"]))


@given(st.text(alphabet="ab`&<\n 💥", max_size=600), st.integers(min_value=40, max_value=200))
def test_a_long_text_is_copied_in_parts_between_code_marks(text: str, limit: int) -> None:
    parts = code_lines(text, limit)
    assert all(len(part.encode("utf-16-le")) // 2 <= limit for part in parts)
    assert all(part.count("`") == 6 and part.startswith("```\n") and part.endswith("\n```") for part in parts)


def test_the_text_to_file_keeps_its_lines() -> None:
    assert code_lines("Hello,\n\nFNSKU: <X>\n", 100) == ["```\nHello,\n\nFNSKU: &lt;X&gt;\n```"]
    assert code_lines("", 100) == ["```\n–\n```"]


@pytest.mark.parametrize(
    "metadata", ["", "{}", '{"discrepancy_id": 1, "claim_id": true, "today": "2026-11-23"}',
                 '{"discrepancy_id": 1, "claim_id": 2, "today": "x"}', '{"discrepancy_id": 1, "today": "2026-11-23"}']
)  # fmt: skip
def test_form_about_no_claim_is_an_error(metadata: str) -> None:
    with pytest.raises(InvalidInput, match="names no claim"):
        claim_forms.about({"private_metadata": metadata})


@given(st.text(max_size=300), st.integers(min_value=1, max_value=80))
def test_cut_text_holds_its_limit_and_no_entity_is_cut(text: str, limit: int) -> None:
    made = plain(text, limit)
    assert len(made.encode("utf-16-le")) // 2 <= limit
    assert re.sub(r"&(amp|lt|gt);", "", made).count("&") == 0
    whole = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert whole.startswith(html.unescape(made.removesuffix("…")).rstrip()) or html.unescape(made) == whole


def test_code_marks_cannot_be_closed_from_inside() -> None:
    assert code("a`b``c", 100) == "`a'b''c`"
    assert code("", 100) == "`–`"


def test_reject_form_offers_every_reason() -> None:
    view = decision_forms.reject_form(About(7), title="x")
    options = view["blocks"][1]["element"]["options"]
    assert [option["value"] for option in options] == [reason.value for reason in RejectReason]


@pytest.mark.parametrize("metadata", ["", "[]", "{}", "not json"])
def test_form_that_is_none_of_ours_is_an_error(metadata: str) -> None:
    with pytest.raises(InvalidInput, match="form"):
        decision_forms.about({"private_metadata": metadata})


def test_notice_is_a_form_that_slack_takes() -> None:
    assert check_view(notice("Decide in the back office. " * 50)) == []


def _buttons(data: blocks.Card) -> list[dict[str, Any]]:
    return blocks.card(data).blocks[-1]["elements"]


def _texts(part: Any) -> list[str]:
    return shown({"blocks": part}).splitlines()


def _marks(text: str) -> set[str]:
    """Return what Slack would read as a mark of its own: `<!channel>`, `<@U1>`, a link."""
    return {found.strip("!").split("^")[0] for found in re.findall(r"<([^>]*)>?", text)}
