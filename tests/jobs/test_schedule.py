from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.marketplaces import marketplaces
from jobs.schedule import CRON_TABLE, DAILY, EachDay, due_at, latest_slot

AT_FIVE = EachDay("daily", at=time(5))
# Clocks that change at midnight, by half an hour, and over five o'clock's own neighbourhood, beside the marketplaces'.
ZONES = sorted(
    {str(m.zone) for m in marketplaces().values()} | {"Africa/Cairo", "Australia/Lord_Howe", "America/Havana"}
)


@pytest.mark.parametrize(
    ("zone", "local_day", "utc"),
    [
        ("America/Los_Angeles", "2026-03-07", "2026-03-07T13:00"),  # before the clocks go forward
        ("America/Los_Angeles", "2026-03-08", "2026-03-08T12:00"),
        ("America/Los_Angeles", "2026-10-31", "2026-10-31T12:00"),
        ("America/Los_Angeles", "2026-11-01", "2026-11-01T13:00"),  # one hour came twice
        ("Europe/Berlin", "2026-03-29", "2026-03-29T03:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25T04:00"),
        ("Asia/Tokyo", "2026-11-23", "2026-11-22T20:00"),
    ],
)
def test_a_day_is_due_at_five_by_the_wall_clock(zone: str, local_day: str, utc: str) -> None:
    at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    day = date.fromisoformat(local_day)
    assert due_at(AT_FIVE, day, ZoneInfo(zone)) == at
    assert latest_slot(AT_FIVE, at, ZoneInfo(zone)) == day
    assert latest_slot(AT_FIVE, at - timedelta(seconds=1), ZoneInfo(zone)) == day - timedelta(days=1)


MINUTES = st.integers(0, 4 * 366 * 24 * 60)
MOMENTS = MINUTES.map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    hour=st.integers(0, 23),
    start=MOMENTS,
    step=st.integers(10, 600).map(lambda minutes: timedelta(minutes=minutes)),
)
def test_no_day_is_skipped_or_comes_twice(zone: ZoneInfo, hour: int, start: datetime, step: timedelta) -> None:
    entry = EachDay("daily", at=time(hour))
    slots = [latest_slot(entry, start + i * step, zone) for i in range(200)]
    steps = [(after - before).days for before, after in pairwise(slots)]
    assert set(steps) <= {0, 1}


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    now=MOMENTS,
)
def test_the_latest_slot_is_due_and_the_next_is_not(zone: ZoneInfo, now: datetime) -> None:
    slot = latest_slot(AT_FIVE, now, zone)
    assert due_at(AT_FIVE, slot, zone) <= now < due_at(AT_FIVE, slot + timedelta(days=1), zone)


def test_each_account_is_looked_at_at_five() -> None:
    assert [(entry.kind, entry.at) for entry in CRON_TABLE] == [(DAILY, time(5))]
