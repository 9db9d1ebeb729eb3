"""The button *Ask the client…* of a card with a claim, and its form."""

from typing import Any

from slack_bolt import Ack, App

from bot import claim_forms, ids, request_forms
from bot.handlers.answering import answers_errors, is_taken, one_move
from bot.handlers.forms import about_claim, claim_of, open_form, title_of
from bot.press import Press, row_id
from claims import requests
from clock import utcnow
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
    claim = claim_of(press, discrepancy_id)
    if claim.status in requests.NOT_ASKED_ABOUT:
        raise Moved(f"Claim {claim.id} is {claim.status.value}: there is nothing to ask for.")
    about = about_claim(claim, discrepancy_id, press)
    open_form(press, request_forms.ask_form(about, title=title_of(claim)))


@answers_errors
def ask(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Ask the client, or point at the field that is wrong."""
    form, about = request_forms.asked(view), claim_forms.about(view)
    if not is_taken(ack, form.errors) or form.kind is None:
        return
    with one_move(Press.of(body), about.discrepancy_id) as (session, actor):
        requests.ask(session, about.claim_id, kind=form.kind, question=form.question, actor=actor, now=utcnow())
