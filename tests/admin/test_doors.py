"""Every page and every press: who may not, and nothing moves without a token of the session."""

import re
import subprocess
import sys

import pytest

import db
from claims import review
from models import DiscrepancyStatus
from tests.admin.conftest import Office, make_app, read
from tests.factories import NOW

ADMINS_ONLY = {"accounts", "clients", "users", "settings"}
BILLING = {"invoices"}
OPEN_TO_ALL = {"sign_in", "sign_out", "front_door", "assets.static", "admin.static", "health.healthz", "health.readyz"}
INLINE = re.compile(r"""<[^>]+\s(on[a-z]+|style)\s*=|href="javascript:|<style|<script(?![^>]*\bsrc=)""", re.IGNORECASE)


def staff_rules(office: Office, method: str) -> list[tuple[str, str]]:
    """Return endpoint and path of every staff page that answers the method; ids are 1."""
    rules = [rule for rule in office.app.url_map.iter_rules() if rule.rule.startswith("/admin")]
    found = []
    for rule in rules:
        if method not in rule.methods or rule.endpoint in OPEN_TO_ALL:
            continue
        path = re.sub(r"<id:\w+>", "1", rule.rule).replace("<export_type>", "csv")
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
        assert "<" not in path, path
        found.append((rule.endpoint, path))
    return found


@pytest.fixture
def decided(office):
    """An office with a discrepancy and a claim, both number 1."""
    office.put()
    with db.transaction() as session:
        review.approve(session, 1, actor=office.cast.ann, now=NOW)
    return office


def test_no_page_of_the_staff_opens_for_a_visitor(decided):
    person = decided.visitor()
    for endpoint, path in staff_rules(decided, "GET"):
        answer = person.get(path)
        assert answer.status_code == 302, endpoint
        assert answer.location.startswith("/sign-in"), endpoint


def test_no_page_of_the_staff_opens_for_a_clients_person_and_only_invoices_for_billing(decided):
    for who in (decided.cast.bill, decided.cast.carl):
        person = decided.signed_in(who)
        for endpoint, path in staff_rules(decided, "GET"):
            answer = person.get(path)
            if who is decided.cast.bill and endpoint.partition(".")[0] in BILLING:
                assert answer.status_code in {200, 302, 404}, endpoint  # there is no invoice yet
                continue
            assert answer.status_code == 403, endpoint
            assert "Your role has no right to it" in read(answer)


def test_a_case_manager_opens_the_work_and_not_what_admins_keep(decided):
    person = decided.signed_in(decided.cast.ann)
    for endpoint, path in staff_rules(decided, "GET"):
        is_closed = endpoint.partition(".")[0] in ADMINS_ONLY | BILLING
        assert (person.get(path).status_code == 403) is is_closed, path
    shown = person.text("/admin/")
    assert "Claims" in shown
    assert not {"Users", "Settings", "Accounts", "Clients", "Billing"} & set(shown.split())


def test_every_page_opens_for_an_admin_with_nothing_that_the_policy_forbids(decided):
    person = decided.signed_in(decided.cast.adam)
    opened = 0
    for _, path in staff_rules(decided, "GET"):
        answer = person.get(path)
        assert answer.status_code in {200, 302, 404}, path
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        opened += 1
        assert not INLINE.search(answer.text), path
        assert answer.text.count("<h1") == 1, path
        assert '<html lang="en">' in answer.text
        assert "<main" in answer.text
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
        assert "https://" not in answer.text
    assert opened >= 12


def test_every_control_has_a_label_and_every_table_a_caption(decided):
    decided.put(caveats=["partial_coverage"])
    person = decided.signed_in(decided.cast.adam)
    pages = [path for _, path in staff_rules(decided, "GET")] + ["/admin/discrepancies/2/"]
    for path in pages:
        page = person.get(path).text
        for control in re.findall(r"<(?:input|select|textarea)[^>]*>", page):
            if 'type="hidden"' in control:
                continue
            name = re.search(r'\bid="([^"]+)"', control)
            assert name, (path, control)
            assert f'for="{name[1]}"' in page, (path, control)
        for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
            assert "<caption" in table, path
            assert all("scope=" in cell for cell in re.findall(r"<th\b[^>]*>", table)), path


def test_no_press_without_a_token_is_taken(decided):
    person = decided.signed_in(decided.cast.adam)
    rules = staff_rules(decided, "POST")
    assert len(rules) > 12
    for endpoint, path in [*rules, ("sign_in", "/sign-in"), ("sign_out", "/sign-out")]:
        answer = person.http.post(path, data={"seen": "3 37.02 USD", "reason": "found"})
        assert answer.status_code == 400, endpoint
        assert "Nothing was changed" in read(answer)
    assert decided.row(1).status is DiscrepancyStatus.APPROVED


def test_a_token_of_another_session_is_not_taken(office):
    office.put()
    page = office.signed_in(office.cast.bea).get("/admin/discrepancies/1/").text
    stolen = re.search(r'csrf_token" value="([^"]+)', page)[1]
    form = {"csrf_token": stolen, "seen": "3 37.02 USD"}
    answer = office.signed_in(office.cast.ann).http.post("/admin/discrepancies/1/approve", data=form)
    assert answer.status_code == 400
    assert office.row(1).status is DiscrepancyStatus.OPEN


def test_people_without_the_role_press_in_vain_even_with_a_token(office):
    office.put()
    for who, page in ((office.cast.bill, "/admin/invoices/"), (office.cast.carl, "/portal/")):
        answer = office.signed_in(who).press(page, "/admin/discrepancies/1/approve", seen="3 37.02 USD")
        assert answer.status_code == 403
    assert office.row(1).status is DiscrepancyStatus.OPEN


def test_each_answer_carries_the_page_policy_with_a_nonce_of_its_own(office):
    person = office.signed_in(office.cast.ann)
    nonces = set()
    for path in ("/admin/", "/sign-in", "/nowhere", "/healthz", "/assets/recoup.css"):
        headers = person.get(path).headers
        policy = headers["Content-Security-Policy"]
        nonce = re.search(r"'nonce-([\w-]{20,})'", policy)[1]
        assert policy == (
            f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
            "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
        )
        nonces.add(nonce)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers
    assert len(nonces) == 5


def test_pages_are_not_kept_by_browsers_and_assets_are(office):
    person = office.signed_in(office.cast.ann)
    assert person.get("/admin/").headers["Cache-Control"] == "no-store"
    asset = re.search(r'href="(/assets/recoup.css\?v=\w+)"', person.get("/admin/").text)[1]
    assert "no-store" not in person.get(asset).headers.get("Cache-Control", "")


def test_behind_https_browsers_are_told_to_stay_there(office, settings_of_the_test):
    settings_of_the_test(PUBLIC_URL="https://recoup.example")
    answer = make_app().test_client().get("/sign-in")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_web_process_never_loads_what_reads_reports(sqlite_database):
    code = (
        "import sys, wsgi; client = wsgi.app.test_client(); assert client.get('/sign-in').status_code == 200; "
        "print([name for name in ('polars', 'alembic', 'reportlab', 'sandbox') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.splitlines()[-1] == "[]"
