"""The simulated clock: where it stands, and the moments to which it is put as days pass. It never goes back."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

from clock import real_now
from config import clock_offset
from errors import RecoupError

# The daily run is due at five of the marketplace, the weekly one at eight of the client's Monday.
DAY_BEGINS = time(5, 30)
WEEK_BEGINS = time(8, 5)
_MONDAY, _WEEK_DAYS = 0, 7
_FURTHEST_DAYS = 31


class CannotMove(RecoupError):
    """The calendar cannot be put there."""


class Calendar:
    """The clock that `RECOUP_CLOCK_FILE` moves, as the wall clock of `zone` shows it."""

    def __init__(self, clock_file: Path, zone: ZoneInfo) -> None:
        self._file, self.zone = clock_file, zone

    def now(self) -> datetime:
        """Return the simulated time."""
        return (real_now() + clock_offset(self._file)).astimezone(self.zone)

    def today(self) -> date:
        """Return the simulated day."""
        return self.now().date()

    def put(self, moment: datetime) -> None:
        """Put the clock to a moment. Raises CannotMove for one that has passed."""
        if moment < self.now():
            raise CannotMove(f"The calendar only goes forward: it is {in_words(self.now())} already.")
        offset = moment.astimezone(real_now().tzinfo) - real_now()
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ceil(offset.total_seconds())}\n", encoding="utf-8")
        fresh.replace(self._file)

    def begin_day(self, day: date) -> None:
        """Put the clock to the morning of a later day."""
        self.put(datetime.combine(day, DAY_BEGINS, self.zone))

    def begin_week(self, monday: date) -> None:
        """Put the clock to when a Monday's bills are due."""
        self.put(datetime.combine(monday, WEEK_BEGINS, self.zone))

    def next_day(self) -> date:
        """Return tomorrow."""
        return self.today() + timedelta(days=1)

    def next_monday(self) -> date:
        """Return the Monday that comes, from a Monday the one after it."""
        return self.today() + timedelta(days=_WEEK_DAYS - self.today().weekday())

    def days_until(self, day: date) -> Iterator[date]:
        """Return the days to come up to one, that included. Raises CannotMove for one that has come, or is too far."""
        ahead = (day - self.today()).days
        if ahead <= 0:
            raise CannotMove(f"The calendar only goes forward: it is {in_words(self.now())} already.")
        if ahead > _FURTHEST_DAYS:
            raise CannotMove(f"{short(day)} is {ahead} days ahead.", todo=f"Go {_FURTHEST_DAYS} days at most at once.")
        first = self.today()
        return (first + timedelta(days=number) for number in range(1, ahead + 1))


def is_monday(day: date) -> bool:
    """Tell whether a week begins on this day."""
    return day.weekday() == _MONDAY


def in_words(day: date) -> str:
    """Return a day as people write it, with its weekday."""
    return f"{day:%A}, {short(day)}"


def short(day: date) -> str:
    """Return a day as people write it."""
    return f"{day.day} {day:%b %Y}"
