"""The workspace's messages on disk, so that a demo that is kept shows them again."""

import json
from pathlib import Path

from sandbox.slack.workspace import Workspace


def save(workspace: Workspace, path: Path) -> None:
    """Write the messages of every channel. Ephemeral ones are gone with the page, as in Slack."""
    with workspace.lock:
        text = json.dumps({channel.id: channel.messages for channel in workspace.channels.values()})
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def load(workspace: Workspace, path: Path) -> None:
    """Read what `save` wrote, where there is anything."""
    if not path.exists():
        return
    saved = json.loads(path.read_text(encoding="utf-8"))
    with workspace.lock:
        for channel_id, messages in saved.items():
            workspace.channel(channel_id).messages = messages
        workspace.changed()
