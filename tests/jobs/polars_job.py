"""A job that uses polars, on both of its engines."""

from pathlib import Path

import polars as pl


def add_up(to: str) -> None:
    frame = pl.LazyFrame({"quantity": range(100_000)})
    sums = [
        frame.select(pl.col("quantity").sum()).collect(engine=engine).item() for engine in ("in-memory", "streaming")
    ]
    Path(to).write_text(str(sums))
