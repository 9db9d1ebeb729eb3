"""Every address that a message gives to people opens a page for them."""

from urllib.parse import urlsplit

import pytest

import db
from billing.statement import Figure
from claims import links
from models import Approval, Client
from tests.admin.conftest import Office


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.fixture
def asked_office(office: Office) -> Office:
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).approval = Approval.BOTH
    return office


def test_the_staff_get_to_the_list_behind_each_figure(asked_office: Office) -> None:
    ann = asked_office.signed_in(asked_office.cast.ann)
    addresses = [links.figure_link(figure) for figure in Figure]
    addresses += [links.today_link(), links.to_file_link(), links.requests_link(), links.messages_link()]
    assert {address: ann.get(path_of(address)).status_code for address in addresses} == dict.fromkeys(addresses, 200)


def test_a_clients_people_get_to_the_list_behind_each_figure(asked_office: Office) -> None:
    carl = asked_office.signed_in(asked_office.cast.carl)
    addresses = [*(links.portal_figure_link(figure) for figure in Figure), links.portal_link()]
    assert {address: carl.get(path_of(address)).status_code for address in addresses} == dict.fromkeys(addresses, 200)
