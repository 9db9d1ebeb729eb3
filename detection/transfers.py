"""Units that left one fulfillment center for another and did not arrive: an observation, not yet a loss (section 9)."""

from datetime import timedelta

import polars as pl

from detection.findings import Evidence, Observation
from detection.rows import Reports

_ARRIVES_WITHIN_DAYS = 60


def open_transfers(reports: Reports) -> list[Observation]:
    """Return the transfers of which units are missing after 60 days; they become `M` when Amazon gives them up."""
    latest = reports.as_of - timedelta(days=_ARRIVES_WITHIN_DAYS)
    rows = reports.ledger.filter(pl.col("event_type") == "WhseTransfers", pl.col("reference_id") != "")
    left = pl.when(pl.col("quantity") < 0, pl.col("date") <= latest).then(-pl.col("quantity")).otherwise(0)
    arrived = pl.when(pl.col("quantity") > 0).then(pl.col("quantity")).otherwise(0)
    missing = (
        rows.group_by("reference_id", "fnsku")
        .agg(missing=(left - arrived).sum())
        .filter(pl.col("missing") > 0)
        .sort("reference_id", "fnsku")
    )
    lines = rows.join(missing, on=["reference_id", "fnsku"], how="semi").sort("date", "file", "line")
    return [
        Observation(
            "transfer_open",
            f"{row['missing']} units of a transfer of more than {_ARRIVES_WITHIN_DAYS} days ago have not arrived.",
            row["fnsku"] or None,
            row["reference_id"],
            row["missing"],
            tuple(
                Evidence(line["report_type"], line["file"], line["line"], "transfer", line["quantity"])
                for line in lines.filter(
                    pl.col("reference_id") == row["reference_id"], pl.col("fnsku") == row["fnsku"]
                ).iter_rows(named=True)
            ),
        )
        for row in missing.iter_rows(named=True)
    ]
