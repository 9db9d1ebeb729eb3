"""`flask audit`: the whole detection on report files that somebody downloaded. No account, no database."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.progress import Progress
from cli.report_files import ReportFiles, takes_report_files, without_collector

if TYPE_CHECKING:
    from detection.findings import Finding, Outcome
    from detection.reports import Input


@click.command()
@takes_report_files
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv", "html"]), default="table", show_default=True
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write there instead of to the screen.")
@click.option("--all", "show_all", is_flag=True, help="Show the upcoming and the lapsed too.")
def audit(files: ReportFiles, form: str, output: Path | None, show_all: bool) -> None:  # noqa: FBT001
    """Find what Amazon owes in report files from Seller Central or the API.

    PATH is a file or a folder: .txt, .csv, .tsv, .json, .jsonl, .gz or .zip. Files are recognised by their header, not
    by their name. Exits 1 when a file was refused or nothing could be read.
    """
    rules = files.rules()
    with without_collector():
        with Progress("Reading reports") as progress:
            given = files.read(progress)
            progress.say("Looking for discrepancies")
            outcome = files.judge(given, policy=rules)
        _write(_rendered(files, given, outcome, form, show_all=show_all), output)
        _tell(given, outcome)
    if given.refused or not given.deliveries:
        sys.exit(1)


def _rendered(files: ReportFiles, given: "Input", outcome: "Outcome", form: str, *, show_all: bool) -> str:
    from detection.output import as_document

    if form == "html":
        from cli.audit_page import page

        return page(given, outcome, marketplace=files.marketplace.code, lines={})

    if form == "json":
        return _json(as_document(given, outcome))
    if form == "csv":
        return _csv(outcome.findings)
    shown = [finding for finding in outcome.findings if show_all or finding.status == "claimable"]
    return _table(shown, outcome.as_of)


def _json(document: dict[str, Any]) -> str:
    """Write the document with one entry of its lists a line: quick to write, and to compare."""
    parts = [
        f'"{name}": {_lines(value) if isinstance(value, list) else _dumped(value)}' for name, value in document.items()
    ]
    return "{" + ",\n".join(parts) + "}\n"


def _lines(entries: list[Any]) -> str:
    return "[\n" + ",\n".join(map(_dumped, entries)) + "]" if entries else "[]"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _csv(findings: Sequence["Finding"]) -> str:
    from claims.spreadsheets import harmless
    from detection.output import FLAT_COLUMNS, flat

    text = io.StringIO()
    writer = csv.DictWriter(text, FLAT_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for finding in findings:
        row = flat(finding)
        writer.writerow({name: harmless(value) if isinstance(value, str) else value for name, value in row.items()})
    return text.getvalue()


def _table(findings: Sequence["Finding"], as_of: date) -> str:
    from claims.words import claim_type_name, days_left
    from cli.tables import table

    rows = [
        (
            claim_type_name(f.claim_type),
            f.fnsku or "",
            f.reference_id,
            f.quantity,
            "not known" if f.value is None else f"{f.value:,} {f.currency}",
            f.status if f.status != "claimable" else "check first" if f.caveats else "claimable",
            f"{f.closes_on:%d %b %Y} ({days_left(f.closes_on, as_of)})",
        )
        for f in findings
    ]
    headers = ("What", "FNSKU", "Reference", "Units", "Value", "Status", "Closes")
    return table(headers, rows, right={"Units", "Value"}) if rows else ""


def _write(text: str, output: Path | None) -> None:
    from errors import RecoupError

    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecoupError(f"{output} cannot be written: {error.strerror}.", todo="Choose another --output.") from error


def _tell(given: "Input", outcome: "Outcome") -> None:
    """Say on stderr what was read, what was left out, and what came of it."""
    from detection.output import summary

    for refused in given.refused:
        click.echo(_with_file(refused.file, refused.message), err=True)
    for warned in (*given.warnings, *outcome.warnings):
        place = ", line ".join(str(warned.facts[fact]) for fact in ("file", "line") if warned.facts.get(fact))
        click.echo(_with_file(place, warned.message), err=True)
    for noticed in outcome.observations:
        click.echo(f"Worth a look: {noticed.message}", err=True)
    rows = sum(delivery.rows for delivery in given.deliveries)
    counts = summary(outcome.findings)
    found = ", ".join(f"{counts[group]['count']} {group.replace('_', ' ')}" for group in counts)
    click.echo(
        f"{len(given.deliveries)} reports with {rows:,} rows read, {len(given.refused)} files refused. "
        f"As of {outcome.as_of:%d %b %Y}: {found}.",
        err=True,
    )
    claimable = " + ".join(f"{amount} {currency}" for currency, amount in counts["claimable"]["value"].items())
    if claimable:
        click.echo(f"Claimable now: {claimable}.", err=True)


def _with_file(place: str, message: str) -> str:
    return message if not place or message.startswith(place) else f"{place}: {message}"
