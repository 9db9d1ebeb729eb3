"""Short on arrival: claim type 4."""

import polars as pl

from detection.coverage import Need
from detection.detectors import Losses, detector, natural_key
from detection.inbound import evidence_of, never_received, shortages, undated
from detection.matching import Matching, with_area
from detection.rows import Reports
from detection.settlements import Pool, is_payment


@detector(
    4,
    "inbound_lost",
    policy="inbound",
    reference_kind="shipment",
    needs=(Need("ledger", 0), Need("reimbursements", 30)),
    pooled="lost_inbound",
    reaches=False,
)
def inbound_lost(reports: Reports, pool: Pool) -> Losses:
    """Units sent to Amazon that it never booked in, of shipments that it has closed.

    Received is the larger of the API's count and the ledger's receipts; a surplus of the same ASIN in the shipment
    makes up for a shortage. Payments for inbound losses from the first receipt on settle by FNSKU.
    """
    items = shortages(reports)
    losses = items.filter(pl.col("first_receipt").is_not_null()).sort("first_receipt", "shipment_id", "msku",
        "fnsku").select( "fnsku", "asin", "msku", "title", "report_type", "file", "line",
        date="first_receipt",
        country=pl.col("country").fill_null(""),
        area=with_area(pl.col("country").fill_null("")),
        reference_id="shipment_id",
        fulfillment_center="destination",
        natural_key=natural_key("shipment_id", "fnsku"),
        lost=pl.max_horizontal("short", pl.lit(0)),
        open="open",
        settled_by=pl.when(pl.col("open") == 0).then(pl.lit("received")),
        caveats=pl.lit([], pl.List(pl.String)),
    ).with_columns(loss=pl.int_range(pl.len(), dtype=pl.Int64))  # fmt: skip
    matching = Matching(losses.with_columns(key=pl.col("fnsku")), pool.some(is_payment("lost_inbound")))
    (paid,) = pool.paid_for(losses, "inbound_lost", "open")
    matching.take(paid)
    matching.settle()
    spent = matching.all_spent()
    pool.spend(spent)
    found = Losses(
        losses,
        evidence=evidence_of(reports, losses, items),
        observations=never_received(items),
        warnings=undated(reports, items),
    )
    found.settle(spent)
    return found
