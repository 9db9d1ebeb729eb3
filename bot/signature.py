"""Whether a request comes from Slack: signed with our secret, within the last five minutes.

Bolt could ask too, but answers a garbled timestamp with 500 and writes the body of a wrong request to the log.
"""

import hashlib
import hmac
from datetime import datetime

MOST_SECONDS_OFF = 5 * 60
_MOST_DIGITS = 12
_VERSION = "v0"


def is_signed(body: bytes, *, timestamp: str, signature: str, secret: str, now: datetime) -> bool:
    """Whether `signature` is Slack's for these bytes, made within five minutes of `now` (real time), either way."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _MOST_DIGITS):
        return False
    if abs(int(now.timestamp()) - int(timestamp)) > MOST_SECONDS_OFF:
        return False
    signed = f"{_VERSION}:{timestamp}:".encode() + body
    made = f"{_VERSION}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
    return hmac.compare_digest(made.encode(), signature.encode())
