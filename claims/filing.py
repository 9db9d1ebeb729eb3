"""What a person does about a claim at Amazon: files it, answers, appeals, closes it, and keeps what Amazon wrote.

Recoup files nothing by itself: a person pastes the text into Seller Support, and tells here under which case. The
money states come from matching alone. Closing a claim leaves its discrepancies approved: they were claimed, and the
claim says what came of it. Only two endings say otherwise: *undone* opens the discrepancy again (`claims.review`), and
*lapsed* makes it lapsed (`claims.findings`), because nobody asked Amazon for it.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims import booking, history, moves, words
from claims.access import Actor, Permission, user_actor
from claims.errors import AlreadyDecided
from claims.fields import checked_text, clean
from detection.marketplaces import marketplaces
from errors import InvalidInput, Moved, NotFound
from models import (
    Claim,
    ClaimNote,
    ClaimStatus,
    ClientStatus,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    NoteKind,
    Request,
    RequestStatus,
    User,
)

_S = ClaimStatus

# What a person may record (DESIGN section 4), in the order in which doors offer it.
OUTCOMES = (_S.NEEDS_INFO, _S.SUBMITTED, _S.DENIED, _S.APPEALED, _S.CLOSED)
CLOSING_REASONS = ("refused", "withdrawn", "client_left", "other")
_NOT_FILED = frozenset({_S.TO_SUBMIT, _S.CLOSED})
MONEY_STATES = frozenset({_S.PARTLY_RECOVERED, _S.RECOVERED, _S.REVERSED})

LONGEST_REPLY = 20_000
# Slack and browsers send a form again when the answer was lost; Amazon may write the same words again, but later.
_SENT_TWICE_WITHIN = timedelta(minutes=5)
# Amazon's case ids are numbers of ten or eleven digits today; older and other ones are shorter, longer, have dashes, or
# a word before them that tells the desk.
_CASE_ID = re.compile(r"(?P<desk>[A-Za-z]{1,10}-)?[0-9]+(?:-[0-9]+)*")
_CASE_DIGITS = range(5, 33)
_PASTED_WITH = re.compile(r"^(?:case)?\s*(?:id|number|no\.?)?(?:\s*[:#]\s*|\s+|(?=[0-9]))", re.IGNORECASE)
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def checked_case_id(text: str | None) -> str:
    """Return Amazon's case id as the reports write it: digits, sometimes with dashes. Raises InvalidInput."""
    pasted = unicodedata.normalize("NFKC", clean(text) or "").translate(_DASHES)
    found = _PASTED_WITH.sub("", pasted).strip()
    if not found:
        raise InvalidInput("Amazon's case ID is missing.", field="case_id", todo="Seller Support shows it on the case.")
    if not _is_case_id(found):
        raise InvalidInput(
            f"{_shortened(found)!r} is no case ID of Amazon's.",
            field="case_id",
            todo="It is a number like 10245671881, as Seller Support shows it on the case.",
        )
    return found


def _is_case_id(text: str) -> bool:
    form = _CASE_ID.fullmatch(text)
    if not form:
        return False
    digits = text.removeprefix(form["desk"] or "").replace("-", "")
    return bool(digits.strip("0")) and (form["desk"] is not None or len(digits) in _CASE_DIGITS)


