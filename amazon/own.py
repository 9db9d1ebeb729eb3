"""The seller's own files: of two rows with the same key the first counts, and the other is rejected."""

from dataclasses import replace

import polars as pl

from amazon.catalogue import Report
from amazon.delimited import Rows
from amazon.repair import Flaw
from detection.reports import Keep


def without_doubles(rows: Rows, report: Report, keep: Keep | None) -> Rows:
    """Return the rows of an own file without those whose key an earlier line has, which become flaws."""
    every_row = rows.scan.collect().sort("line")
    keyed = every_row.with_columns(pl.col("line").min().over(report.unique).alias("first"))
    doubles = keyed.filter(pl.col("line") != pl.col("first"))
    if doubles.is_empty():
        return rows
    words = " and ".join(column.header for column in report.columns if column.name in report.unique)
    flaws = [
        Flaw(line, f"line {first} has the same {words} already")
        for line, first in doubles.select("line", "first").iter_rows()
    ]
    left = keyed.filter(pl.col("line") == pl.col("first")).drop("first")
    days = left[report.date].to_list() if report.date else []
    return replace(
        rows,
        kept=rows.kept.join(left.select("line"), on="line", how="semi") if keep else rows.kept,
        scan=left.lazy(),
        flaws=tuple(sorted((*rows.flaws, *flaws), key=lambda flaw: flaw.line)),
        first=min(days, default=None),
        last=max(days, default=None),
    )
