"""`flask digest`: the Monday work by hand; and whatever kills it, nothing is lost and nobody is told twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text, update

import config
import outbox
from claims.access import system_actor
from clock import real_now, utcnow
from db import engine, reading, transaction
from mail.delivery import deliver_due
from models import (
    AgencySettings,
    ClaimStatus,
    Client,
    Invoice,
    InvoiceStatus,
    LeaseRow,
    Medium,
    OutboxMessage,
    OutboxState,
)
from sandbox.mail.inbox import SmtpServer
from sandbox.ports import free_port
from sandbox.slack.faults import Fault
from sandbox.slack.workspace import BOT_USER, Channel, Person, Workspace
from sandbox.slack_server import BOT_TOKEN, SlackServer
from tests.billing.week_rows import claim, found, paid
from tests.factories import NOW, Cast, make_cast
from tests.mail.conftest import Faulty
from tests.waiting import wait_until
from wsgi import create_app

OWN, REVIEW = "C0ACME", "C0REVIEW"
OFFICE = "http://127.0.0.1:5000/admin/"


@dataclass
class Agency:
    """A client of an agency with mail and Slack, on the Monday after a week in which money came."""

    slack: SlackServer
    smtp: SmtpServer
    cast: Cast

    @property
    def inbox(self) -> Faulty:
        return self.smtp.handler

    def posts(self, channel: str = OWN) -> list[dict[str, Any]]:
        return self.slack.workspace.channels[channel].messages

    def client(self, **change: Any) -> None:
        with transaction() as session:
            for name, value in change.items():
                setattr(session.get_one(Client, self.cast.client_id), name, value)

    def row(self, kind: str) -> OutboxMessage:
        with reading() as session:
            return session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind)).one()

    def invoices(self) -> list[tuple[str | None, InvoiceStatus, Decimal]]:
        with reading() as session:
            rows = session.scalars(select(Invoice).order_by(Invoice.id))
            return [(each.number, each.status, each.total) for each in rows]


@pytest.fixture
def agency(sqlite_database: str, set_clock: Any, settings_of_the_test: Callable[..., None]) -> Iterator[Agency]:
    yield from make_agency(set_clock, settings_of_the_test)


@pytest.fixture
def agency_on_postgres(
    postgres_database: str, set_clock: Any, settings_of_the_test: Callable[..., None]
) -> Iterator[Agency]:
    yield from make_agency(set_clock, settings_of_the_test)


@pytest.fixture
def agency_on_both(database: str, set_clock: Any, settings_of_the_test: Callable[..., None]) -> Iterator[Agency]:
    yield from make_agency(set_clock, settings_of_the_test)


def make_agency(set_clock: Any, settings_of_the_test: Callable[..., None]) -> Iterator[Agency]:
    set_clock(NOW)
    workspace = Workspace()
    workspace.add_person(Person(BOT_USER, "Recoup", "recoup@agency.example", is_bot=True))
    for channel in (OWN, REVIEW):
        workspace.add_channel(Channel(channel, channel.lower(), {BOT_USER}))
    with SlackServer(workspace=workspace) as slack, SmtpServer(Faulty()) as smtp:
        settings_of_the_test(
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_SIGNING_SECRET="signed",
            SLACK_API_URL=slack.api_url,
            SLACK_REVIEW_CHANNEL=REVIEW,
            SMTP_URL=f"smtp://127.0.0.1:{smtp.port}",
            MAIL_FROM="Our agency <desk@agency.example>",
            FLASK_SKIP_DOTENV="1",
        )
        made = Agency(slack, smtp, make_cast())
        with transaction() as session:
            for each in session.scalars(select(Client)):
                each.created_at = NOW - timedelta(days=90)
            session.add(AgencySettings(id=1))
            paid(session, claim(session, made.cast.account_id, made.cast.ann.user_id, status=ClaimStatus.RECOVERED))
            found(session, made.cast.account_id)
        made.client(address="1 Quay\nPort", client_channel=OWN)
        yield made


@pytest.fixture
def flask() -> Callable[..., Any]:
    """Run a command in this process."""
    runner: FlaskCliRunner = create_app(with_web=False).test_cli_runner()
    return lambda *arguments: runner.invoke(args=[str(argument) for argument in arguments])


def test_each_client_is_billed_and_told_and_so_are_the_staff(agency_on_both: Agency, flask: Any) -> None:
    agency = agency_on_both
    ended = flask("digest")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "Acme, 16 Nov to 22 Nov 2026: Invoice 00001 (7.40 USD), mail and digest queued.",
        "Bolt, 16 Nov to 22 Nov 2026: mail queued.",
        "The staff's digest is queued.",
        "4 messages sent.",
    ]
    assert agency.invoices() == [("00001", InvoiceStatus.SENT, Decimal("7.40"))]
    assert [mail.header("Subject")[:24] for mail in agency.inbox] == [
        "16–22 Nov 2026: 37.02 US",
        "16–22 Nov 2026: Nothing ",
    ]
    assert (len(agency.posts()), len(agency.posts(REVIEW))) == (1, 1)


def test_a_second_time_adds_nothing(agency: Agency, flask: Any) -> None:
    flask("digest")
    again = flask("digest")
    assert again.stdout.splitlines() == [
        "Acme, 16 Nov to 22 Nov 2026: nothing new to send.",
        "Bolt, 16 Nov to 22 Nov 2026: nothing new to send.",
    ]
    assert (len(agency.inbox), len(agency.posts()), len(agency.invoices())) == (2, 1, 1)


def test_the_channel_reads_five_lines_and_a_link(agency: Agency, flask: Any) -> None:
    flask("digest", "--client", "acme")
    [post] = agency.posts()
    head, lines, link = post["blocks"]
    assert head["text"]["text"] == "Acme · 16–22 Nov 2026"
    assert lines["text"]["text"].splitlines() == [
        "37.02 USD recovered last week. Since the start: 37.02 USD.",
        "Since the week before: 1 found.",
        "Nothing is wanted from you.",
        "Nothing is under way.",
        "Invoice 00001: 7.40 USD.",
    ]
    assert link["text"]["text"] == "<http://127.0.0.1:5000/portal/|Open your portal>"
    assert "actions" not in {block["type"] for block in post["blocks"]}
    assert agency.posts(REVIEW) == []


def test_the_staff_read_of_all_clients_and_what_waits_for_them(agency_on_both: Agency, flask: Any) -> None:
    agency = agency_on_both
    agency.client(address="")
    agency.inbox.answers["RCPT"] = "550 No such user"
    ended = flask("digest")
    assert "Acme, 16 Nov to 22 Nov 2026: no invoice. Acme has no address, which an invoice must have." in ended.stderr
    [post] = agency.posts(REVIEW)
    assert post["blocks"][1]["text"]["text"].splitlines() == [
        "37.02 USD recovered last week. Since the start: 37.02 USD.",
        f"Since the week before: <{OFFICE}discrepancies/?flt_status=open|1 found>.",
        f"For you: <{OFFICE}discrepancies/|2 to decide> · not billed for want of an address: `Acme`.",
        "Nothing is under way.",
        "No invoice.",
    ]


def test_what_could_not_be_sent_is_named(agency: Agency, flask: Any, settings_of_the_test: Any) -> None:
    settings_of_the_test(SMTP_URL=f"smtp://127.0.0.1:{free_port(0)}")
    ended = flask("digest", "--client", "Acme")
    assert ended.exit_code == 0
    assert "Not sent: weekly_mail:1:2026-11-16: The mail server" in ended.stderr
    assert "see SMTP_URL if it lasts" in ended.stderr


def test_what_is_off_is_said_and_not_queued(agency: Agency, flask: Any, monkeypatch, settings_of_the_test: Any) -> None:
    monkeypatch.delenv("SMTP_URL")
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    monkeypatch.delenv("SLACK_SIGNING_SECRET")
    monkeypatch.delenv("SLACK_REVIEW_CHANNEL")
    settings_of_the_test()
    ended = flask("digest", "--client", "Acme")
    assert "E-mail is off: set SMTP_URL and MAIL_FROM." in ended.stderr
    assert "Slack is off" in ended.stderr
    assert "1 draft waits, because e-mail is off." in ended.stderr
    with reading() as session:
        assert session.scalars(select(OutboxMessage)).all() == []


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("--week", "2026-11-23"), 1, "is not over yet"),
        (("--client", "Nobody"), 1, "There is no client Nobody."),
        (("--week", "last"), 2, "does not match the format"),
    ],
)
def test_what_cannot_be_told_is_said_in_words(
    agency: Agency, flask: Any, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    ended = flask("digest", *arguments)
    assert ended.exit_code == exit_code
    assert said in ended.stderr
    assert len(agency.inbox) == 0


def test_another_week_is_the_one_that_contains_the_day(agency: Agency, flask: Any) -> None:
    assert "Acme, 09 Nov to 15 Nov 2026" in flask("digest", "--client", "Acme", "--week", "2026-11-11").stdout
    assert agency.invoices() == []  # the money came later


# -- killed on the way ------------------------------------------------------------------------------------------------


@pytest.fixture
def digest() -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start `flask digest` as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "flask", "digest", "--client", "Acme"]
        process = subprocess.Popen(command, cwd=config.HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process: "subprocess.Popen[str]") -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def let_holds_pass() -> None:
    """Let the time pass after which a dead process's leases and messages are free."""
    past = real_now() - timedelta(seconds=1)
    with transaction() as session:
        session.execute(update(LeaseRow).values(expires_at=past))
        held = OutboxMessage.state == OutboxState.SENDING
        session.execute(update(OutboxMessage).where(held).values(claimed_until=past))


