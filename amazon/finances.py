"""Money events of the Finances API, in both of its versions, as one row per amount."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from amazon.pages import Entry
from money import MICROS

Part = Literal["charge", "fee", "promotion", "adjustment"]

SCHEMA: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "entry": pl.Int64(),
    "event_id": pl.String(),
    "event": pl.String(),
    "posted_on": pl.Date(),
    "order_id": pl.String(),
    "sku": pl.String(),
    "fnsku": pl.String(),
    "asin": pl.String(),
    "order_item_id": pl.String(),
    "quantity": pl.Int64(),
    "part": pl.String(),
    "kind": pl.String(),
    "amount": pl.Int64(),
    "currency": pl.String(),
    "marketplace_name": pl.String(),
    "source": pl.String(),
}
_MOST_MICROS = 2**63


class Unreadable(ValueError):
    """A value of an event cannot be read, so that the event is rejected; says which and why."""


class Amount(NamedTuple):
    """One amount of an event, in millionths with the sign as delivered; `micros` is None for an item without any."""

    part: Part | None
    kind: str | None
    micros: int | None
    currency: str | None


class Item(NamedTuple):
    """What the amounts of an event are about; all None for those of the order as a whole."""

    sku: str | None = None
    fnsku: str | None = None
    asin: str | None = None
    order_item_id: str | None = None
    quantity: int | None = None


Lines = list[tuple[Item, list[Amount]]]


class Event(NamedTuple):
    """One event with all its amounts."""

    event: str
    posted_on: date | None
    order_id: str | None
    marketplace_name: str | None
    lines: Lines


def rows_of(entry: Entry, number: int, event: Event, source: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of an event, in the order of SCHEMA."""
    for item, amounts in event.lines:
        for part, kind, micros, currency in amounts or [Amount(None, None, None, None)]:
            yield (
                entry.line, number, entry.digest, event.event, event.posted_on, event.order_id,
                item.sku, item.fnsku, item.asin, item.order_item_id, item.quantity,
                part, kind, micros, currency, event.marketplace_name, source,
            )  # fmt: skip


def day_of(value: Any, name: str, zone: ZoneInfo) -> date | None:
    """Return the marketplace's day of an ISO time stamp; None where there is none. Raises Unreadable."""
    if value in (None, ""):
        return None
    try:
        return _day(str(value), zone)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is not a date: '{str(value)[:40]}'") from None


@lru_cache(maxsize=1 << 12)
def _day(text: str, zone: ZoneInfo) -> date:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(zone).date() if moment.tzinfo else moment.date()


def whole(value: Any, name: str) -> int | None:
    """Return a number of units, which Amazon delivers as a number or as text. Raises Unreadable."""
    if value in (None, ""):
        return None
    if not isinstance(value, bool) and re.fullmatch(r"[+-]?\d{1,15}(?:\.0+)?", str(value)):
        return int(str(value).split(".", maxsplit=1)[0])
    raise Unreadable(f"{name} is not a whole number: '{str(value)[:40]}'")


def micros_of(value: Any, name: str) -> int | None:
    """Return millionths of a number that is still text. Raises Unreadable, also for a seventh place."""
    if value in (None, ""):
        return None
    try:
        return _micros(str(value))
    except (InvalidOperation, Unreadable):
        raise Unreadable(f"{name} is not an amount: '{str(value)[:40]}'") from None


@lru_cache(maxsize=1 << 16)
def _micros(text: str) -> int:
    micros = Decimal(text) * MICROS
    if not micros.is_finite() or micros != micros.to_integral_value() or abs(micros) >= _MOST_MICROS:
        raise Unreadable(text)
    return int(micros)


def text_of(value: Any) -> str | None:
    """Return a text without blanks around it, None if nothing is left."""
    return str(value).strip() or None if value is not None else None


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list that may be missing or null."""
    yield from (each for each in value or () if isinstance(each, dict))


def read_entries(
    entries: Iterable[Entry], read: Callable[[Entry], Event | None], source: str
) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Return the rows of all events that can be read, and of the others line and reason.

    `read` returns None for an event that counts nothing.
    """
    rows: list[tuple[Any, ...]] = []
    rejected: list[tuple[int, str]] = []
    for number, entry in enumerate(entries):
        try:
            event = read(entry)
        except Unreadable as problem:
            rejected.append((entry.line, str(problem)))
            continue
        if event is not None:
            rows.extend(rows_of(entry, number, event, source))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row"), rejected
