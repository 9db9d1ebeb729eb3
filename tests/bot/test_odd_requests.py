"""Signed, but not what Slack sends: 400 or 413, words for a person who pressed, one log line without the body."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import structlog
from slack_sdk.signature import SignatureVerifier

from sandbox.slack.workspace import TEAM
from tests.bot.conftest import CHANNEL, SECRET, Desk, slack_id

SECRET_WORDS = "do not log me"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
EVENT: dict[str, Any] = {"type": "event_callback", "event_id": "E1", "event": {"type": "app_mention"}}
FORM_OF_OURS = {"id": "V1", "type": "modal", "callback_id": "discrepancy:reject:view", "state": {"values": {}}}

Knock = Callable[..., Any]


@pytest.fixture
def knock(desk: Desk) -> Knock:
    client = desk.app.test_client()

    def send(body: str, content_type: str = FORM) -> Any:
        at = str(int(time.time()))
        signature = SignatureVerifier(SECRET).generate_signature(timestamp=at, body=body)
        headers = {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": at}
        return client.post("/slack/events", data=body, headers=headers, content_type=content_type)

    return send


def press(**more: Any) -> str:
    payload = {
        "type": "block_actions",
        "team": TEAM,
        "user": {"id": slack_id("Ann"), "team_id": TEAM["id"]},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": CHANNEL},
        "actions": [{"type": "button", "action_id": "discrepancy:approve", "block_id": "b", "value": "1"}],
        "trigger_id": "1.2",
        **more,
    }
    return urlencode({"payload": json.dumps({name: said for name, said in payload.items() if said != "absent"})})


def sent_form(**view: Any) -> str:
    return press(type="view_submission", actions="absent", container="absent", view={**FORM_OF_OURS, **view})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        *[(f"payload={said}", FORM) for said in ("[]", "null", "5", '"do not log me"', "{}", "", "%7B", "[" * 9999)],
        *[(said, JSON) for said in ("[1]", "null", "5", "{}", "[" * 9999, '{"a":' * 9999, '{"type": "do not log me"}')],
        *[(json.dumps({**EVENT, "event": said}), JSON) for said in (None, 5, [], "type", {}, {"type": {}})],
        *[(json.dumps({**EVENT, "authorizations": said}), JSON) for said in (5, [5])],
        (json.dumps({**EVENT, "event": {"type": "app_mention", "team": 5}}), JSON),
        ('{"type": "url_verification"}', JSON),
        *[(press(user=said), FORM) for said in (5, "U1", {"id": {}})],
        *[(press(actions=said), FORM) for said in (None, 5, [], [None], [{}], [{"action_id": 5}])],
        *[
            (press(**{name: [SECRET_WORDS]}), FORM)
            for name in ("team", "container", "channel", "message", "trigger_id")
        ],
        (press(type=SECRET_WORDS, actions="absent"), FORM),
        (press(type="view_submission", actions="absent"), FORM),
        (sent_form(callback_id=None), FORM),
        (sent_form(private_metadata=[SECRET_WORDS]), FORM),
    ],
)
def test_odd_body_is_400_and_one_line_in_the_log(knock: Knock, desk: Desk, body: str, content_type: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = knock(body, content_type)
    assert answer.status_code == 400
    assert answer.text.startswith("Signed, but ")
    (line,) = logs
    assert (line["event"], line["status"]) == ("slack_request_refused", 400)
    assert SECRET_WORDS not in str(line)
    assert SECRET_WORDS not in answer.text


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 2 * 1024 * 1024, 5 * 1024 * 1024])
def test_large_body_is_413_in_words(knock: Knock, size: int) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = knock("payload=" + "x" * size)
    assert (answer.status_code, answer.text) == (413, "Too large for a request of Slack's.\n")
    assert [(line["event"], line["reason"]) for line in logs] == [("slack_request_refused", "size")]


@pytest.mark.parametrize("value", ["junk", "", "1; DROP", "-1", "9" * 19, None, {"a": 1}])
def test_button_that_names_nothing_of_ours_is_told_to_the_person(knock: Knock, desk: Desk, value: Any) -> None:
    action = {"type": "button", "action_id": "discrepancy:approve", "block_id": "b", "value": value}
    with structlog.testing.capture_logs() as logs:
        assert knock(press(actions=[action])).status_code == 200
        assert desk.told("Ann") == "This button names no discrepancy. Decide in the back office."
    assert [line["event"] for line in logs] == ["slack_press_unreadable"]


def test_unknown_button_is_told_to_the_person(knock: Knock, desk: Desk) -> None:
    assert knock(press(actions=[{"type": "button", "action_id": "else", "block_id": "b"}])).status_code == 200
    assert desk.told("Ann").startswith("This button is no longer in use.")


@pytest.mark.parametrize("form", ["discrepancy:reject:view", "discrepancy:clear:view"])
@pytest.mark.parametrize(
    "metadata",
    ["junk", "", "[]", "5", "{}", '{"discrepancy_id": "x"}', '{"discrepancy_id": 1e400}', '{"discrepancy_id": true}',
     f'{{"discrepancy_id": {2**70}}}', "[" * 9999],
)  # fmt: skip
def test_form_with_foreign_metadata_says_so_in_its_place(knock: Knock, form: str, metadata: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = knock(sent_form(callback_id=form, private_metadata=metadata))
    assert answer.status_code == 200
    assert answer.json["response_action"] == "update"
    assert "This form names no discrepancy." in json.dumps(answer.json["view"])
    assert [line["event"] for line in logs] == ["slack_press_unreadable"]


@pytest.mark.parametrize("state", [None, 5, {}, {"values": None}, {"values": {"reason": 5}},
                                   {"values": {"reason": {"reason": {"selected_option": {"value": {}}}}}}])  # fmt: skip
def test_form_without_values_points_at_its_field(knock: Knock, state: Any) -> None:
    answer = knock(sent_form(private_metadata='{"discrepancy_id": 1}', state=state))
    assert answer.json == {"response_action": "errors", "errors": {"reason": "Choose a reason."}}


def test_unknown_form_says_where_to_go(knock: Knock) -> None:
    answer = knock(sent_form(callback_id="old:view"))
    assert answer.json["response_action"] == "update"
    assert "This form is no longer in use." in json.dumps(answer.json["view"])


def test_who_may_not_is_told_where_the_form_was_opened(knock: Knock, desk: Desk) -> None:
    """A sent form has no channel of its own: its card has."""
    desk.post()
    card = {"discrepancy_id": 1, "channel": CHANNEL, "message_ts": desk.messages[-1]["ts"]}
    chosen = {"values": {"reason": {"reason": {"selected_option": {"value": "found"}}}}}
    body = sent_form(private_metadata=json.dumps(card), state=chosen)
    assert knock(body.replace(slack_id("Ann"), slack_id("Bill"))).status_code == 200
    assert desk.told("Bill")
    assert desk.row(1).decided_at is None


@pytest.mark.parametrize("url", ["x", "http://[x", "http://", "file:///etc/passwd", "http://127.0.0.1:9/ä b"])
def test_address_to_answer_to_that_is_none_is_passed_over(knock: Knock, desk: Desk, url: str) -> None:
    action = {"type": "button", "action_id": "else", "block_id": "b"}
    assert knock(press(actions=[action], response_url=url)).status_code == 200
    assert desk.told("Ann").startswith("This button is no longer in use.")
