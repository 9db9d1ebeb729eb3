"""Two people at two browsers press at the same moment, over HTTP, on both databases."""

import html
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

import db
from claims import passwords
from models import Claim, ClaimStatus, DiscrepancyStatus, HistoryEntry, User
from tests.admin.conftest import Office, plain
from tests.admin.serving import served

PASSWORD = "correct horse 9 battery"


class Browser:
    """A person with cookies of their own, on the wire."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        return self.opener.open(self.address + path, timeout=60).read().decode()

    def post(self, path: str, **fields: str) -> str:
        return self.opener.open(self.address + path, urlencode(fields).encode(), timeout=60).read().decode()

    def sign_in(self, email: str) -> None:
        self.post("/sign-in", csrf_token=token(self.get("/sign-in")), email=email, password=PASSWORD)


def token(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def notes(page: str) -> str:
    return " ".join(plain(html.unescape(note)) for note in re.findall(r'<p class="note.*?</p>', page, re.DOTALL))


@pytest.fixture
def two(office_on_each_database: Office):
    """Ann and Bea, both signed in with their passwords at a real server."""
    office = office_on_each_database
    password_hash = passwords.hashed(PASSWORD)
    with db.transaction() as session:
        for who in (office.cast.ann, office.cast.bea):
            session.get_one(User, who.user_id).password_hash = password_hash
    with served(office.app) as address:
        ann, bea = Browser(address), Browser(address)
        ann.sign_in("ann@agency.example")
        bea.sign_in("bea@agency.example")
        yield office, ann, bea


def at_once(*presses):
    """Make the presses at the same moment; return what each was told."""
    together = threading.Barrier(len(presses))

    def press(do):
        together.wait(timeout=30)
        return notes(do())

    with ThreadPoolExecutor(len(presses)) as hands:
        return [done.result() for done in [hands.submit(press, do) for do in presses]]


def test_of_two_who_approve_at_once_one_wins_and_the_other_is_told_by_whom(two):
    office, ann, bea = two
    for _ in range(4):
        wanted = office.put()
        path = f"/admin/discrepancies/{wanted}/"
        tokens = [token(each.get(path)) for each in (ann, bea)]
        told = at_once(
            lambda path=path, t=tokens[0]: ann.post(path + "approve", csrf_token=t, seen="3 37.02 USD"),
            lambda path=path, t=tokens[1]: bea.post(path + "approve", csrf_token=t, seen="3 37.02 USD"),
        )
        won = [each.startswith("Approved: 3 units, 37.02 USD.") for each in told]
        assert sorted(won) == [False, True], told
        winner = ("Ann", "Bea")[won.index(True)]
        assert f"Already approved by {winner} at 09:14 UTC." in told[won.index(False)]
        with db.reading() as session:
            entries = session.query(HistoryEntry).filter_by(discrepancy_id=wanted, action="approved").all()
        assert [entry.actor_name for entry in entries] == [winner]
    with db.reading() as session:
        assert session.query(Claim).filter_by(status=ClaimStatus.TO_SUBMIT).count() == 4


def test_of_an_approval_and_a_rejection_at_once_one_stands_and_the_other_is_told(two):
    office, ann, bea = two
    wanted = office.put()
    path = f"/admin/discrepancies/{wanted}/"
    tokens = [token(each.get(path)) for each in (ann, bea)]
    told = at_once(
        lambda: ann.post(path + "approve", csrf_token=tokens[0], seen="3 37.02 USD"),
        lambda: bea.post(path + "reject", csrf_token=tokens[1], reason="found", note=""),
    )
    status = office.row(wanted).status
    if status is DiscrepancyStatus.APPROVED:
        assert "Already approved by Ann" in told[1]
    else:
        assert status is DiscrepancyStatus.REJECTED
        assert "Already rejected by Bea" in told[0]
    with db.reading() as session:
        assert session.query(Claim).count() == (1 if status is DiscrepancyStatus.APPROVED else 0)


def test_one_caveat_is_cleared_once(two):
    office, ann, bea = two
    wanted = office.put(caveats=["partial_coverage"])
    path = f"/admin/discrepancies/{wanted}/"
    tokens = [token(each.get(path)) for each in (ann, bea)]
    told = at_once(
        lambda: ann.post(path + "clear", csrf_token=tokens[0], code="partial_coverage", note="by Ann"),
        lambda: bea.post(path + "clear", csrf_token=tokens[1], code="partial_coverage", note="by Bea"),
    )
    assert sum(each.startswith("Checked:") for each in told) == 1
    assert sum("Already cleared by" in each for each in told) == 1
