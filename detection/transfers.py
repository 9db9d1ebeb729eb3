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
    legs: dict[tuple[str, str], list[Evidence]] = {}
    for leg in (
        rows.join(missing, on=["reference_id", "fnsku"], how="semi").sort("date", "file", "line").iter_rows(named=True)
    ):
        found = Evidence(leg["report_type"], leg["file"], leg["line"], "transfer", leg["quantity"])
        legs.setdefault((leg["reference_id"], leg["fnsku"]), []).append(found)
    return [
        Observation(
            "transfer_open",
            f"{units} units of a transfer of more than {_ARRIVES_WITHIN_DAYS} days ago have not arrived.",
            fnsku or None,
            reference_id,
            units,
            tuple(legs[reference_id, fnsku]),
        )
        for reference_id, fnsku, units in missing.iter_rows()
    ]
