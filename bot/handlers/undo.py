"""The button *Undo*, which a decided card has for ten minutes."""

from typing import Any

from slack_bolt import Ack, App

from bot import ids
from bot.handlers.answering import answers_errors, one_move
from bot.press import Press, row_id
from claims import review
from clock import utcnow


def register(app: App) -> None:
    """Listen for the button."""
    app.action(ids.UNDO)(undo)


@answers_errors
def undo(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
    """Take the decision back."""
    ack()
    discrepancy_id = row_id(action)
    with one_move(Press.of(body), discrepancy_id) as (session, actor):
        review.undo(session, discrepancy_id, actor=actor, now=utcnow())
