"""The moves of an invoice (DESIGN section 7), and the numbers that are taken, without gaps, on sending."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from claims import history, words
from claims.access import Actor, Permission
from errors import InvalidInput, Moved, NotFound
from models import AgencySettings, BilledUnit, Client, Invoice, InvoiceLine, InvoiceStatus

_S = InvoiceStatus
_DIGITS = 5

MAY_BECOME: dict[InvoiceStatus, frozenset[InvoiceStatus]] = {
    _S.DRAFT: frozenset({_S.SENT, _S.VOID}),
    _S.SENT: frozenset({_S.QUERIED, _S.FINAL, _S.VOID}),
    _S.QUERIED: frozenset({_S.SENT, _S.FINAL, _S.VOID}),
    _S.FINAL: frozenset({_S.PAID, _S.VOID}),
    _S.PAID: frozenset(),
    _S.VOID: frozenset(),
}


def locked(session: Session, invoice_id: int, actor: Actor) -> Invoice:
    """Return the invoice as it is now, with client and lines, nobody else's to change until the transaction ends.

    Raises NotFound where it does not exist for `actor`.
    """
    found = session.get(
        Invoice,
        invoice_id,
        with_for_update=True,
        populate_existing=True,
        options=[selectinload(Invoice.client), selectinload(Invoice.lines)],
    )
    if found is None or not is_seen(found, actor):
        raise NotFound(f"There is no invoice {invoice_id}.")
    return found


def is_seen(invoice: Invoice, actor: Actor) -> bool:
    """Whether the invoice exists for `actor`: for a client's person, their own once it was sent."""
    was_sent = invoice.sent_at is not None
    return actor.may(Permission.SEE_BILLING) or (actor.client_id == invoice.client_id and was_sent)


def send(session: Session, invoice_id: int, *, actor: Actor, now: datetime, by_hand: bool = False) -> Invoice:
    """Give a draft its number and the days in which it can be queried. The caller queues the mail, if there is one.

    by_hand: a person takes it to the client. Raises NotAllowed, NotFound, Moved, and InvalidInput where the clock says
    that its week is not over, or that it is earlier than when the last invoice was sent.
    """
    actor.require(Permission.MANAGE_BILLING)
    invoice = locked(session, invoice_id, actor)
    today = local_day(invoice.client, now)
    if today <= invoice.week_to:
        raise InvalidInput(
            f"It is {words.day(today)}, and the week of invoice {invoice.id} ends on {words.day(invoice.week_to)}.",
            todo="Send it when the week is over.",
        )
    action = "invoice_sent_by_hand" if by_hand else "invoice_sent"
    _move(session, invoice, _S.SENT, actor=actor, now=now, action=action)
    invoice.number = _next_number(session, now)
    invoice.sent_at = now
    invoice.query_until = today + timedelta(days=invoice.terms["days_to_query"])
    session.flush()
    return invoice


def query_line(session: Session, line_id: int, text: str, *, actor: Actor, now: datetime) -> Invoice:
    """Record what a client asks about a line, as a person of that client or for them.

    Raises NotAllowed, NotFound, InvalidInput for no text, and Moved once the invoice is final or a query stands open.
    """
    line, invoice = _line(session, line_id, actor)
    question = _said(text, field="text")
    if invoice.status not in (_S.SENT, _S.QUERIED) or invoice.query_until is None:
        raise Moved(f"{named(invoice)} is {_standing(invoice)}: its lines cannot be queried.", todo=_CALL)
    if local_day(invoice.client, now) > invoice.query_until:
        raise Moved(f"{named(invoice)} could be queried until {words.day(invoice.query_until)}.", todo=_CALL)
    if _is_open(line):
        raise Moved("This line is queried already.", todo="It will be answered.")
    line.query, line.queried_by_id, line.queried_at = question, actor.user_id, now
    line.answer = line.answered_by_id = line.answered_at = None
    note = f"Line {line.position}: {question}"
    if invoice.status is _S.SENT:
        _move(session, invoice, _S.QUERIED, actor=actor, now=now, action="invoice_line_queried", note=note)
    else:
        _tell(session, invoice, "invoice_line_queried", actor=actor, now=now, note=note)
    return invoice


def answer_query(session: Session, line_id: int, text: str, *, actor: Actor, now: datetime) -> Invoice:
    """Answer what was asked about a line; with the last open query answered, the invoice goes on.

    Raises NotAllowed, NotFound, InvalidInput for no text, and Moved where the line has no open query.
    """
    actor.require(Permission.MANAGE_BILLING)
    line, invoice = _line(session, line_id, actor)
    answer = _said(text, field="text")
    if invoice.status is not _S.QUERIED or not _is_open(line):
        raise Moved(f"Line {line.position} of {named(invoice)} has no open query.")
    line.answer, line.answered_by_id, line.answered_at = answer, actor.user_id, now
    _tell(session, invoice, "invoice_query_answered", actor=actor, now=now, note=f"Line {line.position}: {answer}")
    if not any(_is_open(each) for each in invoice.lines):
        to = _S.FINAL if _is_past(invoice, now) else _S.SENT
        _move(session, invoice, to, actor=actor, now=now)
        invoice.final_at = now if to is _S.FINAL else None
    return invoice


def past_query(session: Session, now: datetime) -> list[int]:
    """Return the ids of the sent invoices whose days to query are over, each by its client's own calendar."""
    tomorrow = now.date() + timedelta(days=1)  # where the day is ahead of UTC's
    sent = (
        select(Invoice)
        .where(Invoice.status == _S.SENT, Invoice.query_until < tomorrow)
        .order_by(Invoice.id)
        .options(selectinload(Invoice.client))
    )
    return [invoice.id for invoice in session.scalars(sent) if _is_past(invoice, now)]


