import re

import pytest

import db
from admin import sign_in
from claims import passwords, users
from models import User
from tests.admin.conftest import Office, Person, make_app, read
from tests.jobs.conftest import redis, server_program, session_redis  # noqa: F401 (fixtures)

PASSWORD = "correct horse 9 battery"


@pytest.fixture(scope="module")
def password_hash():
    return passwords.hashed(PASSWORD)


@pytest.fixture
def ann(office: Office, password_hash):
    """Ann can sign in with PASSWORD."""
    with db.transaction() as session:
        session.get_one(User, office.cast.ann.user_id).password_hash = password_hash
    return office.cast.ann


@pytest.fixture
def hashings(monkeypatch):
    """Count how often a password is hashed."""
    done = []

    def verify(password_hash, password):
        done.append(password)
        return passwords_verify(password_hash, password)

    passwords_verify = passwords.verify
    monkeypatch.setattr(passwords, "verify", verify)
    return done


def sign_in_as(person: Person, email: str = "ann@agency.example", password: str = PASSWORD, **more):
    return person.press("/sign-in", "/sign-in", email=email, password=password, **more)


def test_the_front_door_leads_to_the_sign_in_and_then_to_the_day(office, ann):
    person = office.visitor()
    assert person.get("/").location == "/sign-in"
    assert sign_in_as(person, email=" Ann@Agency.example ").location == "/"
    assert person.get("/").location == "/admin/"
    assert person.get("/admin/").status_code == 200


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer_and_the_same_work(office, ann, hashings):
    wrong = sign_in_as(office.visitor(), password="not this one 1")
    unknown = sign_in_as(office.visitor(), email="nobody@agency.example", password="not this one 1")
    assert wrong.status_code == unknown.status_code == 401
    assert "do not go together" in read(wrong)
    assert read(wrong) == read(unknown)
    assert len(hashings) == 2


def test_the_address_is_kept_after_a_wrong_password_and_the_password_is_not(office, ann):
    page = sign_in_as(office.visitor(), password="a wrong secret 7").text
    assert 'value="ann@agency.example"' in page
    assert "a wrong secret 7" not in page


def test_a_person_without_access_does_not_get_in(office, ann):
    with db.transaction() as session:
        users.set_user(session, ann.user_id, actor=office.cast.adam, is_active=False)
    assert sign_in_as(office.visitor()).status_code == 401


def test_the_session_cookie_is_kept_from_scripts_and_from_other_sites(office, ann):
    cookie = sign_in_as(office.visitor()).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_behind_https_the_cookie_never_travels_in_the_open(office, ann, settings_of_the_test):
    settings_of_the_test(PUBLIC_URL="https://recoup.example")
    person = Office(make_app(), office.cast).visitor()
    assert "Secure" in person.get("/sign-in").headers["Set-Cookie"]


def test_nothing_from_before_the_sign_in_lives_on(office, ann):
    person = office.visitor()
    with person.http.session_transaction() as planted:
        planted["planted"] = "by somebody else"
    sign_in_as(person)
    with person.http.session_transaction() as inside:
        assert "planted" not in inside


def test_signing_out_takes_a_press_and_ends_the_session(office):
    person = office.signed_in(office.cast.ann)
    assert person.get("/sign-out").status_code == 405
    person.press("/admin/", "/sign-out")
    assert person.get("/admin/").status_code == 302


@pytest.mark.parametrize("change", [{"password": "another good one 42"}, {"is_active": False}])
def test_a_new_password_or_lost_access_ends_the_sessions_of_before(office, change):
    person = office.signed_in(office.cast.ann)
    assert person.get("/admin/").status_code == 200
    with db.transaction() as session:
        users.set_user(session, office.cast.ann.user_id, actor=office.cast.adam, **change)
    assert person.get("/admin/").status_code == 302


def test_a_forged_cookie_is_nobody(office):
    for forged in ("1", "1.", "x.y", f"{office.cast.adam.user_id}.0000000000000000"):
        person = office.visitor()
        with person.http.session_transaction() as inside:
            inside["_user_id"] = forged
        assert person.get("/admin/").status_code == 302


