"""What a person does on the stand-in's page reaches the app as Slack would send it, signed."""

import json
import time
import urllib.error
import urllib.request

import pytest
from slack_sdk.signature import SignatureVerifier

from sandbox.slack.delivery import AppAddress, signature
from sandbox.slack.presses import Pressed
from sandbox.slack.workspace import SlackError
from sandbox.slack_server import ANN, BEN, REVIEW_CHANNEL, SIGNING_SECRET
from tests.waiting import wait_until

APPROVE, REJECT = Pressed("decide", "approve"), Pressed("decide", "reject")


def press(slack, ts, pressed=APPROVE, user=ANN):
    return slack.presses.on_message(user, REVIEW_CHANNEL, ts, pressed)


def values(reason="not_ours", note=None):
    label = {"not_ours": "Not ours", "other": "Other"}[reason]
    option = {"text": {"type": "plain_text", "text": label}, "value": reason}
    return {
        "reason": {"choice": {"type": "static_select", "selected_option": option}},
        "note": {"text": {"type": "plain_text_input", "value": note}},
    }


def test_signature_is_the_one_slacks_own_verifier_takes():
    now = str(int(time.time()))
    verifier = SignatureVerifier(SIGNING_SECRET)
    assert verifier.is_valid("a=b", now, signature(SIGNING_SECRET, now, "a=b"))


def test_a_press_reaches_the_app_and_the_card_changes(slack, app, card):
    assert press(slack, card).is_taken
    wait_until(lambda: slack.workspace.channel(REVIEW_CHANNEL).messages[0]["text"] == "Approved")
    told = app[0]
    assert told["type"] == "block_actions"
    assert told["user"]["id"] == ANN
    assert told["container"]["message_ts"] == card
    assert told["actions"][0]["value"] == "7"


def test_a_button_that_is_gone_cannot_be_pressed(slack, app, card):
    press(slack, card)
    wait_until(lambda: slack.workspace.channel(REVIEW_CHANNEL).messages[0]["text"] == "Approved")
    with pytest.raises(SlackError, match="no_such_action"):
        press(slack, card, user=BEN)


def test_a_modal_is_sent_off_and_closes(slack, app, card):
    press(slack, card, REJECT)
    wait_until(lambda: slack.workspace.views.get(ANN))
    view = slack.workspace.views[ANN][0]
    answer, errors = slack.presses.submit(ANN, view["id"], values())
    assert (answer.is_taken, errors) == (True, {})
    assert slack.workspace.views[ANN] == []
    assert app[-1]["view"]["private_metadata"] == "7"
    assert app[-1]["view"]["state"]["values"]["reason"]["choice"]["selected_option"]["value"] == "not_ours"


def test_the_apps_field_errors_keep_the_modal_open(slack, app, card):
    press(slack, card, REJECT)
    wait_until(lambda: slack.workspace.views.get(ANN))
    view = slack.workspace.views[ANN][0]
    _answer, errors = slack.presses.submit(ANN, view["id"], values("other"))
    assert errors == {"note": "Say why."}
    assert len(slack.workspace.views[ANN]) == 1


def test_a_required_field_is_asked_for_before_anything_is_sent(slack, app, card):
    press(slack, card, REJECT)
    wait_until(lambda: slack.workspace.views.get(ANN))
    told_before = len(app)
    _answer, errors = slack.presses.submit(ANN, slack.workspace.views[ANN][0]["id"], {})
    assert list(errors) == ["reason"]
    assert len(app) == told_before


def test_a_command_is_answered_privately(slack, app):
    assert slack.presses.command(ANN, REVIEW_CHANNEL, "/claims", "status").is_taken
    wait_until(lambda: slack.workspace.ephemerals)
    assert [(e.user, e.text) for e in slack.workspace.ephemerals] == [(ANN, "You asked for status")]


def test_an_app_that_is_down_is_reported_in_slacks_words(slack, card):
    slack.presses.app = AppAddress("http://127.0.0.1:9/slack/events", SIGNING_SECRET)
    answer = press(slack, card)
    assert (answer.is_taken, answer.why) == (False, "dispatch_failed")


def test_a_response_url_works_five_times_and_then_is_gone(slack, card):
    url = slack.presses._response_url(ANN, REVIEW_CHANNEL, card)

    def respond() -> int:
        body = json.dumps({"text": "hello"}).encode()
        asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return opener.open(asked, timeout=5).status
        except urllib.error.HTTPError as error:
            return error.code

    assert [respond() for _ in range(6)] == [200] * 5 + [404]
    assert len(slack.workspace.ephemerals) == 5


def test_replacing_the_original_changes_the_message(slack, card):
    token = slack.workspace.new_response_url(ANN, REVIEW_CHANNEL, card)
    slack.presses.respond(token, {"text": "new", "replace_original": True})
    assert slack.workspace.channel(REVIEW_CHANNEL).messages[0]["text"] == "new"
    assert slack.workspace.ephemerals == []