def finalize_due(session: Session, *, actor: Actor, now: datetime) -> list[int]:
    """Make every sent invoice final whose days to query are over, but none with an open query. Return their ids."""
    actor.require(Permission.MANAGE_BILLING)
    made = []
    for invoice_id in past_query(session, now):
        invoice = locked(session, invoice_id, actor)
        if invoice.status is _S.SENT:
            _finalize(session, invoice, actor=actor, now=now)
            made.append(invoice.id)
    return made


def mark_paid(session: Session, invoice_id: int, *, actor: Actor, now: datetime) -> Invoice:
    """Record that an invoice was paid, or a credit note settled; one that is only sent becomes final first.

    Raises NotAllowed, NotFound and Moved.
    """
    actor.require(Permission.MANAGE_BILLING)
    invoice = locked(session, invoice_id, actor)
    if invoice.status is _S.SENT:
        _finalize(session, invoice, actor=actor, now=now)
    _move(session, invoice, _S.PAID, actor=actor, now=now)
    invoice.paid_at = now
    return invoice


def void(session: Session, invoice_id: int, *, note: str, actor: Actor, now: datetime) -> Invoice:
    """Take an invoice back: what it billed is due again. Its number, if it has one, stays its own.

    note: why, at least a word. Raises NotAllowed, NotFound, InvalidInput, and Moved for one that was paid.
    """
    actor.require(Permission.MANAGE_BILLING)
    invoice = locked(session, invoice_id, actor)
    why = _said(note, field="note")
    _move(session, invoice, _S.VOID, actor=actor, now=now, note=why)
    lines = select(InvoiceLine.id).where(InvoiceLine.invoice_id == invoice.id)
    session.execute(delete(BilledUnit).where(BilledUnit.invoice_line_id.in_(lines)))
    session.flush()
    return invoice


def named(invoice: Invoice) -> str:
    """Return what people call the invoice."""
    kind = "Credit note" if invoice.total < 0 else "Invoice"
    return f"{kind} {invoice.number}" if invoice.number else f"Draft {invoice.id}"


def local_day(client: Client, now: datetime) -> date:
    """Return today by the client's calendar."""
    return now.astimezone(ZoneInfo(client.time_zone)).date()


_CALL = "Write to your agency."


def _move(
    session: Session,
    invoice: Invoice,
    to: InvoiceStatus,
    *,
    actor: Actor,
    now: datetime,
    action: str | None = None,
    note: str | None = None,
) -> None:
    before = invoice.status
    if to not in MAY_BECOME[before]:
        raise Moved(f"{named(invoice)} is {_standing(invoice)} and cannot become {_name(to)}.")
    invoice.status = to
    _tell(
        session,
        invoice,
        action or f"invoice_{to.value}",
        actor=actor,
        now=now,
        moved=(before.value, to.value),
        note=note,
    )


def _finalize(session: Session, invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    _move(session, invoice, _S.FINAL, actor=actor, now=now)
    invoice.final_at = now


def _tell(
    session: Session,
    invoice: Invoice,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    moved: tuple[str | None, str | None] = (None, None),
    note: str | None = None,
) -> None:
    entry = history.entry(actor=actor, now=now, action=action, invoice_id=invoice.id, moved=moved, note=note)
    session.add(entry)


def _next_number(session: Session, now: datetime) -> str:
    """Take the next number; the row stays locked to the end, so that nobody else's falls between or is the same."""
    agency = _agency(session)
    latest = session.scalar(select(func.max(Invoice.sent_at)))
    if latest is not None and latest > now:
        raise InvalidInput(
            f"The last invoice was sent on {words.day(latest.date())}, which is later than now: the clock went back.",
            todo="Set the clock right, so that numbers and dates go the same way.",
        )
    agency.last_invoice_number += 1
    return f"{agency.invoice_prefix}{agency.last_invoice_number:0{_DIGITS}d}"


def _agency(session: Session) -> AgencySettings:
    """Return the agency's row, locked, and made where nothing was ever set."""
    found = session.get(AgencySettings, 1, with_for_update=True, populate_existing=True)
    if found is not None:
        return found
    try:
        with session.begin_nested():
            session.add(AgencySettings(id=1))
    except IntegrityError:  # somebody else made it meanwhile
        session.expire_all()
    return session.get_one(AgencySettings, 1, with_for_update=True, populate_existing=True)


def _line(session: Session, line_id: int, actor: Actor) -> tuple[InvoiceLine, Invoice]:
    invoice_id = session.scalar(select(InvoiceLine.invoice_id).where(InvoiceLine.id == line_id))
    if invoice_id is None:
        raise NotFound(f"There is no invoice line {line_id}.")
    if not actor.client_id:
        actor.require(Permission.MANAGE_BILLING)
    invoice = locked(session, invoice_id, actor)
    return next(line for line in invoice.lines if line.id == line_id), invoice


def _said(text: str, *, field: str) -> str:
    said = history.cleaned(text)
    if said is None:
        raise InvalidInput("Some words are missing.", field=field, todo="Say it in a sentence.")
    return said


def _is_open(line: InvoiceLine) -> bool:
    return line.query is not None and line.answer is None


def _is_past(invoice: Invoice, now: datetime) -> bool:
    return invoice.query_until is not None and local_day(invoice.client, now) > invoice.query_until


def _standing(invoice: Invoice) -> str:
    return _name(invoice.status)


def _name(status: InvoiceStatus) -> str:
    return words.invoice_status_name(status.value).lower()
