"""The button *Clear…* and its form: which question a person has answered, and what was found."""

from typing import Any

from slack_bolt import Ack, App

from bot import decision_forms, ids
from bot.form_parts import About
from bot.handlers.answering import answers_errors, is_taken, one_move
from bot.handlers.forms import open_form, still_open, title_of
from bot.press import Press, row_id
from claims import review
from clock import utcnow
from errors import Moved


def register(app: App) -> None:
    """Listen for the button and for the sent form."""
    app.action(ids.CLEAR)(ask_what)
    app.view(ids.CLEAR_VIEW)(clear)


@answers_errors
def ask_what(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Open the form with what is still to be checked."""
    ack()
    press, discrepancy_id = Press.of(body), row_id(action)
    found = still_open(press, discrepancy_id)
    caveats = [each.code for each in found.caveats if each.cleared_at is None]
    if not caveats:
        raise Moved("Everything has been checked already.", todo="It can be approved.")
    about = About(discrepancy_id, press.channel, press.message_ts)
    open_form(press, decision_forms.clear_form(about, title=title_of(found), caveats=caveats))


@answers_errors
def clear(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Record what was checked, or point at the field that is wrong."""
    form, discrepancy_id = decision_forms.clearance(view), decision_forms.about(view).discrepancy_id
    if not is_taken(ack, form.errors):
        return
    with one_move(Press.of(body), discrepancy_id) as (session, actor):
        review.clear_caveat(session, discrepancy_id, code=form.code, note=form.note, actor=actor, now=utcnow())
