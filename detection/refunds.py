"""Refunded units of FBA orders, and what became of each: shared by the rules about customer returns.

A refund is a unit only where the money says so (end of section 3): units = the largest k whose refunded Principal so
far reaches (k - 0.1) unit prices; less is a goodwill gesture.
"""

import polars as pl

from detection.detectors import NO_EVIDENCE, natural_key
from detection.matching import oldest_first
from detection.products import describe
from detection.rows import Reports

_ITEM = ["order_id", "sku"]
# A return row of one of these is Amazon's fault (claim type 7), unless the row says that it was dealt with.
_DAMAGED_BY_AMAZON = ["DAMAGED", "WAREHOUSE_DAMAGED", "CARRIER_DAMAGED"]
_DEALT_WITH = ["reimbursed", "repackaged successfully"]
_ANY_DAY = pl.lit("1970-01-01").str.to_date()


def has_refunds(reports: Reports) -> bool:
    """Whether any refund is told of. Where none is, nobody need put the shipments in order, the longest report."""
    return (reports.finances.get_column("event") == "refund").any()


def refunded_units(reports: Reports) -> pl.DataFrame:
    """Return the refunded units of FBA orders: one row per order, SKU and day on which units were reached.

    Columns: order_id, sku, date, units, item_units (all refunded units of the item), price and sold (charged Principal
    in millionths and shipped units), worth (what the item's refunds cost the seller, millionths; section 5), currency,
    report_type, file, line.
    """
    refunds = reports.finances.filter(pl.col("event") == "refund")
    by_day = (
        refunds.filter(_is_principal(), pl.col("amount") < 0)
        .sort("posted_on", "file", "line")
        .group_by(*_ITEM, "posted_on", maintain_order=True)
        .agg(
            pl.col("report_type", "file", "line", "currency").first(),
            refunded=-pl.col("amount").sum(),
            stated=_stated_units(),
        )
        .join(_sold(reports, refunds), on=_ITEM, how="inner")
        .join(_fba_orders(reports), on="order_id", how="semi")
        .sort(*_ITEM, "posted_on")
    )
    so_far = by_day.with_columns(
        refunded_so_far=pl.col("refunded").cum_sum().over(_ITEM),
        stated_so_far=pl.col("stated").fill_null(0).cum_sum().over(_ITEM),
    )
    # k <= refunded / (price / sold) + 0.1, in whole numbers
    reached = (10 * pl.col("refunded_so_far") * pl.col("sold") + pl.col("price")) // (10 * pl.col("price"))
    has_stated = pl.col("stated_so_far") > 0
    most = pl.when(has_stated).then(pl.min_horizontal("sold", "stated_so_far")).otherwise(pl.col("sold"))
    counted = so_far.with_columns(units_so_far=pl.min_horizontal(reached, most).cum_max().over(_ITEM))
    units = counted.with_columns(
        units=pl.col("units_so_far") - pl.col("units_so_far").shift(1).over(_ITEM).fill_null(0),
        item_units=pl.col("units_so_far").max().over(_ITEM),
    ).filter(pl.col("units") > 0)
    return units.join(_cost_to_seller(refunds), on=_ITEM, how="left").select(
        *_ITEM, "units", "item_units", "price", "sold", "currency", "report_type", "file", "line",
        date="posted_on",
        worth=pl.max_horizontal(
            pl.min_horizontal("refunded_in_all", "price") - pl.col("promotion_back") - pl.col("commission_back"),
            pl.lit(0),
        ),
    )  # fmt: skip


def _is_principal() -> pl.Expr:
    return (pl.col("part") == "charge") & (pl.col("kind") == "Principal")


def _stated_units() -> pl.Expr:
    """Units that the events themselves state, each item of an event once; null where none does."""
    stated = pl.col("quantity").filter(pl.col("quantity") > 0)
    return pl.when(stated.len() > 0).then(stated.sum())


def _sold(reports: Reports, refunds: pl.DataFrame) -> pl.DataFrame:
    """Charged Principal and shipped units of each item of refunded orders: the finances', else the shipments'."""
    charged = (
        reports.finances.filter(
            pl.col("event") == "shipment", _is_principal(), pl.col("amount") > 0, pl.col("quantity") > 0
        )
        .join(refunds, on="order_id", how="semi")
        .group_by(_ITEM)
        .agg(price=pl.col("amount").sum(), sold=pl.col("quantity").sum())
    )
    shipped = (
        reports.shipments.rename({"amazon_order_id": "order_id"})
        .join(refunds, on="order_id", how="semi")
        .group_by(_ITEM)
        .agg(price=pl.col("item_price").sum(), sold=pl.col("quantity_shipped").sum())
    )
    both = pl.concat([charged, shipped.join(charged, on=_ITEM, how="anti")])
    return both.filter(pl.col("price") > 0, pl.col("sold") > 0)


def _fba_orders(reports: Reports) -> pl.DataFrame:
    """Orders that Amazon fulfilled: in fulfilled shipments or customer returns, or with an FBA fee."""
    with_fee = reports.finances.filter(pl.col("part") == "fee", pl.col("kind").str.starts_with("FBA"))
    return pl.concat(
        [
            reports.shipments.select(order_id="amazon_order_id"),
            reports.returns.select("order_id"),
            with_fee.select("order_id"),
        ]
    )


