"""The portal in a real browser, as a client has it in hand: a small screen, light or dark, with or without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import db
from claims import requests
from models import DiscrepancyStatus, RequestStatus, User
from tests.admin.conftest import Office
from tests.admin.serving import served
from tests.admin.shop import PDF, Shop, stocked
from tests.admin.test_browser import _CUT_OFF, PASSWORD, Watch, browser, password_hash
from tests.chromium import LOW_CONTRAST

__all__ = ["browser", "password_hash"]  # fixtures
PHONE = {"width": 360, "height": 740}
# What can be pressed is large enough for a thumb (WCAG 2.2, 24 pixels), unless it is a link within a sentence.
_TOO_SMALL = """() => [
    ...document.querySelectorAll("button:not(.link-button), .button, .chip, nav a, summary, select, input, textarea"),
  ]
  .filter((each) => each.checkVisibility() && each.type !== "hidden")
  .filter((each) => { const box = each.getBoundingClientRect(); return box.height < 24 || box.width < 24; })
  .map((each) => each.outerHTML.slice(0, 100))"""


@pytest.fixture
def shop(office: Office) -> Shop:
    return stocked(office, office.cast.client_id, office.cast.carl, "Enamel")


@pytest.fixture
def address(office: Office, shop: Shop, password_hash: str) -> Iterator[str]:
    with db.transaction() as session:
        session.get_one(User, shop.who.user_id).password_hash = password_hash
    with served(office.app) as address:
        yield address


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill("carl@agency.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/portal/")


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=address, viewport=PHONE)
    page = context.new_page()
    watch = Watch(page, address)
    sign_in(page)
    yield page
    context.close()
    assert watch.complaints == []


def test_five_minutes_on_monday(phone: Page, office: Office, shop: Shop, tmp_path: Path) -> None:
    expect(phone.get_by_role("heading", level=1)).to_have_text("20.00 USD came in this week")
    phone.get_by_role("link", name="Answer 1 request").click()
    phone.get_by_role("link", name="Confirm a shipment").click()
    phone.get_by_role("button", name="Send the answer").click()
    expect(phone.get_by_role("alert")).to_contain_text("An answer needs some words or a file.")
    phone.get_by_role("alert").get_by_role("link", name="Your answer").click()
    expect(phone.get_by_label("Your answer")).to_be_focused()
    phone.keyboard.type("Two boxes, on 3 October.")
    paper = tmp_path / "packing list.pdf"
    paper.write_bytes(PDF)
    phone.get_by_label("Files").set_input_files(paper)
    phone.get_by_role("button", name="Send the answer").click()
    expect(phone.get_by_role("status")).to_have_text("Thank you. Your case manager has your answer.")
    expect(phone.get_by_role("link", name="packing list.pdf")).to_be_visible()
    with db.reading() as session:
        assert requests.load(session, shop.asked_id, shop.who).status is RequestStatus.ANSWERED

    phone.get_by_role("link", name="To approve").click()
    phone.get_by_role("link", name=re.compile("^Lost in the warehouse")).first.click()
    phone.get_by_role("button", name="Approve 37.02 USD").click()
    expect(phone.get_by_role("status")).to_contain_text("Approved: 3 units, 37.02 USD.")
    phone.get_by_role("button", name="Take it back").click()
    expect(phone.get_by_role("status")).to_contain_text("Taken back.")
    phone.get_by_text("Reject…").click()
    phone.get_by_label("Reason").select_option(label="These units are not ours")
    phone.get_by_role("button", name="Reject 3 units").click()
    expect(phone.get_by_role("status")).to_contain_text("nothing is claimed for it")
    assert office.row(shop.to_approve_id).status is DiscrepancyStatus.REJECTED

    phone.get_by_role("link", name="Invoices", exact=True).click()
    phone.get_by_role("link", name="Invoice Enamel-1").click()
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Download PDF").click()
    assert download.value.path().read_bytes()[:5] == b"%PDF-"
    phone.get_by_text("Query this line…").click()
    phone.get_by_label("What is unclear or wrong?").fill("Which shipment was that?")
    phone.get_by_role("button", name="Send the query").click()
    expect(phone.get_by_role("status")).to_contain_text("Thank you.")
    phone.get_by_role("button", name="Sign out").click()
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_file_comes_back_at_its_field(phone: Page, shop: Shop, tmp_path: Path) -> None:
    phone.goto(f"/portal/requests/{shop.asked_id}/")
    program = tmp_path / "invoice.pdf"
    program.write_bytes(b"MZ\x90\x00\x03\x00\x00\x00")
    phone.get_by_label("Your answer").fill("Here is the invoice.")
    phone.get_by_label("Files").set_input_files(program)
    phone.get_by_role("button", name="Send the answer").click()
    expect(phone.get_by_role("alert")).to_contain_text("invoice.pdf is of a kind that is not taken.")
    expect(phone.get_by_label("Your answer")).to_have_value("Here is the invoice.")
    expect(phone.get_by_label("Files")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 360), ("light", 1280), ("dark", 1280)])
def test_each_page_fits_reads_well_and_can_be_pressed(
    browser: Browser, address: str, shop: Shop, scheme: str, width: int
) -> None:
    context = browser.new_context(base_url=address, color_scheme=scheme, viewport={"width": width, "height": 740})
    page = context.new_page()
    watch = Watch(page, address)
    sign_in(page)
    for path in (
        "/portal/",
        "/portal/approve/",
        f"/portal/approve/{shop.to_approve_id}/",
        "/portal/requests/",
        "/portal/requests/?state=closed",
        f"/portal/requests/{shop.asked_id}/",
        f"/portal/requests/{shop.answered_id}/",
        "/portal/claims/",
        "/portal/claims/?search=nothing",
        f"/portal/claims/{shop.claim_id}/",
        f"/portal/claims/{shop.filed_id}/",
        "/portal/invoices/",
        f"/portal/invoices/{shop.invoice_id}/",
        "/portal/settings/",
    ):
        page.goto(path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{path} is {over} pixels too wide"
        assert page.evaluate(_CUT_OFF) == [], path
        assert page.evaluate(LOW_CONTRAST) == [], path
        assert page.evaluate(_TOO_SMALL) == [], path
        assert page.locator("h1").count() == 1
        assert page.locator("nav a[aria-current=page]").count() == 1, path
    context.close()
    assert watch.complaints == []


def test_everything_works_without_the_script(browser: Browser, address: str, office: Office, shop: Shop) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    sign_in(page)
    page.goto(f"/portal/requests/{shop.asked_id}/")
    page.get_by_label("Your answer").fill("Two boxes.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you.")
    page.goto(f"/portal/approve/{shop.to_approve_id}/")
    page.get_by_role("button", name="Approve 37.02 USD").click()
    expect(page.get_by_role("status")).to_contain_text("Approved")
    context.close()
