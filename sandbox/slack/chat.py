"""chat.*: posting and changing messages."""

import json

from sandbox.slack.checks import MOST_TEXT, check_message_blocks, text_length
from sandbox.slack.registry import as_json, method, needed
from sandbox.slack.workspace import (
    APP_ID,
    BOT_ID,
    BOT_USER,
    Channel,
    Json,
    SlackError,
    Workspace,
    with_block_ids,
)

MOST_TEXT_UPDATED = 4_000
MOST_TEXT_POSTED = 40_000
MOST_METADATA = 16_000


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
    channel = workspace.channel(needed(arguments, "channel"))
    message = workspace.message(channel, needed(arguments, "ts"))
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
    channel = workspace.channel(needed(arguments, "channel"))
    message = workspace.message(channel, needed(arguments, "ts"))
    channel.messages.remove(message)
    workspace.changed()
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.postEphemeral")
def chat_post_ephemeral(workspace: Workspace, arguments: Json) -> Json:
    """Show something to one member of a channel."""
    channel = _channel_to_post_in(workspace, arguments)
    user = workspace.person(needed(arguments, "user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = _content(workspace, arguments)
    return {"message_ts": workspace.whisper(user.id, channel.id, text, blocks).ts}


def check_content(arguments: Json) -> list[Json]:
    """Return the blocks of a message that Slack would take. Raises SlackError where it would not."""
    blocks = as_json(arguments, "blocks") if arguments.get("blocks") is not None else []
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


def _metadata(arguments: Json) -> Json:
    given = as_json(arguments, "metadata")
    if given is None:
        return {}
    is_sound = isinstance(given, dict) and isinstance(given.get("event_type"), str)
    if not is_sound or not isinstance(given.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(given)) > MOST_METADATA:
        raise SlackError("metadata_too_large")
    return {"metadata": given}


def _channel_to_post_in(workspace: Workspace, arguments: Json) -> Channel:
    channel = workspace.channel(needed(arguments, "channel"))
    if channel.is_archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel
