"""A stand-in for Slack, and a small Bolt app behind it that answers like any app would."""

from collections.abc import Iterator

import pytest
from flask import Flask, request
from slack_bolt import App
from slack_bolt.adapter.flask import SlackRequestHandler
from slack_sdk import WebClient

from sandbox.serving import LocalServer
from sandbox.slack_server import BOT_TOKEN, REVIEW_CHANNEL, SIGNING_SECRET, SlackServer

CARD = [
    {"type": "header", "text": {"type": "plain_text", "text": "Lost in the warehouse · Pine &amp; Co"}},
    {
        "type": "section",
        "block_id": "what",
        "text": {"type": "mrkdwn", "text": '3 units · *37.02 USD* · in 9 days, `12" wok` &lt;b&gt;'},
        "fields": [{"type": "mrkdwn", "text": "*FNSKU*\nX001"}, {"type": "plain_text", "text": "ABE8"}],
    },
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "<!date^0^{date_num}|1970-01-01> by <@U0ANN0001>"}]},
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "text": {"type": "plain_text", "text": "Approve 37.02 USD"},
                "style": "primary",
                "value": "7",
            },
            {"type": "button", "action_id": "reject", "text": {"type": "plain_text", "text": "Reject…"}, "value": "7"},
        ],
    },
]
REASONS = [
    {"text": {"type": "plain_text", "text": "Not ours"}, "value": "not_ours"},
    {"text": {"type": "plain_text", "text": "Other"}, "value": "other"},
]
MODAL = {
    "type": "modal",
    "callback_id": "reject",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "private_metadata": "7",
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "static_select", "action_id": "choice", "options": REASONS},
        },
        {
            "type": "input",
            "block_id": "note",
            "optional": True,
            "label": {"type": "plain_text", "text": "Note"},
            "element": {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 200},
        },
    ],
}


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def client(slack) -> WebClient:
    return WebClient(BOT_TOKEN, base_url=slack.api_url, retry_handlers=[], timeout=5)


@pytest.fixture
def card(client) -> str:
    posted = client.chat_postMessage(channel=REVIEW_CHANNEL, text="3 units lost, worth 37.02 USD", blocks=CARD)
    return posted["ts"]


@pytest.fixture
def app(slack, client) -> Iterator[list[dict]]:
    """Run the small app. Yields what it was told."""
    told: list[dict] = []
    bolt = App(client=client, signing_secret=SIGNING_SECRET, token_verification_enabled=False)
    _add_handlers(bolt, told)
    flask = Flask("small_app")
    handler = SlackRequestHandler(bolt)
    flask.add_url_rule("/slack/events", view_func=lambda: handler.handle(request), methods=["POST"])
    with LocalServer(flask) as server:
        slack.point_at(f"{server.url}/slack/events")
        yield told


def _add_handlers(bolt: App, told: list[dict]) -> None:
    @bolt.action("approve")
    def approve(ack, body, client):
        ack()
        told.append(body)
        done = [{"type": "section", "text": {"type": "mrkdwn", "text": f"Approved by <@{body['user']['id']}>"}}]
        client.chat_update(
            channel=body["container"]["channel_id"], ts=body["container"]["message_ts"], text="Approved", blocks=done
        )

    @bolt.action("reject")
    def reject(ack, body, client):
        ack()
        told.append(body)
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @bolt.view("reject")
    def rejected(ack, body, view):
        told.append(body)
        values = view["state"]["values"]
        if values["reason"]["choice"]["selected_option"]["value"] == "other" and not values["note"]["text"]["value"]:
            ack(response_action="errors", errors={"note": "Say why."})
            return
        ack()

    @bolt.command("/claims")
    def claims(ack, body, respond):
        told.append(body)
        ack()
        respond(f"You asked for {body['text']}")
