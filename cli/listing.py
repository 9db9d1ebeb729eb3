"""Rows on stdout, in the three formats that every list has."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from claims.spreadsheets import harmless
from cli.tables import table

Row = Mapping[str, Any]


def format_option(*forms: str) -> Callable[[Any], Any]:
    """Return the option `--format` with these choices, the first being the default."""
    return click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True)


def print_rows(
    rows: Sequence[Row],
    form: str,
    *,
    fields: Sequence[str],
    columns: Mapping[str, str],
    right: Sequence[str] = (),
    in_words: Mapping[str, Callable[[Row], str]] | None = None,
) -> None:
    """Write rows to stdout. `fields` are all that a row has, `columns` those that a table shows, with their heads.

    in_words: of which fields a table shows what this makes of the row, in place of the field.
    """
    if form == "json":
        click.echo(as_json(list(rows)))
    elif form == "csv":
        click.echo(_as_csv(rows, fields), nl=False)
    elif rows:
        told = in_words or {}
        cells = [[told[field](row) if field in told else _cell(row[field]) for field in columns] for row in rows]
        click.echo(table(tuple(columns.values()), cells, right={columns[field] for field in right}), nl=False)


def print_one(row: Row, form: str, sections: Mapping[str, Sequence[str]]) -> None:
    """Write one row to stdout: as JSON, or a field a line and then the sections, a line each."""
    if form == "json":
        click.echo(as_json(row))
        return
    plain = {field: value for field, value in row.items() if not isinstance(value, list) or field == "caveats"}
    width = max(len(field) for field in plain)
    for field, value in plain.items():
        click.echo(f"{field.replace('_', ' '):<{width}}  {_cell(value)}".rstrip())
    for title, lines in sections.items():
        click.echo(f"\n{title}")
        for line in lines or ["(none)"]:
            click.echo(f"  {line}")


def as_json(value: Any) -> str:
    """Return the text of a list or an object whose values JSON knows."""
    return json.dumps(value, ensure_ascii=False, indent=1)


def _as_csv(rows: Sequence[Row], fields: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows({field: _plain(_cell(value)) for field, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(str(part) for part in value)
    return value


def _plain(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
