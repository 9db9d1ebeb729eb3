"""`flask claims`: the ledger of what is asked of Amazon."""

import click

from cli.listing import format_option, print_one, print_rows

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


@click.group("claims")
def claims() -> None:
    """See the claims."""


@claims.command("list")
@click.option("--account", "account_id", metavar="ID", type=int, help="Of this account only.")
@click.option("--client", metavar="NAME", help="Of this client only.")
@click.option("--status", type=click.Choice(STATUSES), help="In this state only.")
@format_option("table", "json", "csv")
def list_(account_id: int | None, client: str | None, status: str | None, form: str) -> None:
    """List claims, the nearest deadline first."""
    from claims import queries
    from cli.rows import CLAIM_FIELDS, claim_row, narrowed
    from db import reading
    from models import Claim, ClaimStatus

    with reading() as session:
        actor, client_id = narrowed(session, account_id, client)
        wanted = ClaimStatus(status) if status else None
        found = queries.claim_list(actor, account_id=account_id, client_id=client_id, status=wanted)
        rows = [claim_row(row) for row in session.scalars(found.order_by(Claim.closes_on, Claim.id))]
    print_rows(rows, form, fields=CLAIM_FIELDS, columns=_COLUMNS, right=("id", "quantity", "value", "recovered"))


@claims.command("show")
@click.argument("claim_id", metavar="ID", type=int)
@format_option("table", "json")
def show(claim_id: int, form: str) -> None:
    """Show one whole: what it is made of, what that rests on, and what happened to it."""
    from claims import queries
    from claims.access import system_actor
    from cli.rows import evidence_lines, history_lines, whole_claim
    from db import reading
    from models import Through

    with reading() as session:
        found = queries.load_claim(session, claim_id, system_actor(Through.CLI))
        evidence = [line for discrepancy in found.discrepancies for line in discrepancy.evidence]
        sections = {
            "Discrepancies": [f"{row.id}  {row.reference_id}  {row.fingerprint}" for row in found.discrepancies],
            "Evidence": evidence_lines(evidence),
            "History": history_lines(found.history),
        }
        print_one(whole_claim(found), form, sections)
