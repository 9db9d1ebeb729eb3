"""The back office in a real browser: work is done, and nothing on a page is refused, fails or goes elsewhere."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

import db
from claims import passwords
from models import Account, ClaimStatus, DiscrepancyStatus, Import, User
from tests.admin.conftest import Office
from tests.admin.serving import served
from tests.billing.paying import filed, paid
from tests.chromium import LOW_CONTRAST, launched
from tests.factories import NOW, TODAY, make_claim, make_discrepancy

PASSWORD = "correct horse 9 battery"
# Tables that are cut at the edge of their frame and cannot be scrolled.
_CUT_OFF = """() => [...document.querySelectorAll(".sheet:not(.scrolls)")]
  .filter((sheet) => sheet.scrollWidth > sheet.clientWidth).map((sheet) => sheet.innerText.slice(0, 60))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def password_hash() -> str:
    return passwords.hashed(PASSWORD)


@pytest.fixture
def address(office: Office, password_hash: str) -> Iterator[str]:
    """The office at a real address; Ann and Adam can sign in."""
    with db.transaction() as session:
        for who in (office.cast.ann, office.cast.adam):
            session.get_one(User, who.user_id).password_hash = password_hash
    with served(office.app) as address:
        yield address


class Watch:
    """Whatever a browser complains about, and whatever it asks another host for."""

    def __init__(self, page: Page, address: str) -> None:
        self.complaints: list[str] = []
        self.address = address
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        is_form_sent_back = "status of 422" in message.text
        if message.type in {"error", "warning"} and not is_form_sent_back:
            self.complaints.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # A page that is left gives up what it was still loading, and a download ends the visit that began it.
        is_left = request.failure == "net::ERR_ABORTED"
        if not is_left:
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status != 422:
            self.complaints.append(f"{response.status}: {response.url}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self.address):
            self.complaints.append(f"foreign: {request.url}")


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(base_url=address)
    watch = Watch(page, address)
    yield page
    page.close()
    assert watch.complaints == []


def press(page: Page, key: str) -> None:
    """Press a key once the page has its scripts: what a key does comes with them."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def sign_in(page: Page, email: str = "ann@agency.example") -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Work")).to_be_visible()


def test_a_case_manager_signs_in_filters_approves_undoes_and_rejects(page, office):
    office.put(claim_type="inbound_lost", title="Steel whisk", closes_on=TODAY + timedelta(days=9))
    wanted = office.put(title="Enamel mug", closes_on=TODAY + timedelta(days=2))
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("2 discrepancies to decide")
    page.get_by_role("link", name="Start deciding").click()

    expect(page.get_by_label("What was lost")).to_be_visible()
    page.wait_for_load_state("load")  # the list filters itself once the page has its scripts
    page.get_by_label("What was lost").select_option(label="Lost in the warehouse")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 discrepancy to decide")
    expect(page.get_by_role("list", name="Filters in force")).to_contain_text("Lost: Lost in the warehouse")
    page.get_by_role("link", name="Lost in the warehouse", exact=True).click()

    expect(page.get_by_role("row", name="FNSKU X001")).to_be_visible()
    page.get_by_role("button", name="Approve 37.02 USD").click()
    expect(page.get_by_role("status")).to_contain_text("Approved: 3 units, 37.02 USD.")
    expect(page.get_by_role("complementary", name="Decision")).to_contain_text("By Ann")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone.")

    page.get_by_text("Reject…").click()
    page.get_by_label("Reason").select_option(label="The units were found")
    page.get_by_label("Note", exact=True).fill("seen on the shelf")
    page.get_by_role("button", name="Reject 3 units").click()
    expect(page.get_by_role("status")).to_contain_text("Rejected: the units were found.")
    assert office.row(wanted).status is DiscrepancyStatus.REJECTED
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_caveat_is_cleared_with_a_note_before_approval(page, office):
    wanted = office.put(caveats=["partial_coverage"])
    sign_in(page)
    page.goto(f"/admin/discrepancies/{wanted}/")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    page.get_by_role("button", name="Clear this check").click()  # the browser itself asks for the note
    expect(page.get_by_label("What did you check?")).to_be_focused()
    page.get_by_label("What did you check?").fill("downloaded the last week")
    page.get_by_role("button", name="Clear this check").click()
    expect(page.get_by_role("status")).to_contain_text("Checked: The newest reports are missing.")
    page.get_by_role("button", name="Approve 37.02 USD").click()
    expect(page.get_by_role("status")).to_contain_text("Claim 1 is to be filed.")


def test_a_whole_day_can_be_worked_by_keyboard(page, office):
    first = office.put(closes_on=TODAY + timedelta(days=2), title="First")
    second = office.put(closes_on=TODAY + timedelta(days=5), title="Second")
    sign_in(page)
    page.goto("/admin/discrepancies/")
    press(page, "/")
    expect(page.get_by_label("FNSKU, SKU, ASIN, reference or title")).to_be_focused()
    page.keyboard.type("jkar")  # letters in a field are text
    expect(page.get_by_label("FNSKU, SKU, ASIN, reference or title")).to_have_value("jkar")
    page.goto("/admin/discrepancies/")
    press(page, "j")
    press(page, "j")
    press(page, "k")
    press(page, "Enter")
    page.wait_for_url(f"**/admin/discrepancies/{first}/")
    press(page, "a")
    expect(page.get_by_role("status")).to_contain_text("Approved")
    press(page, "n")
    page.wait_for_url(f"**/admin/discrepancies/{second}/")
    press(page, "r")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.get_by_label("Reason").select_option(label="Too small to pursue")
    page.get_by_role("button", name="Reject 3 units").focus()
    press(page, "Enter")
    expect(page.get_by_role("status")).to_contain_text("Rejected")
    press(page, "u")
    expect(page.get_by_role("status")).to_contain_text("Undone")


def test_the_place_of_a_line_can_be_copied(browser, address, office):
    wanted = office.put()
    context = browser.new_context(base_url=address)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page = context.new_page()
    watch = Watch(page, address)
    sign_in(page)
    page.goto(f"/admin/discrepancies/{wanted}/")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert re.fullmatch(r"ledger\.txt, line [\d,]+", page.evaluate("navigator.clipboard.readText()"))
    context.close()
    assert watch.complaints == []


def test_a_claim_is_filed_and_followed_without_a_mouse(browser, address, office, tmp_path):
    office.put()
    office.signed_in(office.cast.ann).approve(1)
    context = browser.new_context(base_url=address)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page = context.new_page()
    watch = Watch(page, address)
    sign_in(page)
    page.goto("/admin/claims/1/")
    press(page, "c")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("Hello,\n\nplease reimburse 3 units")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download evidence (CSV)").click()
    assert download.value.path().read_text().startswith("report,file,line,role")

    press(page, "f")
    expect(page.get_by_label("Filed: Amazon's case ID")).to_be_focused()
    page.keyboard.type("tbd")
    press(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("'tbd' is no case ID of Amazon's.")
    page.get_by_label("Filed: Amazon's case ID").fill("10245671881")
    press(page, "Enter")
    expect(page.get_by_role("status")).to_contain_text("Filed as case 10245671881.")

    press(page, "a")
    expect(page.get_by_label("What Amazon wrote")).to_be_focused()
    page.keyboard.type("Which invoice?")
    page.get_by_label("What it comes to").select_option(label="Amazon asks for something")
    page.get_by_role("textbox", name="Next to act on").fill("2026-12-01")
    page.get_by_role("button", name="Keep this reply").press("Enter")
    where = page.get_by_role("complementary", name="Where it stands")
    expect(where).to_contain_text("To answer Amazon by 1 Dec 2026, in 8 days")
    expect(page.get_by_role("region", name="History")).to_contain_text("Which invoice?")

    press(page, "d")
    expect(page.get_by_label("File")).to_be_focused()
    huge = tmp_path / "huge.pdf"
    huge.write_bytes(b"%PDF-" + b"x" * 20 * 1024 * 1024)
    page.get_by_label("File").set_input_files(huge)
    page.get_by_role("button", name="Add this document").click()  # the browser itself refuses to send it
    assert page.get_by_label("File").evaluate("field => field.validationMessage") == "A file may have 20 MB at most."
    page.get_by_label("File").set_input_files(
        {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    page.get_by_role("button", name="Add this document").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Kept: invoice.pdf.")
    with page.expect_download() as download:
        page.get_by_role("link", name="invoice.pdf").click()
    assert download.value.path().read_bytes() == b"%PDF-1.7"
    context.close()
    assert watch.complaints == []


def test_the_list_is_exported_by_a_press(page, office):
    office.put()
    sign_in(page)
    page.goto("/admin/discrepancies/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert download.value.path().read_text().startswith("id,fingerprint,client")


def test_an_admin_adds_a_client_and_sees_what_is_wrong_first(page, office):
    sign_in(page, "adam@agency.example")
    page.get_by_role("link", name="Clients").click()
    page.get_by_role("link", name="Add client").click()
    page.get_by_label("Name", exact=True).fill("Delta Toys")
    page.get_by_label("E-mail address", exact=True).fill("owner@delta.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Commission, in percent: Say which share is agreed")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Delta Toys")
    page.get_by_role("alert").get_by_role("link", name="Commission").click()
    expect(page.get_by_label("Commission, in percent")).to_be_focused()
    page.keyboard.type("20")
    press(page, "Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved: Delta Toys.")
    expect(page.get_by_role("heading", level=1)).to_have_text("3 clients")


def test_an_admin_switches_a_kind_of_loss_off_and_reads_beforehand_what_that_does(page, office):
    office.put()
    sign_in(page, "adam@agency.example")
    page.get_by_role("link", name="Clients").click()
    page.get_by_role("link", name="Acme").click()
    box = page.get_by_role("group", name="Leave alone").get_by_label("Lost in the warehouse")
    expect(page.get_by_role("group", name="Leave alone")).to_have_accessible_description(
        re.compile("nothing new is kept, and what is undecided is withdrawn")
    )
    box.check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved: Acme.")
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is decided")


def test_the_first_page_draws_its_charts_with_names_and_the_numbers_beneath(page, office):
    office.put(closes_on=TODAY + timedelta(days=1))
    imported_and_paid(office)
    sign_in(page)
    for name in (
        "1 of 2 deadlines in under 4 days",
        re.compile("recovered in eight weeks"),
        "1 of 2 open is to decide",
    ):
        expect(page.get_by_role("img", name=name)).to_be_visible()
        expect(page.get_by_role("table", name=name)).to_be_visible()
    heights = page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby^=recovered] rect')].map((bar) => bar.getBBox().height)"
    )
    assert len(heights) == 8
    assert heights == sorted(heights, reverse=True)  # the oldest week had the most


PAGES = (
    "/admin/",
    "/admin/discrepancies/",
    "/admin/discrepancies/1/",
    "/admin/discrepancies/2/",
    "/admin/discrepancies/3/",
    "/admin/discrepancies/?search=nothing",
    "/admin/claims/",
    "/admin/claims/1/",
    "/admin/claims/2/",
    "/admin/claims/?flt_status=closed:lapsed&flt_type=warehouse_lost",
    "/admin/imports/",
    "/admin/imports/1/",
    "/admin/accounts/",
    "/admin/accounts/1/",
    "/admin/accounts/new",
    "/admin/clients/",
    "/admin/clients/1/",
    "/admin/clients/new",
    "/admin/users/",
    "/admin/users/1/",
    "/admin/settings/",
)


def imported_and_paid(office: Office) -> None:
    """Give every chart and every list of imports something to show, with words and numbers as long as they get."""
    with db.transaction() as session:
        session.query(Account).update({"created_at": NOW - timedelta(days=90)})
        for week in range(8):
            claim = filed(session, office.cast, status=ClaimStatus.RECOVERED, recovered=Decimal("123456.78"))
            first = paid(session, claim, f"{987654 * week + 1}.50", on=TODAY - timedelta(weeks=week))
        paid(session, claim, "-99999.99", on=TODAY, reverses=first)
        filed(session, office.cast, status=ClaimStatus.CLOSED, closed_reason="lapsed")
        decided = {"status": DiscrepancyStatus.APPROVED, "closes_on": TODAY + timedelta(days=50)}
        lost = make_discrepancy(session, office.cast.account_id, **decided)
        make_claim(session, lost, approved_by_id=office.cast.ann.user_id)
        long = "a_very_long_file_name_from_seller_central_" * 3
        told = {"code": "unknown_header", "message": "Its header is that of no report. " * 4}
        summary = {
            "files": [f"{long}.txt"],
            "refused": [{"file": f"{long}.pdf"} | told],
            "warnings": [{"file": f"{long}.txt", "line": 1_234_567} | told],
        }
        session.add(Import(account_id=office.cast.account_id, started_at=NOW, summary=summary))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_each_page_fits_reads_well_and_breaks_no_rule(browser, address, office, scheme, width):
    office.put(closes_on=TODAY + timedelta(days=2))
    office.put(closes_on=TODAY + timedelta(days=8), caveats=["partial_coverage"], title="A title that goes on " * 9)
    office.put(status=DiscrepancyStatus.LAPSED, value=None, unit_value=None, currency=None, fnsku="X" * 60)
    ann = office.signed_in(office.cast.ann)
    ann.approve(1)
    office.put(title="Filed")
    ann.approve(4)
    ann.press("/admin/claims/2/", "/admin/claims/2/file", case_id="10245671881")
    ann.press("/admin/claims/2/", "/admin/claims/2/reply", reply="No. " * 99, outcome="denied", seen="submitted")
    imported_and_paid(office)
    context = browser.new_context(base_url=address, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    watch = Watch(page, address)
    page.goto("/sign-in")
    assert page.evaluate(LOW_CONTRAST) == []
    sign_in(page, "adam@agency.example")
    for path in PAGES:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{path} is {over} pixels too wide"
        assert page.evaluate(_CUT_OFF) == [], path
        assert page.evaluate(LOW_CONTRAST) == [], path
        assert page.locator("h1").count() == 1
    context.close()
    assert watch.complaints == []


def test_what_has_the_focus_is_seen(page):
    page.goto("/sign-in")
    press(page, "Tab")
    width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
    assert width >= 2


def test_every_page_works_without_the_script(browser, address, office):
    wanted = office.put()
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto(f"/admin/discrepancies/{wanted}/")
    page.get_by_role("button", name="Approve 37.02 USD").click()
    expect(page.get_by_role("status")).to_contain_text("Approved")
    context.close()
