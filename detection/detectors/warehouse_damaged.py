"""Damaged in the warehouse: claim type 2."""

import polars as pl

from detection.adjustment_losses import adjusted_away, begin, finish
from detection.coverage import Need
from detection.detectors import Losses, detector
from detection.rows import Reports
from detection.settlements import Pool, is_payment


@detector(
    2,
    "warehouse_damaged",
    policy="warehouse",
    reference_kind="ledger",
    needs=(Need("ledger", 0), Need("reimbursements", 30), Need("removal_orders", 0)),
    pooled="damaged_warehouse",
)
def warehouse_damaged(reports: Reports, pool: Pool) -> Losses:
    """Units that Amazon damaged and neither put back nor paid for, and that the seller did not have disposed of.

    Lost are sellable units adjusted away as damaged (`E`). Units inspected and put back, corrections, payments for
    warehouse damage and the seller's own disposals settle them by FNSKU.
    """
    losses = adjusted_away(reports, ["E"])
    is_payment_for_it = is_payment("damaged_warehouse")
    own = pl.col("kind").is_in(["put_back", "correction_damaged", "disposal"]) | is_payment_for_it
    matching = begin(losses, pool, "warehouse_damaged", own, by_fnsku=pl.lit(value=True))
    matching.settle()
    matching.settle(ahead=True, among=pl.col("kind") == "correction_damaged")
    matching.settle(ahead=True, among=is_payment_for_it)
    return finish(losses, matching, pool)
