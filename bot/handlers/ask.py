"""The button *Ask the client…* of a card with a claim, and its form."""

from typing import Any

from slack_bolt import Ack, App

from bot import claim_forms, ids, request_forms
from bot.claim_forms import AboutClaim
from bot.handlers.answering import answers_errors, card_follows
from bot.handlers.forms import claim_of, open_form, title_of_claim
from bot.people import slack_actor
from bot.press import Press, row_id
from claims import filing, requests
from clock import utcnow
from db import reading, transaction
from errors import Moved


def register(app: App) -> None:
    """Listen for the button and for the sent form."""
    app.action(ids.ASK)(ask_what)
    app.view(ids.ASK_VIEW)(ask)


@answers_errors
def ask_what(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Open the form, unless sending it would be in vain."""
    ack()
    press, discrepancy_id = Press.of(body), row_id(action)
    with reading() as session:
        claim = claim_of(session, press, discrepancy_id)
    if claim.status in requests.NOT_ASKED_ABOUT:
        raise Moved(f"Claim {claim.id} is {claim.status.value}: there is nothing to ask for.")
    today = filing.today_of(claim, utcnow()).isoformat()
    about = AboutClaim(discrepancy_id, claim.id, claim.status.value, today, press.channel, press.message_ts)
    open_form(press, request_forms.ask_form(about, title=title_of_claim(claim)))


@answers_errors
def ask(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Ask the client, or point at the field that is wrong."""
    form, about = request_forms.asked(view), claim_forms.about(view)
    if form.kind is None or form.errors:
        ack(response_action="errors", errors=form.errors)
        return
    ack()
    press = Press.of(body).at(about.channel, about.message_ts)
    with card_follows(press, about.discrepancy_id), transaction() as session:
        actor = slack_actor(session, press)
        requests.ask(session, about.claim_id, kind=form.kind, question=form.question, actor=actor, now=utcnow())
