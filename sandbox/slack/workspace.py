"""The state of the stand-in: people, channels, messages, modals, and the one-time keys that go with presses."""

import itertools
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEAM = {"id": "T0RECOUP1", "domain": "recoup-demo"}
APP_ID = "A0RECOUP1"
BOT_USER, BOT_ID = "U0RECOUPB", "B0RECOUP1"
_RESPONSE_USES = 5
_RESPONSE_SECONDS = 30 * 60


class SlackError(Exception):
    """Slack's refusal: its error word, and more where Slack says more."""

    def __init__(self, word: str, *, messages: list[str] | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.messages = messages or []


@dataclass(slots=True)
class Person:
    """A member of the workspace."""

    id: str
    name: str
    email: str
    is_bot: bool = False
    is_restricted: bool = False
    deleted: bool = False
    team_id: str = TEAM["id"]

    def as_json(self) -> Json:
        """Return the user object of users.info."""
        handle = self.email.split("@")[0]
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": handle,
            "real_name": self.name,
            "deleted": self.deleted,
            "is_bot": self.is_bot,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "tz": "America/Los_Angeles",
            "profile": {"real_name": self.name, "display_name": self.name, "email": self.email},
        }


@dataclass(slots=True)
class Channel:
    """A channel. The bot may post where it is a member."""

    id: str
    name: str
    members: set[str]
    is_private: bool = False
    is_archived: bool = False
    messages: list[Json] = field(default_factory=list)

    def as_json(self) -> Json:
        """Return the channel object of conversations.list."""
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": True,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_member": BOT_USER in self.members,
            "num_members": len(self.members),
        }


@dataclass(slots=True)
class ResponseUrl:
    """Where the app may answer one press or command: five times in half an hour."""

    user: str
    channel: str
    message_ts: str
    issued: float
    uses: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether Slack would answer 404."""
        return self.uses >= _RESPONSE_USES or time.monotonic() - self.issued > _RESPONSE_SECONDS


@dataclass(slots=True)
class Ephemeral:
    """A message that one person sees, until the page is closed."""

    ts: str
    user: str
    channel: str
    text: str
    blocks: list[Json]


class Workspace:
    """Everything the stand-in knows. Whoever reads or changes it holds `lock`; every change raises `version`."""

    def __init__(self, *, trigger_seconds: float = 3) -> None:
        self.lock = threading.RLock()
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[Ephemeral] = []
        self.views: dict[str, list[Json]] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.links: dict[str, str] = {}  # the demo's other pages, by name
        self.version = 0
        self._trigger_seconds = trigger_seconds
        self._triggers: dict[str, tuple[str, float]] = {}
        self._used_triggers: set[str] = set()
        self._numbers = itertools.count(1)
        self._last_ts = 0

    def changed(self) -> None:
        """Say that there is something new to see."""
        self.version += 1

    def add_person(self, person: Person) -> None:
        """Add a member."""
        self.people[person.id] = person
        self.changed()

    def add_channel(self, channel: Channel) -> None:
        """Add a channel."""
        self.channels[channel.id] = channel
        self.changed()

    def new_ts(self) -> str:
        """Return a message id: the time in microseconds, never the same twice."""
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, letter: str) -> str:
        """Return an id in Slack's form."""
        return f"{letter}0{next(self._numbers):08d}"

    def person(self, user_id: str) -> Person:
        """Return a member. Raises SlackError `user_not_found`."""
        if user_id not in self.people:
            raise SlackError("user_not_found")
        return self.people[user_id]

    def channel(self, id_or_name: str) -> Channel:
        """Return a channel by id or name. Raises SlackError `channel_not_found`."""
        wanted = id_or_name.removeprefix("#")
        for channel in self.channels.values():
            if wanted in {channel.id, channel.name}:
                return channel
        raise SlackError("channel_not_found")

    def message(self, channel: Channel, ts: str) -> Json:
        """Return a message. Raises SlackError `message_not_found`."""
        for message in channel.messages:
            if message["ts"] == ts:
                return message
        raise SlackError("message_not_found")

    def post(self, channel: Channel, message: Json) -> Json:
        """Put a message into a channel and give it its id."""
        message = {"type": "message", **message, "ts": self.new_ts(), "team": TEAM["id"]}
        channel.messages.append(message)
        self.changed()
        return message

    def whisper(self, user: str, channel: str, text: str, blocks: list[Json]) -> Ephemeral:
        """Show a message to one person only."""
        shown = Ephemeral(self.new_ts(), user, channel, text, blocks)
        self.ephemerals.append(shown)
        self.changed()
        return shown

    def new_trigger(self, user: str) -> str:
        """Return a key with which the app may open a modal for `user`, once and soon."""
        trigger = f"{secrets.token_hex(6)}.{TEAM['id']}"
        self._triggers[trigger] = (user, time.monotonic())
        return trigger

    def use_trigger(self, trigger: str) -> str:
        """Return whose trigger it is. Raises SlackError for a strange, used or late one."""
        if trigger in self._used_triggers:
            raise SlackError("exchanged_trigger_id")
        if trigger not in self._triggers:
            raise SlackError("invalid_trigger_id")
        user, issued = self._triggers.pop(trigger)
        self._used_triggers.add(trigger)
        if time.monotonic() - issued > self._trigger_seconds:
            raise SlackError("expired_trigger_id")
        return user

    def new_response_url(self, user: str, channel: str, message_ts: str) -> str:
        """Return the token of a new response URL."""
        token = secrets.token_urlsafe(16)
        self.response_urls[token] = ResponseUrl(user, channel, message_ts, time.monotonic())
        return token

    def view(self, view_id: str) -> tuple[str, Json]:
        """Return whose modal it is, and the modal. Raises SlackError `not_found`."""
        for user, stack in self.views.items():
            for view in stack:
                if view_id in {view["id"], view["external_id"] or None}:
                    return user, view
        raise SlackError("not_found")


def with_block_ids(workspace: Workspace, blocks: list[Json]) -> list[Json]:
    """Return the blocks as Slack keeps them: each with an id."""
    return [{**block, "block_id": block.get("block_id") or workspace.new_id("b")} for block in blocks]