def test_the_visitor_comes_back_to_the_page_that_was_asked_for(office, ann):
    person = office.visitor()
    to_sign_in = person.get("/admin/discrepancies/?flt_status=all").location
    assert to_sign_in == "/sign-in?next=/admin/discrepancies/?flt_status%3Dall"
    assert 'name="next" value="/admin/discrepancies/?flt_status=all"' in person.get(to_sign_in).text
    assert sign_in_as(person, next="/admin/claims/").location == "/admin/claims/"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:alert(1)",
        "evil",
        "/\t/evil",
        "/\t//evil.example",
        "/\r\n//evil.example",
        "/admin\r\nX-Evil: 1",
        " //evil.example",
        "/\x00/evil.example",
        "/admin\\evil",
        "/\u2028//evil.example",
    ],
)
def test_a_link_to_the_sign_in_cannot_lead_to_another_host(target):
    assert sign_in.safe_next(target) is None


@pytest.mark.parametrize("target", ["/", "/admin/", "/admin/claims/?search=%C3%BC%20a%2F/b&flt_status=closed:lapsed"])
def test_a_path_of_ours_is_kept(target):
    assert sign_in.safe_next(target) == target


def test_a_foreign_target_is_forgotten_on_signing_in(office, ann):
    assert sign_in_as(office.visitor(), next="https://evil.example/").location == "/"


def test_too_many_tries_on_one_account_are_refused_before_any_hashing(office, ann, hashings):
    for _ in range(6):
        assert sign_in_as(office.visitor(), password="not this one 1").status_code == 401
    refused = sign_in_as(office.visitor())
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert "Wait a little" in read(refused)
    assert len(hashings) == 6


def test_too_many_tries_from_one_address_are_refused_before_any_hashing(office, monkeypatch):
    hashings = []
    monkeypatch.setattr(passwords, "verify", lambda *given: bool(hashings.append(given)))
    answers = [sign_in_as(office.visitor(), email=f"p{n}@x.example").status_code for n in range(21)]
    assert answers == [401] * 20 + [429]
    assert len(hashings) == 20


def test_the_tries_of_one_address_do_not_lock_out_another(office, monkeypatch):
    monkeypatch.setattr(passwords, "verify", lambda *_: False)
    for n in range(21):
        sign_in_as(office.visitor(), email=f"p{n}@x.example")
    other = office.visitor()
    token = re.search(r'csrf_token" value="([^"]+)', other.get("/sign-in").text)[1]
    form = {"csrf_token": token, "email": "z@x.example", "password": "x"}
    answer = other.http.post("/sign-in", data=form, headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 401


@pytest.mark.usefixtures("redis")
def test_with_redis_the_tries_at_all_web_processes_count_together(office, monkeypatch):
    monkeypatch.setattr(passwords, "verify", lambda *_: False)
    processes = [Office(make_app(), office.cast) for _ in range(2)]
    answers = [sign_in_as(processes[n % 2].visitor()).status_code for n in range(7)]
    assert answers == [401] * 6 + [429]


def test_with_redis_gone_people_still_sign_in_and_tries_are_still_counted(office, monkeypatch, settings_of_the_test):
    settings_of_the_test(REDIS_URL="redis://127.0.0.1:1/0")
    monkeypatch.setattr(passwords, "verify", lambda *_: False)
    alone = Office(make_app(), office.cast)
    answers = {sign_in_as(alone.visitor()).status_code for _ in range(8)}
    assert answers == {401, 429}


@pytest.mark.parametrize(
    ("asked_by", "header", "address"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("198.41.0.4", "203.0.113.7", "198.41.0.4"),
        ("127.0.0.1", "not an address", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_the_address_of_a_proxy_is_believed_only_where_a_proxy_of_ours_can_be(office, asked_by, header, address):
    headers = {"X-Forwarded-For": header} if header else {}
    with office.app.test_request_context("/", environ_base={"REMOTE_ADDR": asked_by}, headers=headers):
        assert sign_in.client_address() == address


def test_billing_lands_on_the_invoices(office):
    bill = office.signed_in(office.cast.bill)
    assert bill.get("/").location == "/admin/invoices/"
    assert bill.get("/admin/invoices/").status_code == 200
    assert bill.get("/admin/").status_code == 403


def test_a_clients_person_lands_on_their_portal(office):
    assert office.signed_in(office.cast.carl).get("/").location == "/portal/"


def test_the_first_start_says_how_the_first_person_is_added(sqlite_database):
    assert "flask users add" in read(make_app().test_client().get("/sign-in"))


def test_once_somebody_exists_the_page_gives_no_such_hint(office):
    assert "flask users add" not in office.visitor().text("/sign-in")


def test_an_overlong_password_is_refused_without_hashing(office, ann, hashings):
    assert sign_in_as(office.visitor(), password="x" * 5000).status_code == 401
    assert hashings == []


def test_a_signed_in_person_is_led_past_the_sign_in(office):
    assert office.signed_in(office.cast.ann).get("/sign-in").location == "/"