def submit(
    session: Session, claim_id: int, *, case_id: str, filed_on: date | None = None, actor: Actor, now: datetime
) -> Claim:
    """Record that a person filed this claim with Amazon, under `case_id`; several claims may share a case.

    filed_on: the day of filing by the marketplace's calendar, where it is told later; a claim that was closed as lapsed
    meanwhile is taken up again if that day was in time.
    Raises NotAllowed, NotFound, InvalidInput for what is no case id or no day of filing, AlreadyDecided where somebody
    was faster, and Moved where it cannot be filed: past its last day, while a request to the client holds it, for a
    client who left.
    """
    claim = _worked_on(session, claim_id, actor)
    case_id = checked_case_id(case_id)
    if claim.status is not _S.TO_SUBMIT and not (filed_on and has_lapsed(claim)):
        raise _not_to_file(session, claim, now)
    on = _checked_filing_day(claim, filed_on, now)
    _require_fileable(session, claim, on)
    is_told_later = on < today_of(claim, now)
    claim.case_id, claim.submitted_at = case_id, _end_of_day(claim, on) if is_told_later else now
    for row in claim.discrepancies if claim.status is _S.CLOSED else ():
        _take_up_again(session, row, actor=actor, now=now)
    booking.look_again(session, claim)
    note = f"Filed on {words.day(on)}" if is_told_later else None
    moves.move(session, claim, _S.SUBMITTED, actor=actor, now=now, note=note)
    return claim


def correct_case(session: Session, claim_id: int, *, case_id: str, actor: Actor, now: datetime) -> Claim:
    """Put right under which case a claim was filed; what was matched to it already stays.

    What Amazon paid under that case while it was taken for somebody else's is matched by the next daily run.
    Raises NotAllowed, NotFound, InvalidInput for what is no case id, and Moved for a claim that was never filed.
    """
    claim = _worked_on(session, claim_id, actor)
    case_id = checked_case_id(case_id)
    if claim.submitted_at is None:
        raise Moved(f"Claim {claim.id} was not filed yet.", todo="File it with Amazon's case ID.")
    if claim.case_id != case_id:
        _told(session, claim, "case_corrected", note=f"{claim.case_id} → {case_id}", actor=actor, now=now)
        claim.case_id = case_id
        booking.look_again(session, claim)
        moves.refresh_cards(session, claim.discrepancies, f"case:{claim.id}:{case_id}:{now.isoformat()}", now)
    return claim


def record_outcome(
    session: Session,
    claim_id: int,
    *,
    status: ClaimStatus,
    reason: str | None = None,
    reply: str | None = None,
    next_action_on: date | None = None,
    note: str | None = None,
    seen: ClaimStatus | None = None,
    actor: Actor,
    now: datetime,
) -> Claim:
    """Record what became of a filed claim: what Amazon said, what we did about it, or that we leave it.

    status: one of OUTCOMES; `submitted` says that Amazon's question was answered. reason: why it is closed, one of
    CLOSING_REASONS; not given, a refused claim is closed as refused, and any other with a note for another reason.
    reply: what Amazon wrote. next_action_on: when somebody has to act next, by the marketplace's calendar; a move
    without one clears it. seen: the state that the person saw when they decided, where the door knows it.
    Raises NotAllowed, NotFound, InvalidInput, and Moved where that cannot follow (any more).
    """
    claim = _worked_on(session, claim_id, actor)
    reply, note = _checked_reply(reply), history.cleaned(note)
    _require_recordable(claim, status, seen)
    if status in (_S.DENIED, _S.NEEDS_INFO) and not (reply or note):
        raise InvalidInput(
            f"{words.claim_status_name(status)} needs Amazon's reply or a note.",
            field="reply",
            todo="Paste what Amazon wrote.",
        )
    closed_for = None
    if status is _S.CLOSED:
        closed_for = _checked_reason(claim, reason, reply, note)
        if next_action_on is not None:
            raise _no_next_step()
    claim.next_action_on = _checked_day(claim, next_action_on, now)
    claim.rounds += status is _S.APPEALED
    action = "answered" if status is _S.SUBMITTED else None
    moves.move(session, claim, status, actor=actor, now=now, action=action, reason=closed_for, note=note)
    for kind, text in ((NoteKind.AMAZON_REPLY, reply), (NoteKind.NOTE, note)):
        if text:
            _keep(session, claim, kind, text, actor=actor, now=now)
    return claim


