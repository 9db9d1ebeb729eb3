"""Whether a signed request has the shape of Slack's. The signature says who sent it, not that it can be read."""

from collections.abc import Iterator
from typing import Any

_OBJECTS = ("user", "team", "enterprise", "container", "channel", "message", "view", "event")
_TEXTS = (
    "type",
    "command",
    "text",
    "user_id",
    "team_id",
    "channel_id",
    "trigger_id",
    "response_url",
    "callback_id",
    "event_id",
    "challenge",
)
# Of objects inside: what is used as text here or by Bolt.
_TEXTS_WITHIN = {
    "user": ("id", "team_id"),
    "team": ("id", "enterprise_id"),
    "container": ("channel_id", "message_ts"),
    "channel": ("id",),
    "message": ("ts",),
    "view": ("private_metadata",),
}
# Bolt looks these up without asking whether they are there.
_ALWAYS_WITHIN = {"view": ("type", "callback_id"), "event": ("type",)}
# What a request of each type cannot be without. A command has no type, but its name.
_NEEDED = {
    "url_verification": "challenge",
    "event_callback": "event",
    "block_actions": "actions",
    "view_submission": "view",
    "view_closed": "view",
}


def flaw(body: Any) -> str | None:
    """Return the part of a request that is not as Slack sends it, None where all is well. Tells no values."""
    if not isinstance(body, dict):
        return "body"
    return next(_flaws(body), None)


def _flaws(body: dict[str, Any]) -> Iterator[str]:
    yield from (name for name in _TEXTS if not isinstance(body.get(name), str | None))
    yield from (name for name in _OBJECTS if not isinstance(body.get(name), dict | None))
    needed = _NEEDED.get(body.get("type") or "")
    if needed and not body.get(needed):
        yield needed
    if "actions" in body and not _are_actions(body["actions"]):
        yield "actions"
    for holder in (name for name in _OBJECTS if body.get(name)):
        held = body[holder]
        yield from (f"{holder}.{n}" for n in _TEXTS_WITHIN.get(holder, ()) if not isinstance(held.get(n), str | None))
        yield from (f"{holder}.{n}" for n in _ALWAYS_WITHIN.get(holder, ()) if not isinstance(held.get(n), str))


def _are_actions(actions: Any) -> bool:
    return (
        isinstance(actions, list)
        and bool(actions)
        and all(isinstance(each, dict) and isinstance(each.get("action_id"), str) for each in actions)
    )
