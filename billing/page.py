"""What stands on an invoice, in words, once for the PDF file, the page and the command line: rows in, text out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from billing.books import WITHOUT_FEE, Why
from claims import words
from models import Invoice, InvoiceLine, InvoiceStatus


@dataclass(frozen=True, slots=True)
class Party:
    """Who bills or is billed: a name, and the lines beneath it."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `about` names the claim, Amazon's case, the product and the reimbursement."""

    line_id: int
    position: int
    approved_on: date
    is_credit: bool
    what: str
    about: str
    units: str
    recovered: str
    rate: str
    fee: str
    query: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one claim type, and their sums."""

    name: str
    rows: tuple[Row, ...]
    recovered: str
    fee: str


@dataclass(frozen=True, slots=True)
class Page:
    """An invoice or a credit note as people read it. Amounts are grouped and in `currency`, which stands once on top.

    facts: number, dates, week. sums: label and amount, the total last. terms and notes are sentences; notes name what
    was looked at but bears no fee.
    """

    title: str
    is_draft: bool
    is_void: bool
    file_name: str
    agency: Party
    client: Party
    facts: tuple[tuple[str, str], ...]
    currency: str
    groups: tuple[Group, ...]
    sums: tuple[tuple[str, str], ...]
    total: tuple[str, str]
    to_do: str
    terms: tuple[str, ...]
    notes: tuple[str, ...]
    how_to_query: str


def printed(invoice: Invoice) -> Page:
    """Return the page of an invoice that `load_invoice` gave."""
    kind = "Credit note" if invoice.total < 0 else "Invoice"
    terms = invoice.terms
    return Page(
        title=f"{kind} {invoice.number}" if invoice.number else f"{kind}, draft",
        is_draft=invoice.status is InvoiceStatus.DRAFT,
        is_void=invoice.status is InvoiceStatus.VOID,
        file_name=_file_name(kind, invoice),
        agency=_party(terms["agency"]),
        client=_party(terms["client"]),
        facts=tuple(_facts(kind, invoice)),
        currency=invoice.currency,
        groups=tuple(_groups(invoice)),
        sums=tuple(_sums(invoice)),
        total=("To your credit" if invoice.total < 0 else "Total to pay", _amount(abs(invoice.total), invoice)),
        to_do=_to_do(invoice),
        terms=tuple(_terms(terms, invoice)),
        notes=tuple(_note(note) for note in terms.get(WITHOUT_FEE, ())),
        how_to_query=_how_to_query(invoice),
    )


def _file_name(kind: str, invoice: Invoice) -> str:
    number = invoice.number or f"draft-{invoice.id}"
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in number)
    return f"{kind.lower().replace(' ', '-')}-{plain}.pdf"


def _party(said: Mapping[str, str]) -> Party:
    lines = [line.strip() for line in said["address"].splitlines() if line.strip()]
    if said["tax_number"]:
        lines.append(f"Tax number {said['tax_number']}")
    return Party(said["name"], tuple(lines))


def _facts(kind: str, invoice: Invoice) -> list[tuple[str, str]]:
    sent_on = words.day(invoice.sent_at.date()) if invoice.sent_at else "not sent yet"
    facts = [
        (f"{kind} number", invoice.number or "given on sending"),
        ("Date", sent_on),
        ("Week", f"{words.day(invoice.week_from)} to {words.day(invoice.week_to)}"),
    ]
    if invoice.query_until:
        facts.append(("Can be queried until", words.day(invoice.query_until)))
    return [*facts, ("Currency", invoice.currency)]


def _groups(invoice: Invoice) -> list[Group]:
    def by_type(line: InvoiceLine) -> str:
        return words.claim_type_name(line.claim_type)

    ordered = sorted(invoice.lines, key=lambda line: (by_type(line), line.approved_on, line.position))
    groups = []
    for name, found in groupby(ordered, key=by_type):
        lines = list(found)
        groups.append(
            Group(
                name,
                tuple(_row(line, invoice) for line in lines),
                _amount(_sum(line.recovered for line in lines), invoice),
                _amount(_sum(line.fee for line in lines), invoice),
            )
        )
    return groups


def _row(line: InvoiceLine, invoice: Invoice) -> Row:
    paid = line.payment.line
    about = [f"Claim {line.claim_id}", line.claim.case_id, paid.msku or paid.fnsku, paid.reimbursement_id]
    is_credit = line.recovered < 0 or line.fee < 0
    return Row(
        line_id=line.id,
        position=line.position,
        approved_on=line.approved_on,
        is_credit=is_credit,
        what="Taken back" if is_credit else "Paid",
        about=" · ".join(part for part in about if part),
        units=_units(line.cash_units, line.stock_units),
        recovered=_amount(line.recovered, invoice),
        rate=words.percent(line.rate),
        fee=_amount(line.fee, invoice),
        query=line.query,
        answer=line.answer,
    )


def _units(cash: int, stock: int) -> str:
    if stock:
        return f"{cash:,} + {stock:,} in stock" if cash else f"{stock:,} in stock"
    return f"{cash:,}" if cash else ""


def _sums(invoice: Invoice) -> list[tuple[str, str]]:
    fees = _sum(line.fee for line in invoice.lines if line.fee > 0)
    credited = _sum(line.fee for line in invoice.lines if line.fee < 0)
    sums = [("Recovered", _amount(invoice.recovered, invoice)), ("Fees", _amount(fees, invoice))]
    if credited:
        sums.append(("Credited for what Amazon took back", _amount(credited, invoice)))
    if invoice.tax_rate:
        sums.append((f"Tax, {words.percent(invoice.tax_rate)}", _amount(invoice.tax, invoice)))
    return sums


def _to_do(invoice: Invoice) -> str:
    if invoice.status is InvoiceStatus.PAID:
        return "Settled." if invoice.total < 0 else "Paid."
    if invoice.total < 0:
        return "Nothing is to be paid: this amount is yours."
    return "Nothing is to be paid." if invoice.total == 0 else ""


def _terms(terms: Mapping[str, Any], invoice: Invoice) -> list[str]:
    return [
        f"Commission: {_rates(terms['rates'], invoice)}. The rate of a payment is the one in force on the day Amazon "
        "approved it; each fee is rounded by itself.",
        f"Tax on the fee: {words.percent(Decimal(terms['tax_rate']))}."
        if Decimal(terms["tax_rate"])
        else "No tax is added to the fee.",
        "Units that Amazon gives back instead of money bear a fee of their value."
        if terms["fee_on_stock"]
        else "Units that Amazon gives back instead of money bear no fee.",
        "Units that Amazon finds again bear a fee of their value."
        if terms["fee_on_found"]
        else "Units that Amazon finds again bear no fee.",
        _reversal_term(
            without=terms["keeps_fee_reversed"],
            with_unit=terms["keeps_fee_reversed_with_unit"],
        ),
    ]


def _rates(rates: Sequence[Mapping[str, str]], invoice: Invoice) -> str:
    """Return the rates that matter here: those of the lines' days and the one in force when the week ended."""
    first_day = min((line.approved_on for line in invoice.lines), default=invoice.week_to)
    known = [(date.fromisoformat(rate["valid_from"]), Decimal(rate["rate"])) for rate in rates]
    known = [each for each in known if each[0] <= invoice.week_to] or known[:1]
    older = [each for each in known if each[0] <= first_day]
    shown = [*older[-1:], *(each for each in known if each[0] > first_day)]
    if len(shown) == 1:
        return f"{words.percent(shown[0][1])} of what is recovered"
    told = [f"{words.percent(rate)} from {words.day(since)}" for since, rate in shown]
    return f"of what is recovered, {', '.join(told)}"


