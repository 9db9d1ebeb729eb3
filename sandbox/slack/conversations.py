"""conversations.*: what stands in the channels."""

from sandbox.slack.registry import is_true, method, needed
from sandbox.slack.workspace import BOT_USER, Channel, Json, SlackError, Workspace

_PAGE = 100


@method("conversations.list")
def conversations_list(workspace: Workspace, arguments: Json) -> Json:
    """List the channels, in one page."""
    skip_archived = is_true(arguments, "exclude_archived")
    shown = [c.as_json() for c in workspace.channels.values() if not (skip_archived and c.is_archived)]
    return {"channels": shown, "response_metadata": {"next_cursor": ""}}


@method("conversations.info")
def conversations_info(workspace: Workspace, arguments: Json) -> Json:
    """Show one channel."""
    return {"channel": workspace.channel(needed(arguments, "channel")).as_json()}


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
    parent = workspace.message(channel, needed(arguments, "ts"))
    replies = [m for m in channel.messages if m.get("thread_ts") == parent["ts"] and _is_within(m, arguments)]
    return _page_of([parent, *(m for m in replies if m is not parent)], arguments)


def _channel_to_read(workspace: Workspace, arguments: Json) -> Channel:
    channel = workspace.channel(needed(arguments, "channel"))
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _is_top_level(message: Json) -> bool:
    return message.get("thread_ts") in {None, message["ts"]}


def _is_within(message: Json, arguments: Json) -> bool:
    """Compare as Slack does, both ends left out unless `inclusive`. Ids of one length sort like numbers."""
    oldest, latest = str(arguments.get("oldest") or ""), str(arguments.get("latest") or "")
    ts = _microseconds(message["ts"])
    if is_true(arguments, "inclusive"):
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
    if not is_true(arguments, "include_all_metadata"):
        shown = [{name: value for name, value in m.items() if name != "metadata"} for m in shown]
    has_more = first + size < len(messages)
    cursor = str(first + size) if has_more else ""
    return {"messages": shown, "has_more": has_more, "response_metadata": {"next_cursor": cursor}}
