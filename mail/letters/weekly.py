"""The client's week by mail: what came in, what is wanted of them, what they owe; and an invoice by itself."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from billing import moves, phrases
from billing.page import printed
from billing.queries import load_invoice
from billing.statement import Figure, Statement, statement
from billing.week import Week
from claims import clients, words
from claims.access import system_actor
from claims.links import portal_claim_link, portal_figure_link, portal_invoice_link, portal_link
from errors import NotFound
from mail.letter import Attachment, Button, Letter
from models import Client, ClientStatus, Invoice, OutboxMessage

_REPLY_SHOWN = 200
# What the table has, in its order. What came to nothing is left out, but for these two.
_ALWAYS = (Figure.RECOVERED, Figure.UNDER_WAY)
_TABLE = tuple(figure for figure in Figure if figure not in {Figure.TO_ANSWER, Figure.TO_APPROVE})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a figure, how many, the money, and where its list is."""

    name: str
    how_many: str
    money: str
    link: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused claim in words: which, what Amazon wrote (may be empty), and where it is in the portal."""

    what: str
    why: str
    link: str


def weekly(session: Session, row: OutboxMessage) -> Letter:
    """Return the report of a week with its invoices. Raises NotFound."""
    client = _client(session, row)
    week = Week(date.fromisoformat(row.payload["week"]), ZoneInfo(client.time_zone))
    told = statement(session, week, client_id=client.id)
    invoices = [load_invoice(session, invoice_id, system_actor()) for invoice_id in row.payload.get("invoice_ids", ())]
    lead = " ".join([phrases.total(told), *map(_owed, invoices)])
    has_portal = _has_portal(client)
    asked = phrases.wanted(told) if has_portal else ""
    manager = client.case_manager
    agency = clients.agency(session)
    return Letter(
        to=client.billing_email or client.email,
        subject=f"{phrases.days(week)}: {phrases.total(told).rstrip('.')}",
        lead=lead,
        paragraphs=tuple(filter(None, (asked, *_about_bills(invoices, is_not_billed=row.payload["is_not_billed"])))),
        button=_button(told) if has_portal else None,
        footer=_footer(client),
        signed=agency.name,
        reply_to=manager.email if manager else None,
        attachments=tuple(map(_attached, invoices)),
        template="weekly",
        data={
            "caption": f"{client.name}, {phrases.days(week)}",
            "has_portal": has_portal,
            "rows": [*_rows(told), *map(_bill, invoices)],
            "refusals": [
                Refused(
                    f"Claim {each.claim_id}, {words.claim_type_name(each.claim_type)}",
                    _short(each.why),
                    portal_claim_link(each.claim_id),
                )
                for each in told.refusals
            ],
            "more_refused": max(0, told.count(Figure.REFUSED) - len({each.claim_id for each in told.refusals})),
        },
    )


def invoice(session: Session, row: OutboxMessage) -> Letter:
    """Return the letter that brings one invoice. Raises NotFound."""
    client = _client(session, row)
    made = load_invoice(session, row.payload["invoice_id"], system_actor())
    manager = client.case_manager
    week = Week(made.week_from, ZoneInfo(client.time_zone))
    return Letter(
        to=client.billing_email or client.email,
        subject=f"{moves.named(made)}: {words.money(abs(made.total), made.currency)}",
        lead=_owed(made),
        paragraphs=(f"It is for what Amazon paid up to the week {phrases.days(week)}.", *_about_bills([made])),
        button=Button(f"Open {moves.named(made).lower()}", portal_invoice_link(made.id))
        if _has_portal(client)
        else None,
        footer=_footer(client),
        signed=clients.agency(session).name,
        reply_to=manager.email if manager else None,
        attachments=(_attached(made),),
    )


def _client(session: Session, row: OutboxMessage) -> Client:
    found = session.scalar(select(Client).where(Client.id == row.client_id).options(joinedload(Client.case_manager)))
    if found is None:
        raise NotFound(f"Message {row.key} names no client.")
    return found


def _has_portal(client: Client) -> bool:
    """Whether a link leads anywhere: who was cancelled is told and billed to the end, but cannot sign in."""
    return client.status is not ClientStatus.CANCELLED


def _footer(client: Client) -> str:
    manager = client.case_manager
    reply = "Or reply" if _has_portal(client) else "Reply"
    return f"{reply} to this mail{f': {manager.label} reads it' if manager else ''}."


def _attached(made: Invoice) -> Attachment:
    from billing import pdf  # a fifth of a second, which a delivery without invoices need not spend

    page = printed(made)
    return Attachment(page.file_name, pdf.rendered(page))


def _owed(made: Invoice) -> str:
    amount = words.money(abs(made.total), made.currency)
    if made.total < 0:
        return f"{moves.named(made)} gives you {amount} back."
    return f"{moves.named(made)} is {amount}."


def _about_bills(invoices: list[Invoice], *, is_not_billed: bool = False) -> list[str]:
    if is_not_billed:
        return ["There is no invoice for it yet, because we have no postal address of yours. Reply with it, please."]
    days = [made.query_until for made in invoices if made.query_until]
    if not days:
        return []
    which = "The invoice is" if len(invoices) == 1 else "The invoices are"
    return [f"{which} attached. You can query any line until {words.day(max(days))}."]


def _button(told: Statement) -> Button:
    if told.of(Figure.TO_ANSWER):
        return Button("Answer in the portal", portal_figure_link(Figure.TO_ANSWER))
    if told.of(Figure.TO_APPROVE):
        return Button("Approve in the portal", portal_figure_link(Figure.TO_APPROVE))
    return Button("Open your portal", portal_link())


def _rows(told: Statement) -> list[Row]:
    shown = [figure for figure in _TABLE if told.of(figure) or figure in _ALWAYS]
    return [
        Row(
            name=phrases.NAMES[figure],
            how_many=phrases.how_many(figure, told.of(figure)) if told.of(figure) else "",
            money=phrases.money(told.of(figure)),
            link=portal_figure_link(figure),
        )
        for figure in shown
    ]


def _bill(made: Invoice) -> Row:
    until = f"can be queried until {words.day(made.query_until)}" if made.query_until else ""
    return Row(moves.named(made), until, words.money(abs(made.total), made.currency), portal_invoice_link(made.id))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REPLY_SHOWN else line[: _REPLY_SHOWN - 1].rstrip() + "…"
