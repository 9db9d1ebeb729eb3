"""The week in a channel: five lines and a link. Pure, like `blocks`: figures in, Block Kit out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing import phrases
from billing.statement import Figure, Statement
from bot.blocks import Message, actions, header, link_button
from bot.text import code, or_dash, plain
from money import Money

_LINE = 300
_TEXT = 1_000
_NAMED = 5
_NAME = 60


@dataclass(frozen=True)
class Desk:
    """What waits for the staff: decisions, claims to file, messages that are stuck, and clients without an address.

    `unbilled` are names of clients for whom money came that cannot be billed.
    """

    to_decide: int
    to_file: int
    stuck: int
    unbilled: Sequence[str] = ()


@dataclass(frozen=True)
class Links:
    """Where the staff's digest leads: the first page, the lists of what waits, and the list behind each figure."""

    today: str
    to_decide: str
    to_file: str
    at_client: str
    stuck: str
    figures: Mapping[Figure, str]


def client_digest(told: Statement, *, client: str, link: str) -> Message:
    """Return a client's week, for the client's own channel. Nothing can be pressed there, so the link is text."""
    lines = [
        f"{phrases.total(told)} {_since_start(told)}",
        _changes(list(phrases.changes(told).values())),
        phrases.wanted(told) or "Nothing is wanted from you.",
        _under_way(told),
        _bills([phrases.bill(each) for each in told.bills]),
    ]
    text = "\n".join(or_dash(plain(line, _LINE)) for line in lines)
    body = {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
    where = {"type": "section", "text": {"type": "mrkdwn", "text": linked("Open your portal", link)}}
    title = f"{client} · {phrases.days(told.week)}"
    return Message(plain(f"{title}: {' '.join(lines)}", _TEXT), [header(title), body, where])


def staff_digest(told: Statement, desk: Desk, links: Links) -> Message:
    """Return the week of all clients, for the staff; what can be looked at leads to its list."""
    total, under_way, bills = (
        f"{phrases.total(told)} {_since_start(told)}",
        _under_way(told),
        _bills(_by_currency(told)),
    )
    said = [total, _changes(list(phrases.changes(told).values())), _work(desk, told), under_way, bills]
    changed = [linked(text, links.figures[figure]) for figure, text in phrases.changes(told).items()]
    shown = [total, _changes(changed), _work(desk, told, links), under_way, bills]
    body = {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(shown)}}
    where = actions(link_button("Open the back office", links.today))
    title = f"All clients · {phrases.days(told.week)}"
    return Message(plain(f"{title}: {' '.join(said)}", _TEXT), [header(title), body, where])


def _changes(said: Sequence[str]) -> str:
    return f"Since the week before: {' · '.join(said) or 'no other change'}."


def _since_start(told: Statement) -> str:
    return f"Since the start: {phrases.money(told.of(Figure.SINCE_START))}."


def _under_way(told: Statement) -> str:
    under_way = told.of(Figure.UNDER_WAY)
    if not under_way:
        return "Nothing is under way."
    return f"Under way: {phrases.money(under_way)} ({phrases.how_many(Figure.UNDER_WAY, under_way)})."


def _work(desk: Desk, told: Statement, links: Links | None = None) -> str:
    """Say what waits for the staff; with `links`, for Slack to show, each leads to its list and names are marked."""
    at_client = told.count(Figure.TO_ANSWER) + told.count(Figure.TO_APPROVE)
    waiting = [
        (desk.to_decide, "to decide", links.to_decide if links else None),
        (desk.to_file, "to file", links.to_file if links else None),
        (at_client, "waiting for a client", links.at_client if links else None),
        (
            desk.stuck,
            "message to look at" if desk.stuck == 1 else "messages to look at",
            links.stuck if links else None,
        ),
    ]
    parts = [linked(f"{count:,} {what}", link) for count, what, link in waiting if count]
    if desk.unbilled:
        named = [code(name, _NAME) if links else name for name in desk.unbilled[:_NAMED]]
        more = f" and {len(desk.unbilled) - _NAMED} more" if len(desk.unbilled) > _NAMED else ""
        parts.append(f"not billed for want of an address: {', '.join(named)}{more}")
    return f"For you: {' · '.join(parts)}." if parts else "Nothing waits for you."


def linked(text: str, link: str | None) -> str:
    """Return words of ours that lead to a page, for mrkdwn; the words alone where there is no page."""
    return f"<{link}|{text}>" if link else text


def _bills(said: Sequence[str]) -> str:
    return f"{' · '.join(said)}." if said else "No invoice."


def _by_currency(told: Statement) -> list[str]:
    """Say how many bills there are of each currency and what they come to; what is owed to clients stands apart."""
    said = []
    for currency in sorted({each.currency for each in told.bills}):
        totals = [each.total for each in told.bills if each.currency == currency]
        for noun, some in (("invoice", [t for t in totals if t >= 0]), ("credit note", [t for t in totals if t < 0])):
            if some:
                nouns = noun if len(some) == 1 else f"{noun}s"
                said.append(f"{len(some):,} {nouns}: {Money(sum(some, start=some[0] * 0), currency)}")
    return said
