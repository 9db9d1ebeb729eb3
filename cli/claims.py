"""`flask claims`: the ledger of what is asked of Amazon, and what people did about it."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from cli.listing import format_option, print_one, print_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from claims.access import Actor

STATUSES = (
    "to_submit",
    "submitted",
    "needs_info",
    "denied",
    "appealed",
    "partly_recovered",
    "recovered",
    "reversed",
    "closed",
)
OUTCOMES = ("needs_info", "submitted", "denied", "appealed", "closed")
CLOSING_REASONS = ("refused", "withdrawn", "client_left", "other")
_COLUMNS = {
    "id": "ID",
    "status": "Status",
    "claim_type": "Type",
    "client": "Client",
    "account": "Account",
    "case_id": "Case",
    "quantity": "Units",
    "value": "Value",
    "recovered": "Recovered",
    "currency": "",
    "closes_on": "Closes",
}

_WAITING_COLUMNS = {
    "line": "Line",
    "reimbursement": "Reimbursement",
    "account": "Account",
    "approved_on": "Approved",
    "reason": "Reason",
    "fnsku": "FNSKU",
    "case_id": "Case",
    "units_left": "Units",
    "amount": "Amount",
    "currency": "",
    "claims": "Claims",
}


def _known_state(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Return a state there is; which of them can be recorded is the service's to say."""
    if value not in STATUSES:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(OUTCOMES)}.")
    return value


_id = click.argument("claim_id", metavar="ID", type=int)
_as_person = click.option("--as", "email", metavar="EMAIL", required=True, help="The person who did it.")


@click.group("claims")
def claims() -> None:
    """See the claims, and record what people did about them."""


@claims.command("list")
@click.option("--account", "account_id", metavar="ID", type=int, help="Of this account only.")
@click.option("--client", metavar="NAME", help="Of this client only.")
@click.option("--status", type=click.Choice(STATUSES), help="In this state only.")
@format_option("table", "json", "csv")
def list_(account_id: int | None, client: str | None, status: str | None, form: str) -> None:
    """List claims, the nearest deadline first."""
    from claims import queries
    from cli import table_words
    from cli.rows import CLAIM_FIELDS, claim_row, narrowed
    from db import reading
    from models import Claim, ClaimStatus

    with reading() as session:
        actor, client_id = narrowed(session, account_id, client)
        wanted = ClaimStatus(status) if status else None
        found = queries.claim_list(actor, account_id=account_id, client_id=client_id, status=wanted)
        rows = [claim_row(row) for row in session.scalars(found.order_by(Claim.closes_on, Claim.id))]
    right = ("id", "quantity", "value", "recovered")
    print_rows(rows, form, fields=CLAIM_FIELDS, columns=_COLUMNS, right=right, in_words=table_words.CLAIM)


@claims.command("show")
@_id
@format_option("table", "json")
def show(claim_id: int, form: str) -> None:
    """Show one whole: what is next, what it is made of, what that rests on, and what happened to it."""
    from claims import filing, queries
    from claims.access import system_actor
    from cli.rows import (
        document_lines,
        evidence_lines,
        history_lines,
        note_lines,
        payment_lines,
        request_lines,
        whole_claim,
    )
    from clock import utcnow
    from db import reading
    from models import Through

    with reading() as session:
        found = queries.load_claim(session, claim_id, system_actor(Through.CLI))
        evidence = [line for discrepancy in found.discrepancies for line in discrepancy.evidence]
        sections = {
            "Discrepancies": [f"{row.id}  {row.reference_id}  {row.fingerprint}" for row in found.discrepancies],
            "Evidence": evidence_lines(evidence),
            "Payments": payment_lines(found.payments),
            "Documents": document_lines(found.documents),
            "Asked of the client": request_lines(found.requests),
            "Replies and notes": note_lines(found.notes),
            "History": history_lines(found.history),
        }
        print_one(whole_claim(found, filing.today_of(found, utcnow())), form, sections)


@claims.command("packet")
@_id
@click.option("--csv", "as_csv", is_flag=True, help="The evidence as CSV instead of the text.")
def packet_(claim_id: int, *, as_csv: bool) -> None:
    """Print what is to be filed: subject and text for Seller Support."""
    from claims import queries
    from claims.access import system_actor
    from claims.packet import evidence_csv, packet
    from db import reading
    from models import Through

    with reading() as session:
        found = queries.load_claim(session, claim_id, system_actor(Through.CLI))
    if as_csv:
        for line in evidence_csv(found):
            click.echo(line, nl=False)
        return
    filed = packet(found)
    click.echo(filed.whole)
    click.echo(f"\nAttach: {'; '.join(filed.attach)}.", err=True)
    if any(row.is_changed_since_decision for row in found.discrepancies):
        click.echo("The reports have changed since it was approved: look at it again before you file it.", err=True)


