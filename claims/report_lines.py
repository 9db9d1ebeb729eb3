"""Kept report lines taken apart as the report's own columns or fields. Pure: a header and a line in, cells out."""

import csv
import json
from collections.abc import Iterator
from typing import Any

# A value of so many characters is an id, a date or a name: said twice it tells nothing new.
_LONG = 10


def is_table(header: str) -> bool:
    """Whether the report has columns; lines of JSON have none."""
    return bool(header) and header.lstrip()[:1] not in "{[" and ("\t" in header or "," in header)


def cells(text: str, header: str) -> list[str]:
    """Split one delivered line of a report with this header. In reports that do not quote, a quote is a letter."""
    delimiter = "\t" if "\t" in header else ","
    is_quoted = delimiter == "," or header.startswith('"')
    lines = text.splitlines(keepends=True)
    if is_quoted:
        rows = list(csv.reader(lines, delimiter=delimiter))
    else:
        rows = [text.rstrip("\r\n").split(delimiter)] if text else []
    return [cell.strip() for cell in rows[0]] if rows else []


def fields(text: str) -> dict[str, str]:
    """Return the values of one JSON object by their names, as delivered; none where the text is no whole object.

    An amount stands with its currency under the name that Amazon gives it: {"ChargeType": "Tax", "ChargeAmount": …} is
    Tax. What lists hold is named without them, and numbered where an entry has no name of its own.
    """
    try:
        value = json.loads(text, parse_float=str, parse_int=str)
        pairs = list(_named(value, "")) if isinstance(value, dict) else []
    except (ValueError, RecursionError):
        return {}
    found: dict[str, str] = {}
    for name, each in pairs:
        found[_free(name, found)] = each
    return found


def in_short(text: str, header: str) -> str:
    """Return one delivered line for a reader in a hurry: the cells that hold something, or fields with their names.

    An order, a date or another long value that stands in it twice is told once; numbers are told each time.
    """
    if is_table(header):
        named = [("", cell) for cell in cells(text, header)]
    else:
        named = [(f"{name} ", each) for name, each in fields(text).items()] if not header else []
    told: list[str] = []
    seen: set[str] = set()
    for name, each in named:
        if each and each not in seen:
            told.append(f"{name}{each}")
        if len(each) >= _LONG:
            seen.add(each)
    return " | ".join(told) or text


def _named(value: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of all that an object holds; an object that names its one amount gives the name to it."""
    amounts = {name: amount for name, each in value.items() if (amount := _amount(each))}
    label = next((name for name, each in value.items() if name.endswith("Type") and isinstance(each, str)), None)
    if label and len(amounts) == 1:
        yield f"{path}{value[label]}", next(iter(amounts.values()))
        value = {name: each for name, each in value.items() if name != label and name not in amounts}
    for name, each in value.items():
        yield from _of_value(each, f"{path}{name}", path, amounts.get(name))


def _of_value(value: Any, name: str, path: str, amount: str | None) -> Iterator[tuple[str, str]]:
    if amount:
        yield name, amount
    elif isinstance(value, dict):
        yield from _named(value, f"{name}.")
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        is_named = len(value) == 1 or all(isinstance(each, dict) and any(map(_amount, each.values())) for each in value)
        for number, each in enumerate(value, 1):
            inner = path if is_named else f"{name} {number}."
            yield from (
                _named(each, inner) if isinstance(each, dict) else _of_value(each, f"{name} {number}", path, None)
            )
    elif isinstance(value, list):
        yield name, ", ".join(map(_text, value))
    else:
        yield name, _text(value)


def _amount(value: Any) -> str | None:
    """Return "-18.29 USD" of an object that is an amount in either of Amazon's spellings."""
    if isinstance(value, dict) and {name.lower() for name in value} == {"currencycode", "currencyamount"}:
        by_name = {name.lower(): _text(each) for name, each in value.items()}
        return f"{by_name['currencyamount']} {by_name['currencycode']}"
    return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _free(name: str, taken: dict[str, str]) -> str:
    """Return the name, numbered where it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
