"""`flask audit`: the whole detection on report files that somebody downloaded. No account, no database."""

import csv
import gc
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.progress import Progress

if TYPE_CHECKING:
    from detection.findings import Finding, Outcome
    from detection.reports import Input

_MARKETPLACES = ("US", "CA", "MX", "UK", "DE", "FR", "IT", "ES", "NL", "BE", "IE", "SE", "PL", "JP")
_OWN_FILES = ("costs", "products", "received")
_JSON_REPORTS = {
    "FinancialEvents": "finances",
    "transactions": "finances",
    "ShipmentData": "inbound_shipments",
    "ItemData": "inbound_items",
}

Days = tuple[date, date]


class _Covers(click.ParamType[tuple[str, Days]]):
    """A report and the days it is known to cover, as `TYPE=FROM..TO`."""

    name = "TYPE=FROM..TO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Days]:
        """Return the report's short name and its days. Fails as wrong usage, naming what is wrong."""
        report, _, days = str(value).partition("=")
        first, _, last = days.partition("..")
        known = _short_name(report.strip())
        if known is None:
            self.fail(f"'{report}' is not a report that Recoup knows.", param, ctx)
        try:
            window = date.fromisoformat(first.strip()), date.fromisoformat(last.strip())
        except ValueError:
            self.fail(f"'{days}' is not FROM..TO, two dates like 2026-05-01..2026-11-20.", param, ctx)
        if window[0] > window[1]:
            self.fail(f"'{days}' ends before it begins.", param, ctx)
        return known, window


def _short_name(report: str) -> str | None:
    """Return the short name of a report that was called by it or by Amazon's own."""
    from amazon.catalogue import catalogue

    names = {**_JSON_REPORTS, **{known.type: short for short, known in catalogue().reports.items()}}
    return report if report in names.values() else names.get(report)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Rows after this day do not exist.")
@click.option("--marketplace", type=click.Choice(_MARKETPLACES, case_sensitive=False), default="US", show_default=True)
@click.option("--costs", type=click.Path(path_type=Path), metavar="FILE", help="What each unit cost the seller.")
@click.option("--products", type=click.Path(path_type=Path), metavar="FILE", help="The seller's own measurements.")
@click.option("--received", type=click.Path(path_type=Path), metavar="FILE", help="What came back from removals.")
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="A policy file laid over Recoup's own.")
@click.option("--covers", type=_Covers(), multiple=True, help="State the days a report covers. Can be given again.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write there instead of to the screen.")
@click.option("--all", "show_all", is_flag=True, help="Show the upcoming and the lapsed too.")
def audit(  # noqa: PLR0917 - one argument an option
    paths: tuple[Path, ...],
    as_of: datetime | None,
    marketplace: str,
    costs: Path | None,
    products: Path | None,
    received: Path | None,
    policy: Path | None,
    covers: Sequence[tuple[str, Days]],
    form: str,
    output: Path | None,
    show_all: bool,  # noqa: FBT001
) -> None:
    """Find what Amazon owes in report files from Seller Central or the API.

    PATH is a file or a folder: .txt, .csv, .tsv, .json, .jsonl, .gz or .zip. Files are recognised by their header, not
    by their name. Exits 1 when a file was refused or nothing could be read.
    """
    from amazon.reading import read
    from detection import policy as policies
    from detection.engine import run
    from detection.marketplaces import marketplaces
    from detection.rows import KEEP

    market = marketplaces()[marketplace.upper()]
    rules = policies.load(market.policy, overlay=policy)
    own = dict(zip(_OWN_FILES, (costs, products, received), strict=True))
    with _no_collector():
        with Progress("Reading reports") as progress:
            given = read([*paths, *filter(None, own.values())], marketplace=market, keep=KEEP, progress=progress)
            given = _with_wrong_own_files(given, own)
            progress.say("Looking for discrepancies")
            day = as_of.date() if as_of else _as_of(given)
            outcome = run(given, marketplace=market, policy=rules, as_of=day, covers=_by_report(covers))
        _write(_rendered(given, outcome, form, show_all=show_all), output)
        _tell(given, outcome)
    if given.refused or not given.deliveries:
        sys.exit(1)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Leave Python's collector of cycles out: it looks at all the rows again and again and finds nothing to free.

    What is there at the end is kept from it for good, for it would look at everything once more when Python ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _as_of(given: "Input") -> date:
    from clock import real_now
    from detection.rows import latest_date

    return latest_date(given) or real_now().date()  # without a dated row nothing depends on it


def _by_report(covers: Sequence[tuple[str, Days]]) -> dict[str, list[Days]]:
    stated: dict[str, list[Days]] = {}
    for report, days in covers:
        stated.setdefault(report, []).append(days)
    return stated


def _with_wrong_own_files(given: "Input", own: Mapping[str, Path | None]) -> "Input":
    """Refuse a file that was given as the seller's own of one kind and is something else."""
    from dataclasses import replace

    from detection.reports import Refused

    reports = {delivery.file: delivery.report for delivery in given.deliveries}
    refused = [
        Refused(path.name, "wrong_report", f"{path.name} was given as --{kind} but is another report.")
        for kind, path in own.items()
        if path and reports.get(path.name, kind) != kind
    ]
    return replace(given, refused=(*given.refused, *refused)) if refused else given


def _rendered(given: "Input", outcome: "Outcome", form: str, *, show_all: bool) -> str:
    from detection.output import as_document

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
