"""`flask accounts`: the seller accounts that are looked at."""

import click

from cli.listing import format_option, print_one, print_rows

_COLUMNS = {
    "id": "ID",
    "client": "Client",
    "account": "Account",
    "marketplace": "Marketplace",
    "seller_id": "Seller",
    "status": "Status",
}

_account_id = click.argument("account_id", metavar="ID", type=int)


@click.group("accounts")
def accounts() -> None:
    """Look after seller accounts."""


@accounts.command("add")
@click.argument("name")
@click.option("--client", metavar="NAME", required=True, help="Whose account it is.")
@click.option("--marketplace", metavar="CODE", required=True, help="Such as US.")
@click.option("--seller-id", metavar="ID", help="Amazon's id of the seller.")
@click.option("--refresh-token-stdin", "has_token", is_flag=True, help="Read the SP-API refresh token from stdin.")
def add(name: str, client: str, marketplace: str, seller_id: str | None, *, has_token: bool) -> None:
    """Add an account and print its id."""
    from claims.access import system_actor
    from claims.accounts import add_account
    from claims.queries import load_client
    from cli.asking import secret_from_stdin
    from clock import utcnow
    from db import transaction
    from models import Through

    token = secret_from_stdin("Refresh token") if has_token else None
    actor = system_actor(Through.CLI)
    with transaction() as session:
        account = add_account(
            session,
            client_id=load_client(session, client, actor).id,
            name=name,
            marketplace=marketplace,
            seller_id=seller_id,
            refresh_token=token,
            actor=actor,
            now=utcnow(),
        )
    click.echo(account.id)


@accounts.command("list")
@format_option("table", "json", "csv")
def list_(form: str) -> None:
    """List the accounts of all clients."""
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    from cli.rows import ACCOUNT_FIELDS, account_row
    from db import reading
    from models import Account

    with reading() as session:
        found = select(Account).options(joinedload(Account.client)).order_by(Account.id)
        rows = [account_row(row) for row in session.scalars(found)]
    print_rows(rows, form, fields=ACCOUNT_FIELDS, columns=_COLUMNS, right=("id",))


@accounts.command("show")
@_account_id
@format_option("table", "json")
def show(account_id: int, form: str) -> None:
    """Show one account."""
    from claims.access import system_actor
    from claims.queries import account_history, load_account
    from cli.rows import history_lines, whole_account
    from db import reading

    with reading() as session:
        account = load_account(session, account_id, system_actor())
        history = account_history(session, account_id)
    print_one(whole_account(account, history), form, {"History": history_lines(history)})


@accounts.command("pause")
@_account_id
def pause(account_id: int) -> None:
    """Look at the account no more until it is resumed."""
    _move(account_id, "paused")


@accounts.command("resume")
@_account_id
def resume(account_id: int) -> None:
    """Look at the account again each day."""
    _move(account_id, "active")


@accounts.command("cancel")
@_account_id
def cancel(account_id: int) -> None:
    """Look at the account no more, for good."""
    _move(account_id, "cancelled")


@accounts.command("disconnect")
@_account_id
def disconnect(account_id: int) -> None:
    """Forget the account's access to Amazon."""
    _move(account_id, "disconnected")


def _move(account_id: int, to: str) -> None:
    from claims.access import system_actor
    from claims.accounts import move_account
    from clock import utcnow
    from db import transaction
    from models import AccountStatus, Through

    with transaction() as session:
        actor = system_actor(Through.CLI)
        account = move_account(session, account_id, to=AccountStatus(to), actor=actor, now=utcnow())
        click.echo(f"Account {account.id} is {account.status.value}.", err=True)
