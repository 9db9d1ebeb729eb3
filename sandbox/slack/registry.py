"""Where the Web API's methods are registered, and how they read their arguments."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.slack.workspace import Json, SlackError, Workspace

Method = Callable[[Workspace, Json], Json]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Register a method under Slack's name: arguments in, the answer's fields out, SlackError for a refusal."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


def needed(arguments: Json, name: str) -> str:
    """Return an argument. Raises SlackError where it is missing."""
    if not arguments.get(name):
        raise SlackError("invalid_arguments", messages=[f"[ERROR] missing required field: {name}"])
    return str(arguments[name])


def as_json(arguments: Json, name: str) -> Any:
    """Return an argument that may have come as JSON text. Raises SlackError where that cannot be read."""
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise SlackError("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from error


def is_true(arguments: Json, name: str) -> bool:
    """Return whether a flag is set, in any of the ways that clients write one."""
    return str(arguments.get(name, "")).lower() in {"1", "true"}
