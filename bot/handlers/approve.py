"""The button *Approve*."""

from typing import Any

from slack_bolt import Ack, App

from bot import ids
from bot.handlers.answering import answers_errors, one_move
from bot.press import Press, row_id
from claims import review
from clock import utcnow


def register(app: App) -> None:
    """Listen for the button."""
    app.action(ids.APPROVE)(approve)


@answers_errors
def approve(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Make a claim of the discrepancy that the card is about."""
    ack()
    discrepancy_id = row_id(action)
    with one_move(Press.of(body), discrepancy_id) as (session, actor):
        review.approve(session, discrepancy_id, actor=actor, now=utcnow())
