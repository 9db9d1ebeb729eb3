"""Who settles what: losses against finds and payments, oldest first (detection rules, section 2).

Two frames go through here. *Losses*: `loss` (row number in the order of section 2.1), `key`, `date`, `country`, `open`
(units). *Settlements*: `settlement` (row number in the order of 2.1), `key`, `date`, `country` (null for a payment),
`currency` (null for a find), `ahead_days` (how long after it a loss may show), `left` (units), `kind`. What was spent
on which loss comes out as rows of `loss`, `settlement`, `units`.

Where stock lies in one country the queue of each key is computed in closed form over whole columns. Only where the
choice depends on more than age (several countries, or settlements that expire) are the losses of one key walked
through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from detection.marketplaces import currency_countries, customs_areas

SPENT = {"loss": pl.Int64, "settlement": pl.Int64, "units": pl.Int64}


def oldest_first(losses: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    """Match each key's settlements, in their order, with its oldest open losses dated on or before them.

    losses: `key`, `date`, `loss`, `open`; settlements: `key`, `date`, `settlement`, `left`; numbers follow the order.
    Returns SPENT rows. A settlement that finds nothing open is wasted: it waits for no later loss.
    """
    if losses.is_empty() or settlements.is_empty():
        return pl.DataFrame(schema=SPENT)
    events = pl.concat(
        [
            losses.filter(pl.col("open") > 0).select(
                "key", "date", side=pl.lit(0), number="loss", lost="open", settled=pl.lit(0, pl.Int64)
            ),
            settlements.filter(pl.col("left") > 0).select(
                "key", "date", side=pl.lit(1), number="settlement", lost=pl.lit(0, pl.Int64), settled="left"
            ),
        ],
        how="vertical_relaxed",
    ).sort("key", "date", "side", "number")
    running = events.with_columns(
        lost_so_far=pl.col("lost").cum_sum().over("key"), settled_so_far=pl.col("settled").cum_sum().over("key")
    ).with_columns(
        # What could find no loss up to now: the highest excess of settled over lost units.
        wasted=pl.max_horizontal(pl.lit(0), (pl.col("settled_so_far") - pl.col("lost_so_far")).cum_max().over("key"))
    )
    return _overlaps(
        running.filter(pl.col("side") == 0).select("key", end="lost_so_far", loss="number"),
        running.filter(pl.col("side") == 1).select(
            "key", end=pl.col("settled_so_far") - pl.col("wasted"), settlement="number"
        ),
    )


def _overlaps(losses: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    """Lay the spans of losses and of settlements over each other; each common piece is one SPENT row."""
    useful = settlements.filter(pl.col("end") > pl.col("end").shift(1).over("key", order_by="settlement").fill_null(0))
    cuts = (
        pl.concat([losses, useful], how="diagonal")
        .group_by("key", "end")
        .agg(pl.col("loss").max(), pl.col("settlement").max())
        .sort("key", "end")
    )
    return (
        cuts.with_columns(
            pl.col("loss", "settlement").backward_fill().over("key"),
            units=pl.col("end") - pl.col("end").shift(1).over("key").fill_null(0),
        )
        .drop_nulls(["loss", "settlement"])
        .select(SPENT.keys())
        .cast(SPENT)  # type: ignore[arg-type]
    )


@dataclass
class Matching:
    """The losses and settlements of one rule while passes run over them, and all that was spent so far."""

    losses: pl.DataFrame
    settlements: pl.DataFrame
    spent: list[pl.DataFrame] = field(default_factory=list)

    def settle(self, *, ahead: bool = False, among: pl.Expr | None = None) -> None:
        """Run one pass: every settlement takes the oldest open losses dated up to it.

        With `ahead`, up to its `ahead_days` after it (section 2.2, second pass). `among` limits the settlements.
        """
        settlements = self.settlements.filter(pl.col("left") > 0)
        if among is not None:
            settlements = settlements.filter(among)
        if ahead:
            settlements = settlements.with_columns(pl.col("date") + pl.duration(days=pl.col("ahead_days")))
        losses = self.losses.filter(pl.col("open") > 0, pl.col("key") != "")
        self.take(_settle_in_countries(losses, settlements))

    def take(self, spent: pl.DataFrame) -> None:
        """Book what a pass spent: it is no longer open, and no longer left."""
        if spent.is_empty():
            return
        self.spent.append(spent)
        self.losses = less(self.losses, spent, "loss", "open")
        self.settlements = less(self.settlements, spent, "settlement", "left")

    def use(self, spent: pl.DataFrame) -> None:
        """Book settlements that Amazon itself matched with a loss whose open units leave them out already."""
        if spent.is_empty():
            return
        self.spent.append(spent)
        self.settlements = less(self.settlements, spent, "settlement", "left")

    def drop(self, cancelled: pl.DataFrame) -> None:
        """Take units of settlements out of the matching without a loss that they settle."""
        self.settlements = less(self.settlements, cancelled, "settlement", "left")

    def key_by(self, column: str) -> None:
        """Match by another column from here on; rows that lack it take no part."""
        self.losses = self.losses.with_columns(key=pl.col(column))
        self.settlements = self.settlements.with_columns(key=pl.col(column))

    def all_spent(self) -> pl.DataFrame:
        """Return everything booked, as SPENT rows."""
        return pl.concat(self.spent) if self.spent else pl.DataFrame(schema=SPENT)


def less(frame: pl.DataFrame, spent: pl.DataFrame, number: str, units: str) -> pl.DataFrame:
    """Return losses or settlements with what was spent taken off their units."""
    taken = spent.group_by(number).agg(taken=pl.col("units").sum())
    return (
        frame.join(taken, on=number, how="left", maintain_order="left")
        .with_columns(pl.col(units) - pl.col("taken").fill_null(0))
        .drop("taken")
    )


def _settle_in_countries(losses: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    """Match by key and country: a find settles in its own country first, then in its customs area (section 2.6).

    A key whose losses lie in one country needs no choice between countries, so its queue is a closed form.
    """
    keys = losses.group_by("key").agg(
        countries=pl.col("country").n_unique(), only_country=pl.col("country").first(), area=pl.col("area").first()
    )
    known = settlements.join(keys, on="key", how="inner", suffix="_lost")
    simple = known.filter(
        pl.col("countries") == 1, pl.col("country").is_null() | (pl.col("area") == pl.col("area_lost"))
    )
    spent = oldest_first(losses.join(simple, on="key", how="semi"), simple)
    several = keys.filter(pl.col("countries") > 1).select("key")
    walked = _walk_countries(losses.join(several, on="key", how="semi"), known.filter(pl.col("countries") > 1))
    return pl.concat([spent, walked])


@dataclass(slots=True)
class _Side:
    """One loss or settlement of a key that is walked through; `units` are what is open or left, days are numbers."""

    number: int
    on: int
    units: int
    country: str | None
    area: str | None
    currency: str | None = None
    is_find: bool = True
    until: int = 0  # the last day of a loss that a settlement may still count for


def _walk_countries(losses: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    spent: list[tuple[int, int, int]] = []
    for lost, settled in _by_key(losses, settlements):
        for settlement in settled:
            reachable = [loss for loss in lost if loss.units and loss.on <= settlement.on]
            for loss in _preferred(reachable, settlement):
                units = min(loss.units, settlement.units)
                if not units:
                    break
                loss.units -= units
                settlement.units -= units
                spent.append((loss.number, settlement.number, units))
    return _spent(spent)


def _preferred(losses: Sequence[_Side], settlement: _Side) -> list[_Side]:
    """Return the losses a settlement may take, those of its own country (a payment: of its currency) first."""
    if settlement.is_find:
        own = [loss for loss in losses if loss.country == settlement.country]
        near = [loss for loss in losses if loss.country != settlement.country and loss.area == settlement.area]
        return own + near
    home = currency_countries().get(settlement.currency or "", frozenset())
    return sorted(losses, key=lambda loss: loss.country not in home)  # stable: the oldest stay first


def reconciled_by_amazon(losses: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    """Find the settlements that Amazon's own reconciled counts have used up (section 2.3).

    losses: `reconciled` units per loss besides the usual columns. A settlement counts from `back_days` before the
    loss on, the oldest first, those of the loss's country before its customs area's. Returns SPENT rows.
    """
    counted = losses.filter(pl.col("reconciled") > 0).with_columns(open="reconciled")
    countries = (
        pl.concat([counted.select("key", "country"), settlements.select("key", "country")])
        .group_by("key")
        .agg(pl.col("country").drop_nulls().n_unique())
    )
    several = countries.filter(pl.col("country") > 1)
    return pl.concat(
        [
            _reconciled_in_one_country(counted.join(several, on="key", how="anti"), settlements),
            _reconciled_in_several(counted.join(several, on="key", how="semi"), settlements),
        ]
    )


def _reconciled_in_one_country(losses: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    """Let each loss take the oldest settlements of its key that are not too old for it, whatever their country."""
    queue = (
        settlements.join(losses, on="key", how="semi")
        .sort("key", "settlement")
        .select("key", "settlement", "left", until=pl.col("date").to_physical() + pl.col("back_days"))
        .with_row_index("place")
    )
    ends = queue.group_by("key").agg(first=pl.col("place").min(), end=pl.col("place").max() + 1)
    waiting = losses.join(ends, on="key").sort("first", "loss").with_columns(pl.col("date").to_physical())
    numbers, until, left = (queue.get_column(name).to_list() for name in ("settlement", "until", "left"))
    spent: list[tuple[int, int, int]] = []
    oldest = 0  # of its key; those before it are used up or too old for every later loss
    for first, end, loss, on, open_units in waiting.select("first", "end", "loss", "date", "open").iter_rows():
        oldest = max(oldest, first)
        while oldest < end and (not left[oldest] or until[oldest] < on):
            oldest += 1
        still_open, place = open_units, oldest
        while still_open and place < end:
            units = min(still_open, left[place]) if until[place] >= on else 0
            if units:
                left[place] -= units
                still_open -= units
                spent.append((loss, numbers[place], units))
            place += 1
    return _spent(spent)


def _reconciled_in_several(losses: pl.DataFrame, settlements: pl.DataFrame) -> pl.DataFrame:
    spent: list[tuple[int, int, int]] = []
    for lost, settled in _by_key(losses, settlements):
        gone = 0  # how many of the settlements, from the oldest on, are used up or too old for every later loss
        for loss in lost:
            while gone < len(settled) and (not settled[gone].units or settled[gone].until < loss.on):
                gone += 1
            for settlement in _own_country_first(settled[gone:], loss):
                if not loss.units:
                    break
                units = min(loss.units, settlement.units) if settlement.until >= loss.on else 0
                if units:
                    loss.units -= units
                    settlement.units -= units
                    spent.append((loss.number, settlement.number, units))
    return _spent(spent)


def _own_country_first(settlements: Sequence[_Side], loss: _Side) -> list[_Side]:
    own = [s for s in settlements if not s.is_find or s.country == loss.country]
    near = [s for s in settlements if s.is_find and s.country != loss.country and s.area == loss.area]
    return own + near


def cancel_within(takers: pl.DataFrame, units: pl.DataFrame, *, before_days: int, after_days: int) -> pl.DataFrame:
    """Let each taker cancel the oldest units of its key dated within the given days around it (sections 2.7, 2.8).

    takers: `key`, `date`, `number`, `wants`; units: `key`, `date`, `settlement`, `left`; both in their order.
    Returns rows of `number`, `settlement`, `units`.
    """
    schema = {"number": pl.Int64, "settlement": pl.Int64, "units": pl.Int64}
    near = units.filter(pl.col("left") > 0).join(takers.select("key").unique(), on="key", how="semi")
    by_key: dict[Any, list[list[Any]]] = {}
    for key, day, number, left in near.select("key", "date", "settlement", "left").iter_rows():
        by_key.setdefault(key, []).append([day, number, left])
    cancelled: list[tuple[int, int, int]] = []
    for key, day, number, wants in takers.select("key", "date", "number", "wants").iter_rows():
        open_units = wants
        earliest, latest = day - timedelta(days=before_days), day + timedelta(days=after_days)
        for unit in by_key.get(key, ()):
            taken = min(open_units, unit[2]) if earliest <= unit[0] <= latest else 0
            if taken:
                unit[2] -= taken
                open_units -= taken
                cancelled.append((number, unit[1], taken))
    return pl.DataFrame(cancelled, schema=schema, orient="row")


def with_area(country: pl.Expr) -> pl.Expr:
    """Return the customs area of a country column; a country outside any is its own area."""
    return country.replace(customs_areas())


def _by_key(losses: pl.DataFrame, settlements: pl.DataFrame) -> Iterator[tuple[list[_Side], list[_Side]]]:
    """Pair the losses with the settlements of each key that has both, each in its order."""
    both = losses.join(settlements.select("key").unique(), on="key", how="semi")
    needed = settlements.join(both.select("key").unique(), on="key", how="semi")
    day = pl.col("date").to_physical()
    lost = _sides(both.sort("loss").select("key", "loss", day, "open", "country", "area"))
    settled = _sides(
        needed.sort("settlement").select(
            "key",
            "settlement",
            day,
            "left",
            "country",
            "area",
            "currency",
            is_find=pl.col("country").is_not_null(),
            until=day + pl.col("back_days"),
        )
    )
    for key, its_losses in lost.items():
        yield its_losses, settled[key]


def _sides(frame: pl.DataFrame) -> dict[Any, list[_Side]]:
    sides: dict[Any, list[_Side]] = {}
    for key, *values in frame.rows():
        sides.setdefault(key, []).append(_Side(*values))
    return sides


def _spent(rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SPENT, orient="row")
