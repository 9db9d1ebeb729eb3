"""Who a Slack user is to Recoup: the user with that Slack id, linked once by e-mail address."""

from typing import Any

import structlog
from slack_sdk import WebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.client import SlackRefused, call, web_client
from bot.press import Press
from claims.access import Actor, UnknownSlackUser, actor_by_slack_id, system_actor
from claims.users import set_user
from db import reading, transaction
from errors import NotAllowed
from models import Through, User

log = structlog.get_logger()

_NOT_A_MEMBER = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")


def slack_actor(session: Session, press: Press) -> Actor:
    """Return who pressed. Raises UnknownSlackUser, and NotAllowed for people of other workspaces or without access."""
    if press.user_team and press.team and press.user_team != press.team:
        raise NotAllowed("You belong to another Slack workspace, so you cannot decide here.")
    return actor_by_slack_id(session, press.user_id)


def link(press: Press, unknown: UnknownSlackUser) -> str:
    """Match an unknown Slack user by e-mail address, store the Slack id, and return what to tell the person.

    Asks Slack, so it is never called before the press is acknowledged. Raises SlackTrouble.
    """
    client = web_client()
    member: dict[str, Any] = call(client.users_info, user=press.user_id).get("user") or {}
    if not _is_one_of_us(client, member):
        return "Bots, guests and people of other workspaces cannot decide here."
    email = ((member.get("profile") or {}).get("email") or "").strip().lower()
    if not email:
        return f"{unknown} Slack does not tell your e-mail address."
    with transaction() as session:
        user = session.scalar(select(User).where(User.email == email, User.is_active))
        if user is None:
            return f"{unknown} No user of Recoup's has your Slack e-mail address."
        if user.slack_user_id:
            return f"{user.label} is linked to another Slack user. Ask an admin to change it."
        _store(session, user, press.user_id)
    return f"You are linked to Recoup now, as {user.label}. Press again."


def link_added(client: WebClient, user_id: int) -> None:
    """Match a user who was added by e-mail address, so that the first press counts. Who is not found stays unknown.

    Can be repeated. Raises SlackTrouble.
    """
    with reading() as session:
        user = session.get(User, user_id)
    if user is None or not user.is_active or user.slack_user_id:
        return
    try:
        member: dict[str, Any] = call(client.users_lookupByEmail, email=user.email).get("user") or {}
    except SlackRefused as refused:
        if refused.code != "users_not_found":
            raise
        log.info("slack_user_not_found", user_id=user_id)
        return
    if not member.get("id") or not _is_one_of_us(client, member):
        log.info("slack_user_not_ours", user_id=user_id)
        return
    with transaction() as session:
        user = session.get_one(User, user_id)
        taken = session.scalar(select(User.id).where(User.slack_user_id == member["id"]))
        if taken is None and user.is_active and not user.slack_user_id:
            _store(session, user, member["id"])


def _store(session: Session, user: User, slack_user_id: str) -> None:
    set_user(session, user.id, actor=system_actor(Through.SLACK), slack_user_id=slack_user_id)
    log.info("slack_user_linked", user_id=user.id, slack_user=slack_user_id)


def _is_one_of_us(client: WebClient, member: dict[str, Any]) -> bool:
    """Whether Slack says that this is a person of our workspace: no bot, no guest, nobody from a shared channel."""
    if any(member.get(mark) for mark in _NOT_A_MEMBER):
        return False
    our_team = call(client.auth_test).get("team_id")
    return not (our_team and member.get("team_id") and member["team_id"] != our_team)
