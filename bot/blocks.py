"""What Recoup posts, as Block Kit. Pure: data in, blocks out; cards are tested as JSON.

A card is read in three seconds: what and whose, how much and how long, why, what to check, what it rests on, what to
press. After the decision it shrinks to who and when. Limits of Block Kit: one text too long and Slack refuses the whole
message, so that every outside text is cut at its own block, and the sum stays far below what a message may hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot import ids
from bot.text import clock_words, code, moment, or_dash, plain, short, value_words
from claims import words
from models import DiscrepancyStatus
from money import Money

Block = dict[str, Any]

HEADER_LIMIT = 150
LABEL_LIMIT = 75
SECTION_LIMIT = 600
CONTEXT_LIMIT = 300
FILE_LIMIT = 120
LINE_LIMIT = 300
EVIDENCE_SHOWN = 3
CAVEATS_SHOWN = 5
TEXT_LIMIT = 1_000


@dataclass(frozen=True)
class Line:
    """One report line a card rests on, in short. `line` counts from 1, the header being line 1."""

    file: str
    line: int
    role: str
    text: str


@dataclass(frozen=True)
class Decision:
    """What became of a discrepancy. `what` is in words ("Approved"); `by` is None where no person decided.

    `waits_for` says who has to decide too ("the client"); until then it can still be rejected.
    """

    what: str
    by: str | None
    at: datetime
    note: str = ""
    can_be_undone: bool = False
    waits_for: str = ""


@dataclass(frozen=True)
class ClaimLine:
    """Where the claim stands that was made of it, in one line, and what can be pressed about it."""

    text: str
    is_to_file: bool = False
    takes_replies: bool = False
    can_ask: bool = False


@dataclass(frozen=True)
class Card:
    """A discrepancy as its card shows it. Codes are put in words here; `today` is a day of the marketplace.

    `value` and `currency` are None where nothing tells the value. `caveats` are the codes still to be cleared,
    `cleared` those that a person has cleared. `decision` is None while it is to be decided. `approval` says whose
    approval it needs besides; where it is the client's alone, `is_ours` is false and nobody can approve it here.
    """

    discrepancy_id: int
    claim_type: str
    client: str
    status: DiscrepancyStatus
    quantity: int
    value: Decimal | None
    unit_value: Decimal | None
    currency: str | None
    value_basis: str
    product: str
    reference: str
    event_date: date
    closes_on: date
    today: date
    policy: str
    policy_confirmed: bool
    link: str
    caveats: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    evidence: tuple[Line, ...] = ()
    more_evidence: int = 0
    decision: Decision | None = None
    claim: ClaimLine | None = None
    approval: str = ""
    is_ours: bool = True


@dataclass(frozen=True)
class Overflow:
    """The findings of one run that got no card of their own. `totals` has one amount a currency, known values only."""

    client: str
    account: str
    count: int
    totals: tuple[Money, ...]
    link: str


@dataclass(frozen=True)
class Message:
    """What is sent: `text` is what screen readers and notifications read, one whole sentence."""

    text: str
    blocks: list[Block]


def card(data: Card) -> Message:
    """Return the card of a discrepancy, to be decided or decided."""
    return _decided_card(data, data.decision) if data.decision else _open_card(data)


def overflow(data: Overflow) -> Message:
    """Return the one message for the findings beyond a run's cards: their number, their worth, and where they are."""
    more = "1 more discrepancy" if data.count == 1 else f"{data.count:,} more discrepancies"
    worth = " and ".join(map(str, data.totals)) or f"a value that is {words.NOT_KNOWN}"
    whose = f"{data.client} · {data.account}"
    said = f"{more} to decide for {short(whose, CONTEXT_LIMIT)}, worth {worth}, without a card of their own."
    blocks = [
        header(f"{more} · {data.client}"),
        _section(f"Worth {worth} in all. They have no card here, so that the channel stays readable."),
        _context(data.account),
        actions(link_button("Open the list", data.link)),
    ]
    return Message(plain(said, TEXT_LIMIT), blocks)


def sentence(data: Card) -> str:
    """Return the whole card as one sentence, for those who hear it and for notifications."""
    name = words.claim_type_name(data.claim_type)
    lead = f"{name} for {short(data.client, HEADER_LIMIT)}: {words.units(data.quantity)} worth {_worth(data)}"
    if data.decision:
        claim = f" {data.claim.text}." if data.claim else ""
        return plain(f"{lead}. {_who(data.decision)}, {clock_words(data.decision.at)}.{claim}", TEXT_LIMIT)
    deadline = f"{words.day(data.closes_on)}, {words.days_left(data.closes_on, data.today)}"
    return plain(f"{lead}, to be filed by {deadline}.", TEXT_LIMIT)


def _open_card(data: Card) -> Message:
    deadline = f"{words.days_left(data.closes_on, data.today)} ({words.day(data.closes_on)})"
    blocks = [
        header(_title(data)),
        _section(f"{words.units(data.quantity)} · {_worth(data)} · {deadline}"),
        _section(_why(data)),
        *_checks(data),
        *[_evidence_line(line) for line in data.evidence[:EVIDENCE_SHOWN]],
        _context(*_rests_on(data)),
        actions(*_buttons(data)),
    ]
    return Message(sentence(data), blocks)


