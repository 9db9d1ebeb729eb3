"""`flask daily`: what the jobs do each day, now and in the foreground."""

import sys
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from claims.daily import Detected
    from claims.payments import Paid
    from models import Account


@click.command("daily")
@click.option("--account", "account_id", type=int, metavar="ID", help="Only this account.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Rows after this day do not exist.")
def daily(account_id: int | None, as_of: datetime | None) -> None:
    """Detect and post now, for every active account or for one.

    The day is today's in the account's marketplace. Sends its messages before it ends and names those that it could
    not send. Exits 1 when an account failed, after the others are done.
    """
    import logs
    from cli import wiring
    from cli.delivering import deliver_and_tell

    logs.configure(is_command=True)
    wiring.connect()
    accounts = _accounts(account_id)
    if not accounts:
        click.echo("There is no active account. Add one with `flask accounts add`.", err=True)
    failed = [account for account in accounts if not _is_done(account, as_of.date() if as_of else None)]
    deliver_and_tell()
    if failed:
        click.echo(f"{len(failed)} of {len(accounts)} accounts failed.", err=True)
        sys.exit(1)


def _accounts(account_id: int | None) -> "list[Account]":
    from sqlalchemy.orm import selectinload

    from db import reading
    from errors import NotFound
    from jobs.accounts import active_accounts
    from models import Account

    with reading() as session:
        if account_id is None:
            return list(active_accounts(session))
        account = session.get(Account, account_id, options=[selectinload(Account.client)])
        if account is None:
            raise NotFound(f"There is no account {account_id}.", todo="See `flask accounts list`.")
        return [account]


def _is_done(account: "Account", as_of: date | None) -> bool:
    """Detect for one account and say what came of it; a failure is told and stops nobody else."""
    import structlog

    from cli.progress import Progress
    from errors import RecoupError
    from jobs import work

    name = f"{account.client.name}, {account.name}"
    try:
        with Progress(f"{name}: looking for discrepancies"):
            found = work.do_now(account.id, as_of=as_of)
    except RecoupError as error:
        click.echo(f"{name}: {error}", err=True)
        return False
    except Exception as error:  # noqa: BLE001  one account must not stop the others
        structlog.get_logger().exception("account_failed", account_id=account.id)
        click.echo(f"{name}: failed by a mistake in the program ({type(error).__name__}), see above.", err=True)
        return False
    _tell(name, found)
    return True


def _tell(name: str, found: "Detected") -> None:
    for warned in found.outcome.warnings:
        click.echo(f"{name}: {warned.message}", err=True)
    recorded = found.recorded
    counts = ("new", "changed", "flagged", "settled", "withdrawn", "lapsed")
    told = [f"{count} {what}" for what in counts if (count := getattr(recorded, what))]
    ended = (recorded.claims_withdrawn, "withdrawn"), (recorded.claims_lapsed, "not filed in time")
    told += [f"{count} claim{'' if count == 1 else 's'} {what}" for count, what in ended if count]
    told += _money(found.paid)
    click.echo(f"{name}, as of {found.outcome.as_of:%d %b %Y}: {', '.join(told) or 'nothing new'}.")


def _money(paid: "Paid") -> list[str]:
    """Say what was booked of the reimbursements: "2 payments matched", "1 waits"."""

    def many(count: int) -> str:
        return f"{count} payment{'' if count == 1 else 's'}"

    told = [f"{many(paid.matched)} matched"] if paid.matched else []
    told += [f"{many(paid.reversed)} taken back"] if paid.reversed else []
    told += [f"{many(paid.changed)} changed by a later report"] if paid.changed else []
    if paid.waiting:
        count = str(paid.waiting) if told else many(paid.waiting)
        told.append(f"{count} wait{'s' if paid.waiting == 1 else ''}")
    return told
