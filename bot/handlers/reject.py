"""The button *Reject…* and its form: a reason, and a note where the reason alone says nothing."""

from typing import Any

from slack_bolt import Ack, App

from bot import ids, modals
from bot.handlers.answering import answers_errors, card_follows
from bot.handlers.forms import open_form, still_open, title_of
from bot.people import slack_actor
from bot.press import Press, row_id
from claims import review
from clock import utcnow
from db import reading, transaction


def register(app: App) -> None:
    """Listen for the button and for the sent form."""
    app.action(ids.REJECT)(ask_why)
    app.view(ids.REJECT_VIEW)(reject)


@answers_errors
def ask_why(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Open the form, unless sending it would be in vain."""
    ack()
    press, discrepancy_id = Press.of(body), row_id(action)
    with reading() as session:
        title = title_of(still_open(session, press, discrepancy_id))
    about = modals.About(discrepancy_id, press.channel, press.message_ts)
    open_form(press, modals.reject_form(about, title=title))


@answers_errors
def reject(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Reject the discrepancy for the reason given, or point at the field that is wrong."""
    form, about = modals.rejection(view), modals.about(view)
    if form.reason is None or form.errors:
        ack(response_action="errors", errors=form.errors)
        return
    ack()
    press = Press.of(body).at(about.channel, about.message_ts)
    with card_follows(press, about.discrepancy_id), transaction() as session:
        actor = slack_actor(session, press)
        review.reject(session, about.discrepancy_id, reason=form.reason, note=form.note, actor=actor, now=utcnow())
