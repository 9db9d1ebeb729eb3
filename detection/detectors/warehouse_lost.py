"""Lost in the warehouse: claim type 1."""

import polars as pl

from detection.adjustment_losses import adjusted_away, begin, finish
from detection.coverage import Need
from detection.detectors import Losses, detector
from detection.rows import Reports
from detection.settlements import Pool, cancel_moved_out, is_payment


@detector(
    1,
    "warehouse_lost",
    policy="warehouse",
    reference_kind="ledger",
    needs=(Need("ledger", 0), Need("reimbursements", 30)),
    pooled="lost_warehouse",
)
def warehouse_lost(reports: Reports, pool: Pool) -> Losses:
    """Units that Amazon misplaced in a fulfillment center and neither found again nor paid for.

    Lost are sellable units adjusted away as misplaced (`M`, `5`). Finds (`F`, `N`), corrections and payments for
    warehouse losses settle them by FNSKU; units found under an `Amazon.Found` MSKU by ASIN, once all FNSKUs are done.
    """
    losses = adjusted_away(reports, ["M", "5"])
    is_find = pl.col("kind").is_in(["find", "correction_lost"])
    by_fnsku = ~pl.col("is_amazon_found")
    matching = begin(losses, pool, "warehouse_lost", is_find | is_payment("lost_warehouse"), by_fnsku=by_fnsku)
    matching.settle(among=by_fnsku)
    pool.spend(cancel_moved_out(matching, reports))
    matching.settle(ahead=True, among=by_fnsku & is_find)
    matching.settle(ahead=True, among=~is_find)
    matching.key_by("asin")
    matching.settle(among=~by_fnsku)
    matching.settle(ahead=True, among=~by_fnsku)
    return finish(losses, matching, pool)
