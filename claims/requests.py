"""What a client is asked for about a claim: asked, answered, closed (DESIGN section 7).

Staff ask and close; the client's people answer, or staff for them. Each move locks its row, so that of two people one
wins and the other is told who it was.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

import outbox
from claims import documents, history, moves, questions
from claims.access import Actor, Permission, known_as, require_access
from claims.documents import Upload
from claims.errors import moment
from claims.fields import clean
from config import settings
from errors import InvalidInput, Moved, NotFound
from models import (
    Account,
    Claim,
    ClaimStatus,
    Client,
    DocumentKind,
    Medium,
    Request,
    RequestKind,
    RequestStatus,
    Role,
)

LONGEST_TEXT = 2000
MOST_FILES = 5
_PROVES = {
    RequestKind.SEND_INVOICE: DocumentKind.INVOICE,
    RequestKind.PROOF_OF_DELIVERY: DocumentKind.PROOF_OF_DELIVERY,
}
#: the claims that are over: about them nothing is asked
NOT_ASKED_ABOUT = (ClaimStatus.RECOVERED, ClaimStatus.CLOSED)


def ask(
    session: Session, claim_id: int, *, kind: RequestKind, question: str | None, actor: Actor, now: datetime
) -> Request:
    """Ask the client for something about a claim, and tell them by mail.

    question: in the asker's words; None or blank takes the usual one of this kind, which `other` does not have. Where
    the client's settings say so, a claim that is to be filed is held until the answer. Raises NotAllowed, NotFound,
    InvalidInput, and Moved where the claim is over or the same is asked already.
    """
    claim = moves.locked(session, claim_id, actor)
    asker = moves.require_person(actor)
    if claim.status in NOT_ASKED_ABOUT:
        raise Moved(f"Claim {claim.id} is {claim.status.value}: there is nothing to ask for.")
    text = _text(question, "question") or questions.usual(kind, claim.discrepancies)
    if text is None:
        raise InvalidInput("This needs a question.", field="question", todo="Write what the client is to send or say.")
    _require_not_asked(session, claim, kind, text, now)
    client = claim.account.client
    request = Request(
        client_id=client.id,
        claim_id=claim.id,
        kind=kind,
        question=text,
        status=RequestStatus.ASKED,
        holds_claim=client.requests_hold_claims and claim.status is ClaimStatus.TO_SUBMIT,
        asked_by_id=asker,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    request.claim, request.client = claim, client
    _moved(session, request, "request_asked", actor=actor, now=now, before=None, note=text)
    if settings().mail_is_on:
        outbox.enqueue(
            session,
            outbox.REQUEST_MAIL,
            f"request:{request.id}",
            now=now,
            medium=Medium.MAIL,
            client_id=client.id,
            account_id=claim.account_id,
            claim_id=claim.id,
            payload={"request_id": request.id},
        )
    return request


def answer(
    session: Session,
    request_id: int,
    *,
    text: str | None,
    files: Sequence[Upload] = (),
    actor: Actor,
    now: datetime,
) -> Request:
    """Answer a request: the client's own people, or staff on their behalf, which the history says.

    files: read by `documents.read`, before the transaction; they are kept with the claim. Raises NotAllowed, NotFound,
    InvalidInput where nothing was said or sent or too many files, and Moved where it is not open any more.
    """
    actor.require(Permission.ANSWER_REQUESTS)
    answerer = moves.require_person(actor)
    request = _locked(session, request_id, actor)
    if request.status is not RequestStatus.ASKED:
        raise Moved(_standing(request, actor, now))
    said = _text(text, "text")
    if said is None and not files:
        raise InvalidInput("An answer needs some words or a file.", field="text", todo="Write a line or add a file.")
    require_few(files)
    for file in files:
        documents.store(
            session,
            file,
            kind=_PROVES.get(request.kind, DocumentKind.OTHER),
            client_id=request.client_id,
            claim_id=request.claim_id,
            request_id=request.id,
            actor=actor,
            now=now,
        )
    request.status, request.answer = RequestStatus.ANSWERED, said
    request.answered_by_id, request.answered_at = answerer, now
    is_theirs = actor.role is Role.CLIENT
    action = "request_answered" if is_theirs else "request_answered_for"
    _moved(session, request, action, actor=actor, now=now, before=RequestStatus.ASKED, note=_note(said, files))
    if is_theirs and settings().slack_is_on:
        outbox.enqueue(
            session,
            outbox.CLAIM_NEWS,
            f"news:answered:{request.id}",
            now=now,
            client_id=request.client_id,
            account_id=request.claim.account_id,
            claim_id=request.claim_id,
            payload={"what": "answered", "request_id": request.id},
        )
    return request


def close(session: Session, request_id: int, *, actor: Actor, now: datetime) -> Request:
    """End a request: its answer was read, or it is needed no more. Raises NotAllowed, NotFound, Moved."""
    actor.require(Permission.WORK_CLAIMS)
    closer = moves.require_person(actor)
    request = _locked(session, request_id, actor)
    before = request.status
    if before is RequestStatus.CLOSED:
        raise Moved(_standing(request, actor, now))
    request.status, request.closed_by_id, request.closed_at = RequestStatus.CLOSED, closer, now
    _moved(session, request, "request_closed", actor=actor, now=now, before=before)
    return request


def request_list(
    actor: Actor,
    *,
    status: RequestStatus | None = None,
    client_id: int | None = None,
    claim_id: int | None = None,
) -> Select[Request]:
    """Return the requests that exist for `actor`, each with client, claim, account and who asked. Without an order."""
    found = (
        select(Request)
        .join(Request.client)
        .options(
            contains_eager(Request.client),
            joinedload(Request.asked_by),
            joinedload(Request.answered_by),
            joinedload(Request.claim).joinedload(Claim.account),
        )
    )
    if actor.role is Role.CLIENT:
        found = found.where(Request.client_id == actor.client_id)
    if status is not None:
        found = found.where(Request.status == status)
    if client_id is not None:
        found = found.where(Request.client_id == client_id)
    if claim_id is not None:
        found = found.where(Request.claim_id == claim_id)
    return found


def load(session: Session, request_id: int, actor: Actor) -> Request:
    """Return one request with claim, discrepancies, documents and people. Raises NotFound."""
    found = session.scalar(
        request_list(actor)
        .where(Request.id == request_id)
        .options(
            joinedload(Request.claim).selectinload(Claim.discrepancies),
            joinedload(Request.claim)
            .joinedload(Claim.account)
            .joinedload(Account.client)
            .joinedload(Client.case_manager),
            selectinload(Request.documents),
        )
    )
    if found is None:
        raise NotFound(f"There is no request {request_id}.")
    return found


def of_claim(session: Session, claim_id: int, actor: Actor) -> Sequence[Request]:
    """Return what the client was asked for about a claim, oldest first, with the documents sent."""
    found = request_list(actor, claim_id=claim_id).options(selectinload(Request.documents))
    return session.scalars(found.order_by(Request.id)).all()


def oldest_open(session: Session, claim_id: int) -> Request | None:
    """Return the request about a claim that waits longest for the client, whether or not it holds the claim."""
    waiting = select(Request).where(Request.claim_id == claim_id, Request.status == RequestStatus.ASKED)
    return session.scalar(waiting.order_by(Request.id).limit(1))


def _locked(session: Session, request_id: int, actor: Actor) -> Request:
    """Return the request as it is now, nobody else's to change until the end of this transaction."""
    claim_id = session.scalar(select(Request.claim_id).where(Request.id == request_id))
    if claim_id is not None:
        moves.hold_discrepancies(session, claim_id)
        session.execute(select(Claim.id).where(Claim.id == claim_id).with_for_update(read=True, key_share=True))
    found = session.get(
        Request,
        request_id,
        with_for_update=True,
        populate_existing=True,
        options=[
            selectinload(Request.client),
            selectinload(Request.claim).selectinload(Claim.discrepancies),
            selectinload(Request.answered_by),
        ],
    )
    if found is None or not actor.sees(found.client_id):
        raise NotFound(f"There is no request {request_id}.")
    require_access(actor, found.client)
    return found


