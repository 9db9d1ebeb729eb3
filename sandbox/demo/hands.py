"""What a person sees and does in the Slack stand-in, done over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.demo.browser import Browser
from sandbox.slack_server import ANN, REVIEW_CHANNEL

Json = dict[str, Any]

_TRIES = 5
_REDRAWN = "no_such_action"


class NotAsItShouldBe(Exception):
    """Something else was found than should have been; the words are for a person."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a message: `told` is what pressing it says, `row` the discrepancy it is about (0: none)."""

    action_id: str
    row: int
    told: Json


class SlackHands:
    """Reads the review channel and presses what is in it."""

    def __init__(self, url: str) -> None:
        self._browser = Browser(url)

    def state(self, user: str) -> Json:
        """Return what a person's page knows."""
        state: Json = self._browser.get(f"/_ui/state?user={user}").json()
        return state

    def messages(self, channel: str = REVIEW_CHANNEL) -> list[Json]:
        """Return the messages of a channel, oldest first."""
        channels = self.state(ANN)["channels"]
        messages: list[Json] = next(c["messages"] for c in channels if c["id"] == channel)
        return messages

    def card(self, row: int) -> str:
        """Return the card of a discrepancy as text; empty where there is none."""
        cards = (json.dumps(message, ensure_ascii=False) for message in self.messages())
        return next((card for card in cards if f'"value": "{row}"' in card), "")

    def rows_of(self, action_id: str) -> set[int]:
        """Return the discrepancies on whose cards there is such a button."""
        return {button.row for button in self._buttons() if button.action_id == action_id}

    def button(self, action_id: str, *, row: int = 0) -> Button:
        """Return the first such button, of one discrepancy where told. Raises NotAsItShouldBe."""
        for button in self._buttons():
            if button.action_id == action_id and row in {0, button.row}:
                return button
        raise NotAsItShouldBe(f"there is no button {action_id}" + (f" on the card of {row}" if row else ""))

    def press(self, user: str, action_id: str, *, row: int) -> None:
        """Press a button of a discrepancy's card. Raises NotAsItShouldBe where there is none or the app takes no press.

        A card that is drawn anew has buttons of its own: whoever pressed the old one at that moment presses again.
        """
        for _ in range(_TRIES):
            told = {"user": user, **self.button(action_id, row=row).told}
            answer: Json = self._browser.post_json("/_ui/press", told)
            if answer["ok"]:
                return
            if answer.get("error") != _REDRAWN:
                break
        raise NotAsItShouldBe(f"the press was not taken: {answer.get('why') or answer.get('error')}")

    def say(self, user: str, text: str) -> Json:
        """Type something into the review channel."""
        told = {"user": user, "channel": REVIEW_CHANNEL, "text": text}
        answer: Json = self._browser.post_json("/_ui/say", told)
        return answer

    def send_form(self, user: str, *, choose: str, note: str) -> Json:
        """Fill in the open form, with the option `choose` where there is one, and send it off."""
        view = self.state(user)["view"]
        values = _filled_in(view, choose, note)
        answer: Json = self._browser.post_json("/_ui/submit", {"user": user, "view_id": view["id"], "values": values})
        return answer

    def _buttons(self) -> Iterator[Button]:
        for message in self.messages():
            for block in message.get("blocks", []):
                for element in block.get("elements", []):
                    if element.get("type") == "button":
                        yield _button(message, block, element)


def _button(message: Json, block: Json, element: Json) -> Button:
    told = {"channel": REVIEW_CHANNEL, "ts": message["ts"], "block_id": block["block_id"]}
    action_id = element.get("action_id", "")
    return Button(action_id, int(element.get("value") or 0), {**told, "action_id": action_id})


def _filled_in(view: Json, choose: str, note: str) -> Json:
    values: Json = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        state: Json = {"type": element["type"], "value": note}
        if element["type"] != "plain_text_input":
            wanted = [option for option in element["options"] if option["value"] == choose]
            state = {"type": element["type"], "selected_option": (wanted or element["options"])[0]}
        values[block["block_id"]] = {element["action_id"]: state}
    return values
