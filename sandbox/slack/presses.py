"""What a person does on the page, told to the app as Slack tells it, and what the app's answer changes."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.slack import modals
from sandbox.slack.chat import check_content
from sandbox.slack.checks import elements
from sandbox.slack.delivery import Answer, AppAddress, deliver
from sandbox.slack.workspace import APP_ID, TEAM, Ephemeral, Json, SlackError, Workspace, with_block_ids

TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True, slots=True)
class Pressed:
    """Which element was used, and what was chosen in it."""

    block_id: str
    action_id: str
    chosen: Json | None = None


class Presses:
    """Sends what people do to the app. `public_url` is the stand-in's own address, for response URLs."""

    def __init__(self, workspace: Workspace, app: AppAddress, public_url: str) -> None:
        self.workspace = workspace
        self.app = app
        self.public_url = public_url

    def on_message(self, user: str, channel: str, ts: str, pressed: Pressed) -> Answer:
        """Press something in a message or in an ephemeral one."""
        with self.workspace.lock:
            where = self.workspace.channel(channel)
            whisper = next((e for e in self.workspace.ephemerals if e.ts == ts and e.user == user), None)
            message = _as_message(whisper) if whisper else self.workspace.message(where, ts)
            action = _action(message.get("blocks", []), pressed)
            payload = self._press(user, action) | {
                "container": {
                    "type": "message",
                    "message_ts": ts,
                    "channel_id": where.id,
                    "is_ephemeral": whisper is not None,
                },
                "channel": {"id": where.id, "name": where.name},
                "response_url": self._response_url(user, where.id, ts),
                "state": {"values": {}},
            }
            payload |= {} if whisper else {"message": message}
            form = _packed(payload)
        return deliver(self.app, form)

    def on_view(self, user: str, view_id: str, pressed: Pressed) -> Answer:
        """Press something inside a modal."""
        with self.workspace.lock:
            _owner, view = self.workspace.view(view_id)
            action = _action(view["blocks"], pressed)
            container = {"type": "view", "view_id": view_id}
            form = _packed(self._press(user, action) | {"container": container, "view": view})
        return deliver(self.app, form)

    def submit(self, user: str, view_id: str, values: Json) -> tuple[Answer, dict[str, str]]:
        """Send a modal off. Returns the app's answer and, where fields are wrong, what is wrong by block."""
        with self.workspace.lock:
            _owner, view = self.workspace.view(view_id)
            view["state"] = {"values": values}
            missing = _missing(view, values)
            if missing:
                return Answer(200, ""), missing
            form = _packed(self._base(user, "view_submission") | {"view": view, "response_urls": []})
        answer = deliver(self.app, form)
        if not answer.is_taken:
            return answer, {}
        with self.workspace.lock:
            return answer, self._follow(user, view_id, answer.body)

    def close(self, user: str, view_id: str) -> None:
        """Close a modal; the app hears of it where it asked to."""
        with self.workspace.lock:
            _owner, view = self.workspace.view(view_id)
            modals.close_view(self.workspace, user)
            form = _packed(self._base(user, "view_closed") | {"view": view, "is_cleared": False})
        if view["notify_on_close"]:
            deliver(self.app, form)

    def command(self, user: str, channel: str, command: str, text: str) -> Answer:
        """Type a slash command; what the app answers at once is shown to the person alone, unless it says otherwise."""
        with self.workspace.lock:
            person, where = self.workspace.person(user), self.workspace.channel(channel)
            form = {
                "token": "stand-in",
                "team_id": TEAM["id"],
                "team_domain": TEAM["domain"],
                "channel_id": where.id,
                "channel_name": where.name,
                "user_id": user,
                "user_name": person.email.split("@")[0],
                "command": command,
                "text": text,
                "api_app_id": APP_ID,
                "is_enterprise_install": "false",
                "response_url": self._response_url(user, where.id, ""),
                "trigger_id": self.workspace.new_trigger(user),
            }
        answer = deliver(self.app, form)
        if answer.is_taken and answer.body.strip():
            with self.workspace.lock:
                self.respond(form["response_url"].rsplit("/", 1)[1], _as_json(answer.body), is_first=True)
        return answer

    def respond(self, token: str, body: Json, *, is_first: bool = False) -> None:
        """Do what the app sent to a response URL. Raises SlackError `used_url` when it is spent."""
        link = self.workspace.response_urls.get(token)
        if link is None or (link.is_spent and not is_first):
            raise SlackError("used_url")
        link.uses += 0 if is_first else 1
        if body.get("delete_original"):
            self._drop(link.channel, link.message_ts)
            return
        text, blocks = str(body.get("text") or ""), with_block_ids(self.workspace, check_content(body))
        if body.get("replace_original") and self._replace(link.channel, link.message_ts, text, blocks):
            return
        if body.get("response_type") == "in_channel":
            channel = self.workspace.channel(link.channel)
            self.workspace.post(channel, {"user": "", "bot_id": "", "text": text, "blocks": blocks})
            return
        self.workspace.whisper(link.user, link.channel, text, blocks)

    def _replace(self, channel_id: str, ts: str, text: str, blocks: list[Json]) -> bool:
        self.workspace.changed()
        for whisper in self.workspace.ephemerals:
            if whisper.ts == ts:
                whisper.text, whisper.blocks = text, blocks
                return True
        for message in self.workspace.channel(channel_id).messages:
            if message["ts"] == ts:
                message.update({"text": text, "blocks": blocks})
                return True
        return False

    def _drop(self, channel_id: str, ts: str) -> None:
        channel = self.workspace.channel(channel_id)
        self.workspace.ephemerals = [e for e in self.workspace.ephemerals if e.ts != ts]
        channel.messages = [m for m in channel.messages if m["ts"] != ts]
        self.workspace.changed()

    def _follow(self, user: str, view_id: str, body: str) -> dict[str, str]:
        answer = _as_json(body) if body.strip() else {}
        what = answer.get("response_action")
        if what == "errors":
            return {str(block): str(words) for block, words in answer.get("errors", {}).items()}
        if what == "update":
            modals.update_view(self.workspace, view_id, answer["view"])
        elif what == "push":
            modals.push_view(self.workspace, user, answer["view"])
        else:
            modals.close_view(self.workspace, user, everything=what == "clear")
        return {}

    def _base(self, user: str, kind: str) -> Json:
        person = self.workspace.person(user)
        handle = person.email.split("@")[0]
        return {
            "type": kind,
            "team": TEAM,
            "user": {"id": user, "username": handle, "name": handle, "team_id": person.team_id},
            "api_app_id": APP_ID,
            "token": "stand-in",
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self.workspace.new_trigger(user),
        }

    def _press(self, user: str, action: Json) -> Json:
        return self._base(user, "block_actions") | {"actions": [action]}

    def _response_url(self, user: str, channel: str, ts: str) -> str:
        return f"{self.public_url}/_respond/{self.workspace.new_response_url(user, channel, ts)}"


