"""Slack's Web API, as far as an app that reviews needs it: every method under its name, and the small ones."""

from sandbox.slack import chat, conversations, modals
from sandbox.slack.registry import METHODS, as_json, method, needed
from sandbox.slack.workspace import BOT_ID, BOT_USER, TEAM, Json, SlackError, Workspace

__all__ = ["METHODS", "chat", "conversations"]


@method("auth.test")
def auth_test(_workspace: Workspace, _arguments: Json) -> Json:
    """Say who the token belongs to."""
    return {
        "url": f"https://{TEAM['domain']}.slack.example/",
        "team": "Recoup demo",
        "user": "recoup",
        "team_id": TEAM["id"],
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


@method("views.open")
def views_open(workspace: Workspace, arguments: Json) -> Json:
    """Open a modal for whoever pressed."""
    view = as_json(arguments, "view")
    user = workspace.use_trigger(needed(arguments, "trigger_id"))
    return {"view": modals.open_view(workspace, user, view)}


@method("views.push")
def views_push(workspace: Workspace, arguments: Json) -> Json:
    """Lay a modal over the open one."""
    view = as_json(arguments, "view")
    user = workspace.use_trigger(needed(arguments, "trigger_id"))
    return {"view": modals.push_view(workspace, user, view)}


@method("views.update")
def views_update(workspace: Workspace, arguments: Json) -> Json:
    """Change an open modal."""
    view_id = str(arguments.get("view_id") or needed(arguments, "external_id"))
    expected = str(arguments.get("hash", ""))
    return {"view": modals.update_view(workspace, view_id, as_json(arguments, "view"), expected_hash=expected)}


@method("users.info")
def users_info(workspace: Workspace, arguments: Json) -> Json:
    """Show one member."""
    return {"user": workspace.person(needed(arguments, "user")).as_json()}


@method("users.lookupByEmail")
def users_lookup_by_email(workspace: Workspace, arguments: Json) -> Json:
    """Find an active member by e-mail address."""
    email = needed(arguments, "email").lower()
    for person in workspace.people.values():
        if person.email.lower() == email and not person.deleted:
            return {"user": person.as_json()}
    raise SlackError("users_not_found")


@method("users.list")
def users_list(workspace: Workspace, _arguments: Json) -> Json:
    """List the members, in one page."""
    members = [person.as_json() for person in workspace.people.values()]
    return {"members": members, "response_metadata": {"next_cursor": ""}}
