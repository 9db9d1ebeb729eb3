"""Shipments to Amazon: what was sent, what was booked in, and when the first of it was."""

import polars as pl

from detection.detectors import NO_EVIDENCE
from detection.findings import Evidence, Observation
from detection.products import describe
from detection.reports import Warned
from detection.rows import Reports


def shortages(reports: Reports) -> pl.DataFrame:
    """Return one row per closed shipment and FNSKU, with what is short and what stays open.

    Columns: shipment_id, fnsku, msku, asin, title, destination, country, first_receipt (day of the earliest receipt of
    the shipment, of any FNSKU), sent, counted (received by the API), booked (received by the ledger), short (sent less
    the larger of the two, below zero for a surplus), open (short less the shipment's surplus of the same ASIN),
    report_type, file, line.
    """
    closed = reports.inbound_shipments.filter(pl.col("status").str.to_uppercase() == "CLOSED")
    items = (
        reports.inbound_items.join(closed.select("shipment_id", "destination"), on="shipment_id")
        .sort("shipment_id", "fnsku", "msku", "file", "line")
        .group_by("shipment_id", "fnsku", maintain_order=True)
        .agg(
            pl.col("msku", "destination", "report_type", "file", "line").first(),
            sent=pl.col("shipped").sum(),
            counted=pl.col("received").sum(),
        )
    )
    received = reports.receipts.filter(pl.col("reference_id").is_in(items.get_column("shipment_id").implode()))
    first = (
        received.filter(pl.col("quantity") > 0)
        .sort("date", "file", "line")
        .group_by("reference_id", maintain_order=True)
        .agg(first_receipt=pl.col("date").first(), country=pl.col("country").first())
    )
    booked = received.group_by("reference_id", "fnsku").agg(
        booked=pl.col("quantity").sum(), booked_asin=pl.col("asin").max()
    )
    known = (
        items.join(booked, left_on=["shipment_id", "fnsku"], right_on=["reference_id", "fnsku"], how="left")
        .join(first, left_on="shipment_id", right_on="reference_id", how="left")
        .with_columns(pl.col("booked").fill_null(0))
        .with_columns(short=pl.col("sent") - pl.max_horizontal("counted", "booked"))
    )
    return _less_surplus(_named(reports, known), booked)


def _named(reports: Reports, items: pl.DataFrame) -> pl.DataFrame:
    wanted = items.select("msku", on=pl.col("first_receipt").fill_null(reports.as_of))
    names = describe(reports, wanted.filter(pl.col("msku") != "")).drop("fnsku")
    return (
        items.with_columns(on=pl.col("first_receipt").fill_null(reports.as_of))
        .join(names, on=["msku", "on"], how="left")
        .with_columns(asin=pl.coalesce("asin", "booked_asin"))
        .drop("on", "booked_asin")
    )


def _less_surplus(items: pl.DataFrame, booked: pl.DataFrame) -> pl.DataFrame:
    """Make up shortages by what came too many of the same ASIN in that shipment, in the order of FNSKUs."""
    unasked = booked.join(
        items, left_on=["reference_id", "fnsku"], right_on=["shipment_id", "fnsku"], how="anti"
    ).select(shipment_id="reference_id", asin="booked_asin", surplus="booked")
    over = items.select("shipment_id", "asin", surplus=-pl.col("short"))
    surplus = (
        pl.concat([over, unasked])
        .filter(pl.col("surplus") > 0, pl.col("asin").fill_null("") != "")
        .group_by("shipment_id", "asin")
        .agg(pl.col("surplus").sum())
    )
    short = pl.max_horizontal("short", pl.lit(0))
    before = short.cum_sum().over("shipment_id", "asin", order_by="fnsku") - short
    left = pl.max_horizontal(pl.col("surplus").fill_null(0) - before, pl.lit(0))
    return (
        items.join(surplus, on=["shipment_id", "asin"], how="left")
        .with_columns(open=pl.max_horizontal(short - left, pl.lit(0)))
        .drop("surplus")
    )


def evidence_of(reports: Reports, losses: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that each loss rests on besides its own, as NO_EVIDENCE.

    These are the shipment's line, the receipts of the FNSKU, and where a surplus of its ASIN made up for a part, that
    surplus: of `items` (from `shortages`) what the API counts, and its receipts.
    """
    shipment = losses.select("loss", "reference_id").join(
        reports.inbound_shipments, left_on="reference_id", right_on="shipment_id"
    )
    booked = reports.receipts.join(losses, on="reference_id", how="semi").sort("date", "file", "line")
    receipts = losses.select("loss", "reference_id", "fnsku").join(
        booked, on=["reference_id", "fnsku"], maintain_order="left_right"
    )
    made_up = losses.filter(pl.col("open") < pl.col("lost")).select("loss", "reference_id", "asin")
    over = made_up.join(
        items.filter(pl.col("short") < 0), left_on=["reference_id", "asin"], right_on=["shipment_id", "asin"]
    )
    not_over = items.filter(pl.col("short") >= 0).select("fnsku", reference_id="shipment_id")
    booked_over = made_up.join(booked, on=["reference_id", "asin"], maintain_order="left_right").join(
        not_over, on=["reference_id", "fnsku"], how="anti", maintain_order="left"
    )
    where_from = ("loss", "report_type", "file", "line")
    return pl.concat(
        [
            NO_EVIDENCE,
            shipment.select(*where_from, role=pl.lit("shipment")),
            receipts.select(*where_from, "quantity", role=pl.lit("receipt")),
            over.sort("loss", "fnsku").select(*where_from, quantity=-pl.col("short"), role=pl.lit("surplus")),
            booked_over.select(*where_from, "quantity", role=pl.lit("receipt")),
        ],
        how="diagonal",
    )


def never_received(items: pl.DataFrame) -> tuple[Observation, ...]:
    """Return, of `shortages`, closed shipments that never arrived: find a proof of delivery (section 9)."""
    in_shipment = (pl.col("counted") + pl.col("booked")).sum().over("shipment_id")
    missing = items.filter(pl.col("first_receipt").is_null(), in_shipment == 0, pl.col("sent") > 0)
    return tuple(
        Observation(
            "inbound_never_received",
            f"Shipment {row['shipment_id']} is closed and nothing of it was received: look for its proof of delivery.",
            row["fnsku"] or None,
            row["shipment_id"],
            row["sent"],
            (Evidence(row["report_type"], row["file"], row["line"], "loss", row["sent"]),),
        )
        for row in missing.sort("shipment_id", "fnsku").iter_rows(named=True)
    )


def undated(reports: Reports, items: pl.DataFrame) -> tuple[Warned, ...]:
    """Warn of short shipments (of `shortages`) whose receipts no ledger shows: without a date nothing can be judged."""
    in_shipment = (pl.col("counted") + pl.col("booked")).sum().over("shipment_id")
    count = items.filter(pl.col("first_receipt").is_null(), in_shipment > 0, pl.col("open") > 0).height
    if not count:
        return ()
    has_ledger = any(delivery.report == "ledger" for delivery in reports.deliveries)
    return (
        Warned(
            "partial_coverage" if has_ledger else "missing_report",
            f"The ledger shows no receipt of the shipments of {count} short items, so their deadlines are not known.",
            {
                "report_type": "GET_LEDGER_DETAIL_VIEW_DATA",
                "claim_types": ["inbound_lost"],
                "from": None,
                "to": reports.as_of,
                "losses": count,
            },
        ),
    )
