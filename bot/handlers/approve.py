"""The button *Approve*."""

from typing import Any

from slack_bolt import Ack, App

from bot import ids
from bot.handlers.answering import answers_errors, card_follows
from bot.people import slack_actor
from bot.press import Press, row_id
from claims import review
from clock import utcnow
from db import transaction


def register(app: App) -> None:
    """Listen for the button."""
    app.action(ids.APPROVE)(approve)


@answers_errors
def approve(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Make a claim of the discrepancy that the card is about."""
    ack()
    press, discrepancy_id = Press.of(body), row_id(action)
    with card_follows(press, discrepancy_id), transaction() as session:
        review.approve(session, discrepancy_id, actor=slack_actor(session, press), now=utcnow())
