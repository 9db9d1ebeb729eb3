"""An audit as one page that can be handed to somebody: no network, no other file, prints well."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import charts
from claims import words
from detection.findings import Finding, Outcome
from detection.output import summary
from detection.reports import Input

_Key = TypeVar("_Key")
_Rows = Sequence[tuple[str, Mapping[str, Decimal]]]

_TEMPLATES = Path(__file__).with_name("templates")
_WEEKS_AHEAD, _WEEKS_NEAR = 12, 2
_MONTHS_SHOWN = 18
#: How a discrepancy stands, in the order of the bars: its colour and its word.
_STANDINGS = {
    "claimable": ("accent", "Claimable"),
    "check": ("amber", "Check first"),
    "upcoming": ("second", "Upcoming"),
    "lapsed": ("done", "Lapsed"),
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing under the sentence that it shows, and the same numbers: a row is a label and an amount a standing."""

    name: str
    title: str
    drawing: Markup
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    tones: Sequence[str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of evidence: what it shows, where it stands, and its columns as read, the empty ones left out."""

    role: str
    place: str
    report: str
    quantity: int | None
    note: str | None
    cells: Sequence[tuple[str, str]]


def page(
    given: Input, outcome: Outcome, *, marketplace: str, lines: Mapping[tuple[str, int], Mapping[str, str]]
) -> str:
    """Return the page as HTML. `lines`: the columns of evidence lines by file and line, as text.

    The same input gives the same page.
    """
    css, script = _text("audit.css"), _text("audit.js")
    return (
        _pages()
        .get_template("audit.html")
        .render(
            as_of=outcome.as_of,
            charts=[chart for currency in _currencies(outcome.findings) for chart in _charts(outcome, currency)],
            counts=summary(outcome.findings),
            css=Markup(css),  # noqa: S704  both are files of ours
            evidence=lambda finding: _evidence(finding, lines),
            findings=outcome.findings,
            given=given,
            marketplace=marketplace,
            observations=outcome.observations,
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(script)}'",
            rows=sum(delivery.rows for delivery in given.deliveries),
            script=Markup(script),  # noqa: S704
            standing=standing,
            standings=_STANDINGS,
            types=sorted({finding.claim_type for finding in outcome.findings}, key=words.claim_type_name),
            warnings=[*given.warnings, *outcome.warnings],
        )
    )


def standing(finding: Finding) -> str:
    """Return how a finding stands: its status, or `check` where it is claimable but has something to check first."""
    return "check" if finding.status == "claimable" and finding.caveats else finding.status


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals["words"] = words
    pages.filters["decimal"] = Decimal
    return pages


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _currencies(findings: Iterable[Finding]) -> list[str]:
    return sorted({f.currency for f in findings if f.currency and f.value})


def _charts(outcome: Outcome, currency: str) -> list[Chart]:
    valued = [f for f in outcome.findings if f.currency == currency and f.value]
    ahead = [f for f in valued if f.status != "lapsed"]
    drawn = [_by_type(valued, currency), _by_month(valued, currency)]
    return [*drawn, _by_deadline(ahead, outcome.as_of, currency)] if ahead else drawn


def _by_type(findings: Sequence[Finding], currency: str) -> Chart:
    sums = _summed(findings, lambda f: f.claim_type)
    order = sorted(sums, key=lambda kind: (-sum(sums[kind].values()), kind))
    most = words.claim_type_name(order[0])
    everything = sum((sum(each.values(), Decimal(0)) for each in sums.values()), Decimal(0))
    share = sum(sums[order[0]].values(), Decimal(0)) / everything
    title = f"{most}: {words.percent(share.quantize(Decimal('0.01')))} of the {currency} found"
    return _chart(
        f"type-{currency}",
        title,
        "What",
        [(words.claim_type_name(k), sums[k]) for k in order],
        currency,
        draw=charts.rows,
    )


def _by_month(findings: Sequence[Finding], currency: str) -> Chart:
    sums = _summed(findings, lambda f: f.event_date.replace(day=1))
    last = max(sums)
    first = max(min(sums), _months_before(last, _MONTHS_SHOWN - 1))
    days = [_months_before(last, back) for back in range(_MONTHS_SHOWN) if _months_before(last, back) >= first]
    best = max(sums, key=lambda month: (sum(sums[month].values()), month))
    title = f"The most was lost in {best:%B %Y}: {words.money(sum(sums[best].values(), Decimal(0)), currency)}"
    rows = [(f"{day:%b %y}", sums.get(day, {})) for day in reversed(days)]
    return _chart(f"month-{currency}", title, "Month", rows, currency)


def _by_deadline(findings: Sequence[Finding], as_of: date, currency: str) -> Chart:
    """Draw what has to be filed in which week from the as-of date on; the last bar holds all that comes later."""
    sums = _summed(findings, lambda f: min((f.closes_on - as_of).days // 7, _WEEKS_AHEAD))
    soon = sum((sum(each.values()) for week, each in sums.items() if week < _WEEKS_NEAR), start=Decimal(0))
    title = (
        f"{words.money(soon, currency)} has its last day within two weeks"
        if soon
        else "Nothing has its last day within two weeks"
    )
    labels = [f"{as_of + timedelta(weeks=week):%d %b}" for week in range(_WEEKS_AHEAD)] + ["later"]
    rows = [(label, sums.get(week, {})) for week, label in enumerate(labels)]
    return _chart(f"deadline-{currency}", title, "Last day in the week from", rows, currency)


def _chart(
    name: str, title: str, label: str, rows: _Rows, currency: str, *, draw: Callable[..., Markup] = charts.columns
) -> Chart:
    there = [code for code in _STANDINGS if any(sums.get(code) for _, sums in rows)]
    bars = [
        charts.Column(
            text,
            [charts.Part(sums.get(code, Decimal(0)), _STANDINGS[code][0]) for code in there],
            charts.compact(sum(sums.values(), Decimal(0))),
            f"{text}: {words.money(sum(sums.values(), Decimal(0)), currency)}",
        )
        for text, sums in rows
    ]
    told = [
        (text, [words.money(sums[code], currency) if code in sums else "–" for code in there]) for text, sums in rows
    ]
    head = [label, *(_STANDINGS[code][1] for code in there)]
    return Chart(
        name.lower(), title, draw(bars, name=name.lower(), title=title), head, told, [_STANDINGS[c][0] for c in there]
    )


def _summed(findings: Iterable[Finding], key: Callable[[Finding], _Key]) -> dict[_Key, dict[str, Decimal]]:
    """Add up values by a key and by how the finding stands."""
    sums: dict[_Key, dict[str, Decimal]] = {}
    for finding in findings:
        by_standing = sums.setdefault(key(finding), {})
        how = standing(finding)
        by_standing[how] = by_standing.get(how, Decimal(0)) + (finding.value or 0)
    return sums


def _months_before(month: date, count: int) -> date:
    year, index = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(year, index + 1, 1)


def _evidence(finding: Finding, lines: Mapping[tuple[str, int], Mapping[str, str]]) -> list[Line]:
    return [
        Line(
            words.evidence_role_name(each.role),
            f"{each.file}, line {each.line:,}",
            words.report_name(each.report_type),
            each.quantity,
            each.note,
            list(lines.get((each.file, each.line), {}).items()),
        )
        for each in finding.evidence
    ]
