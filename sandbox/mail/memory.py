"""The mailbox on disk, so that a demo that is kept shows its mails again."""

import base64
import json
from pathlib import Path

from sandbox.mail.inbox import Inbox


def save(inbox: Inbox, path: Path) -> None:
    """Write every mail."""
    kept = [
        {
            "sender": mail.sender,
            "recipients": list(mail.recipients),
            "content": base64.b64encode(mail.content).decode("ascii"),
        }
        for mail in inbox
    ]
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(kept), encoding="utf-8")
    fresh.replace(path)


def load(inbox: Inbox, path: Path) -> None:
    """Read what `save` wrote, where there is anything; the mails are numbered anew."""
    if not path.exists():
        return
    for kept in json.loads(path.read_text(encoding="utf-8")):
        inbox.add(kept["sender"], kept["recipients"], base64.b64decode(kept["content"]))
