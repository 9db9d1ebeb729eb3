from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.week import Week

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("day", [date(2026, 11, 16), date(2026, 11, 19), date(2026, 11, 22)])
def test_a_week_is_monday_to_sunday(day: date) -> None:
    week = Week.containing(day, BERLIN)
    assert (week.monday, week.sunday) == (date(2026, 11, 16), date(2026, 11, 22))


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-22T22:59", date(2026, 11, 9)),  # a minute to Monday in Berlin
        ("2026-11-22T23:00", date(2026, 11, 16)),
        ("2026-11-29T22:59", date(2026, 11, 16)),
    ],
)
def test_the_last_whole_week_changes_at_midnight_of_the_place(now: str, monday: date) -> None:
    assert Week.last_whole(datetime.fromisoformat(now).replace(tzinfo=UTC), BERLIN).monday == monday


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 25), 167), (date(2026, 10, 21), 169), (date(2026, 6, 3), 168)]
)
def test_a_week_in_which_the_clocks_change_is_still_seven_days(day: date, hours: int) -> None:
    week = Week.containing(day, BERLIN)
    assert week.ends_at - week.begins_at == timedelta(hours=hours)
    assert week.ends_at == Week.containing(day + timedelta(days=7), BERLIN).begins_at
