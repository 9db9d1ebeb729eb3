"""The words for a week's figures: the same in the mail, in Slack and on the command line."""

from collections.abc import Sequence

from billing.statement import Bill, Figure, Statement, Sum
from billing.week import Week
from claims import words

NAMES = {
    Figure.RECOVERED: "Recovered",
    Figure.BILLED_NOW: "Recovered earlier, billed now",
    Figure.TAKEN_BACK: "Taken back by Amazon",
    Figure.CREDITED_NOW: "Taken back earlier, credited now",
    Figure.FOUND: "Newly found",
    Figure.FILED: "Filed with Amazon",
    Figure.REFUSED: "Refused by Amazon",
    Figure.LAPSED: "Lapsed",
    Figure.TOO_LATE: "Lapsed before we had the reports",
    Figure.PAID_BY_AMAZON: "Paid by Amazon itself",
    Figure.TO_ANSWER: "Waiting for your answer",
    Figure.TO_APPROVE: "Waiting for your approval",
    Figure.UNDER_WAY: "Under way",
    Figure.SINCE_START: "Recovered since the start",
}
_CHANGED = {
    Figure.FOUND: "found",
    Figure.FILED: "filed",
    Figure.REFUSED: "refused",
    Figure.TAKEN_BACK: "taken back",
    Figure.LAPSED: "lapsed",
    Figure.PAID_BY_AMAZON: "paid by Amazon itself",
}
_OF_DISCREPANCIES = frozenset({Figure.FOUND, Figure.LAPSED, Figure.TOO_LATE, Figure.PAID_BY_AMAZON, Figure.TO_APPROVE})


def money(sums: Sequence[Sum]) -> str:
    """Return the money of all currencies, "12.34 EUR + 5.00 USD"; without any, what there is instead.

    What was taken back is said without its sign: its name says it.
    """
    amounts = [words.money(abs(each.money), each.currency) for each in sums if each.money is not None]
    if amounts:
        return " + ".join(amounts)
    in_stock = sum(each.in_stock for each in sums)
    return f"{words.units(abs(in_stock))} back in stock" if in_stock else words.NOT_KNOWN if sums else "nothing"


def how_many(figure: Figure, sums: Sequence[Sum]) -> str:
    """Return how many it is of, "2 claims · 6 units", with what the money does not show."""
    count = sum(each.count for each in sums)
    noun = "loss" if figure in _OF_DISCREPANCIES else "claim"
    plural = "losses" if figure in _OF_DISCREPANCIES else "claims"
    parts = [f"{count:,} {noun if count == 1 else plural}", words.units(abs(sum(each.units for each in sums)))]
    in_stock = abs(sum(each.in_stock for each in sums))
    has_money = any(each.money is not None for each in sums)
    if in_stock and has_money:
        parts.append(f"{in_stock:,} of them back in stock")
    unknown = sum(each.count for each in sums if each.money is None and not each.in_stock)
    if unknown and has_money:
        parts.append(f"{unknown:,} of a value {words.NOT_KNOWN}")
    return " · ".join(parts)


def total(told: Statement) -> str:
    """Return the week's first sentence: what came in, or what is under way where nothing did."""
    if recovered := told.of(Figure.RECOVERED):
        return f"{money(recovered)} recovered last week."
    if earlier := told.of(Figure.BILLED_NOW):
        return f"{money(earlier)} recovered earlier is billed now."
    under_way = told.of(Figure.UNDER_WAY)
    if under_way:
        return f"Nothing was recovered last week; {money(under_way)} under way."
    return "Nothing was recovered last week."


def changes(told: Statement) -> dict[Figure, str]:
    """Return what changed in the week besides, each figure that came to something: "3 found", "2 filed"."""
    return {figure: f"{told.count(figure):,} {name}" for figure, name in _CHANGED.items() if told.count(figure)}


def wanted(told: Statement) -> str:
    """Return what is wanted from the client, as a sentence; empty for nothing."""
    answers, approvals = told.count(Figure.TO_ANSWER), told.count(Figure.TO_APPROVE)
    parts = []
    if answers:
        parts.append(f"your answer about {answers:,} {'claim' if answers == 1 else 'claims'}")
    if approvals:
        parts.append(f"your approval of {approvals:,} {'loss' if approvals == 1 else 'losses'}")
    return f"We need {' and '.join(parts)}." if parts else ""


def bill(made: Bill) -> str:
    """Return an invoice in words: "Invoice 00007: 8.81 USD"; one below zero is a credit note."""
    kind = "Credit note" if made.total < 0 else "Invoice"
    return f"{kind} {made.number}: {words.money(abs(made.total), made.currency)}"


def days(week: Week) -> str:
    """Return the week's days, "16–22 Nov 2026"."""
    first, last = week.monday, week.sunday
    if first.month == last.month:
        return f"{first.day}–{words.day(last)}"
    since = words.day(first) if first.year != last.year else words.day(first).rpartition(" ")[0]
    return f"{since} – {words.day(last)}"
