import re

import pytest
from structlog.testing import capture_logs

from admin.claim_ledger import ClaimView
from tests.admin.conftest import make_app, read


def test_a_page_that_does_not_exist_is_told_in_words(office):
    answer = office.visitor().get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page" in read(answer)


def test_a_wrong_method_is_told_with_what_is_allowed(office):
    answer = office.visitor().http.delete("/healthz")
    assert answer.status_code in {400, 405}
    assert "<h1>" in answer.text


@pytest.mark.parametrize("kind", [RuntimeError, TypeError])
def test_a_bug_gives_the_person_the_reference_that_the_log_has_and_no_traceback(office, monkeypatch, kind):
    calls = []

    def broken(self):
        calls.append(self)
        raise kind("a secret detail")

    monkeypatch.setattr(ClaimView, "statement", broken)
    person = office.signed_in(office.cast.ann)
    with capture_logs() as logged:
        answer = person.get("/admin/claims/")
    assert answer.status_code == 500
    shown = read(answer)
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    reference = re.search(r"Reference: (\w{8})", shown)[1]
    (said,) = [each for each in logged if each["event"] == "request_failed"]
    assert said["reference"] == reference
    assert str(said["exc_info"]) == "a secret detail"
    assert len(calls) == 1


def test_a_database_without_tables_is_told_without_its_address(settings_of_the_test, tmp_path):
    settings_of_the_test(DATABASE_URL=f"sqlite:///{tmp_path}/nothing.db")
    http = make_app().test_client()
    answer = http.get("/sign-in")
    assert answer.status_code == 503
    assert "cannot reach its data" in read(answer)
    assert str(tmp_path) not in answer.text


def test_an_overlong_form_is_refused(office):
    answer = office.signed_in(office.cast.ann).http.post(
        "/admin/discrepancies/1/reject", data={"note": "x" * 3_000_000}
    )
    assert answer.status_code == 413
    assert "too large" in read(answer)


class TestHealth:
    def test_it_is_up_and_ready(self, office):
        person = office.visitor()
        assert person.get("/healthz").text == "process: ok\n"
        answer = person.get("/readyz")
        assert (answer.status_code, answer.text) == (200, "database: ok\nredis: ok\n")

    def test_without_tables_it_is_up_but_not_ready(self, settings_of_the_test, tmp_path):
        settings_of_the_test(DATABASE_URL=f"sqlite:///{tmp_path}/nothing.db")
        http = make_app().test_client()
        assert http.get("/healthz").status_code == 200
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert "flask db upgrade" in answer.text
        assert str(tmp_path) not in answer.text

    @pytest.mark.usefixtures("sqlite_database")
    def test_a_redis_that_does_not_answer_is_named(self, settings_of_the_test):
        settings_of_the_test(REDIS_URL="redis://127.0.0.1:1/0")
        http = make_app().test_client()
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert "redis: cannot be reached" in answer.text
        assert http.get("/sign-in").status_code == 200