def _packed(payload: Json) -> dict[str, str]:
    return {"payload": json.dumps(payload)}


def _as_message(whisper: Ephemeral) -> Json:
    return {"ts": whisper.ts, "text": whisper.text, "blocks": whisper.blocks}


def _as_json(body: str) -> Json:
    """Read an answer of the app's; plain text is a message's text."""
    try:
        parsed = json.loads(body)
    except json.JSONDecodeError:
        return {"text": body}
    return parsed if isinstance(parsed, dict) else {"text": body}


def _action(blocks: Iterable[Json], pressed: Pressed) -> Json:
    """Return the action of a payload. Raises SlackError where there is no such element (any more)."""
    for block in blocks:
        for element in elements(block):
            if (block["block_id"], element.get("action_id", "")) == (pressed.block_id, pressed.action_id):
                return _told(block["block_id"], element, pressed.chosen)
    raise SlackError("no_such_action")


def _told(block_id: str, element: Json, chosen: Json | None) -> Json:
    kept = ("type", "action_id", "text", "value", "style", "placeholder")
    told: dict[str, Any] = {name: element[name] for name in kept if name in element}
    if chosen is not None:
        told["selected_option"] = chosen
    return told | {"block_id": block_id, "action_ts": f"{time.time():.6f}"}


def _missing(view: Json, values: Json) -> dict[str, str]:
    """Return what Slack's own window asks for before it sends anything: required inputs, lengths."""
    wrong: dict[str, str] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element.get("action_id", ""), {})
        problem = _problem(element, state, is_optional=bool(block.get("optional")))
        if problem:
            wrong[block["block_id"]] = problem
    return wrong


def _problem(element: Json, state: Json, *, is_optional: bool) -> str:
    given = state.get("value") or state.get("selected_option") or state.get("selected_options")
    if not given:
        return "" if is_optional else "Please complete this required field."
    if isinstance(given, str) and len(given) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    if isinstance(given, str) and len(given) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    return ""
