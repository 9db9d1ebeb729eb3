"""The stand-in's page in a real browser: cards, buttons, modals and commands, usable by keyboard, no CSP violation."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sandbox.slack_server import ANN, BEN, REVIEW_CHANNEL
from tests.chromium import launched

expect.set_options(timeout=20_000)  # a busy machine takes its time


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser, slack) -> Iterator[Page]:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(slack.url)
    yield page
    page.close()
    assert complaints == []


def test_a_card_is_drawn_from_its_blocks(page, card):
    message = page.get_by_role("article", name="3 units lost, worth 37.02 USD")
    expect(message.get_by_role("heading", name="Lost in the warehouse · Pine & Co")).to_be_visible()
    expect(message.locator("strong", has_text="37.02 USD")).to_be_visible()
    expect(message.locator("code")).to_have_text('12" wok')
    expect(message).to_contain_text("<b>")
    expect(message).to_contain_text("1970-01-01 by @Ann Moreau")
    expect(message.get_by_role("button", name="Approve 37.02 USD")).to_be_visible()


def test_approving_by_keyboard_changes_the_card(page, app, card):
    page.get_by_role("button", name="Approve 37.02 USD").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_contain_text("Approved by @Ann Moreau")
    expect(page.get_by_role("button", name="Approve 37.02 USD")).to_have_count(0)


def test_rejecting_asks_for_what_is_missing_and_then_closes(page, app, card):
    page.get_by_role("button", name="Reject…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject").click()
    expect(dialog).to_contain_text("Please complete this required field.")
    dialog.get_by_label("Reason").select_option(label="Other")
    dialog.get_by_role("button", name="Reject").click()
    expect(dialog).to_contain_text("Say why.")
    dialog.get_by_label("Note").fill("We sent these back ourselves.")
    dialog.get_by_role("button", name="Reject").click()
    expect(dialog).to_have_count(0)
    assert app[-1]["view"]["state"]["values"]["note"]["text"]["value"] == "We sent these back ourselves."


def test_escape_closes_a_modal(page, app, card, slack):
    page.get_by_role("button", name="Reject…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert slack.workspace.views[ANN] == []


def test_a_command_is_answered_to_that_person_alone(page, app):
    page.get_by_label("Message or command").fill("/claims status")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You asked for status")).to_be_visible()
    expect(page.get_by_text("Only visible to you")).to_be_visible()
    page.get_by_label("You are").select_option(label="Ben Adeyemi")
    expect(page.get_by_text("You asked for status")).to_have_count(0)


def test_the_chosen_person_presses(page, app, card):
    page.get_by_label("You are").select_option(label="Ben Adeyemi")
    page.get_by_role("button", name="Approve 37.02 USD").click()
    expect(page.get_by_role("article")).to_contain_text("Approved by @Ben Adeyemi")
    assert app[-1]["user"]["id"] == BEN


def test_an_app_that_does_not_answer_is_reported(page, slack, card):
    slack.point_at("http://127.0.0.1:9/slack/events")
    page.get_by_role("button", name="Approve 37.02 USD").click()
    expect(page.get_by_role("alert").first).to_have_text("We had some trouble connecting. Try again?")


def test_outside_text_is_never_html(page, client, slack):
    client.chat_postMessage(channel=REVIEW_CHANNEL, text="<script>alert(1)</script> &lt;img src=x&gt;")
    expect(page.get_by_role("article")).to_contain_text("<script>alert(1)</script> <img src=x>")


def test_the_page_has_language_landmarks_and_labels(page, card):
    assert page.locator("html").get_attribute("lang") == "en"
    for role in ("main", "navigation", "log"):
        expect(page.get_by_role(role)).to_have_count(1)
    assert page.get_by_role("heading", level=1).count() == 1
