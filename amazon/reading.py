"""Reading what was delivered: paths in, the rows that rules read out, and what could not be used, each in one line."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from amazon import documents, own
from amazon.catalogue import Report
from amazon.delimited import Setting, read_table
from amazon.intake import Bytes, take_in
from amazon.problems import FileRefused
from amazon.repair import Flaw
from amazon.sniff import UTF8, Table, head_of, is_json, table
from amazon.sources import Source, find
from detection.marketplaces import Marketplace
from detection.reports import Delivery, Input, Keep, Refused, Warned

Progress = Callable[[int, int, str], None]
"""Told before each file: how many are done, how many there are, and the name of the next."""

MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Read:
    """One delivered file as it was read, what there is to tell about it, and what it was read from.

    table: how its cells are told apart, None for JSON. encoding: what its bytes turned out to be.
    """

    delivery: Delivery
    warnings: tuple[Warned, ...]
    flaws: tuple[Flaw, ...]
    taken: Bytes
    table: Table | None
    encoding: str


@dataclass(frozen=True, slots=True)
class Everything:
    """What became of the paths: files read, in the order of their names, and what is to be told of the others."""

    read: tuple[Read, ...]
    refused: tuple[Refused, ...]
    warnings: tuple[Warned, ...]


def read(
    paths: Sequence[Path],
    *,
    marketplace: Marketplace,
    keep: Mapping[str, Keep],
    progress: Progress | None = None,
) -> Input:
    """Read report files and folders of them, whatever their names.

    keep: by short name of the report, what to hold in memory. Files that cannot be used are in `refused`, in order of
    their names; nothing is raised for them. The same bytes under two names count once.
    """
    found = read_everything(paths, setting_of(marketplace, workspace()), keep=keep, progress=progress)
    return Input(tuple(file.delivery for file in found.read), found.refused, found.warnings)


def setting_of(marketplace: Marketplace, folder: Path) -> Setting:
    """Return how files of a marketplace are read, with `folder` for working copies."""
    return Setting(marketplace.zone, marketplace.code == "JP", folder)


def read_everything(
    paths: Sequence[Path],
    setting: Setting,
    *,
    keep: Mapping[str, Keep],
    progress: Progress | None = None,
    and_then: Callable[[Read], Read] | None = None,
) -> Everything:
    """Read what `paths` name. `and_then` gets each file while its working copy is there, and may replace it."""
    sources, refused = find(paths)
    files: list[Read] = []
    warnings: list[Warned] = []
    known: dict[str, str] = {}
    # The next file's bytes are hashed and counted while polars reads this one's rows.
    ahead = ThreadPoolExecutor(max_workers=1)
    try:
        taken = [ahead.submit(_take_in, source, setting.folder) for source in sources]
        for done, (source, future) in enumerate(zip(sources, taken, strict=True)):
            if progress:
                progress(done, len(sources), source.name)
            try:
                found = _read_once(source, future, known, keep, setting)
            except FileRefused as problem:
                refused.append(problem.of(source.name))
                continue
            if isinstance(found, Warned):
                warnings.append(found)
                continue
            files.append(and_then(found) if and_then else found)
            warnings.extend(found.warnings)
    finally:
        ahead.shutdown(cancel_futures=True)
    return Everything(tuple(files), tuple(sorted(refused, key=lambda no: no.file)), tuple(warnings))


def read_file(name: str, taken: Bytes, keep: Mapping[str, Keep], setting: Setting) -> Read:
    """Read one delivered file, whose bytes have been taken in. Raises FileRefused."""
    head = head_of(taken.path, is_gzip=taken.is_gzip)
    if is_json(head):
        return _read_json(name, taken, keep, setting)
    return _read_table(name, taken, table(head, is_japan=setting.is_japan), keep, setting)


@cache
def workspace() -> Path:
    """Return a folder for working copies, which is removed when this process ends."""
    return Path(_workspace().name)


@cache
def _workspace() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix=f"recoup-{os.getpid()}-")


def _take_in(source: Source, folder: Path) -> Bytes:
    try:
        return take_in(source.plain_path(folder))
    except OSError as error:
        raise FileRefused("unreadable", f"It cannot be read: {error.strerror or error}.") from error


def _read_once(
    source: Source, future: "Future[Bytes]", known: dict[str, str], keep: Mapping[str, Keep], setting: Setting
) -> Read | Warned:
    taken = future.result()
    first = known.setdefault(taken.sha256, source.name)
    if first != source.name:
        message = f"{source.name} holds the same bytes as {first}, so it counts once."
        return Warned("duplicate_file", message, {"file": source.name, "same_as": first})
    try:
        return read_file(source.name, taken, keep, setting)
    except OSError as error:
        raise FileRefused("unreadable", f"It changed while it was read ({error.strerror or error}).") from error


def _read_table(name: str, taken: Bytes, found: Table, keep: Mapping[str, Keep], setting: Setting) -> Read:
    report = found.header.report
    asked = keep.get(report.short)
    rows = read_table(taken, found, asked, setting)
    if report.own:
        rows = own.without_doubles(rows, report, asked)
    delivery = Delivery(
        report=report.short,
        report_type=report.type,
        file=name,
        sha256=taken.sha256,
        rows=rows.count,
        rejected=len(rows.flaws),
        first_date=rows.first,
        last_date=rows.last,
        columns=frozenset(column.name for column in found.header.columns if column and not column.personal),
        kept=rows.kept,
        scan=rows.scan,
    )
    warnings = (*missing_columns(delivery, report, asked), *rejected_rows(name, rows.flaws, len(rows.flaws)))
    return Read(delivery, warnings, rows.flaws, taken, found, rows.encoding)


def _read_json(name: str, taken: Bytes, keep: Mapping[str, Keep], setting: Setting) -> Read:
    found = documents.read_document(taken, setting.zone)
    asked = keep.get(found.report)
    kept = found.rows.select("line").head(0)
    if asked is not None:
        chosen = found.rows if asked.where is None else found.rows.filter(asked.where)
        kept = chosen.select("line", *asked.columns)
    delivery = Delivery(
        report=found.report,
        report_type=found.report_type,
        file=name,
        sha256=taken.sha256,
        rows=found.count,
        rejected=len(found.flaws),
        first_date=found.first,
        last_date=found.last,
        columns=frozenset(found.rows.columns) - {"line"},
        kept=kept,
        scan=found.rows.lazy(),
    )
    return Read(delivery, rejected_rows(name, found.flaws, len(found.flaws)), found.flaws, taken, None, UTF8)


def missing_columns(delivery: Delivery, report: Report, keep: Keep | None) -> tuple[Warned, ...]:
    """Return one warning if the file lacks columns that rules read, but for those of later generations."""
    if keep is None:
        return ()
    lacking = [
        column.header
        for column in report.typed
        if column.name in keep.reads and column.name not in delivery.columns and not column.late
    ]
    if not lacking:
        return ()
    message = f"{delivery.file} lacks {', '.join(lacking)}; what it would tell counts as unknown."
    return (Warned("missing_columns", message, {"file": delivery.file, "columns": lacking}),)


def rejected_rows(file: str, flaws: Sequence[Flaw], rejected: int) -> tuple[Warned, ...]:
    """Return a warning for each of the first rejected rows of a file, and one for all the rest.

    flaws: at least those that are named one by one. rejected: how many there are.
    """
    named = [Warned("rejected_row", flaw.problem, {"file": file, "line": flaw.line}) for flaw in flaws[:MOST_NAMED]]
    rest = rejected - len(named)
    if rest:
        message = f"{rest} more rows of {file} were rejected, after line {flaws[MOST_NAMED - 1].line}."
        named.append(Warned("rejected_rows", message, {"file": file, "count": rest}))
    return tuple(named)
