"""How near a deadline is, and where its marks stand on a bar. Pure: days in, words and shares out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from detection.marketplaces import marketplaces

URGENT_DAYS = 4
SOON_DAYS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from a loss to its last day. Shares are percent of its length, as text for an SVG attribute."""

    opens: str
    today: str
    urgency: str


@dataclass(frozen=True, slots=True)
class Week:
    """What closes in the seven days from `starts_on`: amounts by currency, `share` in percent of the fullest week."""

    starts_on: date
    count: int
    values: dict[str, Decimal]
    urgency: str
    share: str = "0%"


def marketplace_today(code: str, now: datetime) -> date:
    """Return the calendar day of a marketplace: deadlines are its days."""
    return now.astimezone(marketplaces()[code].zone).date()


def earliest_today(now: datetime) -> date:
    """Return the day it still is in some marketplace: what closes on it can still be decided there."""
    return min(marketplace_today(code, now) for code in marketplaces())


def urgency(on: date, today: date) -> str:
    """Return "over", "urgent" (under 4 days), "soon" (under 10) or "calm"."""
    days = (on - today).days
    if days < 0:
        return "over"
    return "urgent" if days < URGENT_DAYS else "soon" if days < SOON_DAYS else "calm"


def bar(event: date, opens: date, closes: date, today: date) -> Bar:
    """Return the marks of a bar that begins with the loss and ends with the last day."""
    length = max((closes - event).days, 1)
    return Bar(_share((opens - event).days, length), _share((today - event).days, length), urgency(closes, today))


def weeks(closing: Iterable[tuple[date, str | None, int, Decimal | None]], today: date, *, most: int = 9) -> list[Week]:
    """Return the next weeks in which something closes, empty ones in between included.

    closing: last day, currency, how many, their value; days before `today` are left out.
    """
    counts: dict[int, int] = {}
    values: dict[int, dict[str, Decimal]] = {}
    first: dict[int, date] = {}
    for on, currency, count, value in closing:
        week = (on - today).days // 7
        if not 0 <= week < most:
            continue
        counts[week] = counts.get(week, 0) + count
        first[week] = min(first.get(week, on), on)
        if currency is not None and value is not None:
            sums = values.setdefault(week, {})
            sums[currency] = sums.get(currency, Decimal(0)) + value
    highest = max(counts.values(), default=1)
    return [
        Week(
            starts_on=(start := today + timedelta(days=7 * week)),
            count=counts.get(week, 0),
            values=values.get(week, {}),
            urgency=urgency(first.get(week, start), today),
            share=_share(counts.get(week, 0), highest),
        )
        for week in range(max(counts, default=-1) + 1)
    ]


def _share(part: int, whole: int) -> str:
    """Return a share in percent with one place, between 0 and 100."""
    per_mille = min(max(part * 1000 // whole, 0), 1000)
    return f"{per_mille // 10}.{per_mille % 10}%"
