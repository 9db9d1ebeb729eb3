"""Who may knock at /slack/events: signed by Slack, lately, and with something that can be read."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from slack_sdk.signature import SignatureVerifier

import bot
from db import reading
from models import SlackRequest
from sandbox.slack.workspace import TEAM
from tests.bot.conftest import CHANNEL, SECRET, Desk, eventually, slack_id


@pytest.fixture
def knock(desk: Desk) -> Callable[..., Any]:
    client = desk.app.test_client()

    def send(body: str, *, at: str | None = None, secret: str = SECRET, **headers: str) -> Any:
        return _send(client, body, at=at, secret=secret, **headers)

    return send


def test_url_is_verified(knock) -> None:
    answer = knock(json.dumps({"type": "url_verification", "challenge": "abc"}), content_type="application/json")
    assert (answer.status_code, answer.get_json(silent=True) or answer.text) == (200, {"challenge": "abc"})


def test_wrong_secret_is_401(knock, desk: Desk) -> None:
    desk.post()
    assert knock(_press(desk), secret="somebody else's").status_code == 401
    assert desk.row(1).decided_at is None


@pytest.mark.parametrize("seconds_off", [-301, 310])
def test_time_too_far_off_is_401(knock, desk: Desk, seconds_off: int) -> None:
    desk.post()
    assert knock(_press(desk), at=str(int(time.time()) + seconds_off)).status_code == 401
    assert desk.row(1).decided_at is None


@pytest.mark.parametrize("at", ["soon", "", "-1", "1e9", "٣", "9" * 400])
def test_garbled_time_is_401(knock, at: str) -> None:
    assert knock("payload={}", at=at).status_code == 401


def test_unsigned_is_401_also_for_the_old_ssl_check(desk: Desk) -> None:
    client = desk.app.test_client()
    assert client.post("/slack/events", data="ssl_check=1&token=x").status_code == 401
    assert client.post("/slack/events").status_code == 401


def test_signature_that_is_no_ascii_is_401(knock) -> None:
    assert knock("payload={}", **{"X-Slack-Signature": "v0=ä"}).status_code == 401


@pytest.mark.parametrize("body", ["payload=not-json", "payload=%7B", "{"])
def test_signed_rubbish_is_400(knock, body: str) -> None:
    kind = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
    assert knock(body, content_type=kind).status_code in {400, 404}


def test_too_large_is_413(knock) -> None:
    assert knock("x" * (1024 * 1024 + 1)).status_code == 413


def test_press_goes_through_the_whole_web_app(desk: Desk) -> None:
    """With the back office around it: its protection against foreign forms is not for signed requests."""
    import wsgi  # it makes an app when it is imported, so not before the test has its settings

    desk.post()
    assert _send(wsgi.create_app().test_client(), _press(desk), at=None).status_code == 200
    eventually(lambda: desk.row(1).decided_at)


def test_replay_of_a_press_decides_once(knock, desk: Desk) -> None:
    desk.post()
    body = _press(desk)
    assert knock(body).status_code == 200
    eventually(lambda: desk.row(1).decided_at)
    decided = desk.row(1).version
    assert knock(body).status_code == 200
    assert desk.told("Ann").startswith("Already approved by Ann")
    assert desk.row(1).version == decided


def test_event_that_comes_again_is_taken_once(knock, desk: Desk) -> None:
    body = json.dumps(
        {
            "type": "event_callback",
            "event_id": "Ev1",
            "team_id": TEAM["id"],
            "event": {"type": "app_mention", "user": slack_id("Ann"), "channel": CHANNEL, "text": "hello"},
        }
    )
    for retry in ("", "1", "2"):
        headers = {"X-Slack-Retry-Num": retry, "X-Slack-Retry-Reason": "http_timeout"} if retry else {}
        assert knock(body, content_type="application/json", **headers).status_code == 200
    assert "/claims status" in desk.told("Ann")
    desk.app.extensions["slack"].listener_runner.listener_executor.shutdown(wait=True)
    assert len(desk.slack.workspace.ephemerals) == 1
    with reading() as session:
        assert session.query(SlackRequest).count() == 1


def test_unknown_command_gets_help(knock, desk: Desk) -> None:
    form = {"command": "/else", "text": "", "user_id": slack_id("Ann"), "channel_id": CHANNEL, "team_id": TEAM["id"]}
    assert knock(urlencode(form)).status_code == 200
    assert "/claims status" in desk.told("Ann")


def test_press_is_taken_without_slack_being_there(knock, desk: Desk, settings_of_the_test) -> None:
    desk.post()
    body = _press(desk)
    settings_of_the_test(SLACK_API_URL="http://127.0.0.1:9/api/")
    began = time.monotonic()
    assert knock(body).status_code == 200
    assert time.monotonic() - began < 1.5
    eventually(lambda: desk.row(1).decided_at)


def test_without_settings_the_address_says_that_slack_is_off(settings_of_the_test) -> None:
    app = Flask("off")
    bot.register(app)
    answer = app.test_client().post("/slack/events", data="x")
    assert answer.status_code == 404
    assert "Slack is not connected" in answer.text


def test_app_starts_without_slack_and_whatever_the_environment_says(
    settings_of_the_test, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_of_the_test(SLACK_BOT_TOKEN="x", SLACK_SIGNING_SECRET=SECRET, SLACK_API_URL="http://127.0.0.1:9/api/")
    monkeypatch.setenv("SLACK_CLIENT_ID", "other")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "other")
    app = Flask("no slack")
    bot.register(app)
    answer = _send(app.test_client(), json.dumps({"type": "url_verification", "challenge": "abc"}), at=None)
    assert answer.status_code == 200


def _send(client: FlaskClient, body: str, *, at: str | None, secret: str = SECRET, **headers: str) -> Any:
    at = str(int(time.time())) if at is None else at
    signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
    kind = headers.pop("content_type", "application/x-www-form-urlencoded")
    signed = {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": at.encode().decode("latin-1"), **headers}
    return client.post("/slack/events", data=body, headers=signed, content_type=kind)


def _press(desk: Desk) -> str:
    card = desk.messages[-1]
    payload = {
        "type": "block_actions",
        "team": TEAM,
        "user": {"id": slack_id("Ann"), "team_id": TEAM["id"]},
        "container": {"type": "message", "message_ts": card["ts"], "channel_id": CHANNEL},
        "actions": [{"type": "button", "action_id": "discrepancy:approve", "block_id": "b", "value": "1"}],
        "trigger_id": "1.2",
    }
    return urlencode({"payload": json.dumps(payload)})
