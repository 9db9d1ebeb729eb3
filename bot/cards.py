"""Cards as the database has them now: loaded, put into data for `blocks`, and brought up to date in Slack."""

from dataclasses import dataclass
from datetime import date, datetime

import structlog
from slack_sdk import WebClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

import outbox
from bot import blocks
from bot.client import SlackRefused, SlackTrouble, call, web_client
from bot.press import Press
from bot.text import marketplace_day
from claims import approvals, moves, queries, report_lines, requests, words
from claims.access import system_actor
from claims.approvals import Approvals
from claims.links import claim_link, discrepancy_link, to_decide_link
from claims.review import undo_until
from claims.steps import next_step
from clock import utcnow
from config import settings
from db import reading, transaction
from models import (
    AgencySettings,
    Approval,
    Claim,
    ClaimStatus,
    Client,
    Discrepancy,
    DiscrepancyStatus,
    OutboxMessage,
    Request,
)
from money import Money

log = structlog.get_logger()

# A card may change while it is being drawn and sent; a few turns settle it, and the outbox comes by anyway.
_TURNS = 3
_GONE = {"message_not_found", "edit_window_closed"}


@dataclass(frozen=True)
class Drawn:
    """A card as the database had it: the message, and where it stands (None: nowhere yet).

    `version` tells whether something that it shows has moved since: the discrepancy, or a claim made of it. `home` is
    the channel it belongs in, None where no channel is set.
    """

    message: blocks.Message
    version: tuple[int, ...]
    channel: str | None
    ts: str | None
    home: str | None


def draw(session: Session, discrepancy_id: int, *, now: datetime) -> Drawn:
    """Return the card of a discrepancy as of now. Raises NotFound."""
    found = queries.load_discrepancy(session, discrepancy_id, system_actor())
    standing, claim = approvals.of(session, found), standing_claim(found)
    asked = requests.oldest_open(session, claim.id) if claim else None
    message = blocks.card(_data(found, now, standing, asked))
    home = review_channel(session, found.account.client)
    moved = (claim.version for claim in found.claims)
    version = (found.version, *moved, len(standing.given), asked.id if asked else 0)
    return Drawn(message, version, found.card_channel, found.card_ts, home)


def draw_overflow(session: Session, row: OutboxMessage) -> tuple[blocks.Message, str | None]:
    """Return the message for the findings of an account that got no card, and its channel. Raises NotFound."""
    account = queries.load_account(session, int(row.payload["account_id"]), system_actor())
    data = blocks.Overflow(
        client=account.client.name,
        account=f"{account.name} ({account.marketplace})",
        count=int(row.payload["count"]),
        totals=_totals(session, row),
        link=to_decide_link(account.id),
    )
    return blocks.overflow(data), review_channel(session, account.client)


def review_channel(session: Session, client: Client) -> str | None:
    """Return where a client's findings are posted: the client's own channel, the agency's, or that of the settings."""
    agency = session.get(AgencySettings, 1)
    return client.review_channel or (agency.review_channel if agency else None) or settings().slack_review_channel


def update_card(client: WebClient, discrepancy_id: int) -> bool:
    """Make the card in Slack show what the database has; False where there is no card yet.

    Whoever of two updates is later may have read earlier: so the row is read again after the update, and drawn again
    if it has moved meanwhile. A card that a person deleted is left alone. Raises SlackTrouble, NotFound.
    """
    drawn = _drawn(discrepancy_id)
    for _ in range(_TURNS):
        if drawn.channel is None or drawn.ts is None:
            return False
        _send(client, drawn.channel, drawn.ts, drawn.message)
        sent, drawn = drawn, _drawn(discrepancy_id)
        if drawn.version == sent.version:
            break
    return True


def bring_up_to_date(press: Press, discrepancy_id: int) -> None:
    """Try once to make the pressed card right; the outbox does it again, so a failure is only logged."""
    client = web_client()
    try:
        if not update_card(client, discrepancy_id) and _know_its_place(press, discrepancy_id):
            update_card(client, discrepancy_id)
    except SlackTrouble as trouble:
        log.warning("slack_card_not_updated", discrepancy_id=discrepancy_id, error=str(trouble))


def _drawn(discrepancy_id: int) -> Drawn:
    with reading() as session:
        return draw(session, discrepancy_id, now=utcnow())


def _send(client: WebClient, channel: str, ts: str, message: blocks.Message) -> None:
    try:
        call(client.chat_update, channel=channel, ts=ts, text=message.text, blocks=message.blocks)
    except SlackRefused as refused:
        if refused.code not in _GONE:
            raise
        log.info("slack_card_gone", channel=channel, ts=ts, error=refused.code)


def _know_its_place(press: Press, discrepancy_id: int) -> bool:
    """Keep where the card stands when somebody presses before its sender could write that down."""
    if not press.channel or not press.message_ts:
        return False
    with transaction() as session:
        session.execute(
            update(Discrepancy)
            .where(Discrepancy.id == discrepancy_id, Discrepancy.card_ts.is_(None))
            .values(card_channel=press.channel, card_ts=press.message_ts, version=Discrepancy.version)
            .execution_options(synchronize_session=False)
        )
    return True


def standing_claim(found: Discrepancy) -> Claim | None:
    """Return the claim that stands for a discrepancy; one that was undone does not."""
    return next((claim for claim in reversed(found.claims) if claim.closed_reason != "undone"), None)


