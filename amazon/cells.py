"""The text of a cell as a value: days, whole numbers and exact amounts, as polars expressions.

Each kind has a fast reading, for the one spelling that a file uses, and a patient one that knows every spelling seen.
Null means that the cell could not be read, or is empty.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from amazon.catalogue import Column, Kind
from money import CURRENCIES

Spelling = Literal["us", "iso", "stamp", "any"]
SlashOrder = Literal["month_first", "day_first"]

_NOTHING = r"^[-–—]*$"
_DAYS = (date(2000, 1, 1), date(2100, 1, 1))
_MONTHS = 12
_CLOCK = r"[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?"
_OFFSET = r"Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?"
_SHAPES: tuple[tuple[Spelling, str], ...] = (
    ("us", r"^\d{1,2}/\d{1,2}/\d{4}$"),
    ("iso", r"^\d{4}-\d{2}-\d{2}$"),
    ("stamp", r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:?\d{2})$"),
)
_SLASHES: dict[SlashOrder, str] = {"month_first": "%m/%d/%Y", "day_first": "%d/%m/%Y"}
_PLAIN_AMOUNT = r"^-?(?:\d{1,12}(?:\.\d{0,6})?|\.\d{1,6})$"
_UNREADABLE: dict[Kind, str] = {
    "date": "is not a date",
    "units": "is not a whole number",
    "amount": "is not an amount",
    "currency": "is not a currency that Recoup knows",
}


def text(cell: pl.Expr) -> pl.Expr:
    """Return the cell without blanks around it; null if nothing is left."""
    stripped = cell.str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def spelling_of(sample: pl.Series) -> Spelling:
    """Return the one spelling of dates that all filled cells of `sample` share; `any` where they differ."""
    filled = sample.str.strip_chars().drop_nulls()
    filled = filled.filter(filled != "")
    for spelling, shape in _SHAPES:
        if len(filled) and filled.str.contains(shape).all():
            return spelling
    return "any"


def slash_order(days: pl.Series, stamps: pl.Series | None) -> SlashOrder:
    """Return whether `days` like 03/04/2026 begin with the month, as Amazon writes them, or with the day.

    stamps: the same rows' ISO time stamps, if the file has them; they decide where no number is over 12.
    """
    first = days.str.extract(r"^(\d{1,2})/", 1).cast(pl.Int64, strict=False)
    second = days.str.extract(r"^\d{1,2}/(\d{1,2})/", 1).cast(pl.Int64, strict=False)
    if (second > _MONTHS).any():
        return "month_first"
    if (first > _MONTHS).any():
        return "day_first"
    if stamps is None:
        return "month_first"
    meant = stamps.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    matches = {order: (days.str.to_date(form, strict=False) == meant).sum() for order, form in _SLASHES.items()}
    return "day_first" if matches["day_first"] > matches["month_first"] else "month_first"


class Reading:
    """How the cells of one file are read: its date spellings and the marketplace's zone."""

    def __init__(self, zone: ZoneInfo, spellings: dict[str, Spelling], slashes: SlashOrder = "month_first") -> None:
        self._zone = zone.key
        self._spellings = spellings
        self._slashes = slashes

    def fast(self, column: Column, cell: pl.Expr) -> pl.Expr:
        """Return the typed value of cells that are spelled as most are in this file."""
        readings: dict[Kind, Callable[[], pl.Expr]] = {
            "text": lambda: text(cell),
            "currency": lambda: _currency(cell),
            "units": lambda: cell.cast(pl.Int64, strict=False),
            "amount": lambda: _plain_amount(cell),
            "date": lambda: self._fast_date(cell, self._spellings.get(column.name, "any")),
        }
        return readings[column.kind]()

    def patient(self, column: Column, cell: pl.Expr) -> pl.Expr:
        """Return the typed value of cells in any spelling that is understood."""
        readings: dict[Kind, Callable[[], pl.Expr]] = {
            "text": lambda: text(cell),
            "currency": lambda: _currency(cell),
            "units": lambda: _whole(_plain_number(cell)),
            "amount": lambda: _plain_amount(_plain_number(cell)),
            "date": lambda: self._any_date(cell),
        }
        return readings[column.kind]()

    def _fast_date(self, cell: pl.Expr, spelling: Spelling) -> pl.Expr:
        if spelling == "us":
            return _sane(cell.str.to_date(_SLASHES[self._slashes], strict=False))
        if spelling == "iso":
            return _sane(cell.str.to_date("%Y-%m-%d", strict=False))
        if spelling == "stamp":
            moment = cell.str.to_datetime("%Y-%m-%dT%H:%M:%S%#z", time_zone="UTC", time_unit="us", strict=False)
            return _sane(moment.dt.convert_time_zone(self._zone).dt.date())
        return self._any_date(cell)

    def _any_date(self, cell: pl.Expr) -> pl.Expr:
        """Return the day of a date or time stamp: with an offset, the marketplace's; else as it is written."""
        value = cell.str.strip_chars()
        days = [
            _leading(value, r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}")
            .str.replace_all(r"[/.]", "-")
            .str.to_date("%Y-%m-%d", strict=False),
            _leading(value, r"\d{1,2}\.\d{1,2}\.\d{4}").str.to_date("%d.%m.%Y", strict=False),
            _leading(value, r"\d{1,2}/\d{1,2}/\d{4}").str.to_date(_SLASHES[self._slashes], strict=False),
        ]
        day = _sane(pl.coalesce(days))
        offset = value.str.extract(rf"{_CLOCK}\s*({_OFFSET})$", 1)
        clock = value.str.extract(r"[T ](\d{1,2}:\d{2}).*$", 1).str.splitn(":", 2).struct
        minutes = _int(clock[0]) * 60 + _int(clock[1])
        east = _int(offset.str.extract(r"^[+-](\d{2})", 1)).fill_null(0) * 60 + _int(
            offset.str.extract(r"(?:^[+-]\d{2}:?)(\d{2})$", 1)
        ).fill_null(0)
        utc_minutes = minutes - pl.when(offset.str.starts_with("-")).then(-east).otherwise(east)
        moment = day.cast(pl.Datetime("us")) + pl.duration(minutes=utc_minutes)
        local = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(self._zone).dt.date()
        is_whole = value.str.contains(rf"^[\d/.-]+(?:{_CLOCK}\s*(?:{_OFFSET})?)?$")
        return pl.when(is_whole).then(pl.when(offset.is_not_null()).then(local).otherwise(day))


