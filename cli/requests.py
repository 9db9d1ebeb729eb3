"""`flask requests`: what clients are asked for about their claims."""

import click

from cli.listing import format_option, print_rows

STATUSES = ("asked", "answered", "closed")
KINDS = ("confirm_shipment", "send_invoice", "proof_of_delivery", "other")
FIELDS = ("id", "client", "claim_id", "kind", "status", "holds_claim", "asked_at", "asked_by", "question", "answer")
_COLUMNS = {
    "id": "ID",
    "client": "Client",
    "claim_id": "Claim",
    "kind": "Asked for",
    "status": "Status",
    "asked_at": "Since",
    "question": "Question",
}

_as_person = click.option("--as", "email", metavar="EMAIL", required=True, help="The person who does it.")


@click.group("requests")
def requests() -> None:
    """Ask clients, and see who is waited for."""


@requests.command("list")
@click.option("--client", metavar="NAME", help="Of this client only.")
@click.option("--status", type=click.Choice(STATUSES), help="In this state only.")
@format_option("table", "json", "csv")
def list_(client: str | None, status: str | None, form: str) -> None:
    """List requests, the one that waits longest first."""
    from claims import words
    from claims.requests import request_list
    from cli.rows import narrowed
    from db import reading
    from models import Request, RequestStatus

    with reading() as session:
        actor, client_id = narrowed(session, None, client)
        wanted = RequestStatus(status) if status else None
        found = request_list(actor, client_id=client_id, status=wanted).order_by(Request.asked_at, Request.id)
        rows = [
            {
                "id": row.id,
                "client": row.client.name,
                "claim_id": row.claim_id,
                "kind": row.kind.value,
                "status": row.status.value,
                "holds_claim": row.holds_claim,
                "asked_at": row.asked_at.isoformat(),
                "asked_by": row.asked_by.label if row.asked_by else None,
                "question": row.question,
                "answer": row.answer,
            }
            for row in session.scalars(found)
        ]
    in_words = {
        "kind": lambda row: words.request_kind_name(row["kind"]),
        "status": lambda row: words.request_status_name(row["status"]),
        "asked_at": lambda row: row["asked_at"][:10],
    }
    print_rows(rows, form, fields=FIELDS, columns=_COLUMNS, right=("id", "claim_id"), in_words=in_words)


@requests.command("ask")
@click.argument("claim_id", metavar="CLAIM", type=int)
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the client is asked for.")
@click.option("--question", metavar="TEXT", help="In your words; needed with --kind other. The usual one without.")
@_as_person
def ask(claim_id: int, kind: str, question: str | None, email: str) -> None:
    """Ask the client about a claim."""
    from claims import requests as service
    from claims.access import actor_by_email
    from clock import utcnow
    from db import transaction
    from models import RequestKind

    with transaction() as session:
        actor = actor_by_email(session, email)
        asked = service.ask(session, claim_id, kind=RequestKind(kind), question=question, actor=actor, now=utcnow())
        held = ", and the claim is held until the answer" if asked.holds_claim else ""
        click.echo(f"Request {asked.id}: {asked.client.name} is asked{held}.", err=True)


@requests.command("close")
@click.argument("request_id", metavar="ID", type=int)
@_as_person
def close(request_id: int, email: str) -> None:
    """End a request: its answer was read, or it is needed no more."""
    from claims import requests as service
    from claims.access import actor_by_email
    from clock import utcnow
    from db import transaction

    with transaction() as session:
        service.close(session, request_id, actor=actor_by_email(session, email), now=utcnow())
        click.echo(f"Request {request_id} is closed.", err=True)