@claims.command("submit")
@_id
@click.option("--case-id", metavar="CASE", required=True, help="Amazon's case ID, as Seller Support shows it.")
@click.option(
    "--filed-on",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="When it was filed, if not today; a claim that has lapsed meanwhile is taken up again if that was in time.",
)
@_as_person
def submit(claim_id: int, case_id: str, filed_on: datetime | None, email: str) -> None:
    """Record that the claim was filed with Amazon, under which case."""
    from claims import filing

    def move(session: "Session", actor: "Actor", now: datetime) -> str:
        on = filed_on.date() if filed_on else None
        claim = filing.submit(session, claim_id, case_id=case_id, filed_on=on, actor=actor, now=now)
        return f"filed as case {claim.case_id}"

    _make(claim_id, email, move)


@claims.command("outcome")
@_id
@click.option(
    "--status", metavar="S", callback=_known_state, required=True, help=f"{', '.join(OUTCOMES)}; submitted: answered."
)
@click.option("--reason", type=click.Choice(CLOSING_REASONS), help="Why it is closed.")
@click.option("--note", metavar="TEXT", help="Why, in your words.")
@click.option("--reply", metavar="TEXT", help="What Amazon wrote; - reads it from stdin.")
@click.option("--next-action", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="When to act next.")
@_as_person
def outcome(
    claim_id: int,
    *,
    status: str,
    reason: str | None,
    note: str | None,
    reply: str | None,
    next_action: datetime | None,
    email: str,
) -> None:
    """Record what Amazon said, what was done about it, or that the claim is left."""
    from claims import filing, words
    from models import ClaimStatus

    if reason and status != ClaimStatus.CLOSED:
        raise click.UsageError("--reason goes with --status closed.")
    wrote = sys.stdin.read() if reply == "-" else reply

    def move(session: "Session", actor: "Actor", now: datetime) -> str:
        claim = filing.record_outcome(
            session,
            claim_id,
            status=ClaimStatus(status),
            reason=reason,
            reply=wrote,
            next_action_on=next_action.date() if next_action else None,
            note=note,
            actor=actor,
            now=now,
        )
        standing = words.claim_status_name(claim.status.value, claim.closed_reason)
        day = "" if claim.next_action_on is None else f", next by {claim.next_action_on.isoformat()}"
        return f"{standing}{day}"

    _make(claim_id, email, move)


@claims.command("waiting")
@click.option("--account", "account_id", metavar="ID", type=int, help="Of this account only.")
@format_option("table", "json", "csv")
def waiting(account_id: int | None, form: str) -> None:
    """List the payments that may be for one of several claims, or for none: a person has to say."""
    from claims import by_hand
    from cli.rows import WAITING_FIELDS, narrowed, waiting_row
    from db import reading

    with reading() as session:
        actor, _ = narrowed(session, account_id, None)
        rows = [waiting_row(each) for each in by_hand.waiting_lines(session, actor, account_id=account_id)]
    print_rows(rows, form, fields=WAITING_FIELDS, columns=_WAITING_COLUMNS, right=("line", "units_left", "amount"))


@claims.command("match")
@_id
@click.option("--reimbursement", metavar="R", required=True, help="Amazon's id, or the number of the line.")
@_as_person
def match(claim_id: int, reimbursement: str, email: str) -> None:
    """Say that Amazon paid this reimbursement for the claim."""
    from claims import booking, by_hand, words
    from models import Claim

    unbooked = by_hand.unbooked(claim_id, reimbursement)

    def move(session: "Session", actor: "Actor", now: datetime) -> str:
        made = by_hand.match(session, claim_id, reimbursement=reimbursement, unbooked=unbooked, actor=actor, now=now)
        claim = session.get_one(Claim, claim_id)
        standing = words.claim_status_name(claim.status.value, claim.closed_reason)
        return f"{'; '.join(map(booking.what_is_paid, made))}. {standing}"

    _make(claim_id, email, move)


@claims.command("not-ours")
@click.argument("line_id", metavar="LINE", type=int)
@_as_person
def not_ours(line_id: int, email: str) -> None:
    """Say of a waiting payment that it was not for any claim of ours. LINE: its number in `waiting`."""
    from claims import by_hand

    def move(session: "Session", actor: "Actor", now: datetime) -> str:
        row = by_hand.not_ours(session, line_id, actor=actor, now=now)
        return f"reimbursement {row.reimbursement_id} is not ours"

    _make(line_id, email, move)


def _make(claim_id: int, email: str, move: "Callable[[Session, Actor, datetime], str]") -> None:
    """Make one move in a transaction and print what it came to."""
    from claims.access import actor_by_email
    from clock import utcnow
    from db import transaction

    with transaction() as session:
        said = move(session, actor_by_email(session, email), utcnow())
    click.echo(f"{claim_id}: {said}")
