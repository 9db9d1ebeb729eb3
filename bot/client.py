"""The way to Slack: one client for every call, which never repeats a call by itself, and what its refusals mean."""

import json
import logging
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from config import is_web_address, settings
from errors import RecoupError

PRESS_SECONDS = 5
DELIVERY_SECONDS = 10

# The SDK's own log quotes bodies; what went wrong is in the errors raised here.
_SDK_LOG = logging.getLogger("recoup.slack_sdk")
_SDK_LOG.setLevel(logging.CRITICAL)

_TRANSIENT = {
    "fatal_error",
    "internal_error",
    "ratelimited",
    "rate_limited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
}
_DID_NOT_LEAVE = (ConnectionRefusedError, socket.gaierror)

_TODO = {
    "channel_not_found": "Check the review channel's id in the settings, and invite the bot to it.",
    "not_in_channel": "Invite the bot to the channel.",
    "is_archived": "Unarchive the channel, or set another review channel.",
    "missing_scope": "Give the Slack app the scopes of docs/slack.md and install it again.",
    "invalid_auth": "Check SLACK_BOT_TOKEN.",
    "not_authed": "Check SLACK_BOT_TOKEN.",
    "token_revoked": "Install the Slack app again and set SLACK_BOT_TOKEN.",
    "token_expired": "Install the Slack app again and set SLACK_BOT_TOKEN.",
    "account_inactive": "Install the Slack app again and set SLACK_BOT_TOKEN.",
    "restricted_action": "Let the bot post in the channel.",
}


class SlackTrouble(RecoupError):
    """Slack did not do what it was asked."""


class SlackRefused(SlackTrouble):
    """Slack said no, and would say it again. `code` is its own word for why."""

    def __init__(self, method: str, code: str, details: str = "") -> None:
        said = f"{code}: {details}" if details else code
        super().__init__(f"Slack refused {method} ({said}).", todo=_TODO.get(code, "Look at the log."))
        self.code = code


class SlackBusy(SlackTrouble):
    """Slack certainly did nothing now, and may later. `wait_seconds` is what Slack asks to wait, where it does."""

    def __init__(self, method: str, why: str, wait_seconds: float | None = None) -> None:
        super().__init__(f"Slack could not do {method} now ({why}).")
        self.wait_seconds = wait_seconds


class SlackSilent(SlackTrouble):
    """No answer that can be read: Slack may have done it or not."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"No answer from Slack to {method} ({why}).")


class _LoopbackClient(WebClient):
    """For a Slack stand-in on this machine: slack_sdk would hand the call to the proxy that the environment names."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:  # noqa: ARG002
        with direct_opener().open(req, timeout=self.timeout) as response:
            return {"status": response.status, "headers": response.headers, "body": response.read().decode()}


def web_client(timeout: int = PRESS_SECONDS) -> WebClient:
    """Return a client with SLACK_BOT_TOKEN. It never repeats a call by itself: a dropped post could come twice."""
    token = settings().slack_bot_token
    kind = _LoopbackClient if is_loopback(settings().slack_api_url) else WebClient
    return kind(
        token=token.get_secret_value() if token else None,
        base_url=settings().slack_api_url,
        timeout=timeout,
        retry_handlers=[],
        logger=_SDK_LOG,
    )


def call(method: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """Call a method of a client and return Slack's answer.

    Raises SlackRefused where another try is useless, SlackBusy where Slack said that it did nothing, and SlackSilent
    where nobody knows.
    """
    name = method.__name__.replace("_", ".", 1)
    try:
        answer = method(**arguments)
    except SlackApiError as error:
        raise _said_no(name, error) from error
    except (OSError, HTTPException, SlackRequestError, ValueError) as error:
        raise _no_answer(name, error) from error
    data: dict[str, Any] = answer.data
    return data


def is_loopback(url: str) -> bool:
    """Tell whether `url` leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def direct_opener() -> OpenerDirector:
    """Return an opener that knows no proxy."""
    return build_opener(ProxyHandler({}))


def post_to(url: str, body: dict[str, Any], timeout: int = PRESS_SECONDS) -> None:
    """Send `body` to one of Slack's response URLs. Raises SlackTrouble."""
    if not is_web_address(url):
        raise SlackRefused("the response URL", "not_a_web_address")
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310  scheme checked above
    opener = direct_opener() if is_loopback(url) else build_opener()
    try:
        opener.open(request, timeout=timeout).close()
    except HTTPError as error:
        raise SlackRefused("the response URL", f"HTTP {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:  # ValueError: letters that no address has
        raise SlackSilent("the response URL", type(error).__name__) from error


def _said_no(method: str, error: SlackApiError) -> SlackTrouble:
    response = error.response
    status, data = response.status_code, response.data
    code = data.get("error", "") if isinstance(data, dict) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in {"ratelimited", "rate_limited"}:
        return SlackBusy(method, "too many requests", _retry_after(response.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not _is_word(code):
        return SlackSilent(method, f"HTTP {status}")
    if code in _TRANSIENT:
        return SlackSilent(method, code)
    messages = data.get("response_metadata", {}).get("messages", [])
    return SlackRefused(method, code, "; ".join(map(str, messages)))


def _no_answer(method: str, error: Exception) -> SlackTrouble:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, _DID_NOT_LEAVE):
        return SlackBusy(method, "cannot be reached")
    return SlackSilent(method, type(reason).__name__)


def _is_word(code: str) -> bool:
    """Slack's errors are one word; slack_sdk puts a sentence there for a body that is not JSON."""
    return bool(code) and " " not in code


def _retry_after(headers: Mapping[str, str]) -> float:
    text = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    try:
        return max(float(text), 1.0)
    except ValueError:
        return 30.0
