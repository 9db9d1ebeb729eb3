"""What every answer carries so that a browser runs nothing but our own: policy headers, cookie flags, CSRF tokens."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, Response, g, request
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from config import settings

# Slack signs its requests and knows no token of ours.
_SIGNED_BY_THE_SENDER = "/slack/"
_SESSION_HOURS = 12
_LARGEST_REQUEST_BYTES = 2 * 1024 * 1024
# Of a request that is too large so much is taken and dropped, so that the browser comes to read why it was refused.
_HEARD_OUT_BYTES = 256 * 1024 * 1024
_AT_ONCE = 64 * 1024
_View = TypeVar("_View", bound=Callable[..., Any])


def register(app: Flask) -> None:
    """Set cookies, CSRF protection and headers for the whole app."""
    is_https = settings().public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings().secret("secret_key"),
        SESSION_COOKIE_NAME="recoup",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=_SESSION_HOURS),
        MAX_CONTENT_LENGTH=_LARGEST_REQUEST_BYTES,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_CHECK_DEFAULT=False,  # checked below, for all but signed requests
    )
    csrf = CSRFProtect(app)

    @app.before_request
    def let_files_in() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if (largest := getattr(view, "largest_request_bytes", None)) and current_user.is_authenticated:
            request.max_content_length = largest

    @app.before_request
    def refuse_foreign_forms() -> None:
        if not request.path.startswith(_SIGNED_BY_THE_SENDER):
            csrf.protect()

    @app.after_request
    def hear_out(response: Response) -> Response:
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and current_user.is_authenticated:
            _hear_out()
        return response

    @app.after_request
    def add_headers(response: Response) -> Response:
        _add_headers(response, is_https=is_https)
        return response

    app.jinja_env.globals["csp_nonce"] = csp_nonce


def takes_files(largest_bytes: int) -> Callable[[_View], _View]:
    """Let requests to a view have up to so many bytes, from people who are signed in."""

    def marked(view: _View) -> _View:
        view.largest_request_bytes = largest_bytes  # type: ignore[attr-defined]
        return view

    return marked


def _hear_out() -> None:
    """Take what is still being sent: a browser that is cut off while it sends shows no page at all."""
    length, largest = request.content_length or 0, request.max_content_length
    if largest is None or length <= largest:
        return  # refused for something else, after it was read
    left = min(length, _HEARD_OUT_BYTES)
    while left > 0 and (part := request.environ["wsgi.input"].read(min(left, _AT_ONCE))):
        left -= len(part)


def csp_nonce() -> str:
    """Return this request's nonce: the scripts and styles of the page that carry it may run."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def _add_headers(response: Response, *, is_https: bool) -> None:
    nonce = csp_nonce()
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint is None or not request.endpoint.endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
