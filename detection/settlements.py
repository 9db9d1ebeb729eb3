"""All by which Amazon, or the seller, made up for losses of stock: one pool, from which each unit goes once."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from detection.findings import fingerprint
from detection.matching import SPENT, Matching, cancel_within, with_area
from detection.rows import STOCK_KINDS, Reports


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of settlement is.

    ahead_days: how long after it a loss may still show (section 2.2). back_days: how long before a loss it counts as
    what Amazon itself has matched (2.3). rank: its place among settlements of one day (2.1). reason: why a loss that it
    settled is not claimed. role: what its line is called in the evidence.
    """

    ahead_days: int
    back_days: int
    rank: int
    reason: str
    role: str


# Of one day, finds come before stock before cash; what the seller had disposed of comes last.
KINDS = {
    "find": Kind(30, 30, 0, "found", "find"),
    "correction_lost": Kind(30, 30, 0, "found", "correction"),
    "correction_damaged": Kind(30, 30, 0, "found", "correction"),
    "put_back": Kind(0, 30, 0, "put_back", "put_back"),
    "stock": Kind(10, 10, 1, "paid_by_amazon", "reimbursement"),
    "cash": Kind(10, 10, 2, "paid_by_amazon", "reimbursement"),
    "disposal": Kind(0, 30, 3, "disposed_by_seller", "disposal"),
}
_STOCK_GIVEN_DAYS = 45
_MOVED_OUT_DAYS = 30


@dataclass(frozen=True, slots=True)
class PaidFor:
    """Units of a reimbursement line that are known to have been paid for one loss: somebody had claimed it.

    kind: `cash` or `stock`. fingerprint: the loss's.
    """

    file: str
    line: int
    kind: str
    fingerprint: str
    units: int


class Pool:
    """The settlements of one account. `rows` has one row per settlement and what is `left` of it, in units.

    Columns: settlement (number, in the order of section 2.1), kind, reimbursement_kind (payments only), fnsku, asin,
    date, country (null for a payment), area, currency (payments only), is_amazon_found, names_order, left, ahead_days,
    back_days, report_type, file, line, and for a put back also_file, also_line (the row that left `WAREHOUSE_DAMAGED`);
    paid_for (the fingerprint of the one loss that it was paid for, null where the rules say what it settles).
    """

    def __init__(self, reports: Reports, paid_for: Iterable[PaidFor] = ()) -> None:
        """Gather all settlements; units of stock given as a reimbursement count once (section 2.7)."""
        self._marketplace = reports.marketplace.code
        gathered = pl.concat(
            [_finds(reports), _put_backs(reports), _disposals(reports), _payments(reports)], how="diagonal"
        )
        self.rows = (
            gathered.with_columns(
                rank=of_kind("rank", pl.Int64),
                ahead_days=of_kind("ahead_days", pl.Int64),
                back_days=of_kind("back_days", pl.Int64),
                area=with_area(pl.col("country")),
            )
            .pipe(_with_paid_for, list(paid_for))
            .filter(pl.col("left") > 0)
            .sort("date", "rank", "id", "fnsku", "place", "file", "line", "paid_for")
            .with_columns(settlement=pl.int_range(pl.len(), dtype=pl.Int64))
        )
        self._cancel_stock_given(reports)

    def some(self, which: pl.Expr, *, key: str = "fnsku") -> pl.DataFrame:
        """Return the settlements that a rule may use, keyed by `key`."""
        return self.rows.filter(which, pl.col("left") > 0, pl.col("paid_for").is_null()).with_columns(key=pl.col(key))

    def paid_for(self, losses: pl.DataFrame, claim_type: str, *columns: str) -> list[pl.DataFrame]:
        """Return what was paid for these very losses, as SPENT rows: it settles them before any rule chooses.

        losses: `loss`, `natural_key`, and the `columns` that say how many units may be settled: one frame for each,
        what one has no room for goes to the next. Nothing is taken out of the pool yet.
        """
        left: dict[str, list[list[int]]] = {}
        mine = self.rows.filter(pl.col("paid_for").is_not_null(), pl.col("left") > 0)
        for name, number, units in mine.select("paid_for", "settlement", "left").iter_rows():
            left.setdefault(name, []).append([number, units])
        return [pl.DataFrame(self._paid_for(losses, claim_type, c, left), SPENT, orient="row") for c in columns]

    def _paid_for(
        self, losses: pl.DataFrame, claim_type: str, column: str, left: dict[str, list[list[int]]]
    ) -> list[tuple[int, int, int]]:
        spent = []
        for loss, key, room in losses.select("loss", "natural_key", column).iter_rows() if left else ():
            wanted = room
            for settlement in left.get(fingerprint(claim_type, self._marketplace, key), ()):
                units = min(wanted, settlement[1])
                if units > 0:
                    wanted -= units
                    settlement[1] -= units
                    spent.append((loss, settlement[0], units))
        return spent

    def spend(self, spent: pl.DataFrame) -> None:
        """Take units off for good: what one rule has used, no other rule gets (section 2.4)."""
        taken = spent.group_by("settlement").agg(taken=pl.col("units").sum())
        self.rows = (
            self.rows.join(taken, on="settlement", how="left", maintain_order="left")
            .with_columns(pl.col("left") - pl.col("taken").fill_null(0))
            .drop("taken")
        )

    def _cancel_stock_given(self, reports: Reports) -> None:
        """Stock given as a reimbursement is also a ledger `N`: the payment settles, the `N` does not.

        That holds for every payment in stock, also for one that settles no loss (a top-up).
        """
        takers = (
            reports.reimbursements.filter(pl.col("stock") > 0)
            .with_row_index("number")
            .select("number", date="approval_date", key="fnsku", wants="stock")
        )
        given = self.rows.filter(pl.col("reason") == "N").with_columns(key=pl.col("fnsku"))
        self.spend(cancel_within(takers, given, before_days=_STOCK_GIVEN_DAYS, after_days=_STOCK_GIVEN_DAYS))


