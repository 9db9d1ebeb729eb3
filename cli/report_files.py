"""Report files that somebody downloaded, and how to judge them: the options that every command on such files has."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cli.progress import Progress
    from detection.findings import Outcome
    from detection.marketplaces import Marketplace
    from detection.policy import Policy
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


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """What was asked for: where the files lie, whose rules hold, and what more is known about them.

    as_of: the day that was asked for, None for that of the files' latest row. own: the seller's files, by kind.
    """

    paths: tuple[Path, ...]
    as_of: date | None
    marketplace: "Marketplace"
    own: Mapping[str, Path | None]
    policy: Path | None
    covers: Mapping[str, Sequence[Days]]

    def read(self, progress: "Progress | None" = None) -> "Input":
        """Return the rows that rules need. Own files that are something else are among the refused."""
        from amazon.reading import read
        from detection.rows import KEEP

        paths = [*self.paths, *filter(None, self.own.values())]
        return self._less_wrong_own(read(paths, marketplace=self.marketplace, keep=KEEP, progress=progress))

    def rules(self) -> "Policy":
        """Return the policy in use, with the user's own file laid over it. Raises BadPolicy."""
        from detection import policy as policies

        return policies.load(self.marketplace.policy, overlay=self.policy)

    def day(self, given: "Input") -> date:
        """Return the as-of date: the one asked for, else that of the latest dated row (detection rules, section 1)."""
        from clock import real_now
        from detection.rows import latest_date

        return self.as_of or latest_date(given) or real_now().date()  # without a dated row nothing depends on it

    def judge(self, given: "Input", *, as_of: date | None = None, policy: "Policy | None" = None) -> "Outcome":
        """Run the rules over what was read, as of another day or by another policy where told."""
        from detection.engine import run

        return run(
            given,
            marketplace=self.marketplace,
            policy=policy or self.rules(),
            as_of=as_of or self.day(given),
            covers=self.covers,
        )

    def _less_wrong_own(self, given: "Input") -> "Input":
        from detection.reports import Refused

        reports = {delivery.file: delivery.report for delivery in given.deliveries}
        refused = [
            Refused(path.name, "wrong_report", f"{path.name} was given as --{kind} but is another report.")
            for kind, path in self.own.items()
            if path and reports.get(path.name, kind) != kind
        ]
        return replace(given, refused=(*given.refused, *refused)) if refused else given


def takes_report_files(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument PATH... and the options about files and rules; it gets them as `files`."""

    @wraps(command)
    def with_files(**given: Any) -> None:
        from detection.marketplaces import marketplaces

        stated: dict[str, list[Days]] = {}
        for report, days in given.pop("covers"):
            stated.setdefault(report, []).append(days)
        as_of: datetime | None = given.pop("as_of")
        files = ReportFiles(
            given.pop("paths"),
            as_of.date() if as_of else None,
            marketplaces()[given.pop("marketplace").upper()],
            {kind: given.pop(kind) for kind in _OWN_FILES},
            given.pop("policy"),
            stated,
        )
        command(files=files, **given)

    for option in reversed(_OPTIONS):
        with_files = option(with_files)
    return with_files


@contextmanager
def without_collector() -> Iterator[None]:
    """Leave Python's collector of cycles out: it looks at all the rows again and again and finds nothing to free.

    What is there at the end is kept from it for good, for it would look at everything once more when Python ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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


def _file(name: str, words: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(f"--{name}", type=click.Path(path_type=Path), metavar="FILE", help=words)


_OPTIONS = (
    click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.option(
        "--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Rows after this day do not exist."
    ),
    click.option(
        "--marketplace", type=click.Choice(_MARKETPLACES, case_sensitive=False), default="US", show_default=True
    ),
    _file("costs", "What each unit cost the seller."),
    _file("products", "The seller's own measurements."),
    _file("received", "What came back from removals."),
    _file("policy", "A policy file laid over Recoup's own."),
    click.option("--covers", type=_Covers(), multiple=True, help="State the days a report covers. Can be given again."),
)
