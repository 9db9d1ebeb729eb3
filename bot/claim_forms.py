"""What Slack shows about a claim: what is to be filed, and the forms for Amazon's case and Amazon's reply. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot import form_parts as parts
from bot import ids
from bot.blocks import actions, link_button
from bot.form_parts import About, View
from bot.text import code_lines
from claims import outcomes, words
from claims.filing import checked_case_id
from claims.outcomes import Outcome
from errors import InvalidInput
from models import ClaimStatus

NOTHING_YET = "none"
_REPLY_MOST = 3_000
_CASE_MOST = 80
_CODE_LIMIT = 2_900
_CODE_PARTS = 8
# What Slack offers: all that needs no note of ours.
_OFFERED = frozenset({"needs_info", "submitted", "denied", "appealed", "closed:refused", "closed:withdrawn"})
_NEEDS_THE_REPLY = frozenset({NOTHING_YET, "needs_info", "denied", "closed:refused"})


@dataclass(frozen=True, kw_only=True)
class AboutClaim(About):
    """The claim that a form is about. `seen` is the state that the person saw, `today` the marketplace's day then."""

    claim_id: int
    seen: str
    today: str


@dataclass(frozen=True)
class Filed:
    """A filled-in Filed form. `errors` names the fields to correct; then nothing else counts."""

    case_id: str
    errors: dict[str, str]


@dataclass(frozen=True)
class Replied:
    """A filled-in Amazon replied form. `outcome` is None where the state stays; see Filed for `errors`."""

    outcome: Outcome | None
    reply: str | None
    next_on: date | None
    errors: dict[str, str]


def packet_sheet(subject: str, text: str, *, attach: Sequence[str], warning: str, link: str) -> View:
    """Return what is to be filed, to be copied: the text of Seller Support, and where the evidence is."""
    blocks = [
        *([parts.said(warning)] if warning else []),
        *_to_copy("Subject", subject),
        *_to_copy("Text", text),
        parts.said(f"Attach {'; '.join(attach)}."),
        actions(link_button("Open the claim, with evidence (CSV)", link)),
    ]
    return parts.sheet("What to file", blocks)


def filed_form(about: AboutClaim, *, title: str) -> View:
    """Return the form that asks for Amazon's case."""
    hint = "Seller Support shows it on the case."
    case = parts.written(ids.CASE_ID, "Amazon's case ID", longest=_CASE_MOST, needed=True, lines=False, hint=hint)
    return parts.form(ids.FILED_VIEW, "Filed with Amazon", "Record", about.packed(), [parts.said(title), case])


def replied_form(about: AboutClaim, *, title: str, offered: Sequence[Outcome]) -> View:
    """Return the form that keeps what Amazon wrote and what it comes to."""
    nothing = parts.option(NOTHING_YET, "It changes nothing yet")
    options = [nothing, *(parts.option(each.code, each.label) for each in offered if each.code in _OFFERED)]
    fields = [
        parts.said(title),
        parts.select(ids.OUTCOME, "What it comes to", options, chosen=nothing),
        parts.written(ids.REPLY, "What Amazon wrote", longest=_REPLY_MOST, needed=False),
        parts.day(ids.NEXT_ON, "Next to act on", hint="Only if a day is set."),
    ]
    return parts.form(ids.REPLIED_VIEW, "Amazon replied", "Record", about.packed(), fields)


def about(view: View) -> AboutClaim:
    """Return what a sent form is about. Raises InvalidInput where its metadata is none of ours."""
    found = parts.metadata_of(view) or {}
    are_ids = all(parts.is_id(found.get(name)) for name in ("discrepancy_id", "claim_id"))
    if not are_ids or not _is_day(found.get("today")):
        raise InvalidInput("This form names no claim.", todo="Record it in the back office.")
    channel, message_ts, seen = (parts.text_or_none(found.get(name)) for name in ("channel", "message_ts", "seen"))
    return AboutClaim(
        found["discrepancy_id"], channel, message_ts, claim_id=found["claim_id"], seen=seen or "", today=found["today"]
    )


def filed(view: View) -> Filed:
    """Read a sent Filed form."""
    try:
        return Filed(checked_case_id(parts.written_in(view, ids.CASE_ID)), {})
    except InvalidInput as wrong:
        return Filed("", {ids.CASE_ID: str(wrong)})


def replied(view: View, *, about: AboutClaim) -> Replied:
    """Read a sent Amazon replied form."""
    code = parts.chosen_in(view, ids.OUTCOME) or NOTHING_YET
    outcome, reply = outcomes.chosen(code), parts.written_in(view, ids.REPLY)
    errors = {}
    if reply is None and code in _NEEDS_THE_REPLY:
        errors[ids.REPLY] = "Paste what Amazon wrote."
    if outcome is None and code != NOTHING_YET:
        errors[ids.OUTCOME] = "Choose what it comes to."
    day = parts.day_in(view, ids.NEXT_ON)
    next_on = date.fromisoformat(day) if day and _is_day(day) else None
    if next_on is not None and next_on < date.fromisoformat(about.today):
        errors[ids.NEXT_ON] = f"{words.day(next_on)} has passed."
    if next_on is not None and outcome is not None and outcome.status is ClaimStatus.CLOSED:
        errors[ids.NEXT_ON] = "A closed claim has no next step: leave the day out."
    return Replied(outcome, reply, next_on, errors)


def _to_copy(name: str, text: str) -> list[View]:
    """Return a text in blocks that Slack lets a person copy."""
    shown = code_lines(text, _CODE_LIMIT)[:_CODE_PARTS]
    return [_mrkdwn(f"*{name}*\n{shown[0]}"), *map(_mrkdwn, shown[1:])]


def _mrkdwn(text: str) -> View:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _is_day(text: object) -> bool:
    try:
        return bool(date.fromisoformat(str(text)))
    except ValueError:
        return False
