"""The answer to `/claims status`, as Block Kit. Pure, like `blocks`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.blocks import Block, Message, actions, header, link_button
from bot.text import clock_words, marketplace_day, or_dash, plain, short, value_words
from claims import words
from claims.queries import Deadline, StateTotal, StatusSummary
from claims.steps import next_step
from models import Claim, ClaimStatus

_LINE = 200
_TEXT = 1_000
_OPEN = "open"
_TO_FILE = "to_submit"


def status(summary: StatusSummary, *, whose: str, now: datetime, link: str) -> Message:
    """Return counts and money by state and the nearest deadlines. `whose` is a client's name, or "All clients"."""
    blocks = [header(whose)]
    if not summary.discrepancies and not summary.claims:
        nothing = "Nothing has been found yet. Findings appear here after an import of reports."
        return Message(plain(f"{whose}: {nothing}", _TEXT), [*blocks, _lines([nothing])])
    blocks += [
        _lines(["Discrepancies", *_states(summary.discrepancies, words.DISCREPANCY_STATUSES)]),
        _lines(["Claims", *(_states(summary.claims, words.CLAIM_STATUSES) or ["None yet: approving makes one."])]),
        _lines(["Nearest deadlines", *([_deadline(d, now) for d in summary.deadlines] or ["None ahead."])]),
        actions(link_button("Open the list", link)),
    ]
    return Message(plain(_sentence(summary, whose), _TEXT), blocks)


def claim_status(claim: Claim, *, now: datetime, link: str) -> Message:
    """Return where one claim stands. `claim` has its account, client and approver loaded."""
    name = f"Claim {claim.id} · {words.claim_type_name(claim.claim_type)} · {claim.account.client.name}"
    state = words.claim_status_name(claim.status.value, claim.closed_reason)
    worth = f"{words.units(claim.quantity)} · {value_words(claim.value, claim.currency)}"
    facts = [f"{state} · {worth}"]
    if claim.status is not ClaimStatus.CLOSED:
        facts.append(next_step(claim).told(marketplace_day(claim.account.marketplace, now)))
    if claim.case_id:
        facts.append(f"Amazon's case {claim.case_id}")
    facts.append(f"Approved by {claim.approved_by.label}, {clock_words(claim.created_at)}")
    said = f"{name}: {'; '.join(facts)}."
    return Message(plain(said, _TEXT), [header(name), _lines(facts), actions(link_button("Open the claim", link))])


def _states(totals: Sequence[StateTotal], names: Mapping[str, str]) -> list[str]:
    """Return one line a state, in the order of their life."""
    found = {total.status for total in totals}
    known = [code for code in names if code in found]
    lines = []
    for code in [*known, *sorted(found - set(known))]:
        mine = [total for total in totals if total.status == code]
        lines.append(f"{names.get(code, code)}: {_total(mine)}")
    return lines


def _total(totals: Sequence[StateTotal]) -> str:
    count = sum(total.count for total in totals)
    return " · ".join([f"{count:,}", *_amounts(totals)])


def _amounts(totals: Iterable[StateTotal]) -> list[str]:
    worths = [value_words(total.value, total.currency) for total in totals if total.value is not None]
    unknown = sum(total.count for total in totals if total.value is None)
    return [*worths, *([f"{unknown:,} of a value not known"] if unknown else [])]


def _deadline(deadline: Deadline, now: datetime) -> str:
    today = marketplace_day(deadline.marketplace, now)
    left = f"{words.day(deadline.closes_on)}, {words.days_left(deadline.closes_on, today)}"
    what = "Decide" if deadline.what == "discrepancy" else f"File claim {deadline.id}"
    name = words.claim_type_name(deadline.claim_type)
    return f"{left}: {what} · {name} · {short(deadline.client, 60)} · {value_words(deadline.value, deadline.currency)}"


def _sentence(summary: StatusSummary, whose: str) -> str:
    to_decide = [total for total in summary.discrepancies if total.status == _OPEN]
    to_file = [total for total in summary.claims if total.status == _TO_FILE]
    said = f"{short(whose, 150)}: to decide {_total(to_decide)}, claims to file {_total(to_file)}"
    if not summary.deadlines:
        return f"{said}."
    return f"{said}, next deadline {words.day(summary.deadlines[0].closes_on)}."


def _lines(lines: Sequence[str]) -> Block:
    text = "\n".join(or_dash(plain(line, _LINE)) for line in lines)
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
