"""`/claims status`: where everything stands, told to the person who asked and to nobody else."""

import re
from contextlib import suppress
from typing import Any

from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot import ids
from bot.blocks import Message
from bot.handlers.answering import answers_errors
from bot.people import slack_actor
from bot.press import Press
from bot.status import claim_status, status
from claims import queries
from claims.access import Actor, Permission
from claims.links import claim_link, to_decide_link
from clock import utcnow
from db import reading
from errors import NotFound
from models import Client, Role

HELP = (
    "Type `/claims status` for counts, money and the nearest deadlines, "
    "`/claims status` and a client's name for that client, or `/claims status` and a number for one claim."
)
_ASKED = re.compile(r"\s*status\b\s*(?P<about>.*?)\s*", re.IGNORECASE | re.DOTALL)
_CLAIM_ID = re.compile(r"#?(\d{1,18})")
_QUOTES = "\"'“”‘’„`"


def register(app: App) -> None:
    """Listen for the command."""
    app.command(ids.COMMAND)(claims)


@answers_errors
def claims(ack: Ack, body: dict[str, Any]) -> None:
    """Answer `/claims …`: the status, or what can be asked."""
    ack()
    press, asked = Press.of(body), _ASKED.fullmatch(str(body.get("text") or ""))
    if asked is None:
        press.answer(HELP)
        return
    with reading() as session:
        message = _status(session, slack_actor(session, press), asked["about"].strip(_QUOTES))
    press.answer(message.text, message.blocks)


def _status(session: Session, actor: Actor, about: str) -> Message:
    now = utcnow()
    if actor.role is not Role.CLIENT:  # a client's people see their own
        actor.require(Permission.WORK_CLAIMS)
    if not about:
        return status(queries.status_summary(session, actor), whose="All clients", now=now, link=to_decide_link())
    if number := _CLAIM_ID.fullmatch(about):
        with suppress(NotFound):
            claim = queries.load_claim(session, int(number[1]), actor)
            return claim_status(claim, now=now, link=claim_link(claim.id))
    client = _client(session, about, actor)
    return status(queries.status_summary(session, actor, client), whose=client.name, now=now, link=to_decide_link())


def _client(session: Session, about: str, actor: Actor) -> Client:
    try:
        return queries.load_client(session, about, actor)
    except NotFound as missing:
        raise NotFound(f"There is no client and no claim {about}.", todo=HELP) from missing
