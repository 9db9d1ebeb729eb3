import re
from decimal import Decimal

import pytest
from sqlalchemy import select

import db
from claims import passwords
from models import (
    Account,
    AccountStatus,
    AgencySettings,
    ArchiveFile,
    Client,
    ClientStatus,
    CommissionRate,
    DiscrepancyStatus,
    Import,
    Role,
    User,
)
from tests.admin.conftest import Office, Person, read
from tests.factories import NOW, make_client

CLIENT = {
    "name": "Delta Toys",
    "email": "owner@delta.example",
    "commission_rate": "17.5",
    "rate_from": "",
    "billing_email": "",
    "tax_rate": "",
    "tax_number": "",
    "days_to_query": "7",
    "currency": "EUR",
    "min_value": "5.00",
    "case_manager_id": "",
    "review_channel": "",
    "time_zone": "Europe/Berlin",
    "address": "1 Toy Street",
}


@pytest.fixture
def adam(office: Office) -> Person:
    return office.signed_in(office.cast.adam)


def stored(kind, **by):
    with db.reading() as session:
        return session.scalars(select(kind).filter_by(**by)).one()


class TestClients:
    def test_a_client_is_added_with_the_rate_as_a_fraction(self, office, adam):
        manager = str(office.cast.ann.user_id)
        answer = adam.press("/admin/clients/new", "/admin/clients/new", **CLIENT | {"case_manager_id": manager})
        assert adam.told(answer) == "Saved: Delta Toys."
        client = stored(Client, name="Delta Toys")
        assert (client.min_value, client.currency) == (Decimal(5), "EUR")
        rate = stored(CommissionRate, client_id=client.id)
        assert (rate.rate, rate.valid_from) == (Decimal("0.175"), NOW.date())
        assert client.case_manager_id == office.cast.ann.user_id
        assert client.status is ClientStatus.ONBOARDING
        assert "17.5 %" in adam.text("/admin/clients/")

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"name": ""}, "Give the client a name."),
            ({"name": "ACME"}, "There is already a client ACME."),
            ({"email": "nobody"}, "is no e-mail address"),
            ({"commission_rate": "120"}, "Between 0 and 100."),
            ({"commission_rate": "a fifth"}, "Commission"),
            ({"commission_rate": "NaN"}, "Commission"),
            ({"commission_rate": "17.12345678"}, "at most six places"),
            ({"min_value": "-1"}, "Not below zero."),
            ({"min_value": "Infinity"}, "Least value"),
            ({"currency": "XXX"}, "Currency"),
            ({"time_zone": "Mars/Base"}, "Time zone"),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field_and_nothing_entered_is_lost(self, adam, wrong, said):
        answer = adam.press("/admin/clients/new", "/admin/clients/new", **CLIENT | wrong)
        assert answer.status_code == 422
        shown = read(answer)
        assert "Not saved yet" in shown
        assert said in shown[shown.index("Not saved yet") :]
        assert 'aria-invalid="true"' in answer.text
        assert "1 Toy Street" in answer.text

    def test_a_client_is_changed_and_the_history_says_what(self, office, adam):
        page = f"/admin/clients/{office.cast.client_id}/"
        adam.press(page, page, **CLIENT | {"name": "Acme", "commission_rate": "25"})
        assert stored(CommissionRate, client_id=office.cast.client_id).rate == Decimal("0.25")
        assert "commission rate 25 % from 23 Nov 2026" in adam.text(page)

    def test_the_terms_are_kept_and_shown_again(self, office, adam):
        page = f"/admin/clients/{office.cast.client_id}/"
        terms = {
            "rate_from": "2027-01-01",
            "billing_email": "bills@acme.example",
            "tax_rate": "19",
            "tax_number": "DE 123",
            "days_to_query": "10",
            "fee_on_stock": "y",
            "keeps_fee_reversed_with_unit": "y",
        }
        adam.press(page, page, **CLIENT | {"name": "Acme"} | terms)
        client = stored(Client, name="Acme")
        assert (client.billing_email, client.tax_rate, client.tax_number) == (
            "bills@acme.example",
            Decimal("0.19"),
            "DE 123",
        )
        assert (client.days_to_query, client.fee_on_stock, client.fee_on_found) == (10, True, False)
        assert (client.keeps_fee_reversed, client.keeps_fee_reversed_with_unit) == (False, True)
        shown = adam.get(page).text
        assert 'value="bills@acme.example"' in shown
        assert 'value="19"' in shown
        assert "20 %" in adam.text("/admin/clients/")  # the new rate holds from next year
        adam.press(page, page, **CLIENT | {"name": "Acme", "tax_rate": "101"})
        assert stored(Client, name="Acme").tax_rate == Decimal("0.19")

    def test_the_recovery_settings_are_kept_have_their_effect_and_are_shown_again(self, office, adam):
        page = f"/admin/clients/{office.cast.client_id}/"
        office.put()
        settings = {
            "claim_types_off": "warehouse_lost",
            "wait_days": "12",
            "approval": "both",
            "client_channel": "C0ACME",
        }
        answer = adam.press(page, page, **CLIENT | {"name": "Acme"} | settings)
        assert answer.status_code == 303
        client = stored(Client, name="Acme")
        assert (client.claim_types_off, client.wait_days, client.approval) == (["warehouse_lost"], 12, "both")
        assert (client.client_channel, client.requests_hold_claims) == ("C0ACME", False)
        assert office.row(1).status is DiscrepancyStatus.WITHDRAWN
        shown = adam.get(page).text
        assert re.search(r'<input checked[^>]*value="warehouse_lost"', shown)
        assert not re.search(r'<input checked[^>]*value="inbound_lost"', shown)
        assert "left alone: Lost in the warehouse" in read(adam.get(page))
        adam.press(page, page, **CLIENT | {"name": "Acme", "approval": "both", "wait_days": ""})
        assert office.row(1).status is DiscrepancyStatus.OPEN
        assert stored(Client, name="Acme").wait_days == 0
        wrong = adam.press(page, page, **CLIENT | {"name": "Acme", "wait_days": "121"})
        assert "Between 0 and 120." in read(wrong)

    def test_a_new_client_has_nothing_left_alone_and_its_claims_wait_for_answers(self, adam):
        page = adam.get("/admin/clients/new").text
        assert re.search(r'<input[^>]*checked[^>]*name="requests_hold_claims"', page)
        assert not re.search(r'<input[^>]*checked[^>]*name="claim_types_off"', page)

    def test_each_setting_says_its_effect_beforehand(self, office, adam):
        shown = adam.text(f"/admin/clients/{office.cast.client_id}/")
        assert "nothing new is kept, and what is undecided is withdrawn" in shown
        assert "10 days before its last day it is shown in any case" in shown
        assert "the client's people cannot sign in any more" in shown

    def test_a_paused_client_can_be_resumed_and_a_cancelled_one_not(self, office, adam):
        page = f"/admin/clients/{office.cast.client_id}/"
        assert "Paused: no new claims" in adam.told(adam.press(page, f"{page}pause"))
        assert stored(Client, id=office.cast.client_id).status is ClientStatus.PAUSED
        adam.press(page, f"{page}resume")
        adam.press(page, f"{page}cancel")
        assert stored(Client, id=office.cast.client_id).status is ClientStatus.CANCELLED
        assert "cannot become active" in adam.told(adam.press(page, f"{page}resume"))

    def test_a_client_that_does_not_exist_is_told_in_words(self, adam):
        answer = adam.get("/admin/clients/77/")
        assert answer.status_code == 404
        assert "There is no such client" in read(answer)

    def test_the_list_asks_a_fixed_number_of_times(self, office, adam):
        with office.counted() as few:
            adam.get("/admin/clients/")
        with db.transaction() as session:
            for n in range(20):
                make_client(session, name=f"C{n}")
        with office.counted() as many:
            adam.get("/admin/clients/")
        assert len(many) == len(few)