def is_nothing(cell: pl.Expr) -> pl.Expr:
    """Tell whether the cell says that there is no value: empty, or dashes only."""
    return cell.is_null() | cell.str.strip_chars().str.contains(_NOTHING)


def problem(column: Column, cell: pl.Expr, value: pl.Expr, *, quotes_values: bool) -> pl.Expr:
    """Return in words why a row must be rejected for this cell, or null."""
    reasons = []
    if column.filled:
        reasons.append(pl.when(value.is_null() & is_nothing(cell)).then(pl.lit(f"{column.words} is empty")))
    if column.kind in _UNREADABLE:
        unreadable = pl.lit(f"{column.words} {_UNREADABLE[column.kind]}")
        if quotes_values:
            unreadable = pl.concat_str(unreadable, pl.lit(": '"), cell.str.strip_chars().str.slice(0, 40), pl.lit("'"))
        reasons.append(pl.when(value.is_null() & ~is_nothing(cell)).then(unreadable))
    return pl.coalesce([*reasons, pl.lit(None, pl.String)])


def first_problem(problems: Sequence[pl.Expr]) -> pl.Expr:
    """Return the first of the reasons to reject a row, or null."""
    return pl.coalesce([*problems, pl.lit(None, pl.String)])


def _leading(value: pl.Expr, shape: str) -> pl.Expr:
    return value.str.extract(rf"^({shape})(?:$|[T ])", 1)


def _int(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Int64, strict=False)


def _sane(day: pl.Expr) -> pl.Expr:
    # Two-digit years would be read as the first century.
    return pl.when(day.is_between(*_DAYS)).then(day)


def _currency(cell: pl.Expr) -> pl.Expr:
    code = cell.str.strip_chars().str.to_uppercase()
    return pl.when(code.is_in(sorted(CURRENCIES))).then(code)


def _plain_amount(cell: pl.Expr) -> pl.Expr:
    """Return the millionths of amounts like -12.34; through integers, so that they are exact."""
    exact = pl.when(cell.str.contains(_PLAIN_AMOUNT)).then(cell).cast(pl.Decimal(20, 6), strict=False)
    return exact.to_physical().cast(pl.Int64, strict=False)


def _whole(number: pl.Expr) -> pl.Expr:
    return number.str.extract(r"^(-?\d+)(?:\.0*)?$", 1).cast(pl.Int64, strict=False)


def _plain_number(cell: pl.Expr) -> pl.Expr:
    """Return a number in any local spelling as digits with at most one point and a leading minus.

    1,234.56 and 1.234,56 and 12,50; (3.00) and 3.00- are below zero; currency signs and codes are dropped. One comma
    before exactly three digits groups thousands.
    """
    value = cell.str.strip_chars().str.replace_all(r"[\s\u{a0}\u{202f}']", "").str.replace_all("−", "-", literal=True)
    below = value.str.contains(r"^\(.*\)$|^\D*-|-$")
    digits = value.str.extract(r"^[(+-]?[\p{Sc}A-Za-z]{0,4}[+-]?([\d.,]*\d[\d.,]*)[\p{Sc}A-Za-z]{0,4}[-)]?$", 1)
    last_is_comma = digits.str.contains(r",[^.]*$") & ~digits.str.contains(r"^\d{1,3}(?:,\d{3})+$")
    as_points = (
        pl.when(
            digits.str.contains(r"^\d{1,3}(?:\.\d{3}){2,}$") | (last_is_comma & digits.str.contains(r"^[\d.]*,\d*$"))
        )
        .then(digits.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(digits.str.contains(r"^\d*(?:,\d{3})*(?:\.\d*)?$"))
        .then(digits.str.replace_all(",", "", literal=True))
    )
    return pl.when(below).then(pl.concat_str(pl.lit("-"), as_points)).otherwise(as_points)
