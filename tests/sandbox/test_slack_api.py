"""The Slack stand-in's Web API, called with Slack's own client: what it takes, and how it refuses."""

import copy
import http.client

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack.faults import Fault
from sandbox.slack_server import ANN, BOT_TOKEN, BOT_USER, OLA, REVIEW_CHANNEL
from tests.sandbox.conftest import CARD, MODAL

PLAIN = {"type": "plain_text", "text": "x"}


def refusal(call, **arguments) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value


def section(**fields) -> dict:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, **fields}


def button(**fields) -> dict:
    return {"type": "button", "text": PLAIN, **fields}


def test_auth_test_names_the_bot(client):
    assert client.auth_test()["user_id"] == BOT_USER


def test_a_wrong_token_is_refused(client):
    client.token = "xoxb-other"
    assert refusal(client.auth_test).response["error"] == "invalid_auth"


def test_a_posted_message_is_kept_with_ids_and_metadata(client):
    metadata = {"event_type": "recoup_outbox", "event_payload": {"id": 7}}
    posted = client.chat_postMessage(channel="#recoup-review", text="hello", blocks=CARD, metadata=metadata)
    assert all(block["block_id"] for block in posted["message"]["blocks"])
    found = client.conversations_history(channel=REVIEW_CHANNEL, include_all_metadata=True)["messages"]
    assert [m["metadata"] for m in found] == [metadata]
    assert "metadata" not in client.conversations_history(channel=REVIEW_CHANNEL)["messages"][0]


def test_history_is_newest_first_in_pages_after_oldest(client):
    stamps = [client.chat_postMessage(channel=REVIEW_CHANNEL, text=f"m{n}")["ts"] for n in range(3)]
    page = client.conversations_history(channel=REVIEW_CHANNEL, limit=2)
    assert [m["text"] for m in page["messages"]] == ["m2", "m1"]
    cursor = page["response_metadata"]["next_cursor"]
    rest = client.conversations_history(channel=REVIEW_CHANNEL, limit=2, cursor=cursor)
    assert [m["text"] for m in rest["messages"]] == ["m0"]
    later = client.conversations_history(channel=REVIEW_CHANNEL, oldest=stamps[1])["messages"]
    assert [m["text"] for m in later] == ["m2"]


def test_replies_come_with_their_parent(client):
    parent = client.chat_postMessage(channel=REVIEW_CHANNEL, text="parent")["ts"]
    client.chat_postMessage(channel=REVIEW_CHANNEL, text="reply", thread_ts=parent)
    thread = client.conversations_replies(channel=REVIEW_CHANNEL, ts=parent)["messages"]
    assert [m["text"] for m in thread] == ["parent", "reply"]
    assert len(client.conversations_history(channel=REVIEW_CHANNEL)["messages"]) == 1


def test_update_with_text_alone_keeps_the_old_blocks(client, card):
    client.chat_update(channel=REVIEW_CHANNEL, ts=card, text="changed")
    message = client.conversations_history(channel=REVIEW_CHANNEL)["messages"][0]
    assert message["text"] == "changed"
    assert len(message["blocks"]) == len(CARD)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0GENERAL", "text": "x"}, "not_in_channel"),
        ({"channel": REVIEW_CHANNEL, "text": ""}, "no_text"),
        ({"channel": REVIEW_CHANNEL, "text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"channel": REVIEW_CHANNEL, "text": "x", "thread_ts": "1.0"}, "message_not_found"),
    ],
)
@pytest.mark.filterwarnings("ignore:The top-level `text`:UserWarning")
def test_bad_messages_are_refused_in_slacks_words(client, arguments, word):
    assert refusal(client.chat_postMessage, **arguments).response["error"] == word


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (section(text={"type": "mrkdwn", "text": ""}), "more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (section(text={"type": "mrkdwn", "text": "x" * 3001}), "must be less than 3001 characters"),
        (section(fields=[PLAIN] * 11), "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
        (section(colour="red"), "invalid additional property: colour [json-pointer:/blocks/0]"),
        (section(text={"type": "mrkdwn", "text": "x", "emoji": True}), "invalid additional property: emoji"),
        (section(text=None), "unsupported type: none"),
        ({"type": "section"}, "missing required field: text or fields"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "unsupported type: mrkdwn"),
        ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}, "must be less than 151 characters"),
        ({"type": "actions", "elements": [button(action_id="a"), button(action_id="a")]}, '"a" already exists'),
        ({"type": "actions", "elements": [button(value=7)]}, "must be a string"),
        ({"type": "actions", "elements": [button(style="default")]}, "must be one of: primary, danger"),
        ({"type": "actions", "elements": []}, "no fewer than 1 items allowed"),
        ({"type": "image", "image_url": "https://x.example/x.png"}, "missing required field: alt_text"),
        ({"type": "marquee"}, "unsupported type: marquee [json-pointer:/blocks/0/type]"),
    ],
)  # fmt: skip
def test_bad_blocks_are_refused_and_the_place_is_named(client, block, words):
    error = refusal(client.chat_postMessage, channel=REVIEW_CHANNEL, text="x", blocks=[block])
    assert error.response["error"] == "invalid_blocks"
    assert words in "\n".join(error.response["response_metadata"]["messages"])