class TestAccounts:
    def test_an_account_is_added_to_a_client(self, office, adam):
        fields = {"client_id": str(office.cast.client_id), "name": "Acme CA", "marketplace": "CA", "seller_id": "A2X"}
        answer = adam.press("/admin/accounts/new", "/admin/accounts/new", **fields)
        account = stored(Account, name="Acme CA")
        assert adam.told(answer) == f"Saved: Acme CA. Its id is {account.id}."
        assert (account.marketplace, account.seller_id) == ("CA", "A2X")

    def test_a_second_one_of_the_same_name_is_refused_at_the_name(self, office, adam):
        fields = {"client_id": str(office.cast.client_id), "name": "Acme CA", "marketplace": "CA"}
        adam.press("/admin/accounts/new", "/admin/accounts/new", **fields)
        answer = adam.press("/admin/accounts/new", "/admin/accounts/new", **fields)
        assert answer.status_code == 422
        assert "Acme already has an account Acme CA." in read(answer)

    def test_its_page_shows_how_far_its_reports_go(self, office, adam):
        page = f"/admin/accounts/{office.cast.account_id}/"
        assert f"flask import --account {office.cast.account_id} PATH" in adam.text(page)
        with db.transaction() as session:
            delivery = Import(account_id=office.cast.account_id, started_at=NOW)
            session.add(delivery)
            session.flush()
            session.add(
                ArchiveFile(
                    account_id=office.cast.account_id,
                    import_id=delivery.id,
                    report_type="GET_LEDGER_DETAIL_VIEW_DATA",
                    name="ledger.txt",
                    sha256="0" * 64,
                    kept_sha256="0" * 64,
                    kept_key="k",
                    rows=120345,
                    rejected=2,
                    created_at=NOW,
                )
            )
        shown = adam.text(page)
        assert "Inventory ledger has no days 23 Nov 2026" in shown

    def test_it_is_paused_and_resumed(self, office, adam):
        page = f"/admin/accounts/{office.cast.account_id}/"
        adam.press(page, f"{page}pause")
        assert stored(Account, id=office.cast.account_id).status is AccountStatus.PAUSED
        adam.press(page, f"{page}resume")
        assert stored(Account, id=office.cast.account_id).status is AccountStatus.ACTIVE


