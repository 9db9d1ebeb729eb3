"""What stands at the left: each page once, and for each role what it may open."""

import re
from collections import Counter

import pytest

from admin.navigation import GROUPS
from tests.admin.conftest import Office, Person, plain

WORK = ["Today", "To decide", "Claims", "Requests", "Payments"]
SEEN = {
    "ann": [*WORK, "Imports", "Messages"],
    "adam": [*WORK, "Accounts", "Imports", "Clients", "Billing", "Messages", "Users", "Settings"],
    "bill": ["Billing"],
}
PAGES = {"ann": "/admin/", "adam": "/admin/", "bill": "/admin/invoices/"}


def entries(person: Person, page: str) -> list[tuple[str, str]]:
    """Return address and name of each entry."""
    nav = re.search(r'<nav aria-label="Work">.*?</nav>', person.get(page).text, re.DOTALL)[0]
    return [(url, plain(name)) for url, name in re.findall(r'<a href="([^"]+)"[^>]*>(.*?)</a>', nav)]


@pytest.mark.parametrize("who", SEEN)
def test_each_role_sees_what_it_may_open_and_nothing_else(office: Office, who: str) -> None:
    person = office.signed_in(getattr(office.cast, who))
    found = entries(person, PAGES[who])
    assert [name for _, name in found] == SEEN[who]
    assert [person.get(url).status_code for url, _ in found] == [200] * len(found)


def test_every_page_of_the_back_office_has_its_place_once(office: Office) -> None:
    placed = Counter(endpoint for group in GROUPS for endpoint in group)
    assert set(placed.values()) == {1}
    registered = {view.endpoint for view in office.app.extensions["admin"][0]._views}
    assert registered == set(placed)


def test_the_page_that_is_open_is_marked(office: Office) -> None:
    ann = office.signed_in(office.cast.ann)
    for url, name in entries(ann, "/admin/"):
        marked = re.findall(r'aria-current="page">([^<]+)<', ann.get(url).text)
        assert marked == [name]
