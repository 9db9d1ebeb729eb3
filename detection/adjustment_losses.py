"""Losses that the ledger shows as adjustments of sellable stock: shared by the rules about the warehouse."""

import polars as pl

from detection.detectors import Losses, natural_key
from detection.matching import Matching, reconciled_by_amazon
from detection.rows import Reports
from detection.settlements import Pool


def adjusted_away(reports: Reports, reasons: list[str]) -> pl.DataFrame:
    """Return sellable units taken off with one of these reasons, as the rows of Losses, in the order of section 2.1.

    Where Amazon's own counts are current, `open` starts at what it has not reconciled and `reconciled` are the units
    it has (section 2.3); where they may have changed since the as-of date the loss carries `reconciled_later`.
    """
    rows = reports.adjustments.filter(
        pl.col("reason").is_in(reasons), pl.col("quantity") < 0, pl.col("disposition") == "SELLABLE"
    ).sort("date", "reference_id", "fulfillment_center", "msku", "quantity", "file", "line")
    lost = -pl.col("quantity")
    has_counts = pl.col("reconciled").is_not_null() & pl.col("unreconciled").is_not_null()
    counts = has_counts & pl.col("is_count_current")
    late = has_counts & ~pl.col("is_count_current")
    return rows.select(
        "date", "fnsku", "asin", "msku", "title", "country", "area", "reference_id", "fulfillment_center",
        "report_type", "file", "line",
        natural_key=natural_key("reference_id", "fnsku", "fulfillment_center", "date"),
        lost=lost,
        open=pl.when(counts).then(pl.min_horizontal("unreconciled", lost)).otherwise(lost),
        reconciled=pl.when(counts).then("reconciled").otherwise(0),
        settled_by=pl.when(counts & (pl.col("unreconciled") == 0)).then(pl.lit("reconciled_by_amazon")),
        caveats=pl.when(late).then(pl.lit(["reconciled_later"])).otherwise(pl.lit([], pl.List(pl.String))),
    ).with_columns(loss=pl.int_range(pl.len(), dtype=pl.Int64))  # fmt: skip


def begin(losses: pl.DataFrame, pool: Pool, claim_type: str, own: pl.Expr, *, by_fnsku: pl.Expr) -> Matching:
    """Start matching a rule's losses with its own settlements, those that Amazon has used up taken off.

    What was paid for a loss itself comes first; where Amazon has reconciled the loss with it already, it uses up no
    other settlement.
    """
    keyed = losses.filter(pl.col("fnsku") != "").with_columns(key=pl.col("fnsku"))
    matching = Matching(keyed, pool.some(own))
    settled, reconciled = pool.paid_for(keyed, claim_type, "open", "reconciled")
    matching.take(settled)
    matching.use(reconciled)
    known = reconciled.group_by("loss").agg(known=pl.col("units").sum())
    counted = keyed.join(known, on="loss", how="left", maintain_order="left").with_columns(
        pl.col("reconciled") - pl.col("known").fill_null(0)
    )
    matching.use(reconciled_by_amazon(counted, matching.settlements.filter(by_fnsku)))
    return matching


def finish(losses: pl.DataFrame, matching: Matching, pool: Pool) -> Losses:
    """Return the rule's losses with what the matching left open, and take what it spent out of the pool."""
    spent = matching.all_spent()
    pool.spend(spent)
    left_open = matching.losses.select("loss", "open")
    rows = losses.drop("open").join(left_open, on="loss", how="left", maintain_order="left")
    return Losses(rows.with_columns(pl.col("open").fill_null(losses.get_column("open"))), spent)
