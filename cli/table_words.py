"""What a table of the command line says in words. JSON and CSV keep the codes, which programs compare."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from claims import words

Words = Mapping[str, Callable[[Mapping[str, Any]], str]]


def _closes_on(row: Mapping[str, Any]) -> str:
    return words.day(date.fromisoformat(row["closes_on"]))


def _claim_type(row: Mapping[str, Any]) -> str:
    return words.claim_type_name(row["claim_type"])


def _value(row: Mapping[str, Any]) -> str:
    return row["value"] or words.NOT_KNOWN


DISCREPANCY: Words = {
    "status": lambda row: words.status_name(row["status"], row["status_reason"]),
    "claim_type": _claim_type,
    "value": _value,
    "closes_on": _closes_on,
    "caveats": lambda row: ", ".join(map(words.caveat_name, row["caveats"])),
}
CLAIM: Words = {
    "status": lambda row: words.claim_status_name(row["status"], row["closed_reason"]),
    "claim_type": _claim_type,
    "value": _value,
    "closes_on": _closes_on,
}
