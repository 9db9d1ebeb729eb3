"""Whether Slack would take these blocks or this view, and in which words it would refuse them."""

import json
from collections.abc import Iterator
from typing import Any

from sandbox.slack.shapes import BLOCKS, VIEW, by_type, complain, items, shaped

MOST_BLOCKS = 50
# 9,600 characters over all blocks of a message have been seen to pass and 11,300 to fail.
MOST_TEXT = 10_000
MOST_VIEW_BYTES = 250_000


def check_message_blocks(blocks: Any) -> list[str]:
    """Return what is wrong with the blocks of a message; nothing if they are fine."""
    errors: list[str] = []
    items(by_type(BLOCKS), MOST_BLOCKS, least=0)(blocks, "/blocks", errors)
    return errors or _shared_mistakes(blocks)


def check_view(view: Any) -> list[str]:
    """Return what is wrong with a modal."""
    errors: list[str] = []
    if not isinstance(view, dict) or view.get("type") != "modal":
        complain(errors, "/view/type", "must be one of: modal")
        return errors
    shaped(VIEW)(view, "/view", errors)
    if errors:
        return errors
    if len(json.dumps(view).encode()) > MOST_VIEW_BYTES:
        complain(errors, "/view", "view is too large")
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        complain(errors, "/view", "missing required field: submit")
    return errors or _shared_mistakes(view["blocks"])


def text_length(blocks: Any) -> int:
    """Return how many characters all texts of the blocks have together."""
    if isinstance(blocks, list):
        return sum(map(text_length, blocks))
    if isinstance(blocks, dict):
        own = len(blocks["text"]) if isinstance(blocks.get("text"), str) else 0
        return own + sum(text_length(part) for part in blocks.values() if isinstance(part, dict | list))
    return 0


def elements(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the elements of a block that a person can use."""
    parts = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    yield from (part for part in parts if part and part.get("type") not in {"image", "mrkdwn", "plain_text"})


def _shared_mistakes(blocks: list[dict[str, Any]]) -> list[str]:
    errors: list[str] = []
    seen: set[str] = set()
    for position, block in enumerate(blocks):
        pointer, block_id = f"/blocks/{position}", block.get("block_id")
        if block_id in seen:
            complain(errors, f"{pointer}/block_id", f'`block_id` "{block_id}" already exists')
        if block_id:
            seen.add(block_id)
        if block["type"] == "section" and "text" not in block and "fields" not in block:
            complain(errors, pointer, "missing required field: text or fields")
        _check_elements(block, pointer, errors)
    return errors


def _check_elements(block: dict[str, Any], pointer: str, errors: list[str]) -> None:
    seen: set[str] = set()
    for element in elements(block):
        action_id = element.get("action_id")
        if action_id in seen:
            complain(errors, pointer, f'`action_id` "{action_id}" already exists')
        if action_id:
            seen.add(action_id)
        options = element.get("options") or []
        initial = element.get("initial_option")
        if element["type"] == "static_select" and not options and not element.get("option_groups"):
            complain(errors, pointer, "missing required field: options")
        if initial and options and initial not in options:
            complain(errors, pointer, "initial_option must match an option exactly")
