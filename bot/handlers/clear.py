"""The button *Clear…* and its form: which question a person has answered, and what was found."""

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
    with reading() as session:
        found = still_open(session, press, discrepancy_id)
        title, caveats = title_of(found), [each.code for each in found.caveats if each.cleared_at is None]
    if not caveats:
        raise Moved("Everything has been checked already.", todo="It can be approved.")
    about = modals.About(discrepancy_id, press.channel, press.message_ts)
    open_form(press, modals.clear_form(about, title=title, caveats=caveats))


@answers_errors
def clear(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Record what was checked, or point at the field that is wrong."""
    form, about = modals.clearance(view), modals.about(view)
    if form.errors:
        ack(response_action="errors", errors=form.errors)
        return
    ack()
    press = Press.of(body).at(about.channel, about.message_ts)
    with card_follows(press, about.discrepancy_id), transaction() as session:
        actor = slack_actor(session, press)
        review.clear_caveat(session, about.discrepancy_id, code=form.code, note=form.note, actor=actor, now=utcnow())
