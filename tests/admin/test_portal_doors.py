"""The portal's doors: every route, asked by everybody whom it is not for. A new route is asked too, or fails here."""

import re

import pytest
from sqlalchemy import select

import db
from models import Client, ClientStatus, Document, HistoryEntry, Request, User
from tests.admin.conftest import Office, Person, read
from tests.admin.shop import Shop, stocked, stranger
from tests.admin.test_doors import INLINE

_ARGUMENT = re.compile(r"<id:(\w+)>")


@pytest.fixture
def shop(office: Office) -> Shop:
    return stocked(office, office.cast.client_id, office.cast.carl, "Enamel")


def addresses(office: Office, shop: Shop, method: str, *, missing: bool = False) -> list[tuple[str, bool]]:
    """Return the path of every route of the portal that answers the method, and whether it names a row.

    A row is the shop's own, or one that nobody has.
    """
    ids = {
        "claim_id": shop.filed_id,
        "request_id": shop.answered_id,
        "document_id": shop.document_id,
        "discrepancy_id": shop.to_approve_id,
        "invoice_id": shop.invoice_id,
        "line_id": shop.line_id,
    }
    found = []
    for rule in office.app.url_map.iter_rules():
        if not rule.endpoint.startswith("portal.") or method not in rule.methods:
            continue
        path = _ARGUMENT.sub(lambda name: "2147483647" if missing else str(ids[name[1]]), rule.rule)
        assert "<" not in path, f"{rule.rule}: say in this test which row it is about"
        found.append((path, bool(rule.arguments)))
    return sorted(found)


def press(person: Person, path: str, **fields: str):
    token = re.search(r'csrf_token" value="([^"]+)', person.get("/portal/").text)
    assert token
    return person.http.post(path, data={"csrf_token": token[1], **fields})


def rows() -> list[tuple[type, int]]:
    with db.reading() as session:
        return [(table, len(session.scalars(select(table)).all())) for table in (HistoryEntry, Document, Request)]


def test_every_page_opens_for_the_clients_own_people(office, shop):
    person = office.signed_in(shop.who)
    opened = 0
    for path, _ in addresses(office, shop, "GET"):
        answer = person.get(path)
        assert answer.status_code == 200, path
        if answer.mimetype != "text/html":
            continue
        opened += 1
        assert not INLINE.search(answer.text), path
        assert answer.text.count("<h1") == 1, path
        assert "http://" not in answer.text
        assert "https://" not in answer.text
        for control in re.findall(r"<(?:input|select|textarea)[^>]*>", answer.text):
            if 'type="hidden"' not in control:
                name = re.search(r'\bid="([^"]+)"', control)
                assert name, (path, control)
                assert f'for="{name[1]}"' in answer.text, (path, control)
        for table in re.findall(r"<table.*?</table>", answer.text, re.DOTALL):
            assert "<caption" in table, path
            assert all("scope=" in cell for cell in re.findall(r"<th\b[^>]*>", table)), path
    assert opened >= 8


def test_another_clients_person_finds_a_row_as_little_as_one_that_is_not_there(office, shop):
    person = office.signed_in(stranger(office))
    there, missing = (addresses(office, shop, "GET", missing=missing) for missing in (False, True))
    asked = [path for path, has_row in there if has_row]
    assert len(asked) >= 4
    for path, nowhere in zip(asked, (path for path, has_row in missing if has_row), strict=True):
        answer, none = person.get(path), person.get(nowhere)
        assert (answer.status_code, none.status_code) == (404, 404), path
        assert re.sub(r"\d+", "N", read(answer)) == re.sub(r"\d+", "N", read(none)), path


def test_another_clients_person_presses_in_vain(office, shop):
    person = office.signed_in(stranger(office))
    before = rows()
    fields = {"text": "mine", "seen": "3 37.02 USD", "reason": "found", "note": "x"}
    pressed = [path for path, has_row in addresses(office, shop, "POST") if has_row]
    assert len(pressed) >= 4
    for path in pressed:
        assert press(person, path, **fields).status_code == 404, path
    assert rows() == before


def test_lists_of_another_client_hold_nothing_of_this_one(office, shop):
    person = office.signed_in(stranger(office))
    for path, has_row in addresses(office, shop, "GET"):
        if not has_row:
            for query in ("", "?state=answered", "?state=recovered", "?search=mug"):
                said = person.get(path + query).text
                assert "Enamel" not in said, path
                assert "20.00 USD" not in said, path


@pytest.mark.parametrize("who", ["ann", "adam", "bill"])
def test_staff_are_told_that_this_is_not_their_page(office, shop, who):
    person = office.signed_in(getattr(office.cast, who))
    for path, _ in addresses(office, shop, "GET"):
        answer = person.get(path)
        assert answer.status_code == 403, path
        assert "This is the portal of a client" in read(answer)


def test_a_visitor_is_led_to_the_sign_in_and_back(office, shop):
    person = office.visitor()
    for path, _ in addresses(office, shop, "GET"):
        answer = person.get(path)
        assert (answer.status_code, answer.location) == (302, f"/sign-in?next={path}")


def test_no_press_without_a_token_is_taken(office, shop):
    person = office.signed_in(shop.who)
    before = rows()
    for path, _ in addresses(office, shop, "POST"):
        assert person.http.post(path, data={"text": "x"}).status_code == 400, path
    assert rows() == before


def test_who_lost_access_is_out_at_once(office, shop):
    person = office.signed_in(shop.who)
    assert person.get("/portal/").status_code == 200
    with db.transaction() as session:
        session.get_one(User, shop.who.user_id).is_active = False
    assert person.get("/portal/").status_code == 302


def test_with_the_contract_the_access_ends(office, shop):
    person = office.signed_in(shop.who)
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).status = ClientStatus.CANCELLED
    for path, _ in addresses(office, shop, "GET"):
        assert person.get(path).status_code == 302, path


def test_staff_pages_stay_closed_with_the_way_to_the_own_page(office, shop):
    answer = office.signed_in(shop.who).get("/admin/claims/")
    assert answer.status_code == 403
    assert "Your role has no right to it" in read(answer)
    assert office.signed_in(shop.who).get("/").location == "/portal/"


def test_no_page_tells_the_staffs_notes_or_who_else_works_at_the_agency(office, shop):
    person = office.signed_in(shop.who)
    pages = [person.get(path) for path, _ in addresses(office, shop, "GET")]
    said = " ".join(read(page) for page in pages if page.mimetype == "text/html")
    assert "SECRET NOTE" not in said
    assert "Bea" not in said
    assert "Ann" in said
