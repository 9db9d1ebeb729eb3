"""The calendar's page in a real browser: days pass at a key, cases are opened and answered, no CSP violation."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sandbox.days.web import create_app
from sandbox.serving import LocalServer
from tests.sandbox.test_days import calendar, desk, doors, filed, world  # noqa: F401 - fixtures
from tests.sandbox.test_slack_page import browser  # noqa: F401 - a fixture


@pytest.fixture
def page(browser, desk) -> Iterator[Page]:  # noqa: F811
    desk.links = {"Slack": "http://127.0.0.1:9/"}
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            desk.work(seconds=0.05)

    worker = threading.Thread(target=work)
    worker.start()
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with LocalServer(create_app(desk)) as server:
        page.goto(server.url)
        yield page
        page.close()
    ended.set()
    worker.join(timeout=5)
    assert [line for line in complaints if "409" not in line] == []


def test_a_day_passes_at_a_key_and_is_told(page, doors):  # noqa: F811
    expect(page.get_by_text("26 Nov 2026")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_text("27 Nov 2026", exact=True)).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("Friday, 27 Nov 2026")
    assert len(doors.imported) == 1
    expect(page.get_by_role("link", name="Slack")).to_be_visible()


def test_a_case_is_opened_refused_and_appealed(page, doors):  # noqa: F811
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is written there.")
    field = page.get_by_label("What the case is about")
    field.fill("first")
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("article")).to_have_count(1)
    field.fill("Two units <b>X001</b> were lost.")
    page.keyboard.type("n")
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("article")).to_have_count(2)
    number = page.get_by_role("article").first.get_by_role("heading").inner_text().removeprefix("Case ")
    expect(page.get_by_text(f"Case ID {number}")).to_be_visible()
    assert doors.imported == []
    filed(doors, number)
    page.get_by_label("Or go on to").fill("2026-11-28")
    page.get_by_role("button", name="Go").click()
    case = page.get_by_role("article", name=f"Case {number}")
    expect(case).to_contain_text("about claim 9, waits for you")
    case.get_by_label("Write to this case").fill("Please look again.")
    case.get_by_role("button", name="Send").click()
    expect(case).to_contain_text("you wrote again 28 Nov 2026")


def test_the_page_has_language_landmarks_and_labels(page):
    assert page.locator("html").get_attribute("lang") == "en"
    for role in ("main", "navigation", "log"):
        expect(page.get_by_role(role)).to_have_count(1)
    assert page.get_by_role("heading", level=1).count() == 1
