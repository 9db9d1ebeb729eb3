"""Kept report lines taken apart as the report's own columns. Pure: a header and a line in, cells out."""

import csv


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