def _decided_card(data: Card, decision: Decision) -> Message:
    summary = f"{_title(data)} · {words.units(data.quantity)} · {_worth(data)}"
    facts = [_plain_text(_who(decision), CONTEXT_LIMIT), {"type": "mrkdwn", "text": moment(decision.at)}]
    facts += [
        _plain_text(text, CONTEXT_LIMIT) for text in (data.claim.text if data.claim else "", decision.note) if text
    ]
    undo = [_button("Undo", ids.UNDO, data, spoken=f"Undo: {decision.what}")] if decision.can_be_undone else []
    if decision.waits_for:
        undo.append(_reject_button(data))
    blocks = [
        _section(summary),
        {"type": "context", "elements": facts},
        actions(*_claim_buttons(data), *undo, link_button("Open in the back office", data.link)),
    ]
    return Message(sentence(data), blocks)


def _claim_buttons(data: Card) -> list[Block]:
    """Return what can be done about the claim; the one that comes next is the primary one."""
    if data.claim is None:
        return []
    what = _title(data)
    ask = [_button("Ask the client…", ids.ASK, data, spoken=f"Ask the client: {what}")] if data.claim.can_ask else []
    if data.claim.is_to_file:
        show = _button("What to file", ids.WHAT_TO_FILE, data, spoken=f"What to file: {what}")
        return [show | {"style": "primary"}, _button("Filed…", ids.FILED, data, spoken=f"Filed: {what}"), *ask]
    if data.claim.takes_replies:
        return [_button("Amazon replied…", ids.REPLIED, data, spoken=f"Amazon replied: {what}"), *ask]
    return ask


def _title(data: Card) -> str:
    return f"{words.claim_type_name(data.claim_type)} · {data.client}"


def _worth(data: Card) -> str:
    return value_words(data.value, data.currency)


def _who(decision: Decision) -> str:
    who = f"{decision.what} by {short(decision.by, HEADER_LIMIT)}" if decision.by else decision.what
    return f"{who}, waiting for {decision.waits_for}" if decision.waits_for else who


def _why(data: Card) -> str:
    """Say in one sentence what happened, to what, when, and why it is worth that much."""
    what = words.claim_type_line(data.claim_type) or words.claim_type_name(data.claim_type)
    basis = words.value_basis_line(data.value_basis) or words.value_basis_name(data.value_basis)
    each = "" if data.unit_value is None else f"{words.money(data.unit_value, data.currency)} a unit: "
    return f"{what[:1].upper()}{what[1:]} on {words.day(data.event_date)} ({each}{basis}). {short(data.product, 250)}"


def _checks(data: Card) -> list[Block]:
    if not data.caveats:
        return []
    lines = [f"• {words.caveat_name(c)}. {words.caveat_line(c)}".rstrip() for c in data.caveats[:CAVEATS_SHOWN]]
    text = "\n".join(plain(line, CONTEXT_LIMIT) for line in lines)
    return [{"type": "section", "text": {"type": "mrkdwn", "text": f"*Check first*\n{text}"}}]


def _evidence_line(line: Line) -> Block:
    where = f"{code(line.file, FILE_LIMIT)}, line {line.line:,} · {words.evidence_role_name(line.role)}"
    return {"type": "section", "text": {"type": "mrkdwn", "text": f"{where}\n{code(line.text, LINE_LIMIT)}"}}


def _rests_on(data: Card) -> list[str]:
    facts = [words.policy_name(data.policy, is_confirmed=data.policy_confirmed), data.reference]
    if data.more_evidence:
        more = "1 more line" if data.more_evidence == 1 else f"{data.more_evidence:,} more lines"
        facts.append(f"{more} of evidence in the back office")
    if data.cleared:
        facts.append("Checked: " + ", ".join(map(words.caveat_name, data.cleared)))
    facts.append(data.approval)
    return [fact for fact in facts if fact]


def _buttons(data: Card) -> Sequence[Block]:
    first = []
    if data.caveats:
        first = [_button("Clear…", ids.CLEAR, data, spoken=f"Clear what is to be checked: {_title(data)}")]
    elif data.is_ours:
        amount = words.units(data.quantity) if data.value is None else _worth(data)
        approve = _button(f"Approve {amount}", ids.APPROVE, data, spoken=f"Approve {amount}: {_title(data)}")
        first = [approve | {"style": "primary"}]
    return *first, _reject_button(data), link_button("Open in the back office", data.link)


def _reject_button(data: Card) -> Block:
    return _button("Reject…", ids.REJECT, data, spoken=f"Reject: {_title(data)}")


def header(text: str) -> Block:
    """Return a headline of outside text."""
    return {"type": "header", "text": _plain_text(text, HEADER_LIMIT)}


def _section(text: str) -> Block:
    return {"type": "section", "text": _plain_text(text, SECTION_LIMIT)}


def _context(*texts: str) -> Block:
    return {"type": "context", "elements": [_plain_text(text, CONTEXT_LIMIT) for text in texts]}


def actions(*buttons: Block) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def _button(label: str, action_id: str, data: Card, *, spoken: str) -> Block:
    return {
        "type": "button",
        "action_id": action_id,
        "text": _plain_text(label, LABEL_LIMIT),
        "value": str(data.discrepancy_id),
        "accessibility_label": plain(spoken, LABEL_LIMIT),
    }


def link_button(label: str, url: str) -> Block:
    """Return a button that opens a page of ours."""
    return {"type": "button", "action_id": ids.OPEN_PAGE, "text": _plain_text(label, LABEL_LIMIT), "url": url}


def _plain_text(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": or_dash(plain(text, limit)), "emoji": False}
