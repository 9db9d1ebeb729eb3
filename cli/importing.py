"""`flask import`: report files that somebody downloaded, into an account's archive."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from amazon.archive import Stored
    from detection.marketplaces import Marketplace
    from detection.reports import Delivery


@click.command("import")
@click.option("--account", "account_id", type=int, required=True, metavar="ID", help="Whose files they are.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
def import_files(account_id: int, paths: tuple[Path, ...]) -> None:
    """Put report files into an account's archive, read as `flask audit` reads them.

    Files are recognised by their header. The seller's own files (costs, products, received) become the account's. A
    file that is there already counts once. Detection follows by itself where a worker runs, else with `flask daily`.
    Exits 1 when a file was refused or nothing could be read.
    """
    import logs
    from amazon import archive
    from cli import wiring
    from cli.progress import Progress

    logs.configure(is_command=True)
    wiring.connect()
    marketplace = _marketplace(account_id)
    with Progress("Reading reports") as progress:
        stored = archive.store(paths, account_id=account_id, marketplace=marketplace, progress=progress)
    if stored.deliveries:
        _record(stored, account_id)
    _tell(stored)
    if stored.refused or not stored.deliveries:
        sys.exit(1)


def _marketplace(account_id: int) -> "Marketplace":
    from db import reading
    from detection.marketplaces import marketplaces
    from errors import NotFound
    from models import Account

    with reading() as session:
        account = session.get(Account, account_id)
    if account is None:
        raise NotFound(f"There is no account {account_id}.", todo="See `flask accounts list`.")
    return marketplaces()[account.marketplace]


def _record(stored: "Stored", account_id: int) -> None:
    """Bring the files into force, the client with them, and make the detection due that follows: all or nothing."""
    from amazon import archive
    from claims import accounts
    from clock import utcnow
    from db import transaction
    from jobs import runs

    now = utcnow()
    with transaction() as session:
        import_id = archive.record(session, stored, now)
        accounts.first_import(session, account_id, now)
        runs.after_import(session, account_id, import_id, now)


def _tell(stored: "Stored") -> None:
    """Say what was read of each file on stdout; what was left out, and why, on stderr."""
    for delivery in stored.deliveries:
        click.echo(f"{delivery.file}: {_read_of(delivery)}")
    for refused in stored.refused:
        click.echo(f"{refused.file}: {refused.message}", err=True)
    for warned in stored.warnings:
        place = ", line ".join(str(warned.facts[fact]) for fact in ("file", "line") if warned.facts.get(fact))
        click.echo(f"{place}: {warned.message}" if place else warned.message, err=True)
    rows = sum(delivery.rows for delivery in stored.deliveries)
    click.echo(f"{len(stored.deliveries)} files with {rows:,} rows read, {len(stored.refused)} refused.", err=True)


def _read_of(delivery: "Delivery") -> str:
    days = f", {delivery.first_date} to {delivery.last_date}" if delivery.first_date else ""
    rejected = f", {delivery.rejected:,} rejected" if delivery.rejected else ""
    return f"{delivery.report_type}, {delivery.rows:,} rows{rejected}{days}"