def of_kind(fact: str, dtype: type[pl.DataType]) -> pl.Expr:
    """Return what KINDS says of the `kind` column of settlements."""
    facts = {name: getattr(kind, fact) for name, kind in KINDS.items()}
    return pl.col("kind").replace_strict(facts, return_dtype=dtype)


def _with_paid_for(rows: pl.DataFrame, paid_for: list[PaidFor]) -> pl.DataFrame:
    """Split off the units that are known to have been paid for one loss; what is beyond a row's units is left out."""
    if not paid_for:
        return rows.with_columns(paid_for=pl.lit(None, pl.String))
    place = ["file", "line", "kind"]
    known = pl.DataFrame(
        [(each.file, each.line, each.kind, each.fingerprint, each.units) for each in paid_for],
        schema={"file": pl.String, "line": pl.Int64, "kind": pl.String, "paid_for": pl.String, "units": pl.Int64},
        orient="row",
    ).with_columns(so_far=pl.col("units").cum_sum().over(place))
    own = rows.join(known, on=place, how="inner").with_columns(
        left=pl.max_horizontal(
            pl.min_horizontal("so_far", "left") - (pl.col("so_far") - pl.col("units")), pl.lit(0, pl.Int64)
        )
    )
    taken = own.group_by(place).agg(taken=pl.col("left").sum())
    rest = rows.join(taken, on=place, how="left", maintain_order="left").with_columns(
        pl.col("left") - pl.col("taken").fill_null(0)
    )
    return pl.concat([rest.drop("taken"), own.drop("units", "so_far")], how="diagonal")


def cancel_moved_out(matching: Matching, reports: Reports) -> pl.DataFrame:
    """Let `O` rows take back finds that settled nothing (section 2.8): Amazon keeps what it has paid for.

    Returns what was cancelled, as rows of `settlement`, `units`; the matching's settlements are reduced by it.
    """
    moved = (
        reports.adjustments.filter(pl.col("reason") == "O", pl.col("quantity") < 0)
        .sort("date", "reference_id", "fulfillment_center", "msku", "quantity", "file", "line")
        .with_row_index("number")
        .select("date", "number", key=_fnsku_in_country(), wants=-pl.col("quantity"))
    )
    finds = matching.settlements.filter(pl.col("kind") == "find").with_columns(key=_fnsku_in_country())
    cancelled = cancel_within(moved, finds, before_days=_MOVED_OUT_DAYS, after_days=0)
    matching.drop(cancelled)
    return cancelled


def _fnsku_in_country() -> pl.Expr:
    return pl.concat_str("fnsku", "country", separator="\x1f")


def _finds(reports: Reports) -> pl.DataFrame:
    """Units found (`F`, `N`) and positive rows of the loss codes, which correct them (section 2.8)."""
    kinds = {"F": "find", "N": "find", "M": "correction_lost", "5": "correction_lost", "E": "correction_damaged"}
    return _of_ledger(
        reports.adjustments.filter(pl.col("quantity") > 0, pl.col("reason").is_in(list(kinds))).with_columns(
            kind=pl.col("reason").replace_strict(kinds, return_dtype=pl.String)
        )
    )


def _of_ledger(rows: pl.DataFrame) -> pl.DataFrame:
    also = [c for c in ("also_file", "also_line") if c in rows.columns]
    return rows.select(
        "kind", "fnsku", "asin", "date", "country", "reason", "report_type", "file", "line", *also,
        id="reference_id",
        place="fulfillment_center",
        left="quantity",
        is_amazon_found=(pl.col("reason") == "F") & pl.col("msku").str.starts_with("Amazon.Found"),
        names_order=pl.lit(value=False),
    )  # fmt: skip