def _data(found: Discrepancy, now: datetime, standing: Approvals, asked: Request | None) -> blocks.Card:
    claim = None if found.status is DiscrepancyStatus.OPEN else standing_claim(found)
    today = marketplace_day(found.marketplace, now)
    lines = sorted(found.evidence, key=lambda line: (line.role != "loss", line.position))
    return blocks.Card(
        discrepancy_id=found.id,
        claim_type=found.claim_type,
        client=found.account.client.name,
        status=found.status,
        quantity=found.quantity,
        value=found.value,
        unit_value=found.unit_value,
        currency=found.currency,
        value_basis=found.value_basis,
        product=" · ".join(text for text in (found.title, found.fnsku, found.msku) if text),
        reference=f"{words.reference_name(found.reference_kind)} {found.reference_id}",
        event_date=found.event_date,
        closes_on=found.closes_on,
        today=today,
        policy=found.policy,
        policy_confirmed=found.policy_confirmed,
        link=claim_link(claim.id) if claim else discrepancy_link(found.id),
        caveats=tuple(caveat.code for caveat in found.caveats if caveat.cleared_at is None),
        cleared=tuple(caveat.code for caveat in found.caveats if caveat.cleared_at is not None),
        evidence=tuple(
            blocks.Line(e.file, e.line, e.role, report_lines.in_short(e.text, e.header))
            for e in lines[: blocks.EVIDENCE_SHOWN]
        ),
        more_evidence=max(len(lines) - blocks.EVIDENCE_SHOWN, 0),
        decision=_decision(found, now) or _half(standing),
        claim=_claim_line(claim, today, asked) if claim else None,
        approval=_approval(standing),
        is_ours=Approval.AGENCY in standing.needed,
    )


def _claim_line(claim: Claim, today: date, asked: Request | None) -> blocks.ClaimLine:
    is_to_file = claim.status is ClaimStatus.TO_SUBMIT
    facts = ["not filed yet"] if is_to_file else [words.claim_status_name(claim.status.value, claim.closed_reason)]
    if claim.recovered:
        facts.append(words.money(claim.recovered, claim.currency))
    if claim.case_id:
        facts.append(f"case {claim.case_id}")
    step = next_step(claim)
    if step.by is not None:
        told = step.told(today)
        facts.append(told[:1].lower() + told[1:])
    if asked:
        facts.append(f"the client is asked since {words.day(asked.asked_at.date())}")
    takes_replies = claim.status in moves.OPEN_AT_AMAZON or claim.status is ClaimStatus.REVERSED
    can_ask = claim.status not in requests.NOT_ASKED_ABOUT
    return blocks.ClaimLine(f"Claim {claim.id}: {', '.join(facts)}", is_to_file, takes_replies, can_ask)


def _half(standing: Approvals) -> blocks.Decision | None:
    """Return the agency's approval that waits for the client's; None where it is the agency's turn."""
    ours = standing.given.get(Approval.AGENCY)
    if ours is None or not standing.missing:
        return None
    return blocks.Decision(what="Approved", by=ours.user.label, at=ours.at, can_be_undone=True, waits_for="the client")


def _approval(standing: Approvals) -> str:
    """Return whose approval it needs besides the agency's, as a fact; empty where that is nobody's."""
    if theirs := standing.given.get(Approval.CLIENT):
        return f"Approved by {theirs.user.label} of the client"
    if Approval.CLIENT not in standing.needed:
        return ""
    is_alone = Approval.AGENCY not in standing.needed
    return "Only the client approves it, in the portal" if is_alone else "The client has to approve it too"


def _decision(found: Discrepancy, now: datetime) -> blocks.Decision | None:
    if found.status is DiscrepancyStatus.OPEN:
        return None
    is_by_person = found.status in {DiscrepancyStatus.APPROVED, DiscrepancyStatus.REJECTED}
    return blocks.Decision(
        what=words.status_name(found.status.value, found.status_reason),
        by=found.decided_by.label if is_by_person and found.decided_by else None,
        at=(found.decided_at if is_by_person else None) or found.updated_at,
        note=_note(found),
        can_be_undone=undo_until(found, now) is not None,
    )


def _note(found: Discrepancy) -> str:
    facts = []
    if found.status is DiscrepancyStatus.REJECTED and found.status_reason:
        last = next((e.note for e in reversed(found.history) if e.action == found.status.value), None)
        facts.append(words.reject_reason_name(found.status_reason) + (f": {last}" if last else ""))
    if found.is_changed_since_decision:
        facts.append("the reports have changed since: look at it again")
    return " · ".join(facts)


def _totals(session: Session, row: OutboxMessage) -> tuple[Money, ...]:
    """Return what the findings are worth that were told in the same moment as this message, and got no card."""
    have_a_card = select(OutboxMessage.discrepancy_id).where(
        OutboxMessage.kind == outbox.CARD, OutboxMessage.account_id == row.account_id
    )
    summed = (
        select(Discrepancy.currency, func.sum(Discrepancy.value))
        .where(Discrepancy.account_id == row.account_id, Discrepancy.announced_at == row.created_at)
        .where(Discrepancy.id.not_in(have_a_card))
        .group_by(Discrepancy.currency)
        .order_by(Discrepancy.currency)
    )
    return tuple(Money(value, currency) for currency, value in session.execute(summed) if currency and value)
