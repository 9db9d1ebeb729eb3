"""The buttons of an approved card: *What to file*, *Filed…*, and once it is filed *Amazon replied…*."""

from typing import Any

from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot import claim_forms, ids
from bot.claim_forms import AboutClaim
from bot.handlers.answering import answers_errors, is_taken, one_move
from bot.handlers.forms import about_claim, claim_of, open_form, title_of
from bot.press import Press, row_id
from claims import filing, outcomes, words
from claims.access import Actor
from claims.links import claim_link
from claims.packet import packet
from clock import utcnow
from errors import Moved
from models import ClaimStatus

_CHANGED = "The newest reports show another quantity or value than the one that was approved: look at it again first."


def register(app: App) -> None:
    """Listen for the buttons and for the sent forms."""
    app.action(ids.WHAT_TO_FILE)(show_packet)
    app.action(ids.FILED)(ask_case)
    app.action(ids.REPLIED)(ask_reply)
    app.view(ids.FILED_VIEW)(file)
    app.view(ids.REPLIED_VIEW)(keep_reply)


@answers_errors
def show_packet(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Show the text to paste into Seller Support."""
    ack()
    press = Press.of(body)
    claim = claim_of(press, row_id(action))
    filed = packet(claim)
    warning = _CHANGED if any(row.is_changed_since_decision for row in claim.discrepancies) else ""
    sheet = claim_forms.packet_sheet(
        filed.subject, filed.text, attach=filed.attach, warning=warning, link=claim_link(claim.id)
    )
    open_form(press, sheet)


@answers_errors
def ask_case(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Open the form that asks for Amazon's case, unless sending it would be in vain."""
    ack()
    press, discrepancy_id = Press.of(body), row_id(action)
    claim = claim_of(press, discrepancy_id)
    if claim.status is not ClaimStatus.TO_SUBMIT:
        standing = words.claim_status_name(claim.status.value, claim.closed_reason)
        case = f" as case {claim.case_id}" if claim.case_id else ""
        raise Moved(f"Claim {claim.id} is not to be filed: it is {standing}{case}.")
    open_form(press, claim_forms.filed_form(about_claim(claim, discrepancy_id, press), title=title_of(claim)))


@answers_errors
def file(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Record under which case the claim was filed, or point at the field that is wrong."""
    form, about = claim_forms.filed(view), claim_forms.about(view)
    if not is_taken(ack, form.errors):
        return
    with one_move(Press.of(body), about.discrepancy_id) as (session, actor):
        filing.submit(session, about.claim_id, case_id=form.case_id, actor=actor, now=utcnow())


@answers_errors
def ask_reply(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Open the form for what Amazon wrote."""
    ack()
    press, discrepancy_id = Press.of(body), row_id(action)
    claim = claim_of(press, discrepancy_id)
    if claim.submitted_at is None:
        raise Moved(f"Claim {claim.id} was not filed, so Amazon cannot have replied.", todo="File it first.")
    about, title = about_claim(claim, discrepancy_id, press), title_of(claim)
    open_form(press, claim_forms.replied_form(about, title=title, offered=outcomes.choices(claim.status)))


@answers_errors
def keep_reply(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Keep what Amazon wrote and what it comes to, or point at the field that is wrong."""
    about = claim_forms.about(view)
    form = claim_forms.replied(view, about=about)
    if not is_taken(ack, form.errors):
        return
    with one_move(Press.of(body), about.discrepancy_id) as (session, actor):
        _keep(session, actor, about, form)


def _keep(session: Session, actor: Actor, about: AboutClaim, form: claim_forms.Replied) -> None:
    now = utcnow()
    if form.outcome is None:
        filing.add_reply(
            session, about.claim_id, reply=form.reply or "", next_action_on=form.next_on, actor=actor, now=now
        )
        return
    filing.record_outcome(
        session,
        about.claim_id,
        status=form.outcome.status,
        reason=form.outcome.reason,
        reply=form.reply,
        next_action_on=form.next_on,
        seen=ClaimStatus(about.seen) if about.seen in set(ClaimStatus) else None,
        actor=actor,
        now=now,
    )
