"""How Amazon answers a case: decided by the seed and the number of the case, the same each time it is asked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from random import Random

from sandbox.amazon.cases import FOUND, Asked, Case, Own
from sandbox.amazon.replies import APPEALED, ASKS, PAID_BACK, PAID_IN_FULL, PAID_IN_PART, PAID_IN_STOCK, REFUSED

# By which reason Amazon pays a claim type.
REASONS = {
    "warehouse_lost": "Lost_Warehouse",
    "warehouse_damaged": "Damaged_Warehouse",
    "inbound_lost": "Lost_Inbound",
    "return_not_received": "CustomerReturn",
}
_REVERSAL = "Reimbursement_Reversal"
_VAGUE = "GeneralAdjustment"
# A first case number as long as Amazon's are. Numbers that follow one another lie a multiple of the stories and one
# apart, so that somebody who files one claim after the other meets every story.
_FIRST_CASE = 15_000_000_000
_NUMBERS_APART = 1361
# The report shows an approval one to five days later.
_LAGS = (1, 1, 2, 2, 3, 5)
_SHORT_LAGS = (1, 2)  # of a story that goes on after it


@dataclass(frozen=True, slots=True)
class Share:
    """What a line gives one claim, or takes back (then below zero)."""

    claim_id: int
    cash: int
    stock: int


@dataclass(frozen=True, slots=True)
class Paid:
    """One line of the reimbursements report: approved on one day, in the report from another on.

    key: the reimbursement that it is a line of; original: the key of the one it takes back. value: the cents of one
    unit as the claim has it, None where it does not know. found: whether the ledger shows the units too.
    """

    key: str
    approved_on: date
    shown_on: date
    msku: str
    reason: str
    cash: int
    stock: int
    case_id: str = ""
    order_id: str = ""
    value: int | None = None
    original: str = ""
    original_reason: str = ""
    found: str = ""
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What Amazon writes to a case. `waits`: it does no more until the seller writes again."""

    day: date
    text: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """All that comes of a case."""

    story: str
    replies: tuple[Reply, ...] = ()
    lines: tuple[Paid, ...] = ()


@dataclass(frozen=True, slots=True)
class _Batch:
    """The claims of a case that came on one day and are about one product and reason; they are paid together."""

    case: Case
    asked: tuple[Asked, ...]
    rng: Random
    approved_on: date

    @property
    def units(self) -> int:
        return sum(asked.quantity for asked in self.asked)

    @property
    def is_stock(self) -> bool:
        return not self.asked[0].order_id

    def line(self, part: str, approved_on: date, *, first: int = 0, cash: int = 0, stock: int = 0) -> Paid:
        """Return a line for units of the batch, the first `first` of them being paid already, oldest claim first.

        What is paid as a whole can take its time to show; of everything else more follows.
        """
        lags = _LAGS if part == "full" else _SHORT_LAGS
        head = self.asked[0]
        value = None if head.value is None else head.value // head.quantity
        return Paid(
            f"{self.case.case_id}:{head.since}:{part}",
            approved_on,
            approved_on + timedelta(days=self.rng.choice(lags)),
            head.msku,
            REASONS[head.claim_type],
            cash,
            stock,
            case_id=self.case.case_id,
            order_id=head.order_id,
            value=value,
            shares=tuple(_shares(self.asked, first, cash, stock)),
        )


def next_case_id(seed: int, cases: Sequence[Case]) -> str:
    """Return the number of the next case that Seller Support opens."""
    step = _NUMBERS_APART * len(STORIES) + 1
    first = (_FIRST_CASE + seed % 1000 * 1_000_003) // len(STORIES) * len(STORIES)
    taken = {case.case_id for case in cases}
    number = first
    while str(number) in taken:
        number += step
    return str(number)


def story_of(case_id: str) -> str:
    """Return which story a case number stands for."""
    return list(STORIES)[int("".join(filter(str.isdigit, case_id)) or 0) % len(STORIES)]


def answer(case: Case, *, seed: int) -> Answer:
    """Return what comes of a case: replies and report lines, each with its day, as far as the case has got."""
    story = story_of(case.case_id)
    replies: list[Reply] = []
    lines: list[Paid] = []
    for batch in _batches(case, seed):
        told, paid = STORIES[story](batch)
        replies += told
        lines += paid
    return Answer(story, tuple(dict.fromkeys(replies)), tuple(lines))


def by_itself(own: Own) -> Paid | None:
    """Return the line by which Amazon pays for a loss without a case; None where it finds the units."""
    if own.kind == FOUND:
        return None
    return Paid(
        f"own:{own.fingerprint}",
        own.day - timedelta(days=1),
        own.day,
        own.msku,
        REASONS[own.claim_type],
        cash=own.quantity,
        stock=0,
    )


