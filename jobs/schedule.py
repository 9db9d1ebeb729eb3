"""The cron table, and which slot of it is due. Pure: the time is given, nothing is looked up.

A slot is a local calendar day, or the Monday that starts a reported week, so a change of clocks neither skips one nor
makes one twice.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

RING_SECONDS = 15  # how often what is due and not running is rung again
DAILY = "daily"
WEEKLY = "weekly"
AFTER_IMPORT = "detect"


@dataclass(frozen=True, slots=True)
class EachDay:
    """Work of every active account, once a local day, from `at` on by the wall clock of its marketplace."""

    kind: str
    at: time


@dataclass(frozen=True, slots=True)
class EachWeek:
    """Work for every client who is reported to, on Mondays from `at` on by the client's wall clock."""

    kind: str
    at: time


CRON_TABLE = (EachDay(DAILY, at=time(5)),)
EACH_MONDAY = EachWeek(WEEKLY, at=time(8))
_WEEK = timedelta(days=7)


def due_at(entry: EachDay | EachWeek, slot: date, zone: ZoneInfo) -> datetime:
    """Return the moment, aware UTC, from which the slot is due; of an hour that comes twice, the first."""
    return datetime.combine(slot, entry.at, tzinfo=zone).astimezone(UTC)


def latest_slot(entry: EachDay, now: datetime, zone: ZoneInfo) -> date:
    """Return the newest slot that is due at `now`. Those before it are not made up for: one run reads all there is."""
    today = now.astimezone(zone).date()
    return today if due_at(entry, today, zone) <= now else today - timedelta(days=1)


def latest_week(entry: EachWeek, now: datetime, zone: ZoneInfo) -> date:
    """Return the Monday of the newest week to be reported at `now`; it is due on the Monday after."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return monday - _WEEK if due_at(entry, monday, zone) <= now else monday - 2 * _WEEK


def week_due_at(entry: EachWeek, week: date, zone: ZoneInfo) -> datetime:
    """Return the moment, aware UTC, from which the report of the week that `week` begins is due."""
    return due_at(entry, week + _WEEK, zone)
