"""Addresses and forms that no page of ours makes: old links, mistyped ones, and whoever tries the doors."""

import re

import pytest

import db
from claims import review
from models import Claim
from tests.admin.conftest import Office, Person, read
from tests.factories import NOW

LISTS = ("discrepancies", "claims", "requests", "imports", "invoices", "messages")
TOO_LARGE = "0" * 20 + "9" * 20
ODD = ("nonsense", "-1", TOO_LARGE, "%00", "%F0%9F%92%A9", "²")


@pytest.fixture
def adam(office_on_each_database: Office) -> Person:
    office = office_on_each_database
    office.put()
    with db.transaction() as session:
        review.approve(session, 1, actor=office.cast.ann, now=NOW)
    return office.signed_in(office.cast.adam)


def test_a_filter_with_a_value_that_it_does_not_take_is_as_if_it_were_not_there(adam: Person) -> None:
    for name in LISTS:
        for query in (f"{key}={value}" for key in ("flt_status", "flt_client", "flt_account") for value in ODD):
            assert adam.get(f"/admin/{name}/?{query}").status_code == 200, (name, query)
    for query in ("flt_status=nonsense", "x_status=all"):
        assert "No discrepancies to decide" in adam.text(f"/admin/discrepancies/?{query}")


def test_what_a_list_does_not_know_gets_into_no_link_of_it(office: Office) -> None:
    for _ in range(60):
        office.put()
    ann = office.signed_in(office.cast.ann)
    for query in ("_external=1&_scheme=javascript&_anchor=x", "endpoint=x&export_type=x&self=x&_method=POST&values=x"):
        answer = ann.get(f"/admin/discrepancies/?{query}")
        assert answer.status_code == 200
        assert "After →" in read(answer)
        assert "Export as CSV" in read(answer)
        assert not re.search(r'href="(?!/|#)|[?&;](endpoint|export_type|_method|values)=', answer.text)


def test_an_export_takes_the_same_addresses(adam: Person) -> None:
    for name in ("discrepancies", "claims", "invoices"):
        with adam.get(f"/admin/{name}/export/csv/?flt_client={TOO_LARGE}") as answer:  # a stream, to be closed
            assert answer.status_code == 200
            assert re.fullmatch(rf"attachment; filename={name}_[\d_-]+\.csv", answer.headers["Content-Disposition"])


def test_the_pages_that_flask_admin_brings_and_nobody_uses_lead_to_the_list(adam: Person) -> None:
    for name in ("accounts", "clients", "users", *LISTS):
        for path in ("edit/?id=1", "new/?url=//evil.example", "edit/?id=1&url=https://evil.example", "details/?id=1"):
            if (name, path[:3]) in {(each, "new") for each in ("accounts", "clients", "users")}:
                continue  # a form of ours
            answer = adam.get(f"/admin/{name}/{path}")
            assert (answer.status_code, answer.location) == (302, f"/admin/{name}/"), (name, path)


@pytest.mark.parametrize("given", ["-5", "99999", "2147483648", "9" * 20, "somebody"])
def test_a_claim_is_given_to_nobody_who_is_not_there(adam: Person, given: str) -> None:
    page = "/admin/claims/1/"
    assert "There is no user" in adam.told(adam.press(page, f"{page}assign", assignee_id=given))
    with db.reading() as session:
        assert session.get_one(Claim, 1).assignee_id is None


def test_a_payment_goes_to_no_claim_that_is_not_there(adam: Person) -> None:
    for given in ("-5", "2147483648", "9" * 20, "a claim", ""):
        answer = adam.press("/admin/claims/1/", "/admin/payments/1/match", claim_id=given)
        assert "There is no" in adam.told(answer), given