def finish(process: "subprocess.Popen[str]") -> str:
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return told + errors


def test_killed_while_the_bill_is_made_it_leaves_nothing_and_is_done_again(
    agency_on_postgres: Agency, digest: Any
) -> None:
    agency = agency_on_postgres
    with transaction() as session:
        session.get_one(AgencySettings, 1, with_for_update=True)  # the number is taken from it
        process = digest()
        waiting = text("SELECT 1 FROM pg_locks WHERE NOT granted")
        with engine().connect() as looking:
            wait_until(lambda: looking.execute(waiting).first(), seconds=60)
        kill(process)
    assert agency.invoices() == []
    let_holds_pass()
    finish(digest())
    assert agency.invoices() == [("00001", InvoiceStatus.SENT, Decimal("7.40"))]
    assert (len(agency.inbox), len(agency.posts())) == (1, 1)


def test_killed_while_slack_answers_it_posts_once(agency: Agency, digest: Any) -> None:
    agency.slack.faults.add(Fault("chat.postMessage", "slow", seconds=0.5))
    process = digest()
    wait_until(lambda: not agency.slack.faults._waiting, seconds=60)
    kill(process)
    wait_until(agency.posts)  # Slack did post it; nobody was there to hear
    assert agency.row(outbox.WEEKLY_DIGEST).state is OutboxState.SENDING
    let_holds_pass()
    finish(digest())
    assert (len(agency.posts()), len(agency.inbox), len(agency.invoices())) == (1, 1, 1)
    assert agency.row(outbox.WEEKLY_DIGEST).state is OutboxState.SENT


@pytest.mark.parametrize(("step", "arrived"), [("RCPT", 0), ("KEPT", 1)])
def test_killed_while_the_mail_goes_out_it_is_left_to_a_person(
    agency_on_both: Agency, digest: Any, step: str, arrived: int
) -> None:
    agency = agency_on_both
    agency.inbox.stalls = step
    process = digest()
    wait_until(agency.inbox.stalled.is_set, seconds=60)
    kill(process)
    agency.inbox.stalls = None
    let_holds_pass()
    told = finish(digest())
    assert "nothing new to send" in told
    assert agency.row(outbox.WEEKLY_MAIL).state is OutboxState.UNSURE
    assert deliver_due().sent == 0
    assert (len(agency.inbox), len(agency.posts()), len(agency.invoices())) == (arrived, 1, 1)
    with transaction() as session:
        message = agency.row(outbox.WEEKLY_MAIL)
        assert message.medium is Medium.MAIL
        outbox.resend(session, message.id, actor=system_actor(), now=utcnow())
    assert deliver_due().sent == 1
    assert agency.row(outbox.WEEKLY_MAIL).state is OutboxState.SENT
    assert len({mail.header("Message-ID") for mail in agency.inbox}) == 1
