"""How near a deadline is, and where its marks stand on a bar. Pure: days in, words, shares and sums out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from claims.dashboard import Closing
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
    """What closes in the seven days from `starts_on`: how many by urgency, and amounts by currency."""

    starts_on: date
    counts: dict[str, int] = field(default_factory=dict)
    values: dict[str, Decimal] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many in all."""
        return sum(self.counts.values())


def marketplace_today(code: str, now: datetime) -> date:
    """Return the calendar day of a marketplace: deadlines are its days."""
    return marketplaces()[code].day_of(now)


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


def weeks(closing: Iterable[Closing], today: date, *, most: int = 9) -> list[Week]:
    """Return the next weeks in which something closes, empty ones in between included.

    Days before `today` and beyond `most` weeks are left out.
    """
    found: dict[int, Week] = {}
    for each in closing:
        number = (each.on - today).days // 7
        if not 0 <= number < most:
            continue
        week = found.setdefault(number, Week(today + timedelta(days=7 * number)))
        how = urgency(each.on, today)
        week.counts[how] = week.counts.get(how, 0) + each.count
        if each.currency is not None and each.value is not None:
            week.values[each.currency] = week.values.get(each.currency, Decimal(0)) + each.value
    return [
        found.get(number) or Week(today + timedelta(days=7 * number)) for number in range(max(found, default=-1) + 1)
    ]


def _share(part: int, whole: int) -> str:
    """Return a share in percent with one place, between 0 and 100."""
    per_mille = min(max(part * 1000 // whole, 0), 1000)
    return f"{per_mille // 10}.{per_mille % 10}%"
