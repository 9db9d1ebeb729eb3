"""`flask clients`: the sellers who hired the agency."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class _Amount(click.ParamType[Decimal]):
    """A decimal number, never a float."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the number as it is written."""
        try:
            number = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number such as 0.20.", param, ctx)
        if not number.is_finite():
            self.fail(f"{value!r} is not a number such as 0.20.", param, ctx)
        return number


def _codes(_context: click.Context, _option: click.Parameter, given: str | None) -> list[str] | None:
    """Return the codes between the commas, None where the option is not given."""
    return None if given is None else [code.strip() for code in given.split(",") if code.strip()]


_DAY = click.DateTime(("%Y-%m-%d",))


def _yes_or_no(name: str, what: str) -> Callable[[Any], Any]:
    return click.option(f"--{name}/--no-{name}", default=None, help=what)


def _options(*, is_new: bool) -> Callable[[Any], Any]:
    options = (
        click.option("--email", metavar="EMAIL", required=is_new, help="Where invoices and digests go."),
        click.option("--commission-rate", metavar="RATE", type=_Amount(), required=is_new, help="0.20 for 20 %."),
        click.option("--rate-from", metavar="DATE", type=_DAY, help="First day of the rate; default today."),
        click.option("--address", metavar="TEXT", help="As it stands on invoices."),
        click.option("--currency", metavar="CODE", help="Of --min-value."),
        click.option("--time-zone", metavar="ZONE", help="Whose weeks are billed, such as Europe/Berlin."),
        click.option("--case-manager", metavar="EMAIL", help="Who looks after the client."),
        click.option("--min-value", metavar="AMOUNT", type=_Amount(), help="Announce nothing below it; 0 for all."),
        click.option(
            "--claim-types-off",
            metavar="TYPE,…",
            callback=_codes,
            help="Keep nothing new of these, and withdraw what is undecided until they are on again; '' for none.",
        ),
        click.option(
            "--wait-days",
            metavar="DAYS",
            type=int,
            help="Show what can be claimed so many days later, but never less than 10 days before its last day.",
        ),
        click.option(
            "--approval",
            type=click.Choice(("agency", "client", "both")),
            help="Whose approval makes a claim.",
        ),
        _yes_or_no("requests-hold-claims", "Whether a claim waits for the client's answer before it is filed."),
        click.option("--review-channel", metavar="CHANNEL", help="Slack channel of this client's cards."),
        click.option("--client-channel", metavar="CHANNEL", help="The client's own Slack channel, for its digest."),
        click.option("--billing-email", metavar="EMAIL", help="Where bills go; default, and '', is --email."),
        click.option("--tax-rate", metavar="RATE", type=_Amount(), help="Tax on the fee: 0.19 for 19 %."),
        click.option("--tax-number", metavar="TEXT", help="As it stands on invoices."),
        click.option("--days-to-query", metavar="DAYS", type=int, help="How long a sent invoice can be queried."),
        _yes_or_no("fee-on-stock", "Whether units given back instead of money bear a fee of their value."),
        _yes_or_no("fee-on-found", "Whether units found after a claim bear a fee of their value."),
        _yes_or_no("keeps-fee-reversed", "Whether the fee stays when Amazon takes money back, the unit still lost."),
        _yes_or_no("keeps-fee-reversed-with-unit", "The same where Amazon gave the unit back."),
    )

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group("clients")
def clients() -> None:
    """Look after clients."""


@clients.command("add")
@click.argument("name")
@_options(is_new=True)
def add(name: str, **given: Any) -> None:
    """Add a client."""
    from claims.access import system_actor
    from claims.clients import add_client
    from clock import utcnow
    from db import transaction
    from models import Through

    with transaction() as session:
        fields = _fields(session, given)
        client = add_client(session, name=name, actor=system_actor(Through.CLI), now=utcnow(), **fields)
        click.echo(f"Client {client.name} is added.", err=True)


@clients.command("set")
@click.argument("name")
@_options(is_new=False)
def set_(name: str, **given: Any) -> None:
    """Change what is given about a client; the rest stays."""
    from claims.access import system_actor
    from claims.clients import set_client
    from claims.queries import load_client
    from clock import utcnow
    from db import transaction
    from models import Through

    actor = system_actor(Through.CLI)
    with transaction() as session:
        fields = _fields(session, given)
        if not fields:
            raise click.UsageError("Nothing to change: give at least one option.")
        client = set_client(session, load_client(session, name, actor).id, actor=actor, now=utcnow(), **fields)
        click.echo(f"Client {client.name} is changed.", err=True)


@clients.command("pause")
@click.argument("name")
def pause(name: str) -> None:
    """Make no new claims for the client; open ones are worked to their end and billed."""
    _move(name, "paused")


@clients.command("resume")
@click.argument("name")
def resume(name: str) -> None:
    """Make new claims for the client again."""
    _move(name, "active")


@clients.command("cancel")
@click.argument("name")
def cancel(name: str) -> None:
    """End the client's contract, for good.

    What is undecided is withdrawn, claims that nobody filed are closed, and the client's people cannot sign in any
    more. What is with Amazon is worked to its end and billed.
    """
    _move(name, "cancelled")


def _move(name: str, to: str) -> None:
    from claims.access import system_actor
    from claims.clients import move_client
    from claims.queries import load_client
    from clock import utcnow
    from db import transaction
    from models import ClientStatus, Through

    actor = system_actor(Through.CLI)
    with transaction() as session:
        found = load_client(session, name, actor)
        client = move_client(session, found.id, to=ClientStatus(to), actor=actor, now=utcnow())
        click.echo(f"Client {client.name} is {client.status.value}.", err=True)


def _fields(session: "Session", given: dict[str, Any]) -> dict[str, Any]:
    """Return the given options as the service's fields."""
    from claims.access import actor_by_email

    fields = {name: value for name, value in given.items() if value is not None}
    if "rate_from" in fields:
        fields["rate_from"] = fields["rate_from"].date()
    if "case_manager" in fields:
        fields["case_manager_id"] = actor_by_email(session, fields.pop("case_manager")).user_id
    return fields