def add_reply(
    session: Session,
    claim_id: int,
    *,
    reply: str,
    next_action_on: date | None = None,
    actor: Actor,
    now: datetime,
) -> ClaimNote:
    """Keep what Amazon wrote, with the day on which somebody has to act next; the claim stays in its state.

    Sent twice by the same person it is kept once. Raises NotAllowed, NotFound, InvalidInput, and Moved for a claim that
    was never filed.
    """
    claim = _worked_on(session, claim_id, actor)
    text = _checked_reply(reply)
    if text is None:
        raise InvalidInput("Amazon's reply is missing.", field="reply", todo="Paste what Amazon wrote.")
    if claim.submitted_at is None:
        raise Moved(f"Claim {claim.id} was not filed, so Amazon cannot have replied.", todo="File it first.")
    if next_action_on in (None, claim.next_action_on) and (
        there := _just_kept(session, claim, NoteKind.AMAZON_REPLY, text, actor=actor, now=now)
    ):
        return there
    if next_action_on is not None:
        if claim.status is _S.CLOSED:
            raise _no_next_step()
        claim.next_action_on = _checked_day(claim, next_action_on, now)
        moves.refresh_cards(session, claim.discrepancies, f"reply:{claim.id}:{now.isoformat()}", now)
    _told(session, claim, "replied", actor=actor, now=now)
    return _keep(session, claim, NoteKind.AMAZON_REPLY, text, actor=actor, now=now)


def add_note(session: Session, claim_id: int, *, note: str, actor: Actor, now: datetime) -> ClaimNote:
    """Keep a note of ours; sent twice it is kept once. Raises NotAllowed, NotFound, InvalidInput."""
    claim = _worked_on(session, claim_id, actor)
    text = history.cleaned(note)
    if text is None:
        raise InvalidInput("The note is empty.", field="note", todo="Write what the next person should know.")
    if there := _just_kept(session, claim, NoteKind.NOTE, text, actor=actor, now=now):
        return there
    _told(session, claim, "noted", actor=actor, now=now)
    return _keep(session, claim, NoteKind.NOTE, text, actor=actor, now=now)


def assign(session: Session, claim_id: int, *, assignee_id: int | None, actor: Actor, now: datetime) -> Claim:
    """Give the claim to a person of the staff; to None: to whoever is the client's case manager.

    Raises NotAllowed, NotFound, and InvalidInput for somebody who may not work on claims.
    """
    claim = _worked_on(session, claim_id, actor)
    if claim.assignee_id == assignee_id:
        return claim
    to = "the client's case manager" if assignee_id is None else _staff(session, assignee_id, actor).label
    claim.assignee_id = assignee_id
    _told(session, claim, "assigned", note=f"To {to}", actor=actor, now=now)
    return claim


def may_be_closed_for(status: ClaimStatus) -> tuple[str, ...]:
    """Return the reasons for which a claim in this state can be closed."""
    never_asked = status is _S.TO_SUBMIT
    return tuple(reason for reason in CLOSING_REASONS if not (never_asked and reason == "refused"))


def recordable(status: ClaimStatus) -> tuple[ClaimStatus, ...]:
    """Return what a person may record about a claim in this state."""
    possible = moves.MAY_BECOME[status] & set(OUTCOMES)
    return tuple(to for to in OUTCOMES if to in possible and not (to is _S.SUBMITTED and status in _NOT_FILED))


def has_lapsed(claim: Claim) -> bool:
    """Whether it was closed because nobody told in time that it was filed."""
    return claim.status is _S.CLOSED and claim.closed_reason == "lapsed" and claim.submitted_at is None


def today_of(claim: Claim, now: datetime) -> date:
    """Return the day it is in the claim's marketplace. `claim.account` must be loaded."""
    return marketplaces()[claim.account.marketplace].day_of(now)


def holding_request(session: Session, claim_id: int) -> Request | None:
    """Return the oldest request to the client that keeps the claim from being filed."""
    held = select(Request).where(
        Request.claim_id == claim_id, Request.status == RequestStatus.ASKED, Request.holds_claim
    )
    return session.scalar(held.order_by(Request.id).limit(1))


def _worked_on(session: Session, claim_id: int, actor: Actor) -> Claim:
    claim = moves.locked(session, claim_id, actor)
    moves.require_person(actor)
    return claim