def _cost_to_seller(refunds: pl.DataFrame) -> pl.DataFrame:
    """Sum what each item's refunds took from the seller, in millionths, and what was given back to him."""

    def total(which: pl.Expr) -> pl.Expr:
        return pl.col("amount").filter(which).sum()

    is_commission = (pl.col("part") == "fee") & pl.col("kind").is_in(["Commission", "RefundCommission"])
    return refunds.group_by(_ITEM).agg(
        refunded_in_all=-total(_is_principal() & (pl.col("amount") < 0)),
        promotion_back=total(pl.col("part") == "promotion"),
        commission_back=total(is_commission),
    )


def outcome_of_units(reports: Reports, units: pl.DataFrame) -> pl.DataFrame:
    """Give the return rows of each order to its refunded units, oldest to oldest, and say what each unit got.

    In three rounds over all items of the order: same SKU, same ASIN, any. Returns rows of `unit` (row number in
    `units`), `units`, `got`: wrong_item (an ASIN that the order never had: claim type 6), damaged (7), returned, or
    nothing (8).
    """
    numbered = _with_asins(reports, units.with_row_index("unit").cast({"unit": pl.Int64}))
    open_units = numbered.select("unit", "order_id", "sku", "asin", "date", open="units")
    rows = (
        reports.returns.filter(pl.col("order_id") != "")
        .join(open_units, on="order_id", how="semi")
        .with_row_index("row")
        .cast({"row": pl.Int64})
        .select("row", "order_id", "sku", "asin", "disposition", "status", left="quantity")
    )
    given = []
    for key in (["order_id", "sku"], ["order_id", "asin"], ["order_id"]):
        spent = _give(open_units, rows, key)
        given.append(spent)
        open_units = _minus(open_units, spent, "unit", "open")
        rows = _minus(rows, spent, "row", "left")
    got = _what_came_back(pl.concat(given), rows, numbered, reports)
    nothing = open_units.filter(pl.col("open") > 0).select("unit", units="open", got=pl.lit("nothing"))
    return pl.concat([got, nothing])


