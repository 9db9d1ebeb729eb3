"""The button *Reject…* and its form: a reason, and a note where the reason alone says nothing."""

from typing import Any

from slack_bolt import Ack, App

from bot import decision_forms, ids
from bot.form_parts import About
from bot.handlers.answering import answers_errors, is_taken, one_move
from bot.handlers.forms import open_form, still_open, title_of
from bot.press import Press, row_id
from claims import review
from clock import utcnow


def register(app: App) -> None:
    """Listen for the button and for the sent form."""
    app.action(ids.REJECT)(ask_why)
    app.view(ids.REJECT_VIEW)(reject)


@answers_errors
def ask_why(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Open the form, unless sending it would be in vain."""
    ack()
    press, discrepancy_id = Press.of(body), row_id(action)
    title = title_of(still_open(press, discrepancy_id))
    about = About(discrepancy_id, press.channel, press.message_ts)
    open_form(press, decision_forms.reject_form(about, title=title))


@answers_errors
def reject(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Reject the discrepancy for the reason given, or point at the field that is wrong."""
    form, discrepancy_id = decision_forms.rejection(view), decision_forms.about(view).discrepancy_id
    if not is_taken(ack, form.errors) or form.reason is None:
        return
    with one_move(Press.of(body), discrepancy_id) as (session, actor):
        review.reject(session, discrepancy_id, reason=form.reason, note=form.note, actor=actor, now=utcnow())
