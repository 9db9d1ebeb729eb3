"""Billing at the command line: what is printed, in which form, and how the commands end."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import billing.invoices
import cli
import db
from claims import clients
from cli import invoices
from models import BilledUnit, Client, Invoice, InvoiceStatus
from tests.billing.paying import IN_WEEK, billed_cast, filed, paid
from tests.factories import NOW, Cast

HOME = Path(cli.__file__).parent.parent
Run = Callable[..., Result]
CONTRACT = (
    "id", "number", "client", "status", "week_from", "week_to", "currency", "recovered", "fee", "tax", "total", "lines",
)  # fmt: skip


@pytest.fixture
def cast(sqlite_database: str, set_clock: Callable[..., None]) -> Cast:
    set_clock(NOW)
    cast = billed_cast()
    with db.transaction() as session:
        clients.set_client(session, cast.client_id, actor=cast.adam, now=NOW, tax_rate=Decimal("0.1"))
        claim = filed(session, cast)
        paid(session, claim, "37.02", units=3)
        paid(session, claim, "1000.00", on=date(2026, 11, 4))
    return cast


@pytest.fixture
def run(cast: Cast) -> Run:
    app = Flask("recoup")
    cli.register(app)
    return lambda *words: CliRunner().invoke(app.cli, [str(word) for word in words])


def listed(run: Run, *words: str) -> list[dict[str, object]]:
    ended = run("invoices", "list", "--format", "json", *words)
    assert ended.exit_code == 0, ended.stderr
    found: list[dict[str, object]] = json.loads(ended.stdout)
    return found


def test_the_words_of_options_are_those_of_the_tables() -> None:
    assert list(invoices.STATUSES) == [status.value for status in InvoiceStatus]


def test_billing_says_a_line_a_client_and_numbers_at_the_end(run: Run) -> None:
    ended = run("bill")
    assert (ended.exit_code, ended.stdout) == (0, "Acme: draft 1, 228.14 USD, 2 lines\nBolt: nothing to bill\n")
    assert ended.stderr == "1 draft with 2 lines added.\n"
    again = run("bill", "--week", "2026-11-18")
    assert (again.exit_code, again.stderr) == (0, "0 drafts with 0 lines added.\n")


def test_the_json_of_an_invoice_is_the_contract(run: Run, cast: Cast) -> None:
    run("bill")
    (found,) = listed(run)
    assert tuple(found)[: len(CONTRACT)] == CONTRACT
    lines = found.pop("lines")
    assert {name: found[name] for name in CONTRACT[:-1]} == {
        "id": 1,
        "number": None,
        "client": "Acme",
        "status": "draft",
        "week_from": "2026-11-16",
        "week_to": "2026-11-22",
        "currency": "USD",
        "recovered": "1037.02",
        "fee": "207.40",
        "tax": "20.74",
        "total": "228.14",
    }
    assert lines[1] == {
        "position": 2,
        "claim_id": 1,
        "claim_type": "warehouse_lost",
        "approved_on": "2026-11-18",
        "cash_units": 3,
        "stock_units": 0,
        "recovered": "37.02",
        "rate": "0.2",
        "fee": "7.40",
        "query": None,
        "answer": None,
    }
    whole = json.loads(run("invoices", "show", 1, "--format", "json").stdout)
    assert tuple(whole)[: len(CONTRACT)] == CONTRACT
    assert whole["terms"]["rates"] == [{"valid_from": "2026-11-23", "rate": "0.2"}]
    assert [entry["action"] for entry in whole["history"]] == ["invoice_made"]


def test_lists_are_narrowed_and_have_other_forms(run: Run, cast: Cast) -> None:
    run("bill")
    assert listed(run, "--client", "acme", "--account", str(cast.account_id), "--status", "draft")
    assert listed(run, "--client", "Bolt") == []
    assert listed(run, "--account", str(cast.other_account_id)) == []
    assert listed(run, "--status", "paid") == []
    assert run("invoices", "list", "--client", "Nobody").exit_code == 1
    (row,) = csv.DictReader(io.StringIO(run("invoices", "list", "--format", "csv").stdout))
    assert (row["total"], row["lines"]) == ("228.14", "2")
    assert "228.14  USD" in run("invoices", "list").stdout
    shown = run("invoices", "show", 1).stdout
    assert "1,000.00 USD × 20 % = 200.00 USD" in shown
    assert "Commission: 20 %" in shown
    assert run("invoices", "show", 7).stderr == "There is no invoice 7.\n"


def test_the_way_of_an_invoice_at_the_command_line(run: Run, cast: Cast, tmp_path: Path) -> None:
    run("bill")
    bill, carl = ("--as", "bill@agency.example"), ("--as", "carl@agency.example")
    assert run("invoices", "send-by-hand", 1, "--as", "ann@agency.example").exit_code == 1
    assert run("invoices", "send-by-hand", 1, *bill).stderr == "Invoice 00001 is sent.\n"
    assert run("invoices", "query", 1, 1, "--text", "Why?", *carl).stderr == "Invoice 00001 is queried.\n"
    assert run("invoices", "query", 1, 9, "--text", "Why?", *carl).exit_code == 1
    assert "Asked: Why?" in run("invoices", "show", 1).stdout
    assert run("invoices", "answer", 1, 1, "--text", "Because.", *bill).stderr == "Invoice 00001 is sent.\n"
    assert run("invoices", "pdf", 1, "--output", tmp_path / "a.pdf").exit_code == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert run("invoices", "paid", 1, *bill).stderr == "Invoice 00001 is paid.\n"
    refused = run("invoices", "void", 1, "--note", "x", *bill)
    assert (refused.exit_code, refused.stderr) == (1, "Invoice 00001 is paid and cannot become void.\n")


def test_an_invoice_becomes_final_when_its_days_are_over(run: Run, set_clock: Callable[..., None]) -> None:
    run("bill")
    run("invoices", "send-by-hand", 1, "--as", "bill@agency.example")
    set_clock(NOW.replace(month=12, day=2))
    assert run("bill").stderr == "0 drafts with 0 lines added, 1 invoice is final.\n"
    assert [each["status"] for each in listed(run)] == ["final"]


def test_a_client_without_an_address_is_named_and_the_others_are_billed(run: Run, cast: Cast) -> None:
    with db.transaction() as session:
        paid(session, filed(session, cast, account_id=cast.other_account_id), "10.00")
        session.get_one(Client, cast.client_id).address = ""
        session.get_one(Client, cast.other_client_id).address = "2 Quay"
    ended = run("bill")
    assert (ended.exit_code, ended.stdout) == (1, "Bolt: draft 1, 2.00 USD, 1 line\n")
    assert ended.stderr.splitlines() == [
        "Acme has no address, which an invoice must have. Add it with `flask clients set` and bill again: nothing is "
        "lost.",
        "1 draft with 1 line added, 1 client could not be billed.",
    ]
    run("clients", "set", "Acme", "--address", "1 Quay")
    assert run("bill").exit_code == 0
    assert len(listed(run)) == 2


def test_a_mistake_in_the_program_stops_no_other_client(run: Run, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.transaction() as session:
        paid(session, filed(session, cast, account_id=cast.other_account_id), "10.00")
        session.get_one(Client, cast.other_client_id).address = "2 Quay"
    makes = billing.invoices.make_invoices

    def breaks(session: Session, client_id: int, *rest: Any, **more: Any) -> Any:
        if client_id == cast.client_id:
            raise ZeroDivisionError
        return makes(session, client_id, *rest, **more)

    monkeypatch.setattr(billing.invoices, "make_invoices", breaks)
    ended = run("bill")
    assert (ended.exit_code, ended.stdout) == (1, "Bolt: draft 1, 2.00 USD, 1 line\n")
    assert "Acme: failed by a mistake in the program (ZeroDivisionError), see above." in ended.stderr.splitlines()
    assert ended.stderr.splitlines()[-1] == "1 draft with 1 line added, 1 client could not be billed."


def test_a_week_that_lies_ahead_is_refused_in_words(run: Run) -> None:
    ended = run("bill", "--week", "2027-03-01")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "lies ahead" in ended.stderr
    assert run("bill", "--week", "soon").exit_code == 2


_KILLED = """
import os, signal
from sqlalchemy import event
import db, wsgi
app = wsgi.create_app()
seen = []
@event.listens_for(db.engine(), "before_cursor_execute")
def die(connection, cursor, statement, *rest):
    if statement.startswith("INSERT INTO {table}"):
        os.kill(os.getpid(), signal.SIGKILL)
app.test_cli_runner().invoke(args=["bill"])
"""


@pytest.mark.parametrize("table", ["invoices", "invoice_lines", "billed_units", "history"])
def test_a_killed_run_leaves_all_or_nothing_and_the_next_one_bills_once(cast: Cast, run: Run, table: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED.format(table=table)], cwd=HOME, env=os.environ, timeout=60, check=False
    )
    assert ended.returncode == -9
    with db.reading() as session:
        assert [session.scalar(select(func.count()).select_from(each)) for each in (Invoice, BilledUnit)] == [0, 0]
    assert run("bill").exit_code == 0
    assert [each["total"] for each in listed(run)] == ["228.14"]
    assert IN_WEEK.isoformat() in str(listed(run))
