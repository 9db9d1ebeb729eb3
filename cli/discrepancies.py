"""`flask discrepancies`: list them, show one, decide."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from cli.listing import format_option, print_one, print_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from claims.access import Actor

    Decision = Callable[[Session, int, Actor, datetime], str]

STATUSES = ("upcoming", "open", "approved", "rejected", "snoozed", "settled", "withdrawn", "lapsed")
REASONS = ("not_ours", "found", "already_claimed", "already_paid", "wrong_quantity", "too_small", "policy", "other")
_COLUMNS = {
    "id": "ID",
    "status": "Status",
    "claim_type": "Type",
    "client": "Client",
    "account": "Account",
    "fnsku": "FNSKU",
    "reference_id": "Reference",
    "quantity": "Units",
    "value": "Value",
    "currency": "",
    "closes_on": "Closes",
    "caveats": "Check first",
}

_ids = click.argument("ids", metavar="ID...", type=int, nargs=-1, required=True)
_as_person = click.option("--as", "email", metavar="EMAIL", required=True, help="The person who decides.")


@click.group("discrepancies")
def discrepancies() -> None:
    """See what was found, and decide."""


@discrepancies.command("list")
@click.option("--account", "account_id", metavar="ID", type=int, help="Of this account only.")
@click.option("--client", metavar="NAME", help="Of this client only.")
@click.option("--status", type=click.Choice(STATUSES), help="In this state only.")
@format_option("table", "json", "csv")
def list_(account_id: int | None, client: str | None, status: str | None, form: str) -> None:
    """List discrepancies, the nearest deadline first."""
    from claims import queries
    from cli import table_words
    from cli.rows import DISCREPANCY_FIELDS, discrepancy_row, narrowed
    from db import reading
    from models import Discrepancy, DiscrepancyStatus

    with reading() as session:
        actor, client_id = narrowed(session, account_id, client)
        wanted = DiscrepancyStatus(status) if status else None
        found = queries.discrepancy_list(actor, account_id=account_id, client_id=client_id, status=wanted)
        soonest = found.order_by(Discrepancy.closes_on, Discrepancy.value.desc().nulls_last(), Discrepancy.id)
        rows = [discrepancy_row(row) for row in session.scalars(soonest)]
    right = ("id", "quantity", "value")
    print_rows(rows, form, fields=DISCREPANCY_FIELDS, columns=_COLUMNS, right=right, in_words=table_words.DISCREPANCY)


@discrepancies.command("show")
@click.argument("discrepancy_id", metavar="ID", type=int)
@format_option("table", "json")
def show(discrepancy_id: int, form: str) -> None:
    """Show one whole: what it rests on, and what happened to it."""
    from claims import queries
    from claims.access import system_actor
    from cli.rows import caveat_lines, evidence_lines, history_lines, whole_discrepancy
    from db import reading
    from models import Through

    with reading() as session:
        found = queries.load_discrepancy(session, discrepancy_id, system_actor(Through.CLI))
        sections = {
            "Check first": caveat_lines(found.caveats),
            "Evidence": evidence_lines(found.evidence),
            "History": history_lines(found.history),
        }
        print_one(whole_discrepancy(found), form, sections)


@discrepancies.command("approve")
@_ids
@_as_person
def approve(ids: tuple[int, ...], email: str) -> None:
    """Make a claim of each, once the client has approved too where that is agreed."""
    from claims import review, words

    def one(session: "Session", discrepancy_id: int, actor: "Actor", now: datetime) -> str:
        claim = review.approve(session, discrepancy_id, actor=actor, now=now)
        if claim is None:
            return "approved, waits for the client's approval now"
        return f"approved, claim {claim.id}, {words.money(claim.value, claim.currency)}"

    _decide(ids, email, one)


@discrepancies.command("reject")
@_ids
@click.option("--reason", type=click.Choice(REASONS), required=True)
@click.option("--note", metavar="TEXT", help="Why, in your words; needed with --reason other.")
@_as_person
def reject(ids: tuple[int, ...], reason: str, note: str | None, email: str) -> None:
    """Decide that nothing is claimed for each."""
    from claims import review
    from models import RejectReason

    if reason == RejectReason.OTHER and not (note or "").strip():
        raise click.UsageError("--reason other needs a --note that says why.")

    def one(session: "Session", discrepancy_id: int, actor: "Actor", now: datetime) -> str:
        review.reject(session, discrepancy_id, reason=RejectReason(reason), note=note, actor=actor, now=now)
        return "rejected"

    _decide(ids, email, one)


@discrepancies.command("undo")
@_ids
@_as_person
def undo(ids: tuple[int, ...], email: str) -> None:
    """Take decisions back, within ten minutes."""
    from claims import review

    def one(session: "Session", discrepancy_id: int, actor: "Actor", now: datetime) -> str:
        review.undo(session, discrepancy_id, actor=actor, now=now)
        return "open again"

    _decide(ids, email, one)


@discrepancies.command("clear")
@_ids
@click.option("--caveat", "code", metavar="CODE", required=True, help="What was checked, as `show` names it.")
@click.option("--note", metavar="TEXT", required=True, help="What you found.")
@_as_person
def clear(ids: tuple[int, ...], code: str, note: str, email: str) -> None:
    """Say that a caveat was checked and does not stand in the way."""
    from claims import review

    def one(session: "Session", discrepancy_id: int, actor: "Actor", now: datetime) -> str:
        review.clear_caveat(session, discrepancy_id, code=code, note=note, actor=actor, now=now)
        return f"{code} cleared"

    _decide(ids, email, one)


def _decide(ids: Sequence[int], email: str, decision: "Decision") -> None:
    """Decide on each in a transaction of its own: one that cannot be decided does not stop the others. Exits 1 then."""
    from claims.access import actor_by_email
    from clock import utcnow
    from db import reading, transaction
    from errors import RecoupError

    with reading() as session:
        actor_by_email(session, email)
    failed = False
    for discrepancy_id in ids:
        try:
            with transaction() as session:
                said = decision(session, discrepancy_id, actor_by_email(session, email), utcnow())
            click.echo(f"{discrepancy_id}: {said}")
        except RecoupError as error:
            click.echo(f"{discrepancy_id}: {error}", err=True)
            failed = True
    if failed:
        raise SystemExit(1)
