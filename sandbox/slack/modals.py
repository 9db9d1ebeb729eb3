"""Opening and changing modals."""

from typing import Any

from sandbox.slack.checks import check_view
from sandbox.slack.workspace import APP_ID, BOT_ID, TEAM, Json, SlackError, Workspace, with_block_ids

DEEPEST = 3


def open_view(workspace: Workspace, user: str, view: Any) -> Json:
    """Open a modal in place of whatever the person had open. Raises SlackError where Slack would refuse."""
    made = _made(workspace, view)
    workspace.views[user] = [{**made, "root_view_id": made["id"], "previous_view_id": None}]
    workspace.changed()
    return workspace.views[user][0]


def push_view(workspace: Workspace, user: str, view: Any) -> Json:
    """Lay a modal over the open ones, three deep at most."""
    stack = workspace.views.setdefault(user, [])
    if len(stack) >= DEEPEST:
        raise SlackError("push_limit_reached")
    made = _made(workspace, view)
    root = stack[0]["id"] if stack else made["id"]
    stack.append({**made, "root_view_id": root, "previous_view_id": stack[-1]["id"] if stack else None})
    workspace.changed()
    return stack[-1]


def update_view(workspace: Workspace, view_id: str, view: Any, *, expected_hash: str = "") -> Json:
    """Change an open modal. Raises SlackError `not_found`, `hash_conflict`, or as for opening."""
    user, old = workspace.view(view_id)
    if expected_hash and expected_hash != old["hash"]:
        raise SlackError("hash_conflict")
    made = _made(workspace, view)
    kept = {name: old[name] for name in ("id", "root_view_id", "previous_view_id")}
    stack = workspace.views[user]
    stack[stack.index(old)] = {**made, **kept}
    workspace.changed()
    return workspace.view(view_id)[1]


def close_view(workspace: Workspace, user: str, *, everything: bool = False) -> None:
    """Take the topmost modal away, or all of them."""
    stack = workspace.views.get(user, [])
    del stack[0 if everything else -1 :]
    workspace.changed()


def _made(workspace: Workspace, view: Any) -> Json:
    errors = check_view(view)
    if errors:
        raise SlackError("invalid_arguments", messages=errors)
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        **view,
        "blocks": with_block_ids(workspace, view["blocks"]),
        "id": workspace.new_id("V"),
        "hash": workspace.new_ts(),
        "team_id": TEAM["id"],
        "app_id": APP_ID,
        "bot_id": BOT_ID,
        "app_installed_team_id": TEAM["id"],
        "state": {"values": {}},
    }
