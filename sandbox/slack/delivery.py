"""How the stand-in tells the app of a press: an HTTP post, signed as Slack signs, answered within three seconds."""

import hashlib
import hmac
import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

ANSWER_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered; status 0 where it did not answer in time or at all, `why` in Slack's words then."""

    status: int
    body: str
    why: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether Slack would call the press delivered."""
        return self.status == http.client.OK


@dataclass(frozen=True, slots=True)
class AppAddress:
    """Where the app listens, and the secret its requests are signed with."""

    url: str
    signing_secret: str
    seconds: float = ANSWER_SECONDS


def signature(secret: str, timestamp: str, body: str) -> str:
    """Return Slack's signature, version 0, of a request body."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return "v0=" + digest.hexdigest()


def deliver(app: AppAddress, form: dict[str, str]) -> Answer:
    """Post a form to the app, past any proxy."""
    body, timestamp = urlencode(form), str(int(time.time()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(app.signing_secret, timestamp, body),
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    }
    parts = urlsplit(app.url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=app.seconds)
    try:
        connection.request("POST", parts.path, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode("utf-8", "replace"))
    except TimeoutError:
        return Answer(0, "", "operation_timeout")
    except (OSError, http.client.HTTPException):
        return Answer(0, "", "dispatch_failed")
    finally:
        connection.close()
