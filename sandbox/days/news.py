"""What a day brought, in words, told by comparing Recoup's own lists from before and after it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.amazon.cases import cents

Json = dict[str, Any]

# A claim that has become this, said of one and of several.
_CLAIMS = {
    "recovered": ("claim is recovered", "claims are recovered"),
    "partly_recovered": ("claim is partly recovered", "claims are partly recovered"),
}
_DISCREPANCIES = {
    ("open", None): ("discrepancy can be claimed now", "discrepancies can be claimed now"),
    ("settled", "found"): (
        "discrepancy is settled: Amazon found the units",
        "discrepancies are settled: Amazon found the units",
    ),
    ("settled", "paid_by_amazon"): (
        "discrepancy is settled: paid by Amazon itself",
        "discrepancies are settled: paid by Amazon itself",
    ),
    ("lapsed", None): ("discrepancy lapsed: nobody claimed in time", "discrepancies lapsed: nobody claimed in time"),
}


@dataclass(frozen=True, slots=True)
class Lists:
    """Recoup's lists at one moment. `waiting` are the payments that wait for a person."""

    claims: Sequence[Json] = ()
    discrepancies: Sequence[Json] = ()
    invoices: Sequence[Json] = ()
    waiting: Sequence[Json] = ()


def told(before: Lists, after: Lists) -> list[str]:
    """Return a line for each kind of thing that happened, the money first."""
    return [
        *_money(before, after),
        *_moved(_CLAIMS, _states(before.claims), _states(after.claims), with_reason=False),
        *_moved(_DISCREPANCIES, _states(before.discrepancies), _states(after.discrepancies), with_reason=True),
        *_waiting(before, after),
        *_invoices(before, after),
    ]


def _money(before: Lists, after: Lists) -> Iterator[str]:
    old = {row["id"]: cents(row["recovered"]) or 0 for row in before.claims}
    steps = [((cents(row["recovered"]) or 0) - old.get(row["id"], 0), row["currency"]) for row in after.claims]
    words = ((1, "payment came in", "payments came in"), (-1, "payment was taken back", "payments were taken back"))
    for sign, one, several in words:
        some = [(step, currency) for step, currency in steps if step * sign > 0]
        for currency in sorted({currency for _, currency in some}):
            sums = [abs(step) for step, of in some if of == currency]
            yield f"{len(sums)} {one if len(sums) == 1 else several}: {_money_of(sum(sums))} {currency}"


def _money_of(amount: int) -> str:
    return f"{amount // 100:,}.{amount % 100:02d}"


def _states(rows: Sequence[Json]) -> dict[int, tuple[str, str | None]]:
    return {row["id"]: (row["status"], row.get("status_reason")) for row in rows}


def _moved(words: Any, before: Any, after: Any, *, with_reason: bool) -> Iterator[str]:
    counted: Counter[Any] = Counter()
    for row_id, (status, reason) in after.items():
        if before.get(row_id, ("", None))[0] != status:
            counted[(status, reason) if with_reason else status] += 1
    for state, (one, several) in words.items():
        if count := counted[state]:
            yield f"{count} {one if count == 1 else several}"


def _waiting(before: Lists, after: Lists) -> Iterator[str]:
    known = {row["line"] for row in before.waiting}
    if count := sum(row["line"] not in known for row in after.waiting):
        yield f"{count} {'payment waits' if count == 1 else 'payments wait'} for somebody to say which claim it is for"


def _invoices(before: Lists, after: Lists) -> Iterator[str]:
    known = {row["id"] for row in before.invoices if row["number"]}
    for row in after.invoices:
        if row["number"] and row["id"] not in known:
            total = cents(row["total"]) or 0
            what = "Credit note" if total < 0 else "Invoice"
            yield f"{what} {row['number']} went to {row['client']}: {_money_of(abs(total))} {row['currency']}"
