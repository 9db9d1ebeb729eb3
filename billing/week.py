"""The weeks that are reported and billed: Monday to Sunday by the calendar of a place."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = 7


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from `monday` on, in `zone`; a change of clocks makes the week an hour longer or shorter."""

    monday: date
    zone: ZoneInfo

    @classmethod
    def containing(cls, day: date, zone: ZoneInfo) -> "Week":
        """Return the week that a calendar day is in."""
        return cls(day - timedelta(days=day.weekday()), zone)

    @classmethod
    def last_whole(cls, now: datetime, zone: ZoneInfo) -> "Week":
        """Return the last week that is over at `now`."""
        return cls.containing(now.astimezone(zone).date() - timedelta(days=_DAYS), zone)

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=_DAYS - 1)

    @property
    def begins_at(self) -> datetime:
        """Its first moment, aware UTC."""
        return datetime.combine(self.monday, time(), tzinfo=self.zone).astimezone(UTC)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it, aware UTC."""
        return datetime.combine(self.monday + timedelta(days=_DAYS), time(), tzinfo=self.zone).astimezone(UTC)