def test_too_many_blocks_and_too_much_text_are_refused(client):
    many = refusal(client.chat_postMessage, channel=REVIEW_CHANNEL, text="x", blocks=[{"type": "divider"}] * 51)
    assert many.response["error"] == "invalid_blocks"
    long = [section(text={"type": "mrkdwn", "text": "x" * 2900})] * 4
    much = refusal(client.chat_postMessage, channel=REVIEW_CHANNEL, text="x", blocks=long)
    assert much.response["error"] == "msg_blocks_too_long"


def test_a_long_update_is_refused(client, card):
    error = refusal(client.chat_update, channel=REVIEW_CHANNEL, ts=card, text="x" * 4001)
    assert error.response["error"] == "msg_too_long"


def test_ephemeral_goes_to_members_only(client, slack):
    client.chat_postEphemeral(channel=REVIEW_CHANNEL, user=ANN, text="only you")
    assert [(e.user, e.text) for e in slack.workspace.ephemerals] == [(ANN, "only you")]
    slack.workspace.channel(REVIEW_CHANNEL).members.discard(OLA)
    error = refusal(client.chat_postEphemeral, channel=REVIEW_CHANNEL, user=OLA, text="x")
    assert error.response["error"] == "user_not_in_channel"


def test_people_are_found_by_id_and_email(client, slack):
    assert client.users_lookupByEmail(email="ANN@agency.example")["user"]["id"] == ANN
    assert client.users_info(user=ANN)["user"]["profile"]["email"] == "ann@agency.example"
    slack.workspace.people[ANN].deleted = True
    assert refusal(client.users_lookupByEmail, email="ann@agency.example").response["error"] == "users_not_found"
    assert refusal(client.users_info, user="U0NOBODY").response["error"] == "user_not_found"


def test_a_trigger_opens_one_modal_once(client, slack):
    trigger = slack.workspace.new_trigger(ANN)
    assert client.views_open(trigger_id=trigger, view=MODAL)["view"]["id"].startswith("V")
    assert refusal(client.views_open, trigger_id=trigger, view=MODAL).response["error"] == "exchanged_trigger_id"
    assert refusal(client.views_open, trigger_id="x.y", view=MODAL).response["error"] == "invalid_trigger_id"


def test_a_late_trigger_has_expired(client, slack, monkeypatch):
    trigger = slack.workspace.new_trigger(ANN)
    later = slack.workspace._triggers[trigger][1] + 4
    monkeypatch.setattr("sandbox.slack.workspace.time.monotonic", lambda: later)
    assert refusal(client.views_open, trigger_id=trigger, view=MODAL).response["error"] == "expired_trigger_id"


def test_a_modal_with_inputs_needs_a_submit_button(client, slack):
    view = copy.deepcopy(MODAL)
    del view["submit"]
    error = refusal(client.views_open, trigger_id=slack.workspace.new_trigger(ANN), view=view)
    assert error.response["error"] == "invalid_arguments"
    assert "missing required field: submit" in error.response["response_metadata"]["messages"][0]


def test_views_update_is_guarded_by_the_hash(client, slack):
    view = client.views_open(trigger_id=slack.workspace.new_trigger(ANN), view=MODAL)["view"]
    changed = {**MODAL, "title": {"type": "plain_text", "text": "Changed"}}
    client.views_update(view_id=view["id"], hash=view["hash"], view=changed)
    assert slack.workspace.views[ANN][-1]["title"]["text"] == "Changed"
    error = refusal(client.views_update, view_id=view["id"], hash=view["hash"], view=changed)
    assert error.response["error"] == "hash_conflict"


def test_a_rate_limit_says_how_long_to_wait_and_then_ends(client, slack):
    slack.faults.add(Fault("chat.postMessage", "ratelimited", seconds=2))
    error = refusal(client.chat_postMessage, channel=REVIEW_CHANNEL, text="x")
    assert (error.response.status_code, error.response.headers["Retry-After"]) == (429, "2")
    assert client.chat_postMessage(channel=REVIEW_CHANNEL, text="x")["ok"]


def test_a_lost_answer_has_posted_all_the_same(client, slack):
    slack.faults.add(Fault("*", "lost_answer"))
    with pytest.raises(http.client.RemoteDisconnected):
        client.chat_postMessage(channel=REVIEW_CHANNEL, text="posted")
    assert [m["text"] for m in slack.workspace.channel(REVIEW_CHANNEL).messages] == ["posted"]


@pytest.mark.parametrize("kind", ["server_error", "not_json", "refused_connection"])
def test_other_troubles_do_nothing(client, slack, kind):
    slack.faults.add(Fault("chat.postMessage", kind))
    with pytest.raises((SlackApiError, OSError)):
        client.chat_postMessage(channel=REVIEW_CHANNEL, text="x")
    assert slack.workspace.channel(REVIEW_CHANNEL).messages == []


def test_slow_answers_are_slow(client, slack, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(slack.faults, "_sleep", slept.append)
    slack.faults.add(Fault("auth.test", "slow", seconds=9))
    assert client.auth_test()["ok"]
    assert slept == [9]


def test_the_token_is_the_stand_ins_own():
    assert BOT_TOKEN.startswith("xoxb-")
