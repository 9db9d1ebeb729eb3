"""`flask runs`: the work that is due, under way, done or given up."""

import click

from cli.listing import format_option, print_rows

STATES = ("due", "running", "done", "failed")
_LAST = 50
_FIELDS = (
    "id",
    "kind",
    "client",
    "account",
    "account_id",
    "slot",
    "state",
    "attempts",
    "due_at",
    "started_at",
    "finished_at",
    "error",
)
_COLUMNS = {
    "id": "ID",
    "kind": "Work",
    "client": "Client",
    "account": "Account",
    "slot": "For",
    "state": "State",
    "attempts": "Tries",
    "due_at": "Due",
    "finished_at": "Ended",
    "error": "Why not",
}


@click.group("runs")
def runs() -> None:
    """See what the worker has to do and has done."""


@runs.command("list")
@click.option("--state", type=click.Choice(STATES), help="In this state only.")
@click.option("--last", metavar="N", type=click.IntRange(1), default=_LAST, show_default=True, help="So many at most.")
@format_option("table", "json", "csv")
def list_(state: str | None, last: int, form: str) -> None:
    """List runs, the newest first."""
    from cli.rows import run_row
    from db import reading
    from jobs.runs import newest
    from models import RunState

    with reading() as session:
        rows = [run_row(row) for row in newest(session, last, RunState(state) if state else None)]
    print_rows(rows, form, fields=_FIELDS, columns=_COLUMNS, right=("id", "attempts"))
