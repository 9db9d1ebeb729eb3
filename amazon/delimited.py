"""Reading one delimited file: a streaming pass of polars gives what it spans and the rows that rules read."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from amazon import cells, transcode
from amazon.catalogue import Report
from amazon.cells import Reading
from amazon.intake import Bytes
from amazon.plan import Plan, Text
from amazon.problems import FileRefused
from amazon.repair import MOST_REJECTED, Flaw, repair
from amazon.sniff import UTF8, Table
from detection.reports import Keep

_NOT_UTF8 = "invalid utf-8"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the reader needs to know: the marketplace's zone and country, and a folder for working copies."""

    zone: ZoneInfo
    is_japan: bool
    folder: Path


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file. `count` includes the rejected; `flaws` say which these are, and why, by line.

    encoding: what the file's bytes turned out to be.
    """

    count: int
    first: date | None
    last: date | None
    kept: pl.DataFrame
    scan: pl.LazyFrame
    flaws: tuple[Flaw, ...]
    encoding: str = UTF8


class _Misread(Exception):
    """What polars made of the file cannot be right: lines are missing, or a cell swallowed others."""


def read_table(taken: Bytes, table: Table, keep: Keep | None, setting: Setting) -> Rows:
    """Return the rows of a delimited file. Raises FileRefused where too many of them cannot be read."""
    try:
        rows = _read_in_utf8(taken, table, keep, setting)
    except pl.exceptions.PolarsError as error:
        raise FileRefused("unreadable", f"Its rows cannot be told apart ({_first_line(error)}).") from error
    rejected = len(rows.flaws)
    if rejected > MOST_REJECTED * rows.count and not table.header.report.own:
        first = rows.flaws[0]
        raise FileRefused(
            "too_many_rejected",
            f"{rejected} of its {rows.count} rows cannot be read; the first is line {first.line}: {first.problem}.",
        )
    return rows


def _read_in_utf8(taken: Bytes, table: Table, keep: Keep | None, setting: Setting) -> Rows:
    if table.encoding != UTF8 or table.has_bare_cr:
        return _read_transcoded(taken, table, keep, setting)
    try:
        return _read_or_mend(Text(taken.path, table, taken.lines), keep, setting)
    except pl.exceptions.ComputeError as error:
        if _NOT_UTF8 not in str(error):
            raise
    encoding = transcode.encoding_of(taken, is_japan=setting.is_japan)
    return _read_transcoded(taken, replace(table, encoding=encoding), keep, setting)


def _read_transcoded(taken: Bytes, table: Table, keep: Keep | None, setting: Setting) -> Rows:
    path, lines = transcode.to_utf8(taken, table.encoding, setting.folder)
    rows = _read_or_mend(Text(path, replace(table, encoding=UTF8), lines), keep, setting)
    return replace(rows, encoding=table.encoding)


def _read_or_mend(text: Text, keep: Keep | None, setting: Setting) -> Rows:
    """Read strictly; where that fails, put the lines that make it fail out of the way and read the rest."""
    try:
        return _read(text, keep, setting)
    except _Misread:
        pass
    except pl.exceptions.ComputeError as error:
        if _NOT_UTF8 in str(error):
            raise
    if not text.table.is_quoted:
        raise FileRefused("unreadable", "Its lines do not add up. Download it again.")
    mended = repair(text.path, text.table, setting.folder)
    rows = _read(replace(text, path=mended.path, broken=mended.broken), keep, setting)
    together = tuple(sorted((*mended.flaws, *rows.flaws), key=lambda flaw: flaw.line))
    return replace(rows, count=rows.count + len(mended.flaws), flaws=together)


def _read(text: Text, keep: Keep | None, setting: Setting) -> Rows:
    plan = Plan(text, _reading(text.table, setting.zone))
    every_row = plan.scan()
    totals, found = pl.collect_all([every_row.select(plan.totals()), plan.chosen(every_row, keep)], engine="streaming")
    total = totals.row(0, named=True)
    chosen = plan.with_lines(_in_order(found, "index").lazy()).collect()
    lines = total["rows"] + chosen["feeds"].sum() + text.table.header_line
    if text.broken is None and (lines != text.lines or chosen["has_swallowed"].any()):
        raise _Misread
    usual = _asked(chosen.lazy().filter(~pl.col("is_odd")), keep).collect()
    read = Rows(total["rows"], total["first"], total["last"], usual, plan.readable(every_row), ())
    odd = chosen.filter("is_odd").select("index", "line")
    if odd.is_empty():
        return read
    doubtful = plan.doubtful(every_row).collect(engine="streaming")
    return _with_odd(read, plan, odd.join(doubtful, on="index", maintain_order="left"), keep)


def _with_odd(read: Rows, plan: Plan, odd: pl.DataFrame, keep: Keep | None) -> Rows:
    """Add the rows that took a second look: those that can be read after all, and why the others cannot."""
    judged = plan.judge(odd)
    rejected = judged.filter(pl.col("problem").is_not_null())
    second = plan.typed_patiently(judged.filter(pl.col("problem").is_null()))
    spans = [day for day in (read.first, read.last, *_span(second, plan.report)) if day is not None]
    return Rows(
        count=read.count - (odd.height - judged.height),
        first=min(spans, default=None),
        last=max(spans, default=None),
        kept=_in_order(pl.concat([read.kept, _asked(second.lazy(), keep).collect()]), "line"),
        scan=pl.concat([read.scan, second.lazy()]),
        flaws=tuple(
            Flaw(line, problem) for line, problem in rejected.select("line", "problem").sort("line").iter_rows()
        ),
    )


def _in_order(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Sort rows that are nearly always in their order already, as polars hands them out."""
    return rows if rows[column].is_sorted() else rows.sort(column)


def _reading(table: Table, zone: ZoneInfo) -> Reading:
    rows = [row for row in table.sample if len(row) == len(table.cells)]
    sample = {
        column.name: pl.Series([row[i] for row in rows], dtype=pl.String)
        for i, column in enumerate(table.header.columns)
        if column is not None
    }
    spellings = {
        column.name: cells.spelling_of(sample[column.name])
        for column in table.header.report.columns
        if column.kind == "date" and column.name in sample
    }
    day = table.header.report.date
    slashes = cells.slash_order(sample[day], sample.get("date_and_time")) if day in sample else "month_first"
    return Reading(zone, spellings, slashes)


def _asked(typed: pl.LazyFrame, keep: Keep | None) -> pl.LazyFrame:
    if keep is None:
        return typed.select("line").head(0)
    return (typed if keep.where is None else typed.filter(keep.where)).select("line", *keep.columns)


def _span(typed: pl.DataFrame, report: Report) -> tuple[date | None, date | None]:
    if report.date is None or typed.is_empty():
        return None, None
    days = typed[report.date]
    return days.min(), days.max()  # type: ignore[return-value]  # polars types every scalar alike


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120]
