"""Making invoices: one a client, currency and week, out of every payment that is due and on no invoice yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, selectinload

from billing.books import WITHOUT_FEE, Charge, Free, as_named, due, units_of
from billing.fees import tax_of
from billing.moves import local_day
from billing.week import Week
from claims import clients, commission, history, words
from claims.access import Actor, Permission
from errors import InvalidInput, NotFound, RecoupError
from models import BilledUnit, Client, CommissionRate, Invoice, InvoiceLine, InvoiceStatus

_SUNDAY = 6


class NoTerms(RecoupError):
    """A client of whom something is missing that an invoice has to say. Once it is there, all that waited is billed."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a run of billing did for one client.

    invoices: the drafts that got lines, in the order of their currencies. lines: how many they got. waiting: how many
    lines wait for the next week's invoice, because this week's was sent already. free: how many payments bear no fee
    and are named on the next invoice.
    """

    invoices: tuple[Invoice, ...]
    lines: int
    waiting: int
    free: int


def make_invoices(session: Session, client_id: int, week_to: date, *, actor: Actor, now: datetime) -> Made:
    """Put all that was approved up to a Sunday of the client's calendar, and is not billed yet, on that week's drafts.

    Run again it adds what is new, and nothing twice. What comes after the week's invoice was sent waits for the next
    week's. A week that still runs can be begun: its draft is sent when it is over. Raises NotAllowed, NotFound,
    NoTerms, and InvalidInput for a week that lies ahead.
    """
    actor.require(Permission.MANAGE_BILLING)
    client = session.get(Client, client_id, with_for_update=True, populate_existing=True)
    if client is None:
        raise NotFound(f"There is no client {client_id}.")
    _check_week(client, week_to, now)
    found = due(session, client, week_to)
    if not found.charges:
        return Made((), 0, 0, len(found.free))
    _check_terms(client)
    standing = _of_the_week(session, client, week_to)
    by_currency = {
        currency: [charge for charge in found.charges if charge.fee.currency == currency]
        for currency in sorted({charge.fee.currency for charge in found.charges})
    }
    open_ones = {
        currency: standing.get(currency) or _new(client, currency, week_to, now)
        for currency in by_currency
        if currency not in standing or standing[currency].status is InvoiceStatus.DRAFT
    }
    for currency, invoice in open_ones.items():
        _add_lines(session, client, invoice, by_currency[currency], actor=actor, now=now)
    if open_ones:
        _set_terms(session, client, list(open_ones.values()), found.free)
    session.flush()
    lines = sum(len(by_currency[currency]) for currency in open_ones)
    return Made(tuple(open_ones.values()), lines, len(found.charges) - lines, 0 if open_ones else len(found.free))


def _check_week(client: Client, week_to: date, now: datetime) -> None:
    if week_to.weekday() != _SUNDAY:
        raise InvalidInput(f"{words.day(week_to)} is no Sunday.", field="week")
    today = local_day(client, now)
    monday = Week.containing(week_to, ZoneInfo(client.time_zone)).monday
    if monday <= today:
        return
    raise InvalidInput(
        f"The week {words.day(monday)} to {words.day(week_to)} lies ahead: in {client.name}'s time zone it is "
        f"{words.day(today)}.",
        field="week",
        todo="Bill it from its Monday on.",
    )


def _check_terms(client: Client) -> None:
    if not client.address.strip():
        raise NoTerms(
            f"{client.name} has no address, which an invoice must have.",
            todo="Add it with `flask clients set` and bill again: nothing is lost.",
        )


def _of_the_week(session: Session, client: Client, week_to: date) -> dict[str, Invoice]:
    """Return the client's invoices of this week by currency, each with its lines."""
    found = (
        select(Invoice)
        .where(Invoice.client_id == client.id, Invoice.week_to == week_to, Invoice.status != InvoiceStatus.VOID)
        .options(selectinload(Invoice.lines))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {invoice.currency: invoice for invoice in session.scalars(found)}


def _new(client: Client, currency: str, week_to: date, now: datetime) -> Invoice:
    return Invoice(
        client_id=client.id,
        status=InvoiceStatus.DRAFT,
        currency=currency,
        week_from=Week.containing(week_to, ZoneInfo(client.time_zone)).monday,
        week_to=week_to,
        terms={},
        created_at=now,
        lines=[],
    )


def _add_lines(
    session: Session, client: Client, invoice: Invoice, charges: Sequence[Charge], *, actor: Actor, now: datetime
) -> None:
    """Put the charges on the draft, and their units into the books: the key there refuses one that is billed."""
    is_new = invoice.id is None
    first = len(invoice.lines) + 1
    made = [_line(charge, position) for position, charge in enumerate(charges, first)]
    invoice.lines.extend(made)
    _sum_up(invoice, client.tax_rate)
    session.add(invoice)
    session.flush()
    units = [
        {"reimbursement_line_id": charge.payment.reimbursement_line_id, "unit": unit, "invoice_line_id": line.id}
        for charge, line in zip(charges, made, strict=True)
        for unit in units_of(charge.payment)
    ]
    session.execute(insert(BilledUnit), units)
    entry = history.entry(
        actor=actor,
        now=now,
        action="invoice_made" if is_new else "invoice_lines_added",
        invoice_id=invoice.id,
        moved=(None if is_new else invoice.status.value, invoice.status.value),
        note=f"{len(made):,} {'line' if len(made) == 1 else 'lines'}",
    )
    session.add(entry)


def _line(charge: Charge, position: int) -> InvoiceLine:
    payment = charge.payment
    return InvoiceLine(
        position=position,
        claim_id=payment.claim_id,
        payment_id=payment.id,
        claim_type=payment.claim.claim_type,
        approved_on=payment.line.approved_on,
        cash_units=payment.cash_units,
        stock_units=payment.stock_units,
        recovered=charge.fee.recovered,
        rate=charge.rate,
        fee=charge.fee.fee,
    )


def _sum_up(invoice: Invoice, tax_rate: Decimal) -> None:
    invoice.recovered = sum((line.recovered for line in invoice.lines), Decimal(0))
    invoice.fee = sum((line.fee for line in invoice.lines), Decimal(0))
    invoice.tax_rate = tax_rate
    invoice.tax = tax_of(invoice.fee, tax_rate, invoice.currency)
    invoice.total = invoice.fee + invoice.tax


def _set_terms(session: Session, client: Client, invoices: Sequence[Invoice], free: Sequence[Free]) -> None:
    """Keep with each draft what is printed of the terms in force, and name what bears no fee on one of them."""
    terms = _terms(session, client)
    named_on = {invoice.currency: list(invoice.terms.get(WITHOUT_FEE, ())) for invoice in invoices}
    for each in free:
        # What has another currency, or none that is known, goes on the first.
        named_on[each.currency if each.currency in named_on else invoices[0].currency].append(as_named(each))
    for invoice in invoices:
        invoice.terms = terms | {WITHOUT_FEE: named_on[invoice.currency]}


def _terms(session: Session, client: Client) -> dict[str, Any]:
    """Return what is printed of agency, client and contract, as JSON knows it."""
    agency = clients.agency(session)
    return {
        "agency": {"name": agency.name, "address": agency.address, "tax_number": agency.tax_number},
        "client": {
            "name": client.name,
            "address": client.address,
            "tax_number": client.tax_number,
            "email": client.billing_email or client.email,
        },
        "rates": [_rate(rate) for rate in commission.rates_of(session, client.id)],
        "tax_rate": f"{client.tax_rate:f}",
        "days_to_query": client.days_to_query,
        "fee_on_stock": client.fee_on_stock,
        "fee_on_found": client.fee_on_found,
        "keeps_fee_reversed": client.keeps_fee_reversed,
        "keeps_fee_reversed_with_unit": client.keeps_fee_reversed_with_unit,
    }


def _rate(rate: CommissionRate) -> dict[str, str]:
    return {"valid_from": rate.valid_from.isoformat(), "rate": f"{rate.rate:f}"}
