"""What a person says about a payment that the daily matching left open: for which claim it was, or for none of ours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from claims import booking, history, moves, words
from claims.access import Actor, Permission
from claims.booking import Booking
from claims.paid import BY_PERSON, Line, Payment, PaymentKey, portion
from claims.queries import narrowed
from claims.reversals import taken_back
from clock import utcnow
from db import reading
from detection.marketplaces import marketplaces
from errors import InvalidInput, Moved, NotFound
from models import Account, Claim, ClaimPayment, Reimbursement, ReimbursementState

_MOST_LINES = 5
_LINE_ID = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A line that waits for a person, the claims it may be for, and what is left of it."""

    row: Reimbursement
    candidates: tuple[Claim, ...]
    units_left: int
    takes_back: bool

    @property
    def waits_for_its_payment(self) -> bool:
        """Whether nobody can do anything yet: it takes back a payment that has not appeared."""
        return not self.candidates


def waiting_lines(session: Session, actor: Actor, *, account_id: int | None = None) -> list[WaitingLine]:
    """Return what waits for a person of the rows that exist for `actor`, the oldest approval first."""
    actor.require(Permission.WORK_CLAIMS)
    found = waiting(actor).order_by(Reimbursement.approved_on, Reimbursement.id)
    if account_id is not None:
        found = found.where(Reimbursement.account_id == account_id)
    rows = session.scalars(found).all()
    ids = {claim_id for row in rows for claim_id in row.candidates}
    wanted = select(Claim).where(Claim.id.in_(ids)).options(selectinload(Claim.discrepancies))
    claims = {claim.id: claim for claim in session.scalars(wanted)} if ids else {}
    return [
        WaitingLine(
            row,
            tuple(claims[claim_id] for claim_id in row.candidates if claim_id in claims),
            _units_left(row),
            booking.line_of(row).takes_back,
        )
        for row in rows
    ]


def waiting(actor: Actor) -> Select[Reimbursement]:
    """Return the lines that wait and exist for `actor`, with account, client and payments. Without an order."""
    found = (
        select(Reimbursement)
        .join(Reimbursement.account)
        .join(Account.client)
        .where(Reimbursement.state == ReimbursementState.WAITING)
        .options(
            contains_eager(Reimbursement.account).contains_eager(Account.client), selectinload(Reimbursement.payments)
        )
    )
    return narrowed(found, actor)


def unbooked(claim_id: int, reimbursement: str) -> list[Line]:
    """Return the lines of a reimbursement that the reports of the claim's account have and the books do not.

    What fits no claim is not booked, so a person may name it all the same. Reads the archive: to be called before the
    transaction. Empty where claim or reimbursement is not known.
    """
    named = reimbursement.strip()
    with reading() as session:
        account = session.scalar(
            select(Account).join(Claim, Claim.account_id == Account.id).where(Claim.id == claim_id)
        )
        if account is None or session.scalar(select(Reimbursement.id).where(*_is_named(account.id, named)).limit(1)):
            return []
    from amazon import archive  # these bring polars, which the web process goes without
    from claims.reimbursements import Wanted, read_lines
    from detection.rows import KEEP

    given = archive.read_input(account.id, keep={"reimbursements": KEEP["reimbursements"]})
    wanted = Wanted(cases=frozenset(), since=date.max, booked_ids=frozenset({named}))
    today = marketplaces()[account.marketplace].day_of(utcnow())
    return read_lines(given, wanted, {}, as_of=today)


def match(
    session: Session,
    claim_id: int,
    *,
    reimbursement: str | int,
    unbooked: Sequence[Line] = (),
    actor: Actor,
    now: datetime,
) -> list[ClaimPayment]:
    """Say that a reimbursement was paid for this claim, or taken back from it; return what was booked.

    reimbursement: Amazon's reimbursement id, or as a number the id of one of its lines here; a text that is no id of
    Amazon's may be that too. unbooked: lines of it that the books do not have yet. Units that the claim still lacks are
    taken; where it lacks none, all that is left of the line. Raises NotAllowed, NotFound, InvalidInput where several
    lines are meant, and Moved where all of it is taken, it was approved before the claim was filed, or there is nothing
    to be taken back.
    """
    claim = moves.locked(session, claim_id, actor)
    moves.require_person(actor)
    if claim.submitted_at is None:
        raise Moved(
            f"Claim {claim.id} was not filed, so nothing was paid for it.",
            todo="What Amazon paid of itself is none of ours.",
        )
    session.refresh(claim, ["payments"])
    row = _line_named(session, claim, reimbursement, unbooked, now)
    _require_after_filing(claim, row, marketplaces()[claim.account.marketplace].day_of(claim.submitted_at))
    by, line = Booking(session, claim.account, actor, now), booking.line_of(row)
    if line.takes_back:
        made = _take_back(by, claim, row, line)
    else:
        made = [booking.book(by, claim, row, _payment(claim, row, line))]
        row.state = ReimbursementState.WAITING if _has_room(row) else ReimbursementState.MATCHED
    if row.state is ReimbursementState.MATCHED:
        row.candidates = []
    session.flush()
    return made


