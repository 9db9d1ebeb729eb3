"""`flask digest`: the Monday work for clients, now: bill the week, send the mails and the digests."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from billing.week import Week
    from billing.weekly import Closed
    from models import Client

_QUEUED = {"weekly_mail": "mail", "weekly_digest": "digest", "invoice_mail": "invoice by mail"}


@click.command("digest")
@click.option("--client", metavar="NAME", help="Of this client only, and no digest for the staff.")
@click.option(
    "--week",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The Monday to Sunday that contains this day; the last whole week if not given.",
)
def digest(client: str | None, day: datetime | None) -> None:
    """Close the week for each client: bill it, mail the report, post the digests.

    Weeks are those of the client's calendar. What was told already is not told again. Sends its messages before it
    ends and names those that it could not send. Exits 1 when a client failed, after the others are done.
    """
    import logs
    from cli import wiring
    from cli.delivering import deliver_and_tell

    logs.configure(is_command=True)
    wiring.connect()
    _say_what_is_off()
    wanted = _weeks(client, day)
    if not wanted:
        click.echo("There is no client to tell: one is told from the week on in which it became a client.", err=True)
    failed = [each for each, week in wanted if not _is_closed(each, week)]
    if client is None:
        _queue_for_staff(day)
    deliver_and_tell()
    if failed:
        click.echo(f"{len(failed)} of {len(wanted)} clients failed.", err=True)
        sys.exit(1)


def _say_what_is_off() -> None:
    from config import settings

    if not settings().mail_is_on:
        click.echo(
            "E-mail is off: set SMTP_URL and MAIL_FROM. Invoices stay drafts, and no report is mailed.", err=True
        )
    if not settings().slack_is_on:
        click.echo("Slack is off: no digest is posted.", err=True)


def _weeks(name: str | None, day: datetime | None) -> "Sequence[tuple[Client, Week]]":
    """Return the clients to be told, each with the week in its own zone."""
    from zoneinfo import ZoneInfo

    from sqlalchemy import select

    from billing.weekly import reported
    from claims.access import system_actor
    from claims.queries import load_client
    from db import reading
    from models import Client

    with reading() as session:
        if name is not None:
            one = load_client(session, name, system_actor())
            return [(one, _week(ZoneInfo(one.time_zone), day))]
        zones = [
            ZoneInfo(zone) for zone in session.scalars(select(Client.time_zone).distinct().order_by(Client.time_zone))
        ]
        weeks = [_week(zone, day) for zone in zones]
        return [
            (each, week)
            for week in weeks
            for each in session.scalars(reported(week).where(Client.time_zone == week.zone.key))
        ]


def _week(zone: "ZoneInfo", day: datetime | None) -> "Week":
    from billing.week import Week
    from clock import utcnow

    return Week.containing(day.date(), zone) if day else Week.last_whole(utcnow(), zone)


def _is_closed(client: "Client", week: "Week") -> bool:
    """Close the week for one client and say what came of it; a failure is told and stops nobody else."""
    import structlog

    from errors import RecoupError
    from jobs import weekly

    name = f"{client.name}, {week.monday:%d %b} to {week.sunday:%d %b %Y}"
    try:
        closed = weekly.do_now(client.id, week)
    except RecoupError as error:
        click.echo(f"{name}: {error}", err=True)
        return False
    except Exception as error:  # noqa: BLE001  one client must not stop the others
        structlog.get_logger().exception("client_failed", client_id=client.id)
        click.echo(f"{name}: failed by a mistake in the program ({type(error).__name__}), see above.", err=True)
        return False
    _tell(name, closed)
    return True


def _tell(name: str, closed: "Closed") -> None:
    from billing.moves import named
    from claims import words

    if closed.not_billed:
        click.echo(f"{name}: no invoice. {closed.not_billed}", err=True)
    if closed.drafts:
        noun = "draft waits" if closed.drafts == 1 else "drafts wait"
        click.echo(f"{name}: {closed.drafts} {noun}, because e-mail is off.", err=True)
    said = [f"{named(invoice)} ({words.money(invoice.total, invoice.currency)})" for invoice in closed.invoices]
    queued = " and ".join(_QUEUED[kind] for kind in closed.queued)
    said.append(f"{queued} queued" if queued else "nothing new to send")
    click.echo(f"{name}: {', '.join(said)}.")


def _queue_for_staff(day: datetime | None) -> None:
    from zoneinfo import ZoneInfo

    from billing.weekly import queue_staff_digest
    from claims import clients
    from clock import utcnow
    from db import transaction

    with transaction() as session:
        week = _week(ZoneInfo(clients.agency(session).time_zone), day)
        if queue_staff_digest(session, week, utcnow()):
            click.echo("The staff's digest is queued.")