def _batches(case: Case, seed: int) -> Iterator[_Batch]:
    def together(asked: Asked) -> tuple[date, int, str, str, str]:
        return asked.since, asked.account_id, asked.msku, asked.claim_type, asked.order_id

    for (since, *_), group in groupby(sorted(case.asked, key=lambda a: (together(a), a.claim_id)), key=together):
        rng = Random(f"{seed}:{case.case_id}:{(since - case.opened_on).days}")  # noqa: S311 - a story, not a secret
        yield _Batch(case, tuple(group), rng, since + timedelta(days=rng.randint(1, 2)))


def _shares(asked: Sequence[Asked], first: int, cash: int, stock: int) -> Iterator[Share]:
    """Give units out to the claims in their order, after the first `first` of them."""
    left = cash + stock
    for claim in asked:
        paid_before = min(first, claim.quantity)
        first -= paid_before
        units = min(claim.quantity - paid_before, left)
        left -= units
        if units:
            yield Share(claim.claim_id, units if cash else 0, 0 if cash else units)


_Told = tuple[list[Reply], list[Paid]]


def _in_full(batch: _Batch) -> _Told:
    """Paid at once, in cash."""
    paid = batch.line("full", batch.approved_on, cash=batch.units)
    return [Reply(batch.approved_on, PAID_IN_FULL)], [paid]


def _refused(batch: _Batch) -> _Told:
    """Refused; who appeals is paid after all."""
    refused = Reply(batch.approved_on, REFUSED, waits=True)
    again = batch.case.written_on
    if again is None or again < batch.approved_on:
        return [refused], []
    approved_on = again + timedelta(days=1)
    return [refused, Reply(approved_on, APPEALED)], [batch.line("appealed", approved_on, cash=batch.units)]


def _in_parts(batch: _Batch) -> _Told:
    """Half of the units now, the rest three days later."""
    if batch.units == 1:
        return _in_full(batch)
    half = (batch.units + 1) // 2
    now = batch.line("first", batch.approved_on, cash=half)
    later = batch.line("rest", batch.approved_on + timedelta(days=3), first=half, cash=batch.units - half)
    return [Reply(batch.approved_on, PAID_IN_PART)], [now, later]


def _in_stock(batch: _Batch) -> _Told:
    """Units in place of money, which the ledger shows as found."""
    if not batch.is_stock:
        return _in_full(batch)
    paid = batch.line("stock", batch.approved_on, stock=batch.units)
    return [Reply(batch.approved_on, PAID_IN_STOCK)], [replace(paid, found="N")]


def _asks(batch: _Batch) -> _Told:
    """Asks for an invoice; pays when the seller has written again."""
    asks = Reply(batch.approved_on, ASKS, waits=True)
    again = batch.case.written_on
    if again is None or again < batch.approved_on:
        return [asks], []
    approved_on = again + timedelta(days=1)
    return [asks, Reply(approved_on, PAID_IN_FULL)], [batch.line("asked", approved_on, cash=batch.units)]


def _taken_back(batch: _Batch) -> _Told:
    """Paid, then found after all and taken back."""
    if not batch.is_stock:
        return _in_full(batch)
    paid = batch.line("taken", batch.approved_on, cash=batch.units)
    taken_on = paid.shown_on + timedelta(days=2)
    back = replace(
        batch.line("back", taken_on, cash=batch.units),
        cash=-batch.units,
        reason=_REVERSAL,
        original=paid.key,
        original_reason=paid.reason,
        found="F",
        shares=tuple(Share(share.claim_id, -share.cash, -share.stock) for share in paid.shares),
    )
    return [Reply(batch.approved_on, PAID_IN_FULL), Reply(taken_on, PAID_BACK)], [paid, back]


def _unnamed(batch: _Batch) -> _Told:
    """Paid under a general reason and without the case's number: a person has to say what for."""
    if not batch.is_stock:
        return _in_full(batch)
    paid = batch.line("unnamed", batch.approved_on, cash=batch.units)
    return [Reply(batch.approved_on, PAID_IN_FULL)], [replace(paid, reason=_VAGUE, case_id="")]


STORIES: dict[str, Callable[[_Batch], _Told]] = {
    "paid": _in_full,
    "refused": _refused,
    "paid_in_parts": _in_parts,
    "paid_in_stock": _in_stock,
    "asks": _asks,
    "taken_back": _taken_back,
    "unnamed": _unnamed,
}