def _require_not_asked(session: Session, claim: Claim, kind: RequestKind, text: str, now: datetime) -> None:
    """Raise Moved where the client is asked for the same already; the claim is locked, so nobody asks meanwhile.

    Of other questions the same words are the same: Slack and browsers send a form twice when an answer was lost.
    """
    asked = select(Request).where(
        Request.claim_id == claim.id, Request.kind == kind, Request.status == RequestStatus.ASKED
    )
    if kind is RequestKind.OTHER:
        asked = asked.where(Request.question == text)
    earlier = session.scalar(asked.options(joinedload(Request.asked_by)).limit(1))
    if earlier:
        by = earlier.asked_by.label if earlier.asked_by else "somebody"
        raise Moved(
            f"Already asked by {by} {moment(earlier.asked_at, now)}.",
            todo="Wait for the answer, or close that request.",
        )


def _standing(request: Request, actor: Actor, now: datetime) -> str:
    if request.status is RequestStatus.ANSWERED and request.answered_at:
        return f"Already answered by {known_as(request.answered_by, actor)} {moment(request.answered_at, now)}."
    when = f" {moment(request.closed_at, now)}" if request.closed_at else ""
    return f"This request was closed{when}: nothing is waited for any more."


def _moved(
    session: Session,
    request: Request,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    before: RequestStatus | None,
    note: str | None = None,
) -> None:
    """Write the move into the claim's history, and say that its cards are stale."""
    moved = (before.value if before else None, request.status.value)
    entry = history.entry(
        actor=actor,
        now=now,
        action=action,
        claim_id=request.claim_id,
        moved=moved,
        reason=request.kind.value,
        note=note,
    )
    history.add(session, entry)
    moves.refresh_cards(session, request.claim.discrepancies, f"request:{entry.id}", now)


def require_few(files: Sequence[object]) -> None:
    """Raise InvalidInput for more files than one answer takes."""
    if len(files) > MOST_FILES:
        raise InvalidInput(f"These are {len(files)} files.", field="files", todo=f"Send {MOST_FILES} at most.")


def _note(said: str | None, files: Sequence[Upload]) -> str:
    """Return what the history keeps of an answer: its words, and the names of the files."""
    names = ", ".join(file.name for file in files)
    return "\n".join(part for part in (said, f"Files: {names}" if names else "") if part)


def _text(text: str | None, field: str) -> str | None:
    found = clean(text)
    if found is not None and len(found) > LONGEST_TEXT:
        raise InvalidInput(
            f"The text has {len(found):,} characters.", field=field, todo=f"Use {LONGEST_TEXT:,} at most."
        )
    return found
