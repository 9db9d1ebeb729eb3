"""Slack's events. One that Slack sends again, because it missed our answer, is taken once."""

import re
from datetime import timedelta
from typing import Any

import structlog
from slack_bolt import App
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from bot.client import SlackTrouble, call, web_client
from bot.handlers.commands import HELP
from clock import real_now
from db import transaction
from models import SlackRequest

log = structlog.get_logger()

# Slack sends an event again within minutes; a day is ample.
_REMEMBERED = timedelta(days=1)
_ACCESS_ENDED = {"app_uninstalled", "tokens_revoked"}


def register(app: App) -> None:
    """Listen for every event that the app is subscribed to; Bolt acknowledges events by itself."""
    app.event(re.compile(""))(take)


def take(body: dict[str, Any], event: dict[str, Any]) -> None:
    """Act on an event the first time it comes."""
    if not _is_new(str(body.get("event_id", ""))):
        log.info("slack_event_repeated", event_id=body.get("event_id"))
        return
    kind = event.get("type")
    if kind in _ACCESS_ENDED:
        log.error("slack_access_ended", event=kind, todo="Install the Slack app again and set SLACK_BOT_TOKEN.")
    elif kind == "app_mention":
        channel, user = event.get("channel"), event.get("user")
        if isinstance(channel, str) and isinstance(user, str):
            _say_what_there_is(channel, user)


def _is_new(event_id: str) -> bool:
    """Write the event down; False where it is there already. The row decides, whichever process it came to."""
    if not event_id:
        return True
    try:
        with transaction() as session:
            session.execute(delete(SlackRequest).where(SlackRequest.received_at < real_now() - _REMEMBERED))
            session.add(SlackRequest(event_id=event_id[:64], received_at=real_now()))
    except IntegrityError:
        return False
    return True


def _say_what_there_is(channel: str, user: str) -> None:
    try:
        call(web_client().chat_postEphemeral, channel=channel, user=user, text=HELP)
    except SlackTrouble as trouble:
        log.warning("slack_answer_not_told", slack_user=user, error=str(trouble))
