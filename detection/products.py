"""What a product is called: the ledger's word for an MSKU on a day (section 8)."""

import polars as pl

from detection.rows import Reports

_NAMES = ("fnsku", "asin", "title")


def describe(reports: Reports, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return `fnsku`, `asin` and `title` for each `msku` and day `on`.

    It is what the ledger's latest row up to that day says, else the first after it; unknown MSKUs are left out.
    """
    asked = wanted.select("msku", "on").drop_nulls().unique()
    known = reports.products_of(asked.get_column("msku").to_list())
    changing = known.filter(pl.len().over("msku") > 1).get_column("msku").unique().to_list()
    steady = asked.join(known.filter(pl.col("msku").is_in(changing).not_()), on="msku", how="inner")
    found = [steady.select("msku", "on", *_NAMES)]
    if changing:
        found.append(_on_the_day(asked.filter(pl.col("msku").is_in(changing)), reports.product_days_of(changing)))
    return pl.concat(found)


def _on_the_day(asked: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    asked = asked.sort("on")
    up_to = days.unique(["msku", "date"], keep="last").sort("date")
    after = days.unique(["msku", "date"], keep="first").sort("date")
    before = asked.join_asof(up_to, left_on="on", right_on="date", by="msku", check_sortedness=False)
    is_late = pl.col("date").is_null()
    later = (
        before.filter(is_late)
        .select("msku", "on")
        .join_asof(after, left_on="on", right_on="date", by="msku", strategy="forward", check_sortedness=False)
    )
    return pl.concat([before.filter(~is_late), later]).select("msku", "on", *_NAMES)
