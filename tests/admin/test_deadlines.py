from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from admin.deadlines import bar, marketplace_today, urgency, weeks
from claims.dashboard import Closing

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("on", "how"),
    [
        (date(2026, 11, 22), "over"),
        (date(2026, 11, 23), "urgent"),
        (date(2026, 11, 26), "urgent"),
        (date(2026, 11, 27), "soon"),
        (date(2026, 12, 2), "soon"),
        (date(2026, 12, 3), "calm"),
    ],
)
def test_under_four_days_is_urgent_and_under_ten_soon(on, how):
    assert urgency(on, TODAY) == how


def test_a_day_is_the_marketplaces():
    night = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert marketplace_today("US", night) == date(2026, 11, 22)
    assert marketplace_today("UK", night) == date(2026, 11, 23)


def test_the_bar_runs_from_the_loss_to_the_last_day():
    marks = bar(date(2026, 11, 3), date(2026, 11, 18), date(2026, 12, 13), TODAY)
    assert (marks.opens, marks.today, marks.urgency) == ("37.5%", "50.0%", "calm")


def test_a_bar_stays_within_its_ends():
    assert bar(date(2026, 11, 1), date(2026, 11, 1), date(2026, 11, 10), TODAY).today == "100.0%"
    assert bar(TODAY, TODAY, TODAY, TODAY).today == "0.0%"


def test_weeks_count_from_today_and_keep_currencies_and_urgencies_apart():
    found = weeks(
        [
            Closing(date(2026, 11, 24), "USD", 2, Decimal(10)),
            Closing(date(2026, 11, 29), "GBP", 1, Decimal(5)),
            Closing(date(2026, 11, 29), None, 1, None),
            Closing(date(2026, 12, 8), "USD", 1, Decimal(1)),
            Closing(date(2026, 11, 22), "USD", 9, Decimal(1)),
            Closing(date(2027, 11, 22), "USD", 9, Decimal(1)),
        ],
        TODAY,
    )
    assert [(week.starts_on.day, week.count, week.counts) for week in found] == [
        (23, 4, {"urgent": 2, "soon": 2}),
        (30, 0, {}),
        (7, 1, {"calm": 1}),
    ]
    assert found[0].values == {"USD": Decimal(10), "GBP": Decimal(5)}
    assert weeks([], TODAY) == []
