"""Which days of a report we have: a rule that needs the absence of rows may speak only there (section 1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from detection.reports import Delivery

_STRETCH_DAYS = 7
_JOIN_DAYS = 7
_LATE_DAYS = 31

Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Need:
    """A report that a rule must have from `days_before` the loss to the as-of date."""

    report: str
    days_before: int


class Coverage:
    """The covered days of each report, up to the as-of date."""

    def __init__(self, deliveries: Iterable[Delivery], stated: Mapping[str, Sequence[Days]], as_of: date) -> None:
        """Take the files' spans and the windows that somebody states (`stated`, by short report name)."""
        self.as_of = as_of
        spans: dict[str, list[Days]] = {report: list(windows) for report, windows in stated.items()}
        for delivery in deliveries:
            known = delivery.window or _span(delivery, as_of)
            if known:
                spans.setdefault(delivery.report, []).append(known)
        self._covered = {report: _joined(known, as_of) for report, known in spans.items()}

    def has(self, report: str) -> bool:
        """Whether any day of the report is covered."""
        return bool(self._covered.get(report))

    def missing(self, report: str, since: date) -> Days | None:
        """Return the first and the last day missing from `since` to the as-of date, or None where none is."""
        gaps = list(_gaps(self._covered.get(report, ()), since, self.as_of))
        return (gaps[0][0], gaps[-1][1]) if gaps else None

    def is_only_late(self, report: str, since: date) -> bool:
        """Whether what is missing are only the last days (at most 31): a caveat, where more would mean silence."""
        covered = self._covered.get(report)
        if not covered:
            return False
        last = covered[-1][1]
        return (self.as_of - last).days <= _LATE_DAYS and not list(_gaps(covered, since, last))

    def whole_since(self, report: str) -> date | None:
        """Return the first day from which on every day up to the as-of date is covered, or None."""
        covered = self._covered.get(report)
        return covered[-1][0] if covered and covered[-1][1] >= self.as_of else None


def _span(delivery: Delivery, as_of: date) -> Days | None:
    first, last = delivery.first_date, delivery.last_date
    if first is None or last is None or first > as_of:
        return None
    return first, min(last + timedelta(days=_STRETCH_DAYS), as_of)


def _joined(spans: Sequence[Days], as_of: date) -> tuple[Days, ...]:
    joined: list[Days] = []
    for first, last in sorted((first, min(last, as_of)) for first, last in spans if first <= as_of):
        if joined and (first - joined[-1][1]).days <= _JOIN_DAYS:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def _gaps(covered: Sequence[Days], since: date, until: date) -> Iterable[Days]:
    day = since
    for first, last in covered:
        if last < day:
            continue
        if first > day:
            yield day, min(first - timedelta(days=1), until)
        day = last + timedelta(days=1)
        if day > until:
            return
    if day <= until:
        yield day, until
