"""The week in a channel: five lines and a link. Pure, like `blocks`: figures in, Block Kit out."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing import phrases
from billing.statement import Figure, Statement
from bot.blocks import Block, Message, actions, header, link_button
from bot.text import or_dash, plain
from money import Money

_LINE = 300
_TEXT = 1_000
_NAMED = 5


@dataclass(frozen=True)
class Desk:
    """What waits for the staff: decisions, claims to file, messages that are stuck, and clients without an address.

    `unbilled` are names of clients for whom money came that cannot be billed.
    """

    to_decide: int
    to_file: int
    stuck: int
    unbilled: Sequence[str] = ()


def client_digest(told: Statement, *, client: str, link: str) -> Message:
    """Return a client's week, for the client's own channel. Nothing can be pressed there, so the link is text."""
    lines = [
        f"{phrases.total(told)} {_since_start(told)}",
        f"Since the week before: {phrases.changes(told)}.",
        phrases.wanted(told) or "Nothing is wanted from you.",
        _under_way(told),
        _bills([phrases.bill(each) for each in told.bills]),
    ]
    where = {"type": "section", "text": {"type": "mrkdwn", "text": f"<{link}|Open your portal>"}}
    return _message(f"{client} · {phrases.days(told.week)}", lines, where)


def staff_digest(told: Statement, desk: Desk, *, link: str) -> Message:
    """Return the week of all clients, for the staff."""
    lines = [
        f"{phrases.total(told)} {_since_start(told)}",
        f"Since the week before: {phrases.changes(told)}.",
        _work(desk, told),
        _under_way(told),
        _bills(_by_currency(told)),
    ]
    return _message(
        f"All clients · {phrases.days(told.week)}", lines, actions(link_button("Open the back office", link))
    )


def _since_start(told: Statement) -> str:
    return f"Since the start: {phrases.money(told.of(Figure.SINCE_START))}."


def _under_way(told: Statement) -> str:
    under_way = told.of(Figure.UNDER_WAY)
    if not under_way:
        return "Nothing is under way."
    return f"Under way: {phrases.money(under_way)} ({phrases.how_many(Figure.UNDER_WAY, under_way)})."


def _work(desk: Desk, told: Statement) -> str:
    waiting = {
        "to decide": desk.to_decide,
        "to file": desk.to_file,
        "waiting for a client": told.count(Figure.TO_ANSWER) + told.count(Figure.TO_APPROVE),
        "message to look at" if desk.stuck == 1 else "messages to look at": desk.stuck,
    }
    parts = [f"{count:,} {what}" for what, count in waiting.items() if count]
    if desk.unbilled:
        more = f" and {len(desk.unbilled) - _NAMED} more" if len(desk.unbilled) > _NAMED else ""
        parts.append(f"not billed for want of an address: {', '.join(desk.unbilled[:_NAMED])}{more}")
    return f"For you: {' · '.join(parts)}." if parts else "Nothing waits for you."


def _bills(said: Sequence[str]) -> str:
    return f"{' · '.join(said)}." if said else "No invoice."


def _by_currency(told: Statement) -> list[str]:
    said = []
    for currency in sorted({each.currency for each in told.bills}):
        totals = [each.total for each in told.bills if each.currency == currency]
        noun = "invoice" if len(totals) == 1 else "invoices"
        said.append(f"{len(totals):,} {noun}: {Money(sum(totals, start=totals[0] * 0), currency)}")
    return said


def _message(title: str, lines: Sequence[str], where: Block) -> Message:
    text = "\n".join(or_dash(plain(line, _LINE)) for line in lines)
    body = {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
    return Message(plain(f"{title}: {' '.join(lines)}", _TEXT), [header(title), body, where])
