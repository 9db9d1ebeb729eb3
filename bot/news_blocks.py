"""One line about a claim, for a thread or the review channel. Pure, like `blocks`: data in, Block Kit out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.blocks import Block, Message, actions, link_button
from bot.text import or_dash, plain, short

_LINE = 600
_NAME = 80


@dataclass(frozen=True)
class News:
    """What became of a claim. `what` as in the outbox's payload; texts are in words, `link` leads to the claim.

    `told` is what was paid or taken back ("3 units, 37.02 USD"), or what else there is to say; `standing` the state of
    the claim now; `so_far` its units that are made up for ("2 of 3 units").
    """

    what: str
    claim_id: int
    claim_type: str
    client: str
    told: str
    standing: str
    so_far: str
    link: str


@dataclass(frozen=True)
class Waiting:
    """Payments of one account that a person has to match. `first` tells of the only one, empty where there are more."""

    client: str
    account: str
    count: int
    first: str
    link: str


def news(data: News) -> Message:
    """Return one sentence about a claim, with the way to its page."""
    claim = f"claim {data.claim_id} ({data.claim_type}, {short(data.client, _NAME)})"
    return _message(_SENTENCES[data.what](data, claim), "Open the claim", data.link)


def waiting(data: Waiting) -> Message:
    """Return what waits for a person, with the way to the page where it is matched."""
    whose = f"{short(data.client, _NAME)}, {short(data.account, _NAME)}"
    if data.count == 1:
        said = f"A payment to {whose} waits for you: {data.first}. Say for which claim it was."
    else:
        said = f"{data.count:,} payments to {whose} wait for you. Say for which claims they were."
    return _message(said, "Match payments", data.link)


def _paid(data: News, claim: str) -> str:
    return f"{data.standing}: Amazon paid {data.told} for {claim}."


def _partly_paid(data: News, claim: str) -> str:
    return f"{data.standing}: Amazon paid {data.told} for {claim}, {data.so_far} so far."


def _taken_back(data: News, claim: str) -> str:
    return (
        f"Amazon took back {data.told} of {claim}. It is {data.standing.lower()} now, with {data.so_far} made up for."
    )


def _changed(data: News, claim: str) -> str:
    return (
        f"A later report says otherwise about a payment of {claim}: {data.told}. Nothing is booked by it; look at it."
    )


def _answered(data: News, claim: str) -> str:
    return f"{short(data.client, _NAME)} answered about {claim}: {data.told}."


_SENTENCES: Mapping[str, Callable[[News, str], str]] = {
    "recovered": _paid,
    "partly_recovered": _partly_paid,
    "reversed": _taken_back,
    "payment_changed": _changed,
    "answered": _answered,
}
KNOWN = frozenset(_SENTENCES)


def _message(said: str, label: str, link: str) -> Message:
    text = or_dash(plain(said, _LINE))
    section: Block = {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
    return Message(text, [section, actions(link_button(label, link))])
