"""Refunded, never returned: claim type 8."""

import polars as pl

from detection.coverage import Need
from detection.detectors import NO_LOSSES, Losses, detector
from detection.matching import less, oldest_first
from detection.refunds import (
    charged_again,
    evidence_of_sale,
    has_refunds,
    outcome_of_units,
    refund_key,
    refunded_units,
)
from detection.rows import Reports
from detection.settlements import Pool

# What Amazon paid for an order settles units of claim types 6, 7 and 8 in this order (end of section 3).
_PAID_FIRST = {"wrong_item": 0, "damaged": 1, "nothing": 2}


@detector(
    8,
    "return_not_received",
    policy="customer_return",
    reference_kind="order",
    needs=(Need("returns", 45), Need("reimbursements", 30)),
    value_basis="refunded_amount",
)
def return_not_received(reports: Reports, pool: Pool) -> Losses:
    """Units of FBA orders that the buyer was refunded for, that never came back, and that nobody paid for.

    Settled by payments that name the order, whatever their dates, and by charging the buyer again.
    """
    if not has_refunds(reports):
        return Losses(NO_LOSSES)
    refunded = refunded_units(reports)
    units = _in_order_of_payment(refunded, outcome_of_units(reports, refunded), charged_again(reports, refunded))
    paid = pool.some(pl.col("names_order") & pl.col("kind").is_in(["stock", "cash"]), key="order_id")
    any_day = pl.lit(reports.as_of)
    is_missing = pl.col("got") == "nothing"
    (paid_for,) = pool.paid_for(
        units.filter(is_missing).with_columns(natural_key=refund_key()), "return_not_received", "open"
    )
    still_open = less(units, paid_for, "loss", "open")
    spent = pl.concat(
        [
            paid_for,
            oldest_first(
                still_open.select("loss", "open", key="order_id", date=any_day),
                paid.select("settlement", "left", "key", date=any_day),
            ),
        ]
    )
    pool.spend(spent)
    missing = units.filter(is_missing)
    losses = Losses(
        missing.select(
            "loss", "date", "open", "settled_by", "worth", "currency", "report_type", "file", "line",
            natural_key=refund_key(),
            lost="units",
            worth_units="item_units",
            fnsku=pl.lit(None, pl.String),
            asin=pl.lit(None, pl.String),
            title=pl.lit(None, pl.String),
            msku="sku",
            country=pl.lit(""),
            area=pl.lit(""),
            reference_id="order_id",
            fulfillment_center=pl.lit(None, pl.String),
            caveats=pl.lit([], pl.List(pl.String)),
        )
    )  # fmt: skip
    losses.evidence = evidence_of_sale(reports, losses.rows)
    losses.settle(spent.join(missing.select("loss"), on="loss", how="semi"))
    return losses


def _in_order_of_payment(refunded: pl.DataFrame, got: pl.DataFrame, again: pl.DataFrame) -> pl.DataFrame:
    """Put the units that a payment may settle in order, less those that the buyer was charged for again."""
    units = (
        got.group_by("unit", "got")
        .agg(pl.col("units").sum())
        .join(refunded.drop("units").with_row_index("unit").cast({"unit": pl.Int64}), on="unit")
        .filter(pl.col("got") != "returned")
        .sort(pl.col("got").replace_strict(_PAID_FIRST, return_dtype=pl.Int64), "date", "order_id", "sku")
        .with_columns(loss=pl.int_range(pl.len(), dtype=pl.Int64))
        .join(again, on=["order_id", "sku"], how="left", maintain_order="left")
    )
    before = pl.col("units").cum_sum().over("order_id", "sku", "got") - pl.col("units")
    charged = pl.when(pl.col("got") == "nothing").then(
        pl.max_horizontal(pl.min_horizontal(pl.col("again").fill_null(0) - before, pl.col("units")), pl.lit(0))
    )
    return units.with_columns(open=pl.col("units") - charged.otherwise(0)).with_columns(
        settled_by=pl.when(pl.col("open") == 0).then(pl.lit("charged_again"))
    )