def _reversal_term(*, without: bool, with_unit: bool) -> str:
    if without and with_unit:
        return "What Amazon takes back later leaves its fee as it is."
    if with_unit:
        return "The fee of what Amazon takes back is credited, unless the unit came back to you."
    if without:
        return "The fee of what Amazon takes back stays due where no unit came back to you, else it is credited."
    return "The fee of what Amazon takes back later is credited on the next invoice, at the rate it was billed with."


_WHY = {
    Why.STOCK_WITHOUT_FEE: "no fee",
    Why.VALUE_NOT_KNOWN: "value not known, so no fee",
    Why.FEE_STAYS: "taken back by Amazon; its fee stays due",
    Why.NOTHING_BILLED: "taken back by Amazon; it bore no fee",
}


def _note(note: Mapping[str, Any]) -> str:
    parts = []
    if note["stock_units"]:
        parts.append(f"{words.units(abs(note['stock_units']))} in stock")
    if note["why"] != Why.STOCK_WITHOUT_FEE and Decimal(note["amount"]):
        parts.append(words.money(abs(Decimal(note["amount"])), note["currency"]))
    what = " and ".join(parts) or words.units(abs(note["cash_units"]))
    day = words.day(date.fromisoformat(note["approved_on"]))
    return (
        f"Claim {note['claim_id']}, {day}, reimbursement {note['reimbursement_id']}: {what}: {_WHY[Why(note['why'])]}."
    )


def _how_to_query(invoice: Invoice) -> str:
    manager = invoice.client.case_manager
    whom = f"{manager.label} ({manager.email})" if manager else invoice.terms["agency"]["name"]
    days = invoice.terms["days_to_query"]
    until = f"until {words.day(invoice.query_until)}" if invoice.query_until else f"for {days} days after it is sent"
    return (
        f"Anything unclear? You can query each line in the portal {until}, or write to {whom}. "
        "What is not queried by then is final."
    )


def _sum(amounts: Any) -> Decimal:
    return sum(amounts, Decimal(0))


def _amount(amount: Decimal, invoice: Invoice) -> str:
    return words.money(amount, invoice.currency).removesuffix(f" {invoice.currency}")
