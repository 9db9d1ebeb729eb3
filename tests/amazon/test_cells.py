from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon.catalogue import Column
from amazon.cells import Reading, slash_order, spelling_of

ZONE = ZoneInfo("America/Los_Angeles")


def value_of(kind: str, cell: str | None, *, how: str = "patient", reading: Reading | None = None):
    read = getattr(reading or Reading(ZONE, {}), how)
    return pl.DataFrame({"x": [cell]}, schema={"x": pl.String}).select(read(Column("x", "X", kind), pl.col("x"))).item()


@pytest.mark.parametrize(
    ("cell", "micros"),
    [
        ("12", 12_000_000),
        ("1,234.56", 1_234_560_000),
        ("1.234,56", 1_234_560_000),
        ("1.234.567,89", 1_234_567_890_000),
        ("12,50", 12_500_000),
        ("1,234", 1_234_000_000),
        ("(3.00)", -3_000_000),
        ("3.00-", -3_000_000),
        ("-$3.50", -3_500_000),
        ("$5.10", 5_100_000),
        ("￥1,200", 1_200_000_000),
        ("5,00 €", 5_000_000),
        ("EUR 5,00", 5_000_000),
        ("1 234,50", 1_234_500_000),
        (".5", 500_000),
        ("0.000001", 1),
        ("--", None),
        ("", None),
        (None, None),
        ("x", None),
        ("1e3", None),
        ("0.1234567", None),
        ("2-3", None),
    ],
)
def test_amounts_are_read_in_every_spelling(cell, micros):
    assert value_of("amount", cell) == micros


@settings(max_examples=50, deadline=None)
@given(st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, places=6))
def test_amounts_are_exact(amount):
    cell = f"{amount:f}"
    assert value_of("amount", cell, how="fast") == value_of("amount", cell) == int(amount * 10**6)
    assert Decimal(value_of("amount", cell)) / 10**6 == amount


@pytest.mark.parametrize(
    ("cell", "units"), [("12", 12), ("-3", -3), ("1,234", 1234), ("2.0", 2), ("2.5", None), ("x", None), ("--", None)]
)
def test_units_are_whole(cell, units):
    assert value_of("units", cell) == units


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("10/01/2026", date(2026, 10, 1)),
        ("2026-10-01", date(2026, 10, 1)),
        ("2026/10/01", date(2026, 10, 1)),
        ("01.10.2026", date(2026, 10, 1)),
        ("2026-10-01T06:59:59+00:00", date(2026, 9, 30)),
        ("2026-10-01T07:00:00Z", date(2026, 10, 1)),
        ("2026-10-01T00:00:00-0700", date(2026, 10, 1)),
        ("2026-10-01T00:00:00-07", date(2026, 10, 1)),
        ("2026-10-01T09:00:00.123+09:00", date(2026, 9, 30)),
        ("2026-10-01 06:30:00 UTC", date(2026, 9, 30)),
        ("2026/10/01 08:30:00 UTC", date(2026, 10, 1)),
        ("01.10.2026 06:30:00 UTC", date(2026, 9, 30)),
        # The hour that the change of clocks repeats belongs to its day both times.
        ("2026-11-01T08:30:00Z", date(2026, 11, 1)),
        ("2026-11-01T09:30:00Z", date(2026, 11, 1)),
        ("2026-10-01T23:59:59", date(2026, 10, 1)),
        ("09/06/25", None),
        ("01.10.26", None),
        ("2026-02-30", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_are_days_of_the_marketplace(cell, day):
    assert value_of("date", cell) == day


@pytest.mark.parametrize("cell", ["10/01/2026", "2026-10-01", "2026-10-01T06:59:59+00:00", "2026-10-01T06:59:59Z"])
def test_the_fast_way_reads_dates_as_the_patient_way(cell):
    reading = Reading(ZONE, {"x": spelling_of(pl.Series([cell, cell]))})
    assert value_of("date", cell, how="fast", reading=reading) == value_of("date", cell)


def test_ambiguous_days_are_told_by_the_time_stamp_beside_them():
    days = pl.Series(["03/04/2026", "05/06/2026"])
    assert slash_order(days, pl.Series(["2026-04-03T00:00:00-0700", "2026-06-05T00:00:00-0700"])) == "day_first"
    assert slash_order(days, pl.Series(["2026-03-04T00:00:00-0700", "2026-05-06T00:00:00-0700"])) == "month_first"
    assert slash_order(days, None) == "month_first"
    assert slash_order(pl.Series(["03/04/2026", "25/04/2026"]), None) == "day_first"
