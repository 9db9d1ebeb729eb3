"""The demo's hands on the stand-in for Slack: they press what a person would press."""

import pytest

from sandbox.demo.hands import NotAsItShouldBe, SlackHands
from sandbox.slack_server import ANN, REVIEW_CHANNEL


@pytest.fixture
def hands(slack) -> SlackHands:
    return SlackHands(slack.url)


def draw(client, ts=None):
    """Draw the card; each drawing has blocks of its own."""
    button = {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}, "value": "7"}
    card = {"channel": REVIEW_CHANNEL, "text": "Card", "blocks": [{"type": "actions", "elements": [button]}]}
    return client.chat_update(ts=ts, **card) if ts else client.chat_postMessage(**card)


def test_a_card_drawn_anew_under_the_finger_is_pressed_again(slack, client, app, hands, monkeypatch):
    ts = draw(client)["ts"]
    stale = hands.button("approve", row=7)
    draw(client, ts)
    found, looks = hands.button, []
    monkeypatch.setattr(
        hands, "button", lambda *args, **more: looks.append(1) or (stale if len(looks) == 1 else found(*args, **more))
    )
    hands.press(ANN, "approve", row=7)
    assert (len(looks), [told["actions"][0]["value"] for told in app]) == (2, ["7"])


def test_an_app_that_takes_no_press_is_told(slack, client, hands):
    draw(client)
    with pytest.raises(NotAsItShouldBe, match="the press was not taken"):
        hands.press(ANN, "approve", row=7)