def _not_to_file(session: Session, claim: Claim, now: datetime) -> Moved:
    """Return what to tell somebody who files what is not to be filed: who was faster, or where it stands."""
    if claim.status is _S.CLOSED or claim.submitted_at is None:
        standing = words.claim_status_name(claim.status.value, claim.closed_reason)
        todo = "If it was filed in time, say on which day." if has_lapsed(claim) else ""
        return Moved(f"Claim {claim.id} is not to be filed: it is {standing}.", todo=todo)
    filed = session.scalar(
        select(HistoryEntry)
        .where(HistoryEntry.claim_id == claim.id, HistoryEntry.action == _S.SUBMITTED.value)
        .order_by(HistoryEntry.id.desc())
        .limit(1)
    )
    by = filed.actor_name if filed else "somebody"
    return AlreadyDecided(what=f"filed as case {claim.case_id}", by=by, at=claim.submitted_at, now=now)


def _checked_filing_day(claim: Claim, filed_on: date | None, now: datetime) -> date:
    """Return the day of filing, today's if none is given."""
    today, approved = today_of(claim, now), today_of(claim, claim.created_at)
    if filed_on is None:
        return today
    if filed_on > today:
        raise InvalidInput(f"{words.day(filed_on)} lies ahead.", field="filed_on", todo="Say when it was filed.")
    if filed_on < approved:
        raise InvalidInput(
            f"It was approved on {words.day(approved)}, so it was not filed on {words.day(filed_on)}.",
            field="filed_on",
            todo="Say when it was filed.",
        )
    return filed_on


def _end_of_day(claim: Claim, on: date) -> datetime:
    """Return the last minute of a day in the claim's marketplace, aware UTC: the hour of filing is not told."""
    zone = marketplaces()[claim.account.marketplace].zone
    return datetime.combine(on, time(23, 59), tzinfo=zone).astimezone(UTC)


def _take_up_again(session: Session, row: Discrepancy, *, actor: Actor, now: datetime) -> None:
    """Make approved again what lapsed, or was settled by what came for the case, before anybody told of the filing."""
    if row.status not in (DiscrepancyStatus.LAPSED, DiscrepancyStatus.SETTLED):
        return
    before, row.status, row.status_reason, row.updated_at = row.status, DiscrepancyStatus.APPROVED, None, now
    moved = (before.value, row.status.value)
    session.add(history.entry(actor=actor, now=now, action="filed_in_time", discrepancy_id=row.id, moved=moved))


def _require_fileable(session: Session, claim: Claim, on: date) -> None:
    client = claim.account.client
    if client.status is ClientStatus.CANCELLED:
        raise Moved(f"{client.name} is cancelled: nothing more is filed for them.", todo="Close the claim.")
    if on > claim.closes_on:
        raise Moved(
            f"Claim {claim.id} can no longer be filed: its last day was {words.day(claim.closes_on)}.",
            todo="If it was filed in time, say on which day; else the next daily run closes it.",
        )
    if held := holding_request(session, claim.id):
        raise Moved(
            f"Claim {claim.id} waits for the client, who was asked on {words.day(held.asked_at.date())}: "
            f"“{_shortened(held.question, 80)}”",
            todo="File it when they have answered, or close the request.",
        )


