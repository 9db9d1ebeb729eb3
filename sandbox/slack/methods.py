"""Slack's Web API, method by method: arguments in, the answer's fields out, SlackError for a refusal."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.slack import modals
from sandbox.slack.checks import MOST_TEXT, check_message_blocks, text_length
from sandbox.slack.workspace import (
    APP_ID,
    BOT_ID,
    BOT_USER,
    TEAM,
    Channel,
    Json,
    SlackError,
    Workspace,
    with_block_ids,
)

Method = Callable[[Workspace, Json], Json]
METHODS: dict[str, Method] = {}
MOST_TEXT_UPDATED = 4_000
MOST_TEXT_POSTED = 40_000
MOST_METADATA = 16_000
_PAGE = 100


def method(name: str) -> Callable[[Method], Method]:
    """Register a method under Slack's name."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


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


@method("chat.postMessage")
def chat_post_message(workspace: Workspace, arguments: Json) -> Json:
    """Post a message of the bot's."""
    channel = _channel_to_post_in(workspace, arguments)
    text, blocks = _content(workspace, arguments)
    message: Json = {"user": BOT_USER, "bot_id": BOT_ID, "app_id": APP_ID, "text": text[:MOST_TEXT_POSTED]}
    message |= {"blocks": blocks} if blocks else {}
    message |= _metadata(arguments)
    if thread := arguments.get("thread_ts"):
        workspace.message(channel, str(thread))
        message["thread_ts"] = str(thread)
    posted = workspace.post(channel, message)
    answer: Json = {"channel": channel.id, "ts": posted["ts"], "message": posted}
    if len(text) > MOST_TEXT_POSTED:
        answer["warning"] = "message_truncated"
    return answer


@method("chat.update")
def chat_update(workspace: Workspace, arguments: Json) -> Json:
    """Change a message of the bot's. Text alone keeps the old blocks, as Slack does."""
    channel = workspace.channel(_needed(arguments, "channel"))
    message = workspace.message(channel, _needed(arguments, "ts"))
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_update_message")
    text, blocks = _content(workspace, arguments)
    if len(text) > MOST_TEXT_UPDATED:
        raise SlackError("msg_too_long")
    if "blocks" in arguments:
        message["blocks"] = blocks
    message["text"] = text
    message.update(_metadata(arguments))
    message["edited"] = {"user": BOT_USER, "ts": workspace.new_ts()}
    workspace.changed()
    return {"channel": channel.id, "ts": message["ts"], "text": text, "message": message}


