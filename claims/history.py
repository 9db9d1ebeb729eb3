"""The append-only history: each move is one row, written in the transaction that makes it."""

from datetime import datetime

from sqlalchemy.orm import Session

from claims.access import Actor
from claims.fields import clean
from errors import InvalidInput
from models import HistoryEntry

_NOTE_LENGTH = 2000


def entry(
    *,
    actor: Actor,
    now: datetime,
    action: str,
    discrepancy_id: int | None = None,
    claim_id: int | None = None,
    client_id: int | None = None,
    account_id: int | None = None,
    invoice_id: int | None = None,
    moved: tuple[str | None, str | None] = (None, None),
    reason: str | None = None,
    note: str | None = None,
) -> HistoryEntry:
    """Return a row that is not yet in a session. `moved` is the status before and after."""
    return HistoryEntry(
        discrepancy_id=discrepancy_id,
        claim_id=claim_id,
        client_id=client_id,
        account_id=account_id,
        invoice_id=invoice_id,
        at=now,
        actor_id=actor.user_id,
        actor_name=actor.name,
        through=actor.through,
        action=action,
        from_status=moved[0],
        to_status=moved[1],
        reason=reason,
        note=note,
    )


def add(session: Session, row: HistoryEntry) -> HistoryEntry:
    """Write the row, so that it has its id."""
    session.add(row)
    session.flush()
    return row


def cleaned(note: str | None) -> str | None:
    """Return what a person wrote, without blanks around it; None where nothing is left.

    Raises InvalidInput for a text that is too long to be a note.
    """
    text = clean(note)
    if text is not None and len(text) > _NOTE_LENGTH:
        raise InvalidInput(
            f"The note has {len(text):,} characters.", field="note", todo=f"Use {_NOTE_LENGTH:,} at most."
        )
    return text
