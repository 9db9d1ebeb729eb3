"""Slack's door into the web process: checks who knocks, then lets Bolt find the handler.

Bolt is set up so that it needs no Slack to start, asks Slack nothing in the three seconds that a press has, and never
reads settings of its own from the environment.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import structlog
from flask import Flask, Response, request
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.flask.handler import to_flask_response
from slack_bolt.authorization import AuthorizeResult

from bot.client import web_client
from bot.handlers import approve, ask, clear, commands, events, filing, reject, retired, undo
from bot.shape import flaw
from bot.signature import is_signed
from clock import real_now
from config import settings

PATH = "/slack/events"
# A press waits for a free thread before it is acknowledged, so there are more than ever press at once.
_THREADS = 32
_LARGEST_BODY = 1024 * 1024
# Bolt looks for ids in the body before anything has looked at its shape.
_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, RecursionError)

log = structlog.get_logger()


def mount(app: Flask) -> None:
    """Add `POST /slack/events` to the web app. Without Slack's settings it answers 404, in a sentence."""
    bolt = make_bolt() if settings().slack_is_on else None
    app.extensions["slack"] = bolt

    @app.post(PATH, endpoint="slack_events")
    def slack_events() -> Response:
        if bolt is None:
            return _said("Slack is not connected: SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET are not set.", 404)
        return _answer(bolt)


def make_bolt() -> App:
    """Return the Bolt app with every handler; nothing is asked of Slack."""
    bolt = App(
        name="recoup",
        logger=_quiet_log(),
        client=web_client(),
        signing_secret="checked before Bolt",  # noqa: S106  no secret: `_answer` has checked the signature
        request_verification_enabled=False,
        ssl_check_enabled=False,
        token_verification_enabled=False,
        authorize=_authorize,
        listener_executor=ThreadPoolExecutor(_THREADS, thread_name_prefix="slack"),
    )
    for handlers in (approve, reject, clear, undo, filing, ask, commands, events):
        handlers.register(bolt)
    retired.register(bolt)  # last: it takes what no other has taken
    return bolt


def _answer(bolt: App) -> Response:
    if (request.content_length or 0) > _LARGEST_BODY or len(body := request.get_data()) > _LARGEST_BODY:
        return _refused("Too large for a request of Slack's.", 413, reason="size")
    if not _is_from_slack(body):
        reason = "signature or time stamp"
        return _refused("Not signed by Slack with SLACK_SIGNING_SECRET, or too long ago.", 401, reason=reason)
    try:
        asked = BoltRequest(body=body.decode(), headers=dict(request.headers))
    except _UNREADABLE:
        return _refused("Signed, but neither a form nor JSON as Slack sends it.", 400, reason="body")
    if odd := flaw(asked.body):
        return _refused(f"Signed, but its {odd} is not as Slack sends it.", 400, reason=odd)
    answer = bolt.dispatch(asked)
    if answer.status == HTTPStatus.NOT_FOUND:  # Bolt found no handler, and each that there is would have answered
        return _refused("Signed, but nothing that Recoup asked Slack for.", 400, reason="no handler")
    return to_flask_response(answer)


def _is_from_slack(body: bytes) -> bool:
    secret = settings().slack_signing_secret
    return secret is not None and is_signed(
        body,
        timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
        signature=request.headers.get("X-Slack-Signature", ""),
        secret=secret.get_secret_value(),
        now=real_now(),
    )


def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """One agency, one workspace, one token: Bolt's own way would ask Slack at the first press."""
    token = settings().slack_bot_token
    return AuthorizeResult(
        enterprise_id=enterprise_id, team_id=team_id, bot_token=token.get_secret_value() if token else None
    )


def _refused(sentence: str, status: int, *, reason: str) -> Response:
    log.warning("slack_request_refused", status=status, reason=reason)
    return _said(sentence, status)


def _said(sentence: str, status: int) -> Response:
    return Response(sentence + "\n", status, mimetype="text/plain")


def _quiet_log() -> logging.Logger:
    """Bolt quotes whole requests in its warnings; what is worth knowing is logged by the handlers."""
    quiet = logging.getLogger("recoup.bolt")
    quiet.setLevel(logging.CRITICAL)
    return quiet
