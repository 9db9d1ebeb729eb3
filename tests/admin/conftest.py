"""The real app on a database of the test, and people with browsers."""

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

import db
from admin.people import SignedIn
from claims.access import Actor
from models import Discrepancy, EvidenceLine, HistoryEntry, Through, User
from tests.factories import NOW, Cast, make_cast, make_discrepancy

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Person:
    """Somebody at a browser without scripts: opens pages, and sends the forms that stand on them."""

    http: FlaskClient

    def get(self, path: str) -> TestResponse:
        return self.http.get(path)

    def text(self, path: str) -> str:
        """Return the page as it is read: without tags, with single blanks."""
        return read(self.get(path))

    def press(self, page: str, action: str, **fields: str) -> TestResponse:
        """Open a page and send a form from it."""
        token = _TOKEN.search(self.get(page).text)
        assert token, f"no form on {page}"
        return self.http.post(action, data={"csrf_token": token[1], **fields})

    def approve(self, discrepancy_id: int) -> TestResponse:
        page = f"/admin/discrepancies/{discrepancy_id}/"
        seen = re.search(r'name="seen" value="([^"]*)"', self.get(page).text)
        return self.press(page, f"{page}approve", seen=html.unescape(seen[1]) if seen else "")

    def told(self, response: TestResponse) -> str:
        """Return what is said on top of the page that a press leads to."""
        page = self.get(response.location).text if response.status_code == 303 else response.text
        return " ".join(plain(note) for note in re.findall(r'<p class="note.*?</p>', page, re.DOTALL))


@dataclass
class Office:
    """The app, the cast, and their browsers."""

    app: Flask
    cast: Cast

    def visitor(self) -> Person:
        return Person(self.app.test_client())

    def signed_in(self, who: Actor) -> Person:
        """Return somebody who signed in before; signing in itself has its own tests."""
        with db.reading() as session:
            cookie = SignedIn(session.get_one(User, who.user_id)).get_id()
        person = self.visitor()
        with person.http.session_transaction() as inside:
            inside["_user_id"], inside["_fresh"] = cookie, True
        return person

    def put(self, **more: Any) -> int:
        """Write an open discrepancy of the cast's client with its first history row."""
        account_id = more.pop("account_id", self.cast.account_id)
        with db.transaction() as session:
            row = make_discrepancy(session, account_id, **more)
            session.add(
                HistoryEntry(
                    discrepancy_id=row.id,
                    at=NOW,
                    actor_name="Recoup",
                    through=Through.JOB,
                    action="found",
                    to_status=row.status.value,
                )
            )
            return row.id

    def evidence(self, discrepancy_id: int, **line: Any) -> None:
        """Add a line of evidence."""
        values = {"role": "find", "report_type": "GET_LEDGER_DETAIL_VIEW_DATA", "file": "ledger.txt", "line": 2}
        with db.transaction() as session:
            session.add(EvidenceLine(discrepancy_id=discrepancy_id, **(values | {"position": 9} | line)))

    def row(self, discrepancy_id: int) -> Discrepancy:
        with db.reading() as session:
            return session.get_one(Discrepancy, discrepancy_id)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Collect the statements that are sent to the database."""
        sent: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith("BEGIN"):
                sent.append(statement)

        event.listen(db.engine(), "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(db.engine(), "before_cursor_execute", note)


def make_app() -> Flask:
    """Return the real app under the settings of the test."""
    from wsgi import create_app

    return create_app()


def plain(markup: str) -> str:
    """Return the words of a piece of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def read(response: TestResponse) -> str:
    return plain(re.sub(r"<(script|style).*?</\1>", "", response.text, flags=re.DOTALL))


@pytest.fixture
def office(sqlite_database: str, set_clock: Callable[..., None]) -> Office:
    """The back office on SQLite at NOW."""
    set_clock(NOW)
    return Office(make_app(), make_cast())


@pytest.fixture
def office_on_each_database(database: str, set_clock: Callable[..., None]) -> Office:
    """The back office, once on each kind of database."""
    set_clock(NOW)
    return Office(make_app(), make_cast())
