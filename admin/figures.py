"""The charts of the first page: sums in, a finding, a drawing and a table of the same numbers out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from markupsafe import Markup

import charts
from admin.deadlines import Week
from claims import words
from claims.dashboard import WeekReceived

WEEKS_BACK = 8
_AHEAD = {
    "urgent": ("late", "under 4 days"),
    "soon": ("amber", "under 10 days"),
    "calm": ("accent", "later"),
}
#: What is open, by what has to be done next: name, colour, the states of discrepancies and of claims that it holds.
_NEXT = (
    ("To decide", "accent", ("open", "snoozed"), ()),
    ("To file", "second", (), ("to_submit",)),
    ("With Amazon", "done", (), ("submitted", "appealed")),
    ("To answer", "amber", (), ("needs_info",)),
    ("To appeal or close", "late", (), ("denied", "partly_recovered", "reversed")),
)
_NUMBER_WORDS = {8: "eight", 9: "nine"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its finding and its numbers: rows of cells, each one line or several.

    `name` is unique on the page. Without a drawing, `empty` says why there is none and what brings one. `tones` are the
    colours that stand for the rows in the drawing, where each row has one.
    """

    name: str
    title: str
    drawing: Markup | None = None
    head: Sequence[str] = ()
    rows: Sequence[Sequence[Sequence[str]]] = ()
    empty: str = ""
    note: str = ""
    tones: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in one state: how many, units, and money by currency. Values that are not known are counted apart."""

    status: str
    count: int = 0
    quantity: int = 0
    values: tuple[tuple[str, Decimal], ...] = ()
    unknown: int = 0

    @property
    def amounts(self) -> list[str]:
        """The money in words: "1,234.50 USD", "3 not known"."""
        parts = [words.money(amount, currency) for currency, amount in self.values]
        return [*parts, f"{self.unknown:,} {words.NOT_KNOWN}"] if self.unknown else parts

    @property
    def worth(self) -> str:
        """The money in one line."""
        return " + ".join(self.amounts)


def recovered(weeks: Mapping[str, Sequence[WeekReceived]]) -> list[Figure]:
    """Return a chart for each currency of what was recovered by week, the one with the most payments first."""
    if not weeks:
        return [
            Figure(
                "recovered",
                f"Nothing recovered in {_NUMBER_WORDS[WEEKS_BACK]} weeks",
                empty="A bar appears for each week in which Amazon posts money for a claim that was filed.",
            )
        ]
    return [_recovered(currency, rows) for currency, rows in weeks.items()]


def ahead(weeks: Sequence[Week], later: int) -> Figure:
    """Return the chart of the last days to decide or to file by week; `later` is how many come after these weeks."""
    if not weeks:
        return Figure(
            "ahead",
            "No deadline ahead",
            empty="What is to be decided or filed appears here in the week of its last day.",
        )
    bars = [
        charts.Column(
            label=_short_day(week.starts_on),
            parts=[charts.Part(week.counts.get(how, 0), tone) for how, (tone, _) in _AHEAD.items()],
            shown=("! " if week.counts.get("urgent") else "") + charts.compact(week.count),
            told=f"Week from {words.day(week.starts_on)}: {_how_many(week) or 'nothing'}",
        )
        for week in weeks
    ]
    title = _most_urgent(weeks)
    return Figure(
        "ahead",
        title,
        charts.columns(bars, name="ahead", title=title),
        ("Week from", "Last days", "Worth"),
        [[[_short_day(week.starts_on)], [_how_many(week) or "0"], _worth(week)] for week in weeks],
        note=f"{later:,} more {'closes' if later == 1 else 'close'} later." if later else "",
    )


def open_by_next_step(discrepancies: Mapping[str, Standing], claims: Mapping[str, Standing]) -> Figure:
    """Return the stacked bar of all that is open, by what has to be done next."""
    steps = [
        (name, tone, _together([*(discrepancies.get(s) for s in of_losses), *(claims.get(s) for s in of_claims)]))
        for name, tone, of_losses, of_claims in _NEXT
    ]
    total = sum(standing.count for _, _, standing in steps)
    if not total:
        return Figure("open", "Nothing is open", empty="Discrepancies to decide and claims under way appear here.")
    most, _, at_most = max(steps, key=lambda step: step[2].count)
    title = f"{at_most.count:,} of {total:,} open {'is' if at_most.count == 1 else 'are'} {_in_a_sentence(most)}"
    drawing = charts.stacked(
        [charts.Segment(name, standing.count, tone) for name, tone, standing in steps], name="open", title=title
    )
    shown = [(name, tone, each) for name, tone, each in steps if each.count]
    rows = [[[name], [f"{each.count:,}"], [f"{each.quantity:,}"], each.amounts or ["–"]] for name, _, each in shown]
    head = ("Next step", "Number", "Units", "Worth")
    return Figure("open", title, drawing, head, rows, tones=[tone for _, tone, _ in shown])


def _recovered(currency: str, weeks: Sequence[WeekReceived]) -> Figure:
    name = f"recovered-{currency.lower()}"
    best = _short_day(max(weeks, key=lambda week: week.recovered).monday)
    total = words.money(sum((week.recovered for week in weeks), start=Decimal(0)), currency)
    title = f"{total} recovered in {_NUMBER_WORDS[len(weeks)]} weeks, the most in the week from {best}"
    bars = [
        charts.Column(
            label=_short_day(week.monday),
            parts=[charts.Part(week.recovered, "money")],
            shown=charts.compact(week.recovered),
            told=f"Week from {words.day(week.monday)}: {words.money(week.recovered, currency)}",
        )
        for week in weeks
    ]
    head = ("Week from", "Payments", "Recovered")
    rows = [[[_short_day(week.monday)], [f"{week.payments:,}"], _came_in(week, currency)] for week in weeks]
    return Figure(name, title, charts.columns(bars, name=name, title=title), head, rows)


def _came_in(week: WeekReceived, currency: str) -> list[str]:
    told = [words.money(week.recovered, currency)] if week.payments else []
    back = [f"{words.money(week.taken_back, currency)} taken back"] if week.taken_back else []
    return [*told, *back] or ["–"]


def _most_urgent(weeks: Sequence[Week]) -> str:
    total = sum(week.count for week in weeks)
    for how, (_, within) in _AHEAD.items():
        count = sum(week.counts.get(how, 0) for week in weeks)
        if count and how != "calm":
            return f"{count:,} of {total:,} {'deadline' if total == 1 else 'deadlines'} in {within}"
    return f"{total:,} {'deadline' if total == 1 else 'deadlines'} ahead, none in under 10 days"


def _how_many(week: Week) -> str:
    """Return "3 in under 4 days, 2 in under 10 days, 1 later"; empty for none."""
    told = []
    for how, (_, within) in _AHEAD.items():
        if count := week.counts.get(how):
            told.append(f"{count:,} {within}" if how == "calm" else f"{count:,} in {within}")
    return ", ".join(told)


def _worth(week: Week) -> list[str]:
    known = [words.money(amount, currency) for currency, amount in sorted(week.values.items())]
    return known or [words.NOT_KNOWN if week.count else "–"]


def _together(standings: Sequence[Standing | None]) -> Standing:
    """Add up what stands in several states; currencies stay apart."""
    values: dict[str, Decimal] = {}
    there = [each for each in standings if each is not None]
    for each in there:
        for currency, amount in each.values:
            values[currency] = values.get(currency, Decimal(0)) + amount
    return Standing(
        "",
        sum(each.count for each in there),
        sum(each.quantity for each in there),
        tuple(sorted(values.items())),
        sum(each.unknown for each in there),
    )


def _in_a_sentence(name: str) -> str:
    return name[:1].lower() + name[1:]


def _short_day(on: date) -> str:
    return words.day(on).rpartition(" ")[0]
