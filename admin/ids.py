"""Ids of rows in addresses and forms: a number that no row can have leads nowhere, and never to the database."""

from flask import Flask, request
from werkzeug.routing import IntegerConverter, Map

_LARGEST = 2_147_483_647


class IdConverter(IntegerConverter):
    """`<id:claim_id>` in a rule."""

    def __init__(self, map: Map) -> None:  # noqa: A002 (Werkzeug's signature)
        super().__init__(map, max=_LARGEST)


def register(app: Flask) -> None:
    """Let rules have ids; before any rule that has one."""
    app.url_map.converters["id"] = IdConverter


def is_id(value: str) -> bool:
    """Whether a text can be a row's id."""
    return len(value) <= len(str(_LARGEST)) and value.isascii() and value.isdecimal() and int(value) <= _LARGEST


def id_from_form(name: str) -> int:
    """Return the id that the form has in this field; 0, which no row has, for anything else."""
    given = request.form.get(name, "")
    return int(given) if is_id(given) else 0
