"""Money events of the Finances API, in both of its versions, as one row per amount."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from amazon.pages import Entry, in_words
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
_MONEY_FIELDS = (("CurrencyAmount", "CurrencyCode"), ("currencyAmount", "currencyCode"))
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")


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
        if isinstance(value, str):
            return _day(value, zone)
    except (ValueError, OverflowError):
        pass
    raise Unreadable(f"{name} is not a date: {in_words(value)}")


@lru_cache(maxsize=1 << 12)
def _day(text: str, zone: ZoneInfo) -> date:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(zone).date() if moment.tzinfo else moment.date()


def whole(value: Any, name: str) -> int | None:
    """Return a number of units, which Amazon delivers as a number or as text. Raises Unreadable."""
    if value in (None, ""):
        return None
    if _is_plain(value) and re.fullmatch(r"[+-]?\d{1,15}(?:\.0+)?", str(value)):
        return int(str(value).split(".", maxsplit=1)[0])
    raise Unreadable(f"{name} is not a whole number: {in_words(value)}")


def micros_of(value: Any, name: str) -> int:
    """Return millionths of a number that is still text. Raises Unreadable, also for a seventh place or none."""
    if value in (None, ""):
        raise Unreadable(f"{name} is missing")
    try:
        return _micros(str(value) if _is_plain(value) else "")
    except (DecimalException, Unreadable):
        raise Unreadable(f"{name} is not an amount: {in_words(value)}") from None


@lru_cache(maxsize=1 << 16)
def _micros(text: str) -> int:
    if not _NUMBER.fullmatch(text.strip()):
        raise Unreadable(text)
    micros = Decimal(text) * MICROS
    if micros != micros.to_integral_value() or abs(micros) >= _MOST_MICROS:
        raise Unreadable(text)
    return int(micros)


def amount_in(value: dict[str, Any], name: str, part: Part | None, kind: str | None) -> Amount:
    """Return the amount of money in a field, in the words of either version. Raises Unreadable, also for none."""
    money = value.get(name)
    if money is None:
        raise Unreadable(f"{name} is missing")
    if not isinstance(money, dict):
        raise Unreadable(f"{name} is {in_words(money)} where an object belongs")
    for amount, code in _MONEY_FIELDS:
        if amount in money:
            return Amount(part, kind, micros_of(money[amount], amount), text_in(money, code))
    raise Unreadable(f"{name} has no amount")


def text_in(value: dict[str, Any], *names: str) -> str | None:
    """Return the text of the first of these fields that has any, without blanks around it. Raises Unreadable."""
    for name in names:
        field = value.get(name)
        if field is None:
            continue
        if not _is_plain(field):
            raise Unreadable(f"{name} is {in_words(field)} where text belongs")
        if text := str(field).strip():
            return text
    return None


def object_in(value: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the object in a field, an empty one where it is missing or null. Raises Unreadable."""
    field = value.get(name)
    if field is None or isinstance(field, dict):
        return field or {}
    raise Unreadable(f"{name} is {in_words(field)} where an object belongs")


def objects(value: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of the list in a field, which may be missing, null or empty. Raises Unreadable."""
    listed = value.get(name)
    if listed in (None, "", {}):
        return
    if not isinstance(listed, list):
        raise Unreadable(f"{name} is {in_words(listed)} where a list belongs")
    for each in listed:
        if not isinstance(each, dict):
            raise Unreadable(f"{name} holds {in_words(each)} where an object belongs")
        yield each


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


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
