"""A claim's way at the command line: what is filed, recorded and shown, and how a command ends."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime

import pytest
from click.testing import CliRunner, Result
from flask import Flask

import cli
import db
from claims import documents, filing, queries
from cli import claims
from models import Claim, DocumentKind, Request, RequestKind
from tests.factories import NOW, Cast, make_cast, make_claim, make_discrepancy

Run = Callable[..., Result]
AS_ANN = ("--as", "ann@agency.example")


@pytest.fixture
def run() -> Run:
    app = Flask("recoup")
    cli.register(app)

    def invoke(*words: object, stdin: str = "") -> Result:
        return CliRunner().invoke(app.cli, ["claims", *(str(word) for word in words)], input=stdin)

    return invoke


@pytest.fixture
def cast(sqlite_database: str, set_clock: Callable[[datetime], None]) -> Cast:
    """A cast with one claim to file, number 1."""
    set_clock(NOW)
    cast = make_cast()
    with db.transaction() as session:
        found = make_discrepancy(session, cast.account_id, msku="=cmd()")
        make_claim(session, found, approved_by_id=cast.ann.user_id)
    return cast


def _claim(cast: Cast) -> Claim:
    with db.reading() as session:
        return queries.load_claim(session, 1, cast.adam)


def test_the_words_of_options_are_those_of_the_services() -> None:
    assert tuple(status.value for status in filing.OUTCOMES) == claims.OUTCOMES
    assert claims.CLOSING_REASONS == filing.CLOSING_REASONS


def test_a_claim_goes_its_whole_way(run: Run, cast: Cast) -> None:
    filed = run("submit", 1, "--case-id", " 10245671881 ", *AS_ANN)
    assert (filed.exit_code, filed.stdout) == (0, "1: filed as case 10245671881\n")
    asked = run(
        "outcome", 1, "--status", "needs_info", "--reply", "-", "--next-action", "2026-12-01", *AS_ANN,
        stdin="Please send\nan invoice.\n",
    )  # fmt: skip
    assert asked.stdout == "1: Amazon asks, next by 2026-12-01\n"
    assert run("outcome", 1, "--status", "submitted", *AS_ANN).stdout == "1: Filed\n"
    assert run("outcome", 1, "--status", "denied", "--note", "no invoice", *AS_ANN).stdout == "1: Refused\n"
    assert run("outcome", 1, "--status", "appealed", *AS_ANN).stdout == "1: Appealed\n"
    assert run("outcome", 1, "--status", "denied", "--reply", "Final.", *AS_ANN).exit_code == 0
    assert run("outcome", 1, "--status", "closed", *AS_ANN).stdout == "1: Closed: refused by Amazon\n"
    assert [move.action for move in _claim(cast).history] == [
        "submitted", "needs_info", "answered", "denied", "appealed", "denied", "closed",
    ]  # fmt: skip


def test_one_is_shown_whole(run: Run, cast: Cast) -> None:
    before = json.loads(run("show", 1, "--format", "json").stdout)
    assert before["next_step"] == "To file by 19 Dec 2026, in 26 days"
    run("submit", 1, "--case-id", "10245671881", *AS_ANN)
    run("outcome", 1, "--status", "needs_info", "--reply", "Send\nan invoice", "--next-action", "2026-12-01", *AS_ANN)
    with db.transaction() as session:
        upload = documents.read(io.BytesIO(b"%PDF-1.7"), "invoice.pdf")
        documents.add_to_claim(session, 1, upload, kind=DocumentKind.INVOICE, actor=cast.ann, now=NOW)
        session.add(
            Request(
                client_id=cast.client_id,
                claim_id=1,
                kind=RequestKind.SEND_INVOICE,
                question="Which invoice?",
                asked_at=NOW,
            )
        )
    shown = json.loads(run("show", 1, "--format", "json").stdout)
    assert (shown["status"], shown["case_id"], shown["rounds"]) == ("needs_info", "10245671881", 0)
    assert shown["submitted_at"].startswith("2026-11-23T09:14")
    assert shown["next_action_on"] == "2026-12-01"
    assert shown["notes"][0]["text"] == "Send\nan invoice"
    assert [each["name"] for each in shown["documents"]] == ["invoice.pdf"]
    assert shown["requests"][0]["question"] == "Which invoice?"
    told = run("show", 1).stdout
    for part in (
        "To answer Amazon by 1 Dec 2026, in 8 days",
        "    an invoice",
        "invoice.pdf, 8 bytes (supplier's invoice)",
        "Waits for the client, the claim waits for it",
        "Filed with Amazon on the command line",
    ):
        assert part in told, part


def test_what_is_to_be_filed_is_printed_for_pasting(run: Run, cast: Cast) -> None:
    text = run("packet", 1)
    assert text.stdout.startswith(
        "FBA reimbursement request: 3 units lost in a fulfillment center, FNSKU X001\n\nHello"
    )
    assert text.stderr.strip() == "Attach: the evidence file."
    (row,) = csv.DictReader(io.StringIO(run("packet", 1, "--csv").stdout))
    assert (row["report"], row["FNSKU"], row["Quantity"]) == ("Inventory ledger", "X001", "-3")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("submit", 1, "--case-id", "tbd", *AS_ANN), 2, "'tbd' is no case ID of Amazon's."),
        (("submit", 9, "--case-id", "10245671881", *AS_ANN), 1, "There is no claim 9."),
        (("submit", 1, "--case-id", "10245671881", "--as", "bill@agency.example"), 1, "Bill may not work on claims"),
        (("submit", 1, "--case-id", "10245671881", "--as", "nobody@agency.example"), 1, "There is no user nobody"),
        (("outcome", 1, "--status", "denied", "--reply", "No.", *AS_ANN), 1, "cannot become Refused: it is To file"),
        (("outcome", 1, "--status", "recovered", *AS_ANN), 2, "only a payment of Amazon's that is matched"),
        (("outcome", 1, "--status", "closed", *AS_ANN), 2, "Say why the claim is closed."),
        (("outcome", 1, "--status", "closed", "--reason", "other", *AS_ANN), 2, "Another reason needs a note."),
        (("packet", 9), 1, "There is no claim 9."),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    run: Run, cast: Cast, words: tuple[object, ...], code: int, said: str
) -> None:
    ended = run(*words)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert _claim(cast).history == []


@pytest.mark.parametrize(
    "words",
    [
        ("submit", 1, *AS_ANN),
        ("submit", 1, "--case-id", "10245671881"),
        ("outcome", 1, *AS_ANN),
        ("outcome", 1, "--status", "won", *AS_ANN),
        ("outcome", 1, "--status", "denied", "--next-action", "tomorrow", *AS_ANN),
        ("outcome", 1, "--status", "denied", "--reason", "refused", *AS_ANN),
        ("packet",),
    ],
)
def test_wrong_usage_ends_with_two(run: Run, cast: Cast, words: tuple[object, ...]) -> None:
    assert run(*words).exit_code == 2
