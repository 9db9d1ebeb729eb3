"""Lists and decisions at the command line: what is printed, with whose rights, and how a command ends."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from click.testing import CliRunner, Result
from flask import Flask

import cli
import db
import migrations
from claims import queries, words
from claims.commission import rates_of
from cli import claims, discrepancies, rows, users
from models import ClaimStatus, Client, DiscrepancyStatus, RejectReason, Role
from tests.factories import Cast, make_cast, make_discrepancy

Run = Callable[..., Result]


@dataclass
class Desk:
    """A cast and two discrepancies of theirs, one with a caveat."""

    cast: Cast
    plain: int
    doubtful: int


@pytest.fixture
def run() -> Run:
    app = Flask("recoup")
    cli.register(app)

    def invoke(*words: object, stdin: str = "") -> Result:
        return CliRunner().invoke(app.cli, [str(word) for word in words], input=stdin)

    return invoke


@pytest.fixture
def desk(sqlite_database: str) -> Desk:
    cast = make_cast()
    with db.transaction() as session:
        plain = make_discrepancy(session, cast.account_id, value=Decimal("37.1"), msku="=cmd()", fnsku="@X")
        doubtful = make_discrepancy(session, cast.account_id, caveats=["in_research"], value=None, currency=None)
        return Desk(cast, plain.id, doubtful.id)


def _status(discrepancy_id: int, cast: Cast) -> DiscrepancyStatus:
    with db.reading() as session:
        return queries.load_discrepancy(session, discrepancy_id, cast.adam).status


def test_the_words_of_options_are_those_of_the_tables() -> None:
    assert list(discrepancies.STATUSES) == [status.value for status in DiscrepancyStatus]
    assert list(discrepancies.REASONS) == [reason.value for reason in RejectReason]
    assert list(claims.STATUSES) == [status.value for status in ClaimStatus]
    assert list(users.ROLES) == [role.value for role in Role]


def test_json_has_the_promised_fields(run: Run, desk: Desk) -> None:
    listed = json.loads(run("discrepancies", "list", "--format", "json").stdout)
    assert [row["id"] for row in listed] == [desk.plain, desk.doubtful]
    promised = {
        "id", "fingerprint", "client", "account", "claim_type", "status", "fnsku", "msku", "reference_id", "quantity",
        "value", "currency", "opens_on", "closes_on", "caveats",
    }  # fmt: skip
    assert promised <= set(listed[0])
    assert tuple(listed[0]) == rows.DISCREPANCY_FIELDS
    assert (listed[0]["value"], listed[0]["client"], listed[0]["closes_on"]) == ("37.10", "Acme", "2026-12-19")
    assert (listed[1]["value"], listed[1]["currency"], listed[1]["caveats"]) == (None, None, ["in_research"])


def test_a_csv_cell_never_begins_a_formula(run: Run, desk: Desk) -> None:
    printed = list(csv.DictReader(io.StringIO(run("discrepancies", "list", "--format", "csv").stdout)))
    assert (printed[0]["msku"], printed[0]["fnsku"]) == ("'=cmd()", "'@X")
    assert printed[1]["caveats"] == "in_research"


def test_an_empty_csv_has_its_head(run: Run, sqlite_database: str) -> None:
    assert run("discrepancies", "list", "--format", "csv").stdout.strip() == ",".join(rows.DISCREPANCY_FIELDS)
    assert run("claims", "list", "--format", "csv").stdout.strip() == ",".join(rows.CLAIM_FIELDS)
    assert run("accounts", "list", "--format", "csv").stdout.strip() == ",".join(rows.ACCOUNT_FIELDS)
    assert run("discrepancies", "list").stdout == ""
    assert json.loads(run("claims", "list", "--format", "json").stdout) == []


def test_a_table_aligns_numbers_at_the_right(run: Run, desk: Desk) -> None:
    head, line, first, second = run("discrepancies", "list").stdout.splitlines()
    edge = head.index("Value") + len("Value")
    assert first[:edge].endswith("37.10")
    assert line.startswith("--")
    assert second[:edge].endswith("not known")


def test_a_table_speaks_in_words_where_json_and_csv_keep_codes(run: Run, desk: Desk) -> None:
    _, _, first, second = run("discrepancies", "list").stdout.splitlines()
    assert "To decide" in first
    assert "Lost in the warehouse" in first
    assert "19 Dec 2026" in first
    assert words.caveat_name("in_research") in second
    assert run("discrepancies", "approve", str(desk.plain), "--as", "ann@agency.example").exit_code == 0
    *_, claim = run("claims", "list").stdout.splitlines()
    assert "To file" in claim
    assert "Lost in the warehouse" in claim
    for code in ("open", "to_submit", "warehouse_lost", "in_research"):
        assert code not in run("discrepancies", "list").stdout + run("claims", "list").stdout
    for form in ("json", "csv"):
        assert "warehouse_lost" in run("discrepancies", "list", "--format", form).stdout
        assert "to_submit" in run("claims", "list", "--format", form).stdout


def test_lists_narrow_and_say_what_there_is_not(run: Run, desk: Desk) -> None:
    assert json.loads(run("discrepancies", "list", "--client", "bolt", "--format", "json").stdout) == []
    assert len(json.loads(run("discrepancies", "list", "--status", "open", "--format", "json").stdout)) == 2
    for option, value in (("--client", "Nobody"), ("--account", 99)):
        missing = run("discrepancies", "list", option, value)
        assert (missing.exit_code, missing.stdout) == (1, "")
        assert "There is no" in missing.stderr
    assert run("discrepancies", "list", "--status", "done").exit_code == 2


def test_what_can_be_decided_is_and_the_rest_is_told(run: Run, desk: Desk) -> None:
    ended = run("discrepancies", "approve", desk.doubtful, 99, desk.plain, "--as", "ann@agency.example")
    assert ended.exit_code == 1
    assert ended.stdout == f"{desk.plain}: approved, claim 1, 37.10 USD\n"
    first, second = ended.stderr.splitlines()
    assert first.startswith(f"{desk.doubtful}: Check first: Amazon is still looking")
    assert second == "99: There is no discrepancy 99."
    assert _status(desk.plain, desk.cast) is DiscrepancyStatus.APPROVED
    assert _status(desk.doubtful, desk.cast) is DiscrepancyStatus.OPEN


def test_a_decision_goes_there_and_back(run: Run, desk: Desk) -> None:
    as_ann = ("--as", "Ann@agency.example")
    assert run("discrepancies", "approve", desk.plain, *as_ann).exit_code == 0
    again = run("discrepancies", "reject", desk.plain, "--reason", "found", *as_ann)
    assert "Already approved by Ann" in again.stderr
    assert run("discrepancies", "undo", desk.plain, *as_ann).exit_code == 0
    assert run("discrepancies", "reject", desk.plain, "--reason", "found", *as_ann).exit_code == 0
    cleared = run("discrepancies", "clear", desk.doubtful, "--caveat", "in_research", "--note", "Asked", *as_ann)
    assert (cleared.exit_code, cleared.stdout) == (0, f"{desk.doubtful}: in_research cleared\n")
    assert run("discrepancies", "approve", desk.doubtful, *as_ann).exit_code == 0
    shown = json.loads(run("discrepancies", "show", desk.plain, "--format", "json").stdout)
    assert [move["action"] for move in shown["history"]] == ["approved", "undone", "rejected"]
    assert shown["evidence"][0]["text"].startswith("10/20/2026")
    claim = json.loads(run("claims", "show", 1, "--format", "json").stdout)
    assert (claim["status"], claim["closed_reason"], claim["discrepancy_ids"]) == ("closed", "undone", [desk.plain])
    listed = json.loads(run("claims", "list", "--status", "to_submit", "--format", "json").stdout)
    assert [row["discrepancy_ids"] for row in listed] == [[desk.doubtful]]
    assert tuple(listed[0]) == rows.CLAIM_FIELDS


def test_people_read_one_whole(run: Run, desk: Desk) -> None:
    run("discrepancies", "approve", desk.plain, "--as", "ann@agency.example")
    told = run("discrepancies", "show", desk.plain).stdout
    for part in ("approved", "ledger.txt, line", "10/20/2026", "Ann: Approved on the command line", "(none)"):
        assert part in told
    assert "Claim made" in run("claims", "show", 1).stdout
    assert run("claims", "show", 9).exit_code == 1


@pytest.mark.parametrize(
    ("who", "told"),
    [("bill@agency.example", "Bill may not decide"), ("nobody@agency.example", "There is no user nobody")],
)
def test_a_person_decides_with_their_own_rights(run: Run, desk: Desk, who: str, told: str) -> None:
    ended = run("discrepancies", "approve", desk.plain, "--as", who)
    assert ended.exit_code == 1
    assert told in ended.stderr
    assert _status(desk.plain, desk.cast) is DiscrepancyStatus.OPEN


@pytest.mark.parametrize(
    "words",
    [
        ("approve", "1"),
        ("approve", "--as", "ann@agency.example"),
        ("approve", "one", "--as", "ann@agency.example"),
        ("reject", "1", "--as", "ann@agency.example"),
        ("reject", "1", "--reason", "other", "--as", "ann@agency.example"),
        ("reject", "1", "--reason", "boring", "--as", "ann@agency.example"),
        ("clear", "1", "--caveat", "in_research", "--as", "ann@agency.example"),
    ],
)
def test_wrong_usage_ends_with_two(run: Run, desk: Desk, words: tuple[str, ...]) -> None:
    assert run("discrepancies", *words).exit_code == 2


def test_the_agency_is_set_up_from_nothing(run: Run, sqlite_database: str) -> None:
    added = run("users", "add", "Ann@A.example", "--role", "admin", "--slack-id", "U0A1", "--password-stdin",
                stdin="Correct horse battery 1\n")  # fmt: skip
    assert added.exit_code == 0, added.stderr
    assert run("clients", "add", "Acme", "--email", "o@s.example", "--commission-rate", "0.20").exit_code == 0
    set_up = run(
        "clients", "set", "acme", "--case-manager", "ann@a.example", "--min-value", "5.50", "--currency", "eur"
    )
    assert set_up.exit_code == 0, set_up.stderr
    account = run("accounts", "add", "Main", "--client", "Acme", "--marketplace", "us", "--refresh-token-stdin",
                  stdin="Atzr|x\n")  # fmt: skip
    assert (account.exit_code, account.stdout) == (0, "1\n")
    shown = json.loads(run("accounts", "show", 1, "--format", "json").stdout)
    assert tuple(shown)[: len(rows.ACCOUNT_FIELDS)] == rows.ACCOUNT_FIELDS
    assert [(move["action"], move["by"]) for move in shown["history"]] == [("added", "Recoup")]
    assert (shown["is_connected"], shown["marketplace"], shown["client_status"]) == (True, "US", "onboarding")
    assert "Atzr" not in run("accounts", "list", "--format", "json").stdout
    for verb, status in (("pause", "paused"), ("resume", "active"), ("disconnect", "disconnected")):
        assert run("accounts", verb, 1).stderr == f"Account 1 is {status}.\n"
    assert run("accounts", "cancel", 1).exit_code == 0
    assert run("accounts", "resume", 1).exit_code == 1
    carl = run("users", "add", "carl@s.example", "--role", "client", "--client", "Acme")
    assert carl.exit_code == 0
    with db.reading() as session:
        client = session.get_one(Client, 1)
        assert (client.min_value, client.currency) == (Decimal("5.50"), "EUR")
        assert [rate.rate for rate in rates_of(session, 1)] == [Decimal("0.20")]


def test_the_recovery_settings_of_a_client_are_options(run: Run, desk: Desk) -> None:
    given = "--claim-types-off inbound_lost,warehouse_lost --wait-days 14 --approval both --client-channel C0ACME"
    ended = run("clients", "set", "Acme", *given.split(), "--no-requests-hold-claims")
    assert ended.exit_code == 0, ended.stderr
    with db.reading() as session:
        client = session.get_one(Client, desk.cast.client_id)
        assert (client.claim_types_off, client.wait_days) == (["inbound_lost", "warehouse_lost"], 14)
        assert (client.approval, client.client_channel, client.requests_hold_claims) == ("both", "C0ACME", False)
    assert run("clients", "set", "Acme", "--claim-types-off", "").exit_code == 0
    with db.reading() as session:
        assert session.get_one(Client, desk.cast.client_id).claim_types_off == []
    refused = run("clients", "set", "Acme", "--claim-types-off", "lost_somewhere")
    assert refused.exit_code == 2
    assert "lost_somewhere is no claim type" in refused.stderr


def test_a_client_is_paused_resumed_and_cancelled(run: Run, desk: Desk) -> None:
    for verb, status in (("pause", "paused"), ("resume", "active"), ("cancel", "cancelled")):
        assert run("clients", verb, "acme").stderr == f"Client Acme is {status}.\n"
    assert run("clients", "resume", "Acme").exit_code == 1


def test_the_terms_of_a_client_are_options(run: Run, desk: Desk) -> None:
    terms = "--tax-rate 0.19 --tax-number DE1 --billing-email b@a.example --days-to-query 10 --fee-on-stock"
    rate = ("--commission-rate", "0.25", "--rate-from", "2027-01-01")
    ended = run("clients", "set", "Acme", *rate, *terms.split(), "--keeps-fee-reversed-with-unit")
    assert ended.exit_code == 0, ended.stderr
    with db.reading() as session:
        client = session.get_one(Client, desk.cast.client_id)
        assert (client.tax_rate, client.billing_email, client.days_to_query) == (Decimal("0.19"), "b@a.example", 10)
        assert (client.fee_on_stock, client.keeps_fee_reversed, client.keeps_fee_reversed_with_unit) == (
            True,
            False,
            True,
        )
        assert [str(rate.rate) for rate in rates_of(session, client.id)] == ["0.2", "0.25"]
    assert run("clients", "set", "Acme", "--no-fee-on-stock", "--billing-email", "").exit_code == 0
    with db.reading() as session:
        client = session.get_one(Client, desk.cast.client_id)
        assert (client.fee_on_stock, client.billing_email) == (False, None)
    refused = run("clients", "set", "Acme", "--commission-rate", "25")
    assert (refused.exit_code, refused.stderr) == (2, "The rate 25 is more than 100 %. Write 20 % as 0.20.\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("clients", "add", "Acme", "--email", "o@s.example", "--commission-rate", "20 %"), 2),
        (("clients", "add", "Acme", "--email", "o@s.example", "--commission-rate", "20"), 2),
        (("clients", "add", "Acme", "--email", "nobody", "--commission-rate", "0.2"), 2),
        (("clients", "add", "Acme", "--commission-rate", "0.2"), 2),
        (("clients", "set", "Acme"), 2),
        (("accounts", "add", "Main", "--client", "Nobody", "--marketplace", "US"), 1),
        (("users", "add", "a@b.example", "--role", "king"), 2),
        (("users", "add", "a@b.example", "--role", "admin", "--password-stdin"), 2),
    ],
)
def test_what_cannot_be_is_one_line_and_an_exit_code(
    run: Run, sqlite_database: str, words: tuple[str, ...], code: int
) -> None:
    ended = run(*words)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert "Traceback" not in ended.stderr
    if "Usage:" not in ended.stderr:
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("discrepancies", "list"),
        ("claims", "show", "1"),
        ("accounts", "pause", "1"),
        ("clients", "add", "A", "--email", "a@b.example", "--commission-rate", "0.1"),
        ("users", "add", "a@b.example", "--role", "admin"),
        ("discrepancies", "approve", "1", "--as", "a@b.example"),
    ],
)
def test_every_command_refuses_a_database_without_tables(run: Run, database: str, words: tuple[str, ...]) -> None:
    migrations.migrate("base")
    ended = run(*words)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == "The database has no tables of Recoup's yet. Run `flask db upgrade`.\n"


def test_upgrade_makes_the_tables_and_can_be_repeated(run: Run, database: str) -> None:
    migrations.migrate("base")
    assert "(it had no tables)" in run("db", "upgrade").stderr
    assert "up to date" in run("db", "upgrade").stderr
    assert run("accounts", "list").exit_code == 0


def test_an_id_that_no_database_can_hold_is_one_line(run: Run, sqlite_database: str) -> None:
    ended = run("discrepancies", "show", "9" * 24)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("A number is larger than any that Recoup gives out.")