def _give(units: pl.DataFrame, rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """One round: as many as there are, whatever the dates, in the order of units and of rows."""
    usable = pl.all_horizontal(pl.col(column).fill_null("") != "" for column in key)
    name = pl.concat_str(key, separator="\x1f")
    lost = units.filter(usable).sort("date", "sku").with_columns(rank=pl.int_range(pl.len(), dtype=pl.Int64))
    spent = oldest_first(
        lost.select("open", loss="rank", key=name, date=_ANY_DAY),
        rows.filter(usable).select("left", settlement="row", key=name, date=_ANY_DAY),
    )
    return spent.join(lost.select("unit", loss="rank"), on="loss").select("unit", "units", row="settlement")


def _minus(frame: pl.DataFrame, spent: pl.DataFrame, number: str, column: str) -> pl.DataFrame:
    taken = spent.group_by(number).agg(taken=pl.col("units").sum())
    joined = frame.join(taken, on=number, how="left", maintain_order="left")
    return joined.with_columns(pl.col(column) - pl.col("taken").fill_null(0)).drop("taken")


def _with_asins(reports: Reports, units: pl.DataFrame) -> pl.DataFrame:
    """Add the ASIN of each unit's SKU: the ledger's, else that of a return row of the SKU."""
    with_returns = units.join(reports.returns.select("order_id").unique(), on="order_id", how="semi")
    names = describe(reports, with_returns.select(msku="sku", on="date"))
    by_return = reports.returns.filter(pl.col("asin") != "").group_by("sku").agg(returned_asin=pl.col("asin").first())
    return (
        units.join(
            names.select(sku="msku", date="on", asin="asin"), on=["sku", "date"], how="left", maintain_order="left"
        )
        .join(by_return, on="sku", how="left", maintain_order="left")
        .with_columns(asin=pl.coalesce("asin", "returned_asin"))
        .drop("returned_asin")
    )


def _what_came_back(given: pl.DataFrame, rows: pl.DataFrame, units: pl.DataFrame, reports: Reports) -> pl.DataFrame:
    """Name what each given row means for its unit."""
    ours = _asins_of_orders(reports, units)
    exempt = pl.col("sku").str.starts_with("amzn.gr.") | pl.col("sku").str.starts_with("Amazon.Found")
    facts = rows.join(ours, on="order_id", how="left").with_columns(
        is_wrong=(
            ~exempt
            & (pl.col("asin") != "")
            & pl.col("is_complete").fill_null(value=False)
            & ~pl.col("asin").is_in(pl.col("asins"))
        ).fill_null(value=False),
        is_damaged=pl.col("disposition").is_in(_DAMAGED_BY_AMAZON) & ~pl.col("status").is_in(_DEALT_WITH),
    )
    got = pl.when("is_wrong").then(pl.lit("wrong_item")).when("is_damaged").then(pl.lit("damaged"))
    return given.join(facts, on="row").select("unit", "units", got=got.otherwise(pl.lit("returned")))


def _asins_of_orders(reports: Reports, units: pl.DataFrame) -> pl.DataFrame:
    """Every ASIN that the ledger gives the SKUs of an order; `is_complete` where it knows each of them."""
    returned = reports.returns.select("order_id").unique()
    sold = (
        pl.concat(
            [
                units.select("order_id", "sku"),
                reports.shipments.select("sku", order_id="amazon_order_id"),
                reports.finances.filter(pl.col("event") == "shipment").select("order_id", "sku"),
            ],
            how="diagonal",
        )
        .drop_nulls()
        .unique()
        .join(returned, on="order_id", how="semi")
        .join(units, on="order_id", how="semi")
    )
    known = reports.products_of(sold.get_column("sku").to_list()).select(sku="msku", asin="asin").drop_nulls().unique()
    return (
        sold.join(known, on="sku", how="left")
        .group_by("order_id")
        .agg(asins=pl.col("asin").drop_nulls().unique(), is_complete=pl.col("asin").is_not_null().all())
    )


def charged_again(reports: Reports, units: pl.DataFrame) -> pl.DataFrame:
    """Return how many refunded units of each item the buyer was charged for again: `order_id`, `sku`, `again`.

    By money, as refunds are counted: positive Principal in a refund, or a charge without units. A retrocharge names
    neither item nor units, so it counts for all units of the order.
    """
    items = units.select(*_ITEM, "price", "sold").unique(_ITEM)
    back = _charges_after(reports).group_by(_ITEM).agg(charged=pl.col("amount").sum())
    retrocharged = _retrocharges(reports).select("order_id").unique().with_columns(is_all=pl.lit(value=True))
    by_money = (10 * pl.col("charged").fill_null(0) * pl.col("sold") + pl.col("price")) // (10 * pl.col("price"))
    return (
        items.join(back, on=_ITEM, how="left")
        .join(retrocharged, on="order_id", how="left")
        .select(*_ITEM, again=pl.when(pl.col("is_all").fill_null(value=False)).then(pl.col("sold")).otherwise(by_money))
        .filter(pl.col("again") > 0)
    )


def _charges_after(reports: Reports) -> pl.DataFrame:
    """Principal that the buyer paid again: in a refund, or in a shipment event that ships nothing."""
    ships_nothing = (pl.col("event") == "shipment") & (pl.col("quantity").fill_null(0) == 0)
    return reports.finances.filter(_is_principal(), pl.col("amount") > 0, (pl.col("event") == "refund") | ships_nothing)


def _retrocharges(reports: Reports) -> pl.DataFrame:
    return reports.finances.filter(pl.col("event") == "retrocharge")


def refund_key() -> pl.Expr:
    """Return the natural key of claim types 6 to 8."""
    return natural_key("order_id", "sku", "date")


def evidence_of_sale(reports: Reports, losses: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that each loss rests on besides its own, as NO_EVIDENCE.

    They show that the item was sold, sent by Amazon, refunded up to that day, and charged again, and what came back of
    the order.
    """
    items = losses.select("loss", "date", "file", "line", order_id="reference_id", sku="msku")
    refunds = (
        items.join(
            reports.finances.filter(pl.col("event") == "refund", _is_principal(), pl.col("amount") < 0),
            on=_ITEM,
            suffix="_refund",
        )
        .filter(
            pl.col("posted_on") <= pl.col("date"),
            (pl.col("file_refund") != pl.col("file")) | (pl.col("line_refund") != pl.col("line")),
        )
        .with_columns(file="file_refund", line="line_refund")
        .sort("loss", "posted_on", "file", "line")
    )
    items = items.drop("date", "file", "line")
    returned = items.join(reports.returns.filter(pl.col("order_id") != ""), on="order_id", maintain_order="left_right")
    charges = reports.finances.filter(
        pl.col("event") == "shipment", _is_principal(), pl.col("amount") > 0, pl.col("quantity") > 0
    )
    shipped = reports.shipments.rename({"amazon_order_id": "order_id"})
    where_from = ("loss", "report_type", "file", "line", "quantity", "role")
    return pl.concat(
        [
            NO_EVIDENCE,
            refunds.select(*where_from[:-1], role=pl.lit("refund")),
            items.join(charges.sort("file", "line"), on=_ITEM, maintain_order="left_right").select(
                *where_from[:-1], role=pl.lit("charge")
            ),
            items.join(shipped.sort("file", "line"), on=_ITEM, maintain_order="left_right").select(
                *where_from[:-2], quantity="quantity_shipped", role=pl.lit("shipment")
            ),
            returned.select(*where_from[:-1], role=pl.lit("return")),
            items.join(_charges_after(reports).sort("file", "line"), on=_ITEM, maintain_order="left_right").select(
                *where_from[:-2], role=pl.lit("charged_again")
            ),
            items.join(_retrocharges(reports).sort("file", "line"), on="order_id", maintain_order="left_right").select(
                *where_from[:-2], role=pl.lit("charged_again")
            ),
        ],
        how="diagonal",
    )