def _require_recordable(claim: Claim, status: ClaimStatus, seen: ClaimStatus | None) -> None:
    """Raise where the state cannot be recorded by hand, or is not what the person saw."""
    name = words.claim_status_name(status)
    if status in MONEY_STATES:
        raise InvalidInput(
            f"{name} cannot be recorded by hand: only a payment of Amazon's that is matched to the claim makes it so.",
            field="status",
            todo="Import the newest reimbursements report, or match its line to the claim.",
        )
    if status not in OUTCOMES:
        raise InvalidInput(f"{name} is no outcome.", field="status", todo="A claim is never to file again.")
    if seen is not None and seen is not claim.status:
        standing = words.claim_status_name(claim.status.value, claim.closed_reason)
        raise Moved(
            f"Claim {claim.id} moved since you opened it: it is {standing} now, not {words.claim_status_name(seen)}.",
            todo="Look at it again.",
        )
    if status is _S.SUBMITTED and claim.status is _S.CLOSED:
        standing = words.claim_status_name(claim.status.value, claim.closed_reason)
        raise Moved(f"Claim {claim.id} cannot become {name}: it is {standing}.")
    if status is _S.SUBMITTED and claim.status is _S.TO_SUBMIT:
        raise Moved(f"Claim {claim.id} is to be filed first.", todo="File it with Amazon's case ID.")
    moves.require_possible(claim, status)


def _checked_reason(claim: Claim, reason: str | None, reply: str | None, note: str | None) -> str:
    if not reason:
        reason = "refused" if claim.status is _S.DENIED else "other" if note else None
    if reason not in CLOSING_REASONS:
        raise InvalidInput(
            "Say why the claim is closed.", field="reason", todo=f"One of: {', '.join(CLOSING_REASONS)}."
        )
    if reason == "other" and note is None:
        raise InvalidInput("Another reason needs a note.", field="note", todo="Say in a few words why.")
    if reason not in may_be_closed_for(claim.status):
        raise InvalidInput(
            f"Claim {claim.id} was never filed, so Amazon has not refused it.", field="reason", todo="Say withdrawn."
        )
    if reason == "refused" and claim.status is not _S.DENIED and not (reply or note):
        raise InvalidInput(
            "Closed as refused needs Amazon's reply or a note.", field="reply", todo="Paste what Amazon wrote."
        )
    return reason


def _checked_reply(reply: str | None) -> str | None:
    return checked_text(reply, longest=LONGEST_REPLY, field="reply")


def _checked_day(claim: Claim, on: date | None, now: datetime) -> date | None:
    if on is not None and on < (today := today_of(claim, now)):
        raise InvalidInput(
            f"{words.day(on)} has passed.", field="next_action_on", todo=f"Choose {words.day(today)} or a later day."
        )
    return on


def _no_next_step() -> InvalidInput:
    return InvalidInput("A closed claim has no next step.", field="next_action_on", todo="Leave the day out.")


def _staff(session: Session, user_id: int, actor: Actor) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    if not user.is_active or not user_actor(user, actor.through).may(Permission.WORK_CLAIMS):
        raise InvalidInput(f"{user.label} does not work on claims.", field="assignee_id", todo="Choose somebody else.")
    return user


def _just_kept(
    session: Session, claim: Claim, kind: NoteKind, text: str, *, actor: Actor, now: datetime
) -> ClaimNote | None:
    """Return the note that this person kept a moment ago in the same words, if it is the claim's last one."""
    latest = select(ClaimNote).where(ClaimNote.claim_id == claim.id).order_by(ClaimNote.id.desc()).limit(1)
    last = session.scalar(latest)
    if last is None or (last.kind, last.text, last.author_id) != (kind, text, actor.user_id):
        return None
    return last if now - last.created_at < _SENT_TWICE_WITHIN else None


def _keep(session: Session, claim: Claim, kind: NoteKind, text: str, *, actor: Actor, now: datetime) -> ClaimNote:
    """Put a text to the claim. A reply keeps the day on which somebody has to act because of it."""
    row = ClaimNote(
        claim_id=claim.id,
        kind=kind,
        text=text,
        next_action_on=claim.next_action_on if kind is NoteKind.AMAZON_REPLY else None,
        author_id=actor.user_id,
        author_name=actor.name,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _told(
    session: Session, claim: Claim, action: str, *, note: str | None = None, actor: Actor, now: datetime
) -> HistoryEntry:
    """Write what happened to a claim that stays in its state."""
    claim.updated_at = now
    entry = history.entry(actor=actor, now=now, action=action, claim_id=claim.id, note=note)
    return history.add(session, entry)


def _shortened(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
