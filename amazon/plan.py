"""How polars reads the rows of one delimited file: its expressions, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from amazon import cells
from amazon.catalogue import Column
from amazon.cells import Reading
from amazon.sniff import Table
from detection.reports import Keep

_EXCESS = "excess"
# Where people write at length, and so where a cell may hold a line break.
_PROSE = frozenset({"title", "product_name", "customer_comments"})


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8 text, packed or not, that polars can scan. lines: physical lines; is_mended: written by ourselves."""

    path: Path
    table: Table
    lines: int
    is_mended: bool = False


class Plan:
    """The expressions that read one file. Physical columns are c0, c1 …; fast typed values are in `=name`."""

    def __init__(self, text: Text, reading: Reading) -> None:
        self._text = text
        self._reading = reading
        self._report = text.table.header.report
        places = enumerate(text.table.header.columns)
        self._cells = {column.name: pl.col(f"c{i}") for i, column in places if column is not None}
        self._width = len(text.table.cells)

    def scan(self) -> pl.LazyFrame:
        """Return every physical row with its line, its checked cells typed, and whether it needs a second look."""
        table = self._text.table
        schema = {f"c{i}": pl.String for i in range(self._width)} | {_EXCESS: pl.String}
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
        is_blank = pl.all_horizontal(cells.text(cell).is_null() for cell in (*every_cell, pl.col(_EXCESS)))
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
        too_long = pl.when(pl.col(_EXCESS).is_not_null()).then(pl.lit(f"The row has more than {self._width} cells"))
        if not self._text.table.all_quoted:
            return too_long
        too_short = pl.when(pl.col(f"c{self._width - 1}").is_null()).then(
            pl.lit(f"The row ends before its {self._width} cells are told")
        )
        return pl.coalesce(too_long, too_short)

    def _is_odd(self) -> pl.Expr:
        signs = [pl.col(_EXCESS).is_not_null()]
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