def _put_backs(reports: Reports) -> pl.DataFrame:
    """Damaged units that were inspected and put back: `Q` out of WAREHOUSE_DAMAGED with a `P` to SELLABLE.

    Per FNSKU and fulfillment center, of the same day or the next; each unit of a row counts once (claim type 2).
    """
    key = ["fnsku", "fulfillment_center"]
    order = ["date", "reference_id", "file", "line"]
    out = reports.adjustments.filter(
        pl.col("reason") == "Q", pl.col("disposition") == "WAREHOUSE_DAMAGED", pl.col("quantity") < 0
    )
    back = reports.adjustments.filter(
        pl.col("reason") == "P", pl.col("disposition") == "SELLABLE", pl.col("quantity") > 0
    ).sort(*order)
    joined = pl.concat_str(key, separator="\x1f")
    takers = out.sort(*order).with_row_index("number")
    units = back.with_row_index("settlement").with_columns(key=joined, left=pl.col("quantity"))
    pairs = cancel_within(
        takers.select("date", "number", key=joined, wants=-pl.col("quantity")), units, before_days=0, after_days=1
    )
    return _of_ledger(
        pairs.join(units.cast({"settlement": pl.Int64}), on="settlement")
        .join(
            takers.select(pl.col("number").cast(pl.Int64), also_file="file", also_line="line"), on="number", how="left"
        )
        .with_columns(kind=pl.lit("put_back"), quantity=pl.col("units"))
    )


def _disposals(reports: Reports) -> pl.DataFrame:
    """Unsellable units that the seller had disposed of: nobody owes him those (claim type 2).

    Counted as claim type 3 counts them: the disposed units (of liquidations the shipped ones too), and of an order that
    is still open what was requested and not cancelled, for a unit that waits for its disposal is not eligible either.
    """
    kind = pl.col("order_type").fill_null("").str.to_lowercase()
    is_over = pl.col("counts_hold") & pl.col("order_status").fill_null("").str.to_lowercase().is_in(
        ["completed", "cancelled", "canceled"]
    )
    sold = pl.when(kind.str.starts_with("liquidation")).then(pl.col("shipped_quantity").fill_null(0)).otherwise(0)
    gone = pl.when(pl.col("counts_hold")).then(pl.col("disposed_quantity").fill_null(0) + sold).otherwise(0)
    cancelled = pl.when(pl.col("counts_hold")).then(pl.col("cancelled_quantity").fill_null(0)).otherwise(0)
    pending = pl.when(kind.str.contains("disposal|liquidation")).then(
        pl.col("requested_quantity").fill_null(0) - cancelled
    )
    return reports.removal_orders.filter(
        pl.col("disposition").fill_null("").str.to_lowercase() != "sellable"
    ).select(
        "report_type", "file", "line",
        kind=pl.lit("disposal"),
        fnsku=pl.col("fnsku").fill_null(""),
        asin=pl.lit(""),
        date="request_date",
        country=pl.lit(None, pl.String),
        reason=pl.lit(None, pl.String),
        id="order_id",
        place=pl.lit(""),
        left=pl.when(is_over).then(gone).otherwise(pl.max_horizontal(pending, gone)),
        is_amazon_found=pl.lit(value=False),
        names_order=pl.lit(value=False),
    )  # fmt: skip


def _payments(reports: Reports) -> pl.DataFrame:
    """Reimbursements that settle losses, the stock units and the cash units of a row apart."""
    rows = reports.reimbursements.filter(pl.col("settles"))
    return pl.concat([_units_of(rows, "stock"), _units_of(rows, "cash")])


def _units_of(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    return rows.filter(pl.col(kind) > 0).select(
        "fnsku", "asin", "report_type", "file", "line",
        kind=pl.lit(kind),
        reimbursement_kind="kind",
        date="approval_date",
        country=pl.lit(None, pl.String),
        currency="currency_unit",
        reason=pl.lit(None, pl.String),
        id="reimbursement_id",
        place="sku",
        left=kind,
        is_amazon_found=pl.lit(value=False),
        names_order=pl.col("amazon_order_id").is_not_null(),
        order_id="amazon_order_id",
    )  # fmt: skip


def is_payment(*kinds: str) -> pl.Expr:
    """Payments of these kinds that name no order: what names one settles that order's units alone (section 2.4)."""
    return pl.col("reimbursement_kind").is_in(kinds) & ~pl.col("names_order")


def is_leftover_payment(own: str) -> pl.Expr:
    """Payments that may settle what a rule still has open after all rules took their own kind (section 2.5)."""
    return is_payment(*(kind for kind in (*STOCK_KINDS, "general", "unknown") if kind != own))