def not_ours(session: Session, line_id: int, *, actor: Actor, now: datetime) -> Reimbursement:
    """Say that a waiting line, or what is left of it, was not for any claim of ours.

    Raises NotAllowed, NotFound, and Moved where it does not wait (any more).
    """
    actor.require(Permission.WORK_CLAIMS)
    moves.require_person(actor)
    row = session.scalar(
        waiting(actor)
        .where(Reimbursement.id == line_id)
        .with_for_update(of=Reimbursement)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise _does_not_wait(session, line_id, actor)
    note = f"Reimbursement {row.reimbursement_id}, approved {words.day(row.approved_on)}: not for a claim of ours."
    for claim_id in row.candidates or [None]:
        entry = history.entry(
            actor=actor,
            now=now,
            action="payment_not_ours",
            claim_id=claim_id,
            account_id=None if claim_id else row.account_id,
            note=note,
        )
        history.add(session, entry)
    row.state = ReimbursementState.MATCHED if row.payments else ReimbursementState.NOT_OURS
    row.candidates = []
    session.flush()
    return row


def _does_not_wait(session: Session, line_id: int, actor: Actor) -> Moved | NotFound:
    there = session.scalar(
        select(Reimbursement)
        .join(Reimbursement.account)
        .where(Reimbursement.id == line_id)
        .options(contains_eager(Reimbursement.account), selectinload(Reimbursement.payments))
    )
    if there is None or not actor.sees(there.account.client_id):
        return NotFound(f"There is no payment {line_id}.")
    claims = _claims_that_have(there)
    return Moved(f"Payment {line_id} does not wait any more: " + (f"{claims}." if claims else "it is not ours."))


def _require_after_filing(claim: Claim, row: Reimbursement, filed_on: date) -> None:
    if row.approved_on < filed_on and (row.case_id is None or row.case_id != claim.case_id):
        raise Moved(
            f"Reimbursement {row.reimbursement_id} was approved on {words.day(row.approved_on)}, "
            f"before claim {claim.id} was filed: Amazon paid it by itself."
        )


def _is_named(account_id: int, text: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Reimbursement.account_id == account_id, Reimbursement.reimbursement_id == text


def _line_named(
    session: Session, claim: Claim, named: str | int, unbooked: Sequence[Line], now: datetime
) -> Reimbursement:
    """Return the one line that is meant, locked, with its payments."""
    text = str(named).strip()
    rows: Sequence[Reimbursement] = ()
    if isinstance(named, str):
        rows = _lines(session, *_is_named(claim.account_id, text))
    if not rows and _LINE_ID.fullmatch(text):
        rows = _lines(session, Reimbursement.account_id == claim.account_id, Reimbursement.id == int(text))
    if not rows and unbooked:
        rows = _booked_now(session, claim, unbooked, now)
    if not rows:
        raise _no_such_line(session, claim, text)
    free = [row for row in rows if booking.line_of(row).takes_back or _has_room(row)]
    if not free:
        raise Moved(
            f"All of reimbursement {rows[0].reimbursement_id} is taken: {_claims_that_have(*rows)}.",
            todo="Look at the claims that have it.",
        )
    likely = [row for row in free if claim.id in row.candidates] or _of_product(free, claim) or free
    if len(likely) > 1:
        lines = "; ".join(f"{row.id} ({_told(row)})" for row in likely[:_MOST_LINES])
        raise InvalidInput(
            f"Reimbursement {text} has {len(likely)} lines: {lines}.",
            field="reimbursement",
            todo="Name one of them by its number.",
        )
    return likely[0]


def _booked_now(session: Session, claim: Claim, unbooked: Sequence[Line], now: datetime) -> Sequence[Reimbursement]:
    """Write lines that fitted no claim, so that a person can give one to a claim after all."""
    not_ours = ReimbursementState.NOT_OURS
    session.add_all(booking.reimbursement_row(claim.account_id, line, not_ours, now) for line in unbooked)
    session.flush()
    keys = [line.key for line in unbooked]
    return _lines(session, Reimbursement.account_id == claim.account_id, Reimbursement.line_key.in_(keys))


def _of_product(rows: Sequence[Reimbursement], claim: Claim) -> Sequence[Reimbursement]:
    fnskus = {row.fnsku for row in claim.discrepancies if row.fnsku}
    mskus = {row.msku for row in claim.discrepancies if row.msku}
    return [row for row in rows if row.fnsku in fnskus or row.msku in mskus]


def _lines(session: Session, *conditions: ColumnElement[bool]) -> Sequence[Reimbursement]:
    return session.scalars(
        select(Reimbursement)
        .where(*conditions)
        .options(selectinload(Reimbursement.payments))
        .order_by(Reimbursement.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _no_such_line(session: Session, claim: Claim, text: str) -> NotFound:
    elsewhere = session.scalar(
        select(Account)
        .join(Reimbursement, Reimbursement.account_id == Account.id)
        .where(Reimbursement.reimbursement_id == text, Account.client_id == claim.account.client_id)
        .limit(1)
    )
    if elsewhere is not None:
        return NotFound(
            f"Reimbursement {text} was paid to account {elsewhere.name}; claim {claim.id} is of {claim.account.name}."
        )
    return NotFound(
        f"No payment {text} of this account is known that could be for a claim.",
        todo="It is known after `flask daily` has read a reimbursements report that has it.",
    )


def _payment(claim: Claim, row: Reimbursement, line: Line) -> Payment:
    """Return what a person gives the claim of a line: what it lacks; all that is left where it lacks nothing.

    Of money without units that is all that is left, once for each claim.
    """
    if not line.units:
        if any(payment.claim_id == claim.id for payment in row.payments):
            raise Moved(f"Claim {claim.id} has its part of reimbursement {row.reimbursement_id}.")
        return Payment(claim.id, line.key, 0, 0, 0, _money_left(row), line.currency, BY_PERSON)
    left = _units_left(row)
    lacks = max(claim.quantity - claim.recovered_quantity, 0)
    first, units = line.units - left + 1, min(left, lacks) or left
    cash, stock, amount = portion(line, first, units)
    return Payment(claim.id, line.key, first, cash, stock, amount, line.currency, BY_PERSON)


def _take_back(by: Booking, claim: Claim, row: Reimbursement, line: Line) -> list[ClaimPayment]:
    if row.state is not ReimbursementState.WAITING:
        raise Moved(f"Reimbursement {row.reimbursement_id} is booked: {_claims_that_have(row)}.")
    paid_by = _lines_that_paid(by.session, claim)
    keys = {each.id: each.line_key for each in paid_by}
    lines = {each.line_key: booking.line_of(each) for each in paid_by}
    made = {payment.id: payment for payment in claim.payments}
    payments = [booking.payment_of(payment, keys, made) for payment in claim.payments]
    back: dict[PaymentKey, int] = {}
    for payment in payments:
        if payment.reverses:
            back[payment.reverses] = back.get(payment.reverses, 0) - payment.units
    # What names a reimbursement takes back from that, and nobody gave dollars who takes back euros.
    sources = [
        payment
        for payment in payments
        if payment.reverses is None
        and line.original_id in (None, lines[payment.line_key].reimbursement_id)
        and line.currency in (None, payment.currency)
    ]
    reversals = taken_back(line, sources, back, lines) if sources else []
    if not reversals:
        what = f"what reimbursement {line.original_id} gave" if line.original_id else "what was paid"
        raise Moved(
            f"Reimbursement {row.reimbursement_id} takes back {what}, and claim {claim.id} has nothing left of it.",
            todo="It is booked by itself once its payment appears.",
        )
    ids = {payment.key: stored.id for payment, stored in zip(payments, claim.payments, strict=True)}
    row.state = ReimbursementState.MATCHED
    return [
        booking.book(by, claim, row, each, reverses_id=ids[each.reverses] if each.reverses else None)
        for each in reversals
    ]


def _lines_that_paid(session: Session, claim: Claim) -> Sequence[Reimbursement]:
    ids = {payment.reimbursement_line_id for payment in claim.payments}
    return session.scalars(select(Reimbursement).where(Reimbursement.id.in_(ids))).all()


def _has_room(row: Reimbursement) -> bool:
    line = booking.line_of(row)
    return _units_left(row) > 0 if line.units else not row.payments or _money_left(row) != 0


def _units_left(row: Reimbursement) -> int:
    taken = sum(payment.cash_units + payment.stock_units for payment in row.payments)
    return booking.line_of(row).units - abs(taken)


def _money_left(row: Reimbursement) -> Decimal:
    return row.amount_total - sum((payment.amount for payment in row.payments), Decimal(0))


def _claims_that_have(*rows: Reimbursement) -> str:
    """Say which claims have something of these lines: "claim 3 has it", "claims 3 and 4 have it"."""
    ids = sorted({payment.claim_id for row in rows for payment in row.payments})
    if not ids:
        return ""
    names = " and ".join(map(str, ids))
    return f"claim {names} has it" if len(ids) == 1 else f"claims {names} have it"


def _told(row: Reimbursement) -> str:
    return f"{row.fnsku or row.msku or 'no product'}, {booking.what_is_paid(booking.line_of(row).said)}"