@method("chat.delete")
def chat_delete(workspace: Workspace, arguments: Json) -> Json:
    """Take a message away."""
    channel = workspace.channel(_needed(arguments, "channel"))
    message = workspace.message(channel, _needed(arguments, "ts"))
    channel.messages.remove(message)
    workspace.changed()
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.postEphemeral")
def chat_post_ephemeral(workspace: Workspace, arguments: Json) -> Json:
    """Show something to one member of a channel."""
    channel = _channel_to_post_in(workspace, arguments)
    user = workspace.person(_needed(arguments, "user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = _content(workspace, arguments)
    return {"message_ts": workspace.whisper(user.id, channel.id, text, blocks).ts}


@method("views.open")
def views_open(workspace: Workspace, arguments: Json) -> Json:
    """Open a modal for whoever pressed."""
    view = _json(arguments, "view")
    user = workspace.use_trigger(_needed(arguments, "trigger_id"))
    return {"view": modals.open_view(workspace, user, view)}


@method("views.push")
def views_push(workspace: Workspace, arguments: Json) -> Json:
    """Lay a modal over the open one."""
    view = _json(arguments, "view")
    user = workspace.use_trigger(_needed(arguments, "trigger_id"))
    return {"view": modals.push_view(workspace, user, view)}


@method("views.update")
def views_update(workspace: Workspace, arguments: Json) -> Json:
    """Change an open modal."""
    view_id = str(arguments.get("view_id") or _needed(arguments, "external_id"))
    expected = str(arguments.get("hash", ""))
    return {"view": modals.update_view(workspace, view_id, _json(arguments, "view"), expected_hash=expected)}


@method("conversations.list")
def conversations_list(workspace: Workspace, arguments: Json) -> Json:
    """List the channels, in one page."""
    skip_archived = str(arguments.get("exclude_archived", "")).lower() in {"1", "true"}
    shown = [c.as_json() for c in workspace.channels.values() if not (skip_archived and c.is_archived)]
    return {"channels": shown, "response_metadata": {"next_cursor": ""}}


@method("conversations.info")
def conversations_info(workspace: Workspace, arguments: Json) -> Json:
    """Show one channel."""
    return {"channel": workspace.channel(_needed(arguments, "channel")).as_json()}


@method("conversations.history")
def conversations_history(workspace: Workspace, arguments: Json) -> Json:
    """Return a channel's messages, newest first, page by page; metadata only when asked for."""
    channel = _channel_to_read(workspace, arguments)
    newest_first = [m for m in reversed(channel.messages) if _is_top_level(m) and _is_within(m, arguments)]
    return _page_of(newest_first, arguments)


@method("conversations.replies")
def conversations_replies(workspace: Workspace, arguments: Json) -> Json:
    """Return a thread, oldest first, its parent first of all."""
    channel = _channel_to_read(workspace, arguments)
    parent = workspace.message(channel, _needed(arguments, "ts"))
    replies = [m for m in channel.messages if m.get("thread_ts") == parent["ts"] and _is_within(m, arguments)]
    return _page_of([parent, *(m for m in replies if m is not parent)], arguments)


@method("users.info")
def users_info(workspace: Workspace, arguments: Json) -> Json:
    """Show one member."""
    return {"user": workspace.person(_needed(arguments, "user")).as_json()}


@method("users.lookupByEmail")
def users_lookup_by_email(workspace: Workspace, arguments: Json) -> Json:
    """Find an active member by e-mail address."""
    email = _needed(arguments, "email").lower()
    for person in workspace.people.values():
        if person.email.lower() == email and not person.deleted:
            return {"user": person.as_json()}
    raise SlackError("users_not_found")


@method("users.list")
def users_list(workspace: Workspace, _arguments: Json) -> Json:
    """List the members, in one page."""
    members = [person.as_json() for person in workspace.people.values()]
    return {"members": members, "response_metadata": {"next_cursor": ""}}


def check_content(arguments: Json) -> list[Json]:
    """Return the blocks of a message that Slack would take. Raises SlackError where it would not."""
    blocks = _json(arguments, "blocks") if arguments.get("blocks") is not None else []
    errors = check_message_blocks(blocks)
    if errors:
        raise SlackError("invalid_blocks", messages=errors)
    if text_length(blocks) > MOST_TEXT:
        raise SlackError("msg_blocks_too_long")
    if not blocks and not arguments.get("text"):
        raise SlackError("no_text")
    checked: list[Json] = blocks
    return checked


def _content(workspace: Workspace, arguments: Json) -> tuple[str, list[Json]]:
    blocks = check_content(arguments)
    return str(arguments.get("text") or ""), with_block_ids(workspace, blocks)


def _needed(arguments: Json, name: str) -> str:
    if not arguments.get(name):
        raise SlackError("invalid_arguments", messages=[f"[ERROR] missing required field: {name}"])
    return str(arguments[name])


def _json(arguments: Json, name: str) -> Any:
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise SlackError("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from error


def _metadata(arguments: Json) -> Json:
    given = _json(arguments, "metadata")
    if given is None:
        return {}
    is_sound = isinstance(given, dict) and isinstance(given.get("event_type"), str)
    if not is_sound or not isinstance(given.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(given)) > MOST_METADATA:
        raise SlackError("metadata_too_large")
    return {"metadata": given}


def _channel_to_post_in(workspace: Workspace, arguments: Json) -> Channel:
    channel = workspace.channel(_needed(arguments, "channel"))
    if channel.is_archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _channel_to_read(workspace: Workspace, arguments: Json) -> Channel:
    channel = workspace.channel(_needed(arguments, "channel"))
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _is_top_level(message: Json) -> bool:
    return message.get("thread_ts") in {None, message["ts"]}


def _is_within(message: Json, arguments: Json) -> bool:
    """Compare as Slack does, both ends left out unless `inclusive`. Ids of one length sort like numbers."""
    oldest, latest = str(arguments.get("oldest") or ""), str(arguments.get("latest") or "")
    ts = _microseconds(message["ts"])
    if str(arguments.get("inclusive", "")).lower() in {"1", "true"}:
        return (not oldest or ts >= _microseconds(oldest)) and (not latest or ts <= _microseconds(latest))
    return (not oldest or ts > _microseconds(oldest)) and (not latest or ts < _microseconds(latest))


def _microseconds(ts: str) -> int:
    seconds, _, fraction = ts.partition(".")
    try:
        return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
    except ValueError as error:
        raise SlackError("invalid_ts_oldest") from error


def _page_of(messages: list[Json], arguments: Json) -> Json:
    first, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or _PAGE)
    shown = messages[first : first + size]
    if str(arguments.get("include_all_metadata", "")).lower() not in {"1", "true"}:
        shown = [{name: value for name, value in m.items() if name != "metadata"} for m in shown]
    has_more = first + size < len(messages)
    cursor = str(first + size) if has_more else ""
    return {"messages": shown, "has_more": has_more, "response_metadata": {"next_cursor": cursor}}
