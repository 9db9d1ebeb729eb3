"""How polars reads the rows of one delimited file: its expressions, column by column."""

from collections.abc import Sequence, Set
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
    """UTF-8 text, packed or not, that polars can scan. lines: physical lines.

    broken: the places of the columns that hold line breaks, where the text was mended and they are known.
    """

    path: Path
    table: Table
    lines: int
    broken: frozenset[int] | None = None


class Plan:
    """The expressions that read one file. Physical columns are c0, c1 …; fast typed values are in `=name`."""

    def __init__(self, text: Text, reading: Reading) -> None:
        self._text = text
        self._reading = reading
        self.report = text.table.header.report
        places = enumerate(text.table.header.columns)
        self._cells = {column.name: pl.col(f"c{i}") for i, column in places if column is not None}
        self._width = len(text.table.cells)

    def scan(self) -> pl.LazyFrame:
        """Return every physical row with its index, its checked cells typed, and whether it needs a second look."""
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
        numbers = [(column, cell) for column, cell in self._checked() if column.kind != "text"]
        typed = [self._reading.fast(column, cell).alias(f"={column.name}") for column, cell in numbers]
        return raw.with_columns(typed).with_columns(self._is_odd().alias("is_odd"))

    def totals(self) -> list[pl.Expr]:
        """Return the expressions that count the file and tell its span, without the rows that need a second look."""
        has_day = self.report.date is not None and self.report.date in self._cells
        day = pl.when(~pl.col("is_odd")).then(pl.col(f"={self.report.date}")) if has_day else pl.lit(None, pl.Date)
        return [pl.len().alias("rows"), day.min().alias("first"), day.max().alias("last")]

    def chosen(self, rows: pl.LazyFrame, keep: Keep | None) -> pl.LazyFrame:
        """Return the rows that may be asked for, that need a second look, or that hold line feeds, in one frame.

        What `keep.skip` names is left out, the rest of `keep.where` is not yet looked at. The columns that both ask for
        are typed the fast way, under their names.
        """
        may_be_asked_for = pl.lit(value=keep is not None)
        if keep is not None and keep.skip is not None:
            rows = rows.with_columns(self._as_delivered(set(keep.skip.meta.root_names())))
            may_be_asked_for = keep.skip.not_().fill_null(value=True)
        found = rows.filter(pl.any_horizontal(pl.col("is_odd"), may_be_asked_for, *self._holds("\n")))
        asked = self._named(keep.reads if keep else set())
        return found.select("index", "is_odd", self._feeds(), self._swallowed(), *asked)

    def doubtful(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the cells, as they were delivered, of rows that need a second look.

        Most files have none: reading again those that do is cheaper than taking every cell of every file along.
        """
        return rows.filter("is_odd").select("index", *(name for name, _ in self._physical()))

    def with_lines(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return rows, in their order and with their line `feeds`, each with its physical `line`.

        rows: at least all those with line feeds, which are what moves the later ones down.
        """
        line = pl.col("index").cast(pl.Int64) + self._text.table.header_line + 1
        is_moved = bool(self._prose())
        return rows.with_columns(line=line + pl.col("feeds").cum_sum().shift(1).fill_null(0) if is_moved else line)

    def readable(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return every row that needs no second look, all its columns typed, with its `line`."""
        lines = self.with_lines(rows.with_columns(self._feeds())).filter(~pl.col("is_odd"))
        return lines.select("line", *self._named({column.name for column in self.report.typed}))

    def typed_patiently(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return all typed columns of rows that the fast way did not understand."""
        return rows.select("line", *(self._patient(column).alias(column.name) for column in self.report.typed))

    def judge(self, odd: pl.DataFrame) -> pl.DataFrame:
        """Return the odd rows that are rows at all, with the reason to reject each in `problem`, or null."""
        is_blank = pl.all_horizontal(cells.text(cell).is_null() for _, cell in self._physical())
        shows = not any(column.personal for column in self.report.columns)
        problems = [self._problem_of_shape(), *self._problems(quotes_values=shows)]
        return odd.filter(~is_blank).with_columns(cells.first_problem(problems).alias("problem"))

    def _problems(self, *, quotes_values: bool) -> list[pl.Expr]:
        found = []
        for column, cell in self._checked():
            value = self._reading.patient(column, cell)
            found.append(cells.problem(column, cell, value, quotes_values=quotes_values))
            if self.report.own and column.kind in ("units", "amount"):
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
            if column.kind == "text":
                signs.append(cell.is_null() | (cell == "") | cell.str.starts_with(" "))
                continue
            value = pl.col(f"={column.name}")
            is_empty = cell.is_null() | (cell == "")
            signs.append(value.is_null() if column.filled else value.is_null() & ~is_empty)
            if self.report.own and column.kind in ("units", "amount"):
                signs.append((value < 0).fill_null(value=False))
        return pl.any_horizontal(signs)

    def _feeds(self) -> pl.Expr:
        """Return how many line feeds the cells of a row hold, as `feeds`."""
        counts = [cell.str.count_matches("\n", literal=True).fill_null(0).cast(pl.Int64) for cell in self._prose()]
        return (pl.sum_horizontal(counts) if counts else pl.lit(0, pl.Int64)).alias("feeds")

    def _swallowed(self) -> pl.Expr:
        """Tell whether a cell holds both a line feed and a separator, as one does that swallowed the next row."""
        feeds, separators = self._holds("\n"), self._holds(self._text.table.separator)
        signs = [feed & separator for feed, separator in zip(feeds, separators, strict=True)]
        return pl.any_horizontal(*signs, pl.lit(value=False)).alias("has_swallowed")

    def _holds(self, mark: str) -> list[pl.Expr]:
        return [cell.str.contains(mark, literal=True).fill_null(value=False) for cell in self._prose()]

    def _physical(self) -> list[tuple[str, pl.Expr]]:
        return [(name, pl.col(name)) for name in (*(f"c{i}" for i in range(self._width)), _EXCESS)]

    def _named(self, names: Set[str]) -> list[pl.Expr]:
        return [self._typed(column).alias(column.name) for column in self.report.typed if column.name in names]

    def _as_delivered(self, names: Set[str]) -> list[pl.Expr]:
        return [self._cells.get(name, pl.lit(None, pl.String)).alias(name) for name in names]

    def _prose(self) -> Sequence[pl.Expr]:
        if not self._text.table.is_quoted:
            return []
        if self._text.broken is not None:
            return [pl.col(f"c{place}") for place in sorted(self._text.broken)]
        return [cell for name, cell in self._cells.items() if name in _PROSE]

    def _checked(self) -> list[tuple[Column, pl.Expr]]:
        """Return the columns whose cells can make a row unreadable."""
        return [
            (column, self._cells[column.name])
            for column in self.report.typed
            if column.name in self._cells and (column.kind != "text" or column.filled)
        ]

    def _typed(self, column: Column) -> pl.Expr:
        if column.name not in self._cells:
            return pl.lit(None, column.dtype)
        if column.kind != "text":
            return pl.col(f"={column.name}")
        return self._reading.fast(column, self._cells[column.name])

    def _patient(self, column: Column) -> pl.Expr:
        if column.name not in self._cells:
            return pl.lit(None, column.dtype)
        return self._reading.patient(column, self._cells[column.name])
