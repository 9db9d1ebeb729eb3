"""The figures of a week: what was found, filed and recovered, what is open, and what is asked of the client.

A fixed number of statements, whatever there is to count. What Amazon paid is dated by the approval of its payment, not
by the day on which a report first showed it; what comes too late for its own week's mail is told with the invoice that
has it. Everything else is dated by the history. Four words are never mixed: recovered (by our claim), paid by Amazon
itself, refused, lapsed.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from billing.week import Week
from claims.approvals import waits_for_client
from claims.moves import UNDER_WAY
from claims.queries import currency_of_value
from models import (
    Account,
    Claim,
    ClaimNote,
    ClaimPayment,
    ClaimStatus,
    Client,
    Discrepancy,
    DiscrepancyStatus,
    HistoryEntry,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    NoteKind,
    Reimbursement,
    Request,
    RequestStatus,
)

_REFUSALS_TOLD = 5


class Figure(enum.StrEnum):
    """What is counted. The first group is of the week, the second as things stand, the last of all weeks so far."""

    RECOVERED = "recovered"
    BILLED_NOW = "billed_now"  # approved before the week, but shown so late that it is on this week's invoice
    TAKEN_BACK = "taken_back"
    CREDITED_NOW = "credited_now"
    FOUND = "found"
    FILED = "filed"
    REFUSED = "refused"
    LAPSED = "lapsed"
    TOO_LATE = "too_late"  # lapsed before its reports were read
    PAID_BY_AMAZON = "paid_by_amazon"

    TO_ANSWER = "to_answer"  # claims that wait for the client's answer
    TO_APPROVE = "to_approve"  # discrepancies that wait for the client's approval
    UNDER_WAY = "under_way"  # claims to file, and those that Amazon has not answered for good

    SINCE_START = "since_start"


@dataclass(frozen=True, slots=True)
class Sum:
    """What a figure comes to in one currency. `currency` and `money` are None where the value is not known.

    count: of claims, or of discrepancies where there is no claim yet. units: all of them; of a payment also those that
    Amazon gave back in stock, which are `in_stock` and bring no money.
    """

    currency: str | None
    count: int
    units: int
    money: Decimal | None
    in_stock: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A claim that Amazon refused, and what it wrote; `why` is empty where no reply was kept."""

    claim_id: int
    claim_type: str
    client: str
    why: str


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice of the week."""

    invoice_id: int
    number: str | None
    client: str
    currency: str
    total: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """A week in figures, of one client or of all. A figure that came to nothing is not in `sums`."""

    week: Week
    sums: Mapping[Figure, tuple[Sum, ...]] = field(default_factory=dict)
    refusals: Sequence[Refusal] = ()
    bills: Sequence[Bill] = ()

    def of(self, figure: Figure) -> tuple[Sum, ...]:
        """Return what a figure comes to, a sum for each currency; empty for nothing."""
        return self.sums.get(figure, ())

    def count(self, figure: Figure) -> int:
        """Return how many, in all currencies."""
        return sum(each.count for each in self.of(figure))


def statement(session: Session, week: Week, *, client_id: int | None = None) -> Statement:
    """Return the figures of a week for one client, or for all. Three statements."""
    whose = true() if client_id is None else Account.client_id == client_id
    sums: dict[Figure, list[Sum]] = {}
    for figure, currency, count, units, money, in_stock in session.execute(union_all(*_figures(week, whose))):
        if count:
            known = None if currency is None else money
            sums.setdefault(Figure(figure), []).append(Sum(currency, count, int(units), known, int(in_stock)))
    ordered = {figure: tuple(sorted(sums[figure], key=_by_currency)) for figure in Figure if figure in sums}
    return Statement(week, ordered, _refusals(session, week, whose), _bills(session, week, client_id))


Whose = ColumnElement[bool]
Rows = Select[*tuple[Any, ...]]


def _figures(week: Week, whose: Whose) -> list[Rows]:
    """Return one statement a figure: figure, currency, count, units, money, units in stock."""
    of_week = (HistoryEntry.at >= week.begins_at, HistoryEntry.at < week.ends_at)
    is_late = HistoryEntry.to_status == DiscrepancyStatus.LAPSED.value
    found = (HistoryEntry.action == "found", *of_week)
    lapsed = (is_late, HistoryEntry.from_status.is_not(None), *of_week)
    settled = HistoryEntry.to_status == DiscrepancyStatus.SETTLED.value
    paid_first = (settled, HistoryEntry.reason == "paid_by_amazon", *of_week)
    refused = (HistoryEntry.to_status == ClaimStatus.DENIED.value, *of_week)
    filed = (Claim.submitted_at >= week.begins_at, Claim.submitted_at < week.ends_at)
    approved = Reimbursement.approved_on.between(week.monday, week.sunday)
    on_its_invoices = (
        select(InvoiceLine.payment_id)
        .join(InvoiceLine.invoice)
        .where(
            Invoice.week_from == week.monday,
            Invoice.status != InvoiceStatus.VOID,
            InvoiceLine.approved_on < week.monday,
        )
    )
    billed_late = ClaimPayment.id.in_(on_its_invoices)
    return [
        _payments(Figure.RECOVERED, whose, approved, ClaimPayment.reverses_id.is_(None)),
        _payments(Figure.BILLED_NOW, whose, billed_late, ClaimPayment.reverses_id.is_(None)),
        _payments(Figure.TAKEN_BACK, whose, approved, ClaimPayment.reverses_id.is_not(None)),
        _payments(Figure.CREDITED_NOW, whose, billed_late, ClaimPayment.reverses_id.is_not(None)),
        _payments(Figure.SINCE_START, whose, Reimbursement.approved_on <= week.sunday),
        _discrepancies(Figure.FOUND, whose, _were(Discrepancy.id, HistoryEntry.discrepancy_id, *found, ~is_late)),
        _discrepancies(Figure.TOO_LATE, whose, _were(Discrepancy.id, HistoryEntry.discrepancy_id, *found, is_late)),
        _discrepancies(Figure.LAPSED, whose, _were(Discrepancy.id, HistoryEntry.discrepancy_id, *lapsed)),
        _discrepancies(Figure.PAID_BY_AMAZON, whose, _were(Discrepancy.id, HistoryEntry.discrepancy_id, *paid_first)),
        _discrepancies(Figure.TO_APPROVE, whose, waits_for_client()),
        _claims(Figure.FILED, whose, *filed),
        _claims(Figure.REFUSED, whose, _were(Claim.id, HistoryEntry.claim_id, *refused)),
        _claims(
            Figure.TO_ANSWER,
            whose,
            Claim.id.in_(select(Request.claim_id).where(Request.status == RequestStatus.ASKED)),
        ),
        _claims(Figure.UNDER_WAY, whose, Claim.status.in_(UNDER_WAY)),
    ]


def _were(key: SQLColumnExpression[int], named: SQLColumnExpression[int | None], *moved: ColumnElement[bool]) -> Whose:
    """Return the condition that a row has such a move in its history, once or more often."""
    return key.in_(select(named).where(named.is_not(None), *moved))


def _payments(figure: Figure, whose: Whose, *conditions: ColumnElement[bool]) -> Rows:
    """Count the claims that were paid, and sum what is left of it after what was taken back."""
    in_stock = func.sum(ClaimPayment.stock_units)
    return (
        select(
            literal(figure.value),
            ClaimPayment.currency,
            func.count(ClaimPayment.claim_id.distinct()),
            func.sum(ClaimPayment.cash_units) + in_stock,
            func.sum(ClaimPayment.amount),
            in_stock,
        )
        .join(ClaimPayment.line)
        .join(Reimbursement.account)
        .where(whose, *conditions)
        .group_by(ClaimPayment.currency)
    )


def _discrepancies(figure: Figure, whose: Whose, *conditions: ColumnElement[bool]) -> Rows:
    return _summed(figure, Discrepancy).where(whose, *conditions)


def _claims(figure: Figure, whose: Whose, *conditions: ColumnElement[bool]) -> Rows:
    return _summed(figure, Claim).where(whose, *conditions)


def _summed(figure: Figure, table: type[Claim] | type[Discrepancy]) -> Rows:
    """Sum by currency; where the value is not known there is none."""
    currency = currency_of_value(table)
    return (
        select(
            literal(figure.value),
            currency,
            func.count(),
            func.sum(table.quantity),
            func.sum(table.value),
            literal(0),
        )
        .select_from(table)
        .join(table.account)
        .join(Account.client)
        .group_by(currency)
    )


def _by_currency(each: Sum) -> tuple[bool, str]:
    return each.currency is None, each.currency or ""


def _refusals(session: Session, week: Week, whose: Whose) -> tuple[Refusal, ...]:
    """Return the first refusals of the week with what Amazon wrote then: its reply is kept in the same moment."""
    found = (
        select(Claim.id, Claim.claim_type, Client.name, ClaimNote.text)
        .join(HistoryEntry, HistoryEntry.claim_id == Claim.id)
        .join(Claim.account)
        .join(Account.client)
        .outerjoin(
            ClaimNote,
            and_(
                ClaimNote.claim_id == Claim.id,
                ClaimNote.kind == NoteKind.AMAZON_REPLY,
                ClaimNote.created_at == HistoryEntry.at,
            ),
        )
        .where(
            whose,
            HistoryEntry.to_status == ClaimStatus.DENIED.value,
            HistoryEntry.at >= week.begins_at,
            HistoryEntry.at < week.ends_at,
        )
        .order_by(HistoryEntry.id)
        .limit(_REFUSALS_TOLD)
    )
    return tuple(Refusal(at, kind, client, text or "") for at, kind, client, text in session.execute(found))


def _bills(session: Session, week: Week, client_id: int | None) -> tuple[Bill, ...]:
    """Return the invoices of the week that were sent; a void one is none."""
    found = (
        select(Invoice.id, Invoice.number, Client.name, Invoice.currency, Invoice.total)
        .join(Invoice.client)
        .where(Invoice.week_from == week.monday, Invoice.status.not_in((InvoiceStatus.DRAFT, InvoiceStatus.VOID)))
        .order_by(Client.name, Invoice.currency)
    )
    if client_id is not None:
        found = found.where(Invoice.client_id == client_id)
    return tuple(Bill(*row) for row in session.execute(found))
