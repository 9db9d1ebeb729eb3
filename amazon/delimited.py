"""Reading one delimited file: a single streaming pass of polars that gives what the file spans and the rows rules read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from amazon import cells, transcode
from amazon.catalogue import Column, Report
from amazon.cells import Reading
from amazon.intake import Bytes
from amazon.problems import FileRefused
from amazon.repair import Flaw, repair
from amazon.sniff import UTF8, Table
from detection.reports import Keep

EXCESS = "excess"
MOST_REJECTED = 0.2
# Where people write at length, and so where a cell may hold a line break.
_PROSE = frozenset({"title", "product_name", "customer_comments"})
_NOT_UTF8 = "invalid utf-8"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the reader needs to know of the world: the marketplace's zone and country, and a folder for working copies."""

    zone: ZoneInfo
    is_japan: bool
    folder: Path


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file. `count` includes the rejected; `flaws` say which these are, and why, by line."""

    count: int
    first: date | None
    last: date | None
    kept: pl.DataFrame
    scan: pl.LazyFrame
    flaws: tuple[Flaw, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """UTF-8 text, packed or not, that polars can scan. lines: physical lines; is_mended: written by ourselves."""

    path: Path
    table: Table
    lines: int
    is_mended: bool = False


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
        return _read_or_mend(_Text(taken.path, table, taken.lines), keep, setting)
    except pl.exceptions.ComputeError as error:
        if _NOT_UTF8 not in str(error):
            raise
    encoding = transcode.encoding_of(taken, is_japan=setting.is_japan)
    return _read_transcoded(taken, replace(table, encoding=encoding), keep, setting)


def _read_transcoded(taken: Bytes, table: Table, keep: Keep | None, setting: Setting) -> Rows:
    path, lines = transcode.to_utf8(taken, table.encoding, setting.folder)
    return _read_or_mend(_Text(path, replace(table, encoding=UTF8), lines), keep, setting)


def _read_or_mend(text: _Text, keep: Keep | None, setting: Setting) -> Rows:
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
    mended, flaws = repair(text.path, text.table, setting.folder)
    rows = _read(replace(text, path=mended, is_mended=True), keep, setting)
    together = tuple(sorted((*flaws, *rows.flaws), key=lambda flaw: flaw.line))
    return replace(rows, count=rows.count + len(flaws), flaws=together)


def _read(text: _Text, keep: Keep | None, setting: Setting) -> Rows:
    report = text.table.header.report
    plan = _Plan(text, _reading(text.table, setting.zone))
    every_row = plan.scan()
    good = every_row.filter(~pl.col("is_odd"))
    totals, kept, odd = pl.collect_all(
        [every_row.select(plan.totals()), plan.keep(good, keep), every_row.filter(pl.col("is_odd"))],
        engine="streaming",
    )
    total = totals.row(0, named=True)
    if not text.is_mended and (
        total["suspects"] or total["rows"] + total["feeds"] + text.table.header_line != text.lines
    ):
        raise _Misread
    judged = plan.judge(odd)
    readable = judged.filter(pl.col("problem").is_null())
    rejected = judged.filter(pl.col("problem").is_not_null())
    typed = plan.typed_patiently(readable)
    spans = [day for day in (total["first"], total["last"], *_span(typed, report)) if day is not None]
    return Rows(
        count=total["rows"] - (odd.height - judged.height),
        first=min(spans, default=None),
        last=max(spans, default=None),
        kept=pl.concat([kept, _kept(typed.lazy(), report, keep).collect()]).sort("line"),
        scan=pl.concat([good.select(plan.typed_fast()), typed.lazy()]),
        flaws=tuple(
            Flaw(line, problem) for line, problem in rejected.select("line", "problem").sort("line").iter_rows()
        ),
    )


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


class _Plan:
    """The expressions that read one file. Physical columns are c0, c1 …; fast typed values are in `=name`."""

    def __init__(self, text: _Text, reading: Reading) -> None:
        self._text = text
        self._reading = reading
        self._report = text.table.header.report
        places = enumerate(text.table.header.columns)
        self._cells = {column.name: pl.col(f"c{i}") for i, column in places if column is not None}
        self._width = len(text.table.cells)

    def scan(self) -> pl.LazyFrame:
        """Return every physical row with its line, its checked cells typed, and whether it needs a second look."""
        table = self._text.table
        schema = {f"c{i}": pl.String for i in range(self._width)} | {EXCESS: pl.String}
        raw = pl.scan_csv(
            self._text.path,
            separator=table.separator,
            quote_char='"' if table.is_quoted else None,
            has_header=False,
            skip_lines=table.header_line,
            schema=schema,
            missing_columns="insert",
            extra_columns="ignore",
            truncate_ragged_lines=True,
            row_index_name="index",
        )
        checked = [self._reading.fast(column, cell).alias(f"={column.name}") for column, cell in self._checked()]
        rows = raw.with_columns(self._line().alias("line"), *checked)
        return rows.with_columns(self._is_odd().alias("is_odd"))

    def totals(self) -> list[pl.Expr]:
        """Return the expressions that count the file and tell its span, without the rows that need a second look."""
        day = pl.col(f"={self._report.date}") if self._has_day() else pl.lit(None, pl.Date)
        usual = day.filter(~pl.col("is_odd")) if self._has_day() else day
        return [
            pl.len().alias("rows"),
            usual.min().alias("first"),
            usual.max().alias("last"),
            self._feeds().sum().alias("feeds"),
            self._suspects().sum().alias("suspects"),
        ]

    def keep(self, rows: pl.LazyFrame, keep: Keep | None) -> pl.LazyFrame:
        """Return the rows and columns that are asked for, typed the fast way."""
        wanted = set() if keep is None or keep.where is None else set(keep.where.meta.root_names())
        first = [self._typed(column).alias(column.name) for column in self._report.typed if column.name in wanted]
        if keep is None:
            return rows.select("line").head(0)
        # The filter goes before the reading of the other columns, most of whose rows it drops.
        chosen = rows.with_columns(first) if keep.where is None else rows.with_columns(first).filter(keep.where)
        rest = [self._typed(column).alias(column.name) for column in self._columns(keep) if column.name not in wanted]
        return chosen.with_columns(rest).select("line", *keep.columns)

    def typed_fast(self) -> list[pl.Expr]:
        """Return the expressions of all typed columns, after `line`."""
        return [pl.col("line"), *(self._typed(column).alias(column.name) for column in self._report.typed)]

    def typed_patiently(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return all typed columns of rows that the fast way did not understand."""
        return rows.select("line", *(self._patient(column).alias(column.name) for column in self._report.typed))

    def judge(self, odd: pl.DataFrame) -> pl.DataFrame:
        """Return the odd rows that are rows at all, with the reason to reject each in `problem`, or null."""
        every_cell = [pl.col(f"c{i}") for i in range(self._width)]
        is_blank = pl.all_horizontal(cells.text(cell).is_null() for cell in (*every_cell, pl.col(EXCESS)))
        shows = not any(column.personal for column in self._report.columns)
        problems = [self._problem_of_shape(), *self._problems(quotes_values=shows)]
        return odd.filter(~is_blank).with_columns(cells.first_problem(problems).alias("problem"))

    def _problems(self, *, quotes_values: bool) -> list[pl.Expr]:
        found = []
        for column, cell in self._checked():
            value = self._reading.patient(column, cell)
            found.append(cells.problem(column, cell, value, quotes_values=quotes_values))
            if self._report.own and column.kind in ("units", "amount"):
                found.append(pl.when(value < 0).then(pl.lit(f"{column.words} is below zero")))
        return found

    def _problem_of_shape(self) -> pl.Expr:
        too_long = pl.when(pl.col(EXCESS).is_not_null()).then(pl.lit(f"The row has more than {self._width} cells"))
        if not self._text.table.all_quoted:
            return too_long
        too_short = pl.when(pl.col(f"c{self._width - 1}").is_null()).then(
            pl.lit(f"The row ends before its {self._width} cells are told")
        )
        return pl.coalesce(too_long, too_short)

    def _is_odd(self) -> pl.Expr:
        signs = [pl.col(EXCESS).is_not_null()]
        if self._text.table.all_quoted:
            signs.append(pl.col(f"c{self._width - 1}").is_null())
        for column, cell in self._checked():
            value = pl.col(f"={column.name}")
            signs.append(
                value.is_null()
                if column.filled
                else value.is_null() & (cell.str.len_bytes() > 0).fill_null(value=False)
            )
            if self._report.own and column.kind in ("units", "amount"):
                signs.append((value < 0).fill_null(value=False))
        return pl.any_horizontal(signs)

    def _line(self) -> pl.Expr:
        first = self._text.table.header_line + 1
        line = pl.col("index").cast(pl.Int64) + first
        prose = self._prose()
        if not prose:
            return line
        return line + self._feeds().cum_sum().shift(1).fill_null(0)

    def _feeds(self) -> pl.Expr:
        """Return how many line feeds the cells of a row hold."""
        counts = [cell.str.count_matches("\n", literal=True).fill_null(0).cast(pl.Int64) for cell in self._prose()]
        return pl.sum_horizontal(counts) if counts else pl.lit(0, pl.Int64)

    def _suspects(self) -> pl.Expr:
        """Tell whether a cell holds both a line feed and a separator, as one does that swallowed the next row."""
        separator = self._text.table.separator
        signs = [
            cell.str.contains("\n", literal=True) & cell.str.contains(separator, literal=True) for cell in self._prose()
        ]
        return pl.any_horizontal(signs).fill_null(value=False) if signs else pl.lit(value=False)

    def _prose(self) -> Sequence[pl.Expr]:
        if not self._text.table.is_quoted:
            return []
        if self._text.is_mended:
            return [pl.col(f"c{i}") for i in range(self._width)]
        return [cell for name, cell in self._cells.items() if name in _PROSE]

    def _checked(self) -> list[tuple[Column, pl.Expr]]:
        """Return the columns whose cells can make a row unreadable."""
        return [
            (column, self._cells[column.name])
            for column in self._report.typed
            if column.name in self._cells and (column.kind != "text" or column.filled)
        ]

    def _typed(self, column: Column) -> pl.Expr:
        if column.name not in self._cells:
            return pl.lit(None, column.dtype)
        if column.kind != "text" or column.filled:
            return pl.col(f"={column.name}")
        return self._reading.fast(column, self._cells[column.name])

    def _patient(self, column: Column) -> pl.Expr:
        if column.name not in self._cells:
            return pl.lit(None, column.dtype)
        return self._reading.patient(column, self._cells[column.name])

    def _columns(self, keep: Keep) -> list[Column]:
        return [column for column in self._report.typed if column.name in keep.columns]

    def _has_day(self) -> bool:
        return self._report.date is not None and self._report.date in self._cells


def _kept(typed: pl.LazyFrame, report: Report, keep: Keep | None) -> pl.LazyFrame:
    if keep is None:
        return typed.select("line").head(0)
    chosen = typed if keep.where is None else typed.filter(keep.where)
    return chosen.select("line", *keep.columns)


def _span(typed: pl.DataFrame, report: Report) -> tuple[date | None, date | None]:
    if report.date is None or typed.is_empty():
        return None, None
    days = typed[report.date]
    return days.min(), days.max()  # type: ignore[return-value]  # polars types every scalar alike


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120]
