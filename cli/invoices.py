"""`flask bill` and `flask invoices`: what the agency is owed by its clients."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.listing import format_option, print_one, print_rows

if TYPE_CHECKING:
    from billing.invoices import Made
    from models import Invoice

STATUSES = ("draft", "sent", "queried", "final", "paid", "void")
_COLUMNS = {
    "id": "ID",
    "number": "Number",
    "client": "Client",
    "status": "Status",
    "week_from": "From",
    "week_to": "To",
    "recovered": "Recovered",
    "fee": "Fee",
    "tax": "Tax",
    "total": "Total",
    "currency": "",
}
_NUMBERS = ("id", "recovered", "fee", "tax", "total")

_invoice_id = click.argument("invoice_id", metavar="ID", type=int)
_position = click.argument("position", metavar="LINE", type=int)
_as = click.option("--as", "email", metavar="EMAIL", required=True, help="Who does it, with that person's rights.")


@click.command("bill")
@click.option(
    "--week",
    metavar="DATE",
    type=click.DateTime(("%Y-%m-%d",)),
    help="A day of the week to bill, Monday to Sunday. Default: the last whole week of each client's calendar.",
)
def bill(week: datetime | None) -> None:
    """Put all that was recovered and is not billed yet on drafts, a client at a time.

    Invoices whose days to query are over become final. Exits 1 when a client could not be billed, after the others
    are done.
    """
    import structlog

    import logs
    from billing.moves import finalize_due
    from claims.access import system_actor
    from clock import utcnow
    from db import reading, transaction
    from errors import InvalidInput, RecoupError
    from models import Client, Through

    logs.configure(is_command=True)
    actor = system_actor(Through.CLI)
    with transaction() as session:
        final = finalize_due(session, actor=actor, now=utcnow())
    with reading() as session:
        clients = session.scalars(_by_name(Client)).all()
    made, failed = [], list[Exception]()
    for client in clients:
        try:
            done = _bill_one(client.id, client.time_zone, week.date() if week else None)
        except RecoupError as error:
            click.echo(f"{error}", err=True)
            failed.append(error)
        except Exception as error:  # noqa: BLE001  one client must not stop the others
            structlog.get_logger().exception("bill_failed", client_id=client.id)
            click.echo(
                f"{client.name}: failed by a mistake in the program ({type(error).__name__}), see above.", err=True
            )
            failed.append(error)
        else:
            made.append(done)
            click.echo(f"{client.name}: {_said(done)}")
    if failed and all(isinstance(error, InvalidInput) for error in failed) and not made:
        sys.exit(2)
    _sum_up(made, len(failed), len(final))
    if failed:
        sys.exit(1)


@click.group("invoices")
def invoices() -> None:
    """See and move invoices."""


@invoices.command("list")
@click.option("--account", "account_id", metavar="ID", type=int, help="With a line of this account only.")
@click.option("--client", metavar="NAME", help="Of this client only.")
@click.option("--status", type=click.Choice(STATUSES), help="In this state only.")
@format_option("table", "json", "csv")
def list_(account_id: int | None, client: str | None, status: str | None, form: str) -> None:
    """List invoices, the latest first."""
    from billing.queries import invoice_list
    from cli.invoice_rows import INVOICE_FIELDS, invoice_row
    from cli.rows import narrowed
    from db import reading
    from models import Invoice, InvoiceStatus

    with reading() as session:
        actor, client_id = narrowed(session, account_id, client)
        wanted = InvoiceStatus(status) if status else None
        found = invoice_list(actor, account_id=account_id, client_id=client_id, status=wanted)
        rows = [invoice_row(row) for row in session.scalars(found.order_by(Invoice.id.desc()))]
    if form == "csv":  # a cell holds how many
        rows = [row | {"lines": len(row["lines"])} for row in rows]
    print_rows(rows, form, fields=INVOICE_FIELDS, columns=_COLUMNS, right=_NUMBERS)


@invoices.command("show")
@_invoice_id
@format_option("table", "json")
def show(invoice_id: int, form: str) -> None:
    """Show one whole: its lines, its terms and what happened to it."""
    from billing.page import printed
    from billing.queries import load_invoice
    from claims.access import system_actor
    from cli.invoice_rows import invoice_row, line_lines, whole_invoice
    from cli.rows import history_lines
    from db import reading
    from models import Through

    with reading() as session:
        found = load_invoice(session, invoice_id, system_actor(Through.CLI))
    sections = {
        "Lines": line_lines(found),
        "Terms": printed(found).terms,
        "Not billed": printed(found).notes,
        "History": history_lines(found.history),
    }
    print_one(whole_invoice(found) if form == "json" else invoice_row(found), form, sections)


@invoices.command("pdf")
@_invoice_id
@click.option("--output", metavar="FILE", type=click.File("wb", lazy=True), default="-", help="Default: stdout.")
def pdf(invoice_id: int, output: Any) -> None:
    """Write the invoice as a PDF file."""
    from billing.page import printed
    from billing.pdf import rendered
    from billing.queries import load_invoice
    from claims.access import system_actor
    from db import reading
    from models import Through

    with reading() as session:
        found = load_invoice(session, invoice_id, system_actor(Through.CLI))
    output.write(rendered(printed(found)))


@invoices.command("send-by-hand")
@_invoice_id
@_as
def send_by_hand(invoice_id: int, email: str) -> None:
    """Give a draft its number; you take it to the client yourself."""
    from billing.moves import send

    _move(email, lambda session, **who: send(session, invoice_id, by_hand=True, **who))


@invoices.command("paid")
@_invoice_id
@_as
def paid(invoice_id: int, email: str) -> None:
    """Record that an invoice was paid."""
    from billing.moves import mark_paid

    _move(email, lambda session, **who: mark_paid(session, invoice_id, **who))


@invoices.command("void")
@_invoice_id
@click.option("--note", metavar="TEXT", required=True, help="Why.")
@_as
def void(invoice_id: int, note: str, email: str) -> None:
    """Take an invoice back: what it billed is due again."""
    from billing import moves

    _move(email, lambda session, **who: moves.void(session, invoice_id, note=note, **who))


@invoices.command("query")
@_invoice_id
@_position
@click.option("--text", metavar="TEXT", required=True, help="What is asked.")
@_as
def query(invoice_id: int, position: int, text: str, email: str) -> None:
    """Record what a client asks about a line (1 is the first)."""
    from billing.moves import query_line

    _move(email, lambda session, **who: query_line(session, _line(session, invoice_id, position), text, **who))


@invoices.command("answer")
@_invoice_id
@_position
@click.option("--text", metavar="TEXT", required=True, help="The answer.")
@_as
def answer(invoice_id: int, position: int, text: str, email: str) -> None:
    """Answer what a client asked about a line (1 is the first)."""
    from billing.moves import answer_query

    _move(email, lambda session, **who: answer_query(session, _line(session, invoice_id, position), text, **who))


def _by_name(kind: Any) -> Any:
    from sqlalchemy import select

    return select(kind).order_by(kind.name)


def _bill_one(client_id: int, time_zone: str, day: date | None) -> "Made":
    """Bill one client in a transaction of its own: what fails for one leaves the others as they are."""
    from zoneinfo import ZoneInfo

    from billing.invoices import make_invoices
    from billing.week import Week
    from claims.access import system_actor
    from clock import utcnow
    from db import transaction
    from models import Through

    now, zone = utcnow(), ZoneInfo(time_zone)
    week = Week.containing(day, zone) if day else Week.last_whole(now, zone)
    with transaction() as session:
        return make_invoices(session, client_id, week.sunday, actor=system_actor(Through.CLI), now=now)


def _said(done: "Made") -> str:
    from claims.words import money

    parts = [
        f"draft {invoice.id}, {money(invoice.total, invoice.currency)}, {_lines(len(invoice.lines))}"
        for invoice in done.invoices
    ]
    if done.waiting:
        parts.append(f"{_lines(done.waiting)} for the next week's invoice, as this week's was sent")
    if done.free:
        parts.append(f"{done.free:,} without a fee, named on the next invoice")
    return "; ".join(parts) or "nothing to bill"


def _sum_up(made: "list[Made]", failed: int, final: int) -> None:
    drafts, lines = sum(len(each.invoices) for each in made), sum(each.lines for each in made)
    parts = [f"{drafts:,} {'draft' if drafts == 1 else 'drafts'} with {_lines(lines)} added"]
    if final:
        parts.append(f"{final:,} {'invoice is' if final == 1 else 'invoices are'} final")
    if failed:
        parts.append(f"{failed:,} {'client' if failed == 1 else 'clients'} could not be billed")
    click.echo(f"{', '.join(parts)}.", err=True)


def _lines(count: int) -> str:
    return f"{count:,} {'line' if count == 1 else 'lines'}"


def _move(email: str, move: "Callable[..., Invoice]") -> None:
    from billing.moves import named
    from claims.access import actor_by_email
    from claims.words import invoice_status_name
    from clock import utcnow
    from db import transaction

    with transaction() as session:
        invoice = move(session, actor=actor_by_email(session, email), now=utcnow())
        click.echo(f"{named(invoice)} is {invoice_status_name(invoice.status.value).lower()}.", err=True)


def _line(session: Any, invoice_id: int, position: int) -> int:
    from sqlalchemy import select

    from errors import NotFound
    from models import InvoiceLine

    found = select(InvoiceLine.id).where(InvoiceLine.invoice_id == invoice_id, InvoiceLine.position == position)
    line_id: int | None = session.scalar(found)
    if line_id is None:
        raise NotFound(f"Invoice {invoice_id} has no line {position}.", todo="`flask invoices show` numbers them.")
    return line_id
