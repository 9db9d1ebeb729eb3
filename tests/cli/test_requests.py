"""`flask requests`: who is waited for, asking and closing with a person's rights."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask

import cli
import db
from claims import filing
from cli import requests
from models import RequestKind, RequestStatus, Through
from tests.factories import Cast, make_cast, make_claim, make_discrepancy

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    app = Flask("recoup")
    cli.register(app)

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app.cli, [str(word) for word in words])

    return invoke


@pytest.fixture
def cast(sqlite_database: str) -> Cast:
    cast = make_cast()
    with db.transaction() as session:
        row = make_discrepancy(session, cast.account_id)
        make_claim(session, row, approved_by_id=cast.ann.user_id)
    return cast


def test_the_words_of_options_are_those_of_the_tables() -> None:
    assert list(requests.KINDS) == [kind.value for kind in RequestKind]
    assert list(requests.STATUSES) == [status.value for status in RequestStatus]


def test_a_client_is_asked_listed_and_the_request_closed(cast: Cast, run: Run) -> None:
    asked = run("requests", "ask", 1, "--kind", "send_invoice", "--as", "ann@agency.example")
    assert (asked.exit_code, asked.stdout) == (0, "")
    assert asked.stderr == "Request 1: Acme is asked, and the claim is held until the answer.\n"
    [row] = json.loads(run("requests", "list", "--format", "json").stdout)
    assert tuple(row) == requests.FIELDS
    assert (row["client"], row["claim_id"], row["kind"], row["asked_by"]) == ("Acme", 1, "send_invoice", "Ann")
    assert "Waits for the client" in run("requests", "list", "--client", "acme").stdout
    assert run("requests", "list", "--status", "closed").stdout == ""
    assert run("requests", "close", 1, "--as", "bea@agency.example").exit_code == 0
    with db.reading() as session:
        assert filing.holding_request(session, 1) is None


def test_something_else_without_a_question_is_wrong_usage(cast: Cast, run: Run) -> None:
    told = run("requests", "ask", 1, "--kind", "other", "--as", "ann@agency.example")
    assert (told.exit_code, "This needs a question." in told.stderr) == (2, True)


def test_people_without_the_right_are_told_so(cast: Cast, run: Run) -> None:
    told = run("requests", "ask", 1, "--kind", "other", "--question", "Why?", "--as", "bill@agency.example")
    assert (told.exit_code, "may not work on claims" in told.stderr) == (1, True)
    assert cast.bill.through is Through.CLI


def test_what_is_not_there_is_said(cast: Cast, run: Run) -> None:
    told = run("requests", "close", 9, "--as", "ann@agency.example")
    assert (told.exit_code, told.stderr) == (1, "There is no request 9.\n")
