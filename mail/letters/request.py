"""The mail that asks a client for something about a claim."""

from sqlalchemy.orm import Session

from claims import clients, requests, words
from claims.access import system_actor
from claims.links import portal_request_link
from errors import NotFound
from mail.letter import Button, Letter
from mail.rendering import one_line
from models import ClaimStatus, ClientStatus, OutboxMessage, Request, RequestKind, RequestStatus

_LONGEST_TITLES = 300
_LEADS = {
    RequestKind.CONFIRM_SHIPMENT: "Please confirm a shipment",
    RequestKind.SEND_INVOICE: "Please send us a supplier's invoice",
    RequestKind.PROOF_OF_DELIVERY: "Please send us a proof of delivery",
    RequestKind.OTHER: "We have a question",
}


def request(session: Session, row: OutboxMessage) -> Letter:
    """Return what the client is asked, about which claim, and until when it matters. Raises NotFound."""
    request_id = row.payload.get("request_id")
    if not isinstance(request_id, int):
        raise NotFound(f"Message {row.key} names no request.")
    asked = requests.load(session, request_id, system_actor())
    agency, client = clients.agency(session), asked.claim.account.client
    manager = client.case_manager
    may_answer = client.status is not ClientStatus.CANCELLED  # then nobody of theirs can sign in any more
    lead = f"{_LEADS[asked.kind]}: {_worth(asked)} {'depend' if _is_several(asked) else 'depends'} on it."
    return Letter(
        to=client.email,
        subject=f"{_LEADS[asked.kind]} for claim {asked.claim_id}",
        preview=asked.question,
        lead=lead,
        paragraphs=(asked.question, _about(asked), _when(asked)),
        button=Button("Answer in the portal", portal_request_link(asked.id)) if may_answer else None,
        footer=f"{'Or simply reply' if may_answer else 'Reply'} to this mail"
        f"{f': {manager.label} reads it' if manager else ''}.",
        signed=agency.name,
        reply_to=manager.email if manager else None,
    )


def _is_several(asked: Request) -> bool:
    return asked.claim.value is None and asked.claim.quantity != 1


def _worth(asked: Request) -> str:
    claim = asked.claim
    return words.units(claim.quantity) if claim.value is None else words.money(claim.value, claim.currency)


def _about(asked: Request) -> str:
    claim = asked.claim
    named = (row.title or row.msku or row.fnsku or "" for row in claim.discrepancies)
    titles = one_line(", ".join(dict.fromkeys(named)), _LONGEST_TITLES)  # a report's line break makes no paragraph
    product = f" ({titles})" if titles.strip(", ") else ""
    return (
        f"It is about claim {claim.id}, {claim.account.name}: {words.claim_type_name(claim.claim_type)}, "
        f"{words.units(claim.quantity)}{product}."
    )


def _when(asked: Request) -> str:
    if asked.status is not RequestStatus.ASKED:
        return "This is settled meanwhile: there is nothing left for you to do."
    if asked.claim.status is not ClaimStatus.TO_SUBMIT:
        return "Amazon waits for it, so an answer in the next days helps most."
    last = f"Amazon takes this claim until {words.day(asked.claim.closes_on)}."
    return f"{last} We do not file it before you have answered." if asked.holds_claim else last