class TestUsers:
    def fields(self, **more: str) -> dict[str, str]:
        return {
            "email": "new@agency.example",
            "name": "Nia",
            "role": "case_manager",
            "client_id": "",
            "is_active": "y",
        } | more

    def test_a_person_is_added_and_the_password_is_kept_as_a_hash(self, adam):
        fields = self.fields(password="a Good one 42 more", slack_user_id="U0NIA")
        assert adam.told(adam.press("/admin/users/new", "/admin/users/new", **fields)) == "Saved: Nia."
        user = stored(User, email="new@agency.example")
        assert passwords.verify(user.password_hash, "a Good one 42 more")
        assert (user.role, user.slack_user_id) == (Role.CASE_MANAGER, "U0NIA")

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"password": "short"}, "too easy to guess"),
            ({"email": "ann@agency.example"}, "There is already a user with ann@agency.example."),
            ({"slack_user_id": "ann"}, "is no Slack user id"),
            ({"slack_user_id": "U0ANN"}, "There is already a user with U0ANN."),
            ({"role": "client"}, "belongs to a client"),
            ({"role": "emperor"}, "Role"),
        ],
    )
    def test_what_is_wrong_is_said_and_no_password_comes_back(self, adam, wrong, said):
        fields = self.fields(password="a Good one 42 more") | wrong
        answer = adam.press("/admin/users/new", "/admin/users/new", **fields)
        assert answer.status_code == 422
        assert said in read(answer)
        assert "a Good one" not in answer.text

    def test_without_a_new_password_the_old_one_stays_and_the_address_too(self, office, adam):
        page = f"/admin/users/{office.cast.ann.user_id}/"
        with db.transaction() as session:
            session.get_one(User, office.cast.ann.user_id).password_hash = "kept"
        adam.press(page, page, **self.fields(email="other@agency.example", name="Anna", password=""))
        user = stored(User, id=office.cast.ann.user_id)
        assert (user.name, user.email, user.password_hash) == ("Anna", "ann@agency.example", "kept")

    def test_the_last_admin_cannot_step_down(self, office, adam):
        page = f"/admin/users/{office.cast.adam.user_id}/"
        answer = adam.press(page, page, **self.fields(role="case_manager", password=""))
        assert answer.status_code == 422
        assert "This is the last admin." in read(answer)

    def test_the_list_says_who_gets_in(self, adam):
        shown = adam.text("/admin/users/")
        assert "5 users" in shown
        assert "Client: Acme" in shown
        assert "no password yet" in shown


class TestSettings:
    def test_the_agency_is_named_and_its_channel_set(self, adam):
        page = "/admin/settings/"
        assert "off: discrepancies are decided here only" in adam.text(page)
        answer = adam.press(page, page, name="Rescue & Co", review_channel="C0NEW")
        assert adam.told(answer) == "Saved: the settings of the agency."
        agency = stored(AgencySettings)
        assert (agency.name, agency.review_channel) == ("Rescue & Co", "C0NEW")
        assert (agency.address, agency.time_zone) == ("", "America/Los_Angeles")

    def test_what_stands_on_invoices_is_kept(self, adam):
        given = {"address": "1 Quay", "tax_number": "T-1", "invoice_prefix": "RC-", "time_zone": "Europe/Berlin"}
        adam.press("/admin/settings/", "/admin/settings/", name="Us", digest_channel="C0DAY", **given)
        agency = stored(AgencySettings)
        assert {name: getattr(agency, name) for name in given} == given
        assert agency.digest_channel == "C0DAY"

    def test_a_missing_name_is_said_at_its_field(self, adam):
        answer = adam.press("/admin/settings/", "/admin/settings/", name=" ", review_channel="C0NEW")
        assert answer.status_code == 422
        assert "Name of the agency" in read(answer)
        assert 'value="C0NEW"' in answer.text
