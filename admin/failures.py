"""Pages for what went wrong: what happened, what it means, what to do. Never a traceback."""

import secrets

import structlog
from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, TooManyRequests

from db import DatabaseUnavailable, SchemaMismatch
from errors import NotAllowed, NotFound, RecoupError

log = structlog.get_logger()

# Status -> what happened, and what to do.
_WORDS = {
    400: ("This request could not be read", "Go back, load the page again and repeat what you did."),
    401: ("You are not signed in", "Sign in, then open the page again."),
    403: ("You may not see this page", "Your role has no right to it. Ask an admin of your agency."),
    404: ("There is no such page", "The link may be old, or what it led to is not yours to see."),
    405: ("This address answers another kind of request", "Go back and use the button on the page."),
    413: (
        "This request is too large",
        "Nothing was kept. Go back, shorten the text or send smaller files, and try again.",
    ),
    429: ("Too many tries in a short time", "Wait a little, then try again."),
}


def register(app: Flask) -> None:
    """Answer every error with words."""
    app.register_error_handler(CSRFError, _old_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RecoupError, _expected)
    app.register_error_handler(Exception, _bug)


def _page(status: int, title: str, todo: str, *, reference: str | None = None) -> tuple[str, int]:
    return render_template("failure.html", title=title, todo=todo, reference=reference, status=status), status


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400 or error.response is not None:  # noqa: PLR2004
        return error
    if isinstance(error, TooManyRequests):
        log.warning("rate_limited", path=request.path)
    title, todo = _WORDS.get(error.code, ("This could not be done", "Go back and try again."))
    body, status = _page(error.code, title, todo)
    headers = [(name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"}]
    return body, status, headers


def _old_form(_: CSRFError) -> ResponseReturnValue:
    return _page(
        400,
        "This form was not sent from a page of this session",
        "Nothing was changed. Open the page again and repeat what you did.",
    )


def _expected(error: RecoupError) -> ResponseReturnValue:
    if isinstance(error, DatabaseUnavailable | SchemaMismatch):
        return _not_ready(error)
    status = 404 if isinstance(error, NotFound) else 403 if isinstance(error, NotAllowed) else 409
    return _page(status, error.message.rstrip("."), error.todo)


def _not_ready(error: RecoupError) -> ResponseReturnValue:
    """Tell that the server cannot serve; why is for its operator's eyes, since anybody may read this page."""
    reference = secrets.token_hex(4)
    log.error("cannot_serve", reference=reference, path=request.path, why=str(error))
    return _page(
        503,
        "Recoup cannot reach its data right now",
        "Try again in a minute. Whoever runs the server finds the reason in the log.",
        reference=reference,
    )


def _bug(error: Exception) -> ResponseReturnValue:
    """Log a bug under a reference, and give the person that reference."""
    reference = secrets.token_hex(4)
    event = "database_failed" if isinstance(error, SQLAlchemyError) else "request_failed"
    log.error(event, reference=reference, path=request.path, method=request.method, exc_info=error)
    return _page(
        500,
        "This page could not be shown",
        "Open it again to see where things stand. If it fails again, tell whoever runs the server this reference.",
        reference=reference,
    )
