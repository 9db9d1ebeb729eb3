"""The rules, one file a claim type. Each declares itself here and says what was lost and what settled it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import polars as pl

from detection.coverage import Need
from detection.findings import Observation
from detection.matching import SPENT
from detection.reports import Warned
from detection.rows import Reports
from detection.settlements import Pool

KEY_SEPARATOR = "\x1f"
NO_EVIDENCE = pl.DataFrame(
    schema={
        "loss": pl.Int64, "role": pl.String, "report_type": pl.String, "file": pl.String, "line": pl.Int64,
        "quantity": pl.Int64, "note": pl.String,
    }
)  # fmt: skip
NO_LOSSES = pl.DataFrame(
    schema={
        "loss": pl.Int64, "natural_key": pl.String, "date": pl.Date, "lost": pl.Int64, "open": pl.Int64,
        "settled_by": pl.String, "fnsku": pl.String, "asin": pl.String, "msku": pl.String, "title": pl.String,
        "country": pl.String, "area": pl.String, "reference_id": pl.String, "fulfillment_center": pl.String,
        "report_type": pl.String, "file": pl.String, "line": pl.Int64, "caveats": pl.List(pl.String),
    }
)  # fmt: skip


@dataclass
class Losses:
    """Every loss that a rule looked at, and what settled it.

    rows: one row per loss: `loss` (number, in the order of section 2.1), `natural_key` (its parts joined by U+001F),
        `date` (the event date), `lost` and `open` (units), `settled_by` (why there was nothing to settle, else null),
        `fnsku`, `asin`, `msku`, `title` (empty or null where the row lacks them), `country`, `area`, `reference_id`,
        `fulfillment_center`, `report_type`, `file`, `line`, `caveats` (list). A rule that declares a `value_basis`
        adds what it found: `worth` (millionths of `currency`, null where not known) for `worth_units` units.
    spent: rows of `loss`, `settlement` (number in the pool), `units`.
    evidence: further lines that a loss rests on, as NO_EVIDENCE.
    observations, warnings: what else the rule noticed in the rows it read.
    """

    rows: pl.DataFrame
    spent: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SPENT))
    evidence: pl.DataFrame = field(default_factory=lambda: NO_EVIDENCE)
    observations: tuple[Observation, ...] = ()
    warnings: tuple[Warned, ...] = ()

    def settle(self, spent: pl.DataFrame) -> None:
        """Book what settled these losses: it is open no longer."""
        taken = spent.group_by("loss").agg(taken=pl.col("units").sum())
        self.rows = (
            self.rows.join(taken, on="loss", how="left", maintain_order="left")
            .with_columns(pl.col("open") - pl.col("taken").fill_null(0))
            .drop("taken")
        )
        self.spent = pl.concat([self.spent, spent])


Detect = Callable[[Reports, Pool], Losses]


@dataclass(frozen=True, slots=True)
class Detector:
    """A rule: its place in the order of section 3, its claim type, and what it needs before it may speak.

    policy: the group whose window holds. pooled: for rules about stock, the kind of payment that is its own; payments
    of other kinds settle what it leaves open. reaches: whether a payment may come before the loss shows (section 2.2).
    value_basis: where the rule itself says what its losses are worth; None: the values of lost stock (section 5).
    """

    number: int
    claim_type: str
    policy: str
    reference_kind: str
    needs: tuple[Need, ...]
    detect: Detect
    pooled: str | None = None
    reaches: bool = True
    value_basis: str | None = None


_DETECTORS: dict[int, Detector] = {}


def detector(
    number: int,
    claim_type: str,
    *,
    policy: str,
    reference_kind: str,
    needs: tuple[Need, ...],
    pooled: str | None = None,
    reaches: bool = True,
    value_basis: str | None = None,
) -> Callable[[Detect], Detect]:
    """Declare a rule under its number and claim type of section 3."""

    def declare(detect: Detect) -> Detect:
        _DETECTORS[number] = Detector(
            number, claim_type, policy, reference_kind, needs, detect, pooled, reaches=reaches, value_basis=value_basis
        )
        return detect

    return declare


@cache
def all_detectors() -> tuple[Detector, ...]:
    """Return the rules in the order in which they run: every module of this folder declares one."""
    for module in iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
    return tuple(_DETECTORS[number] for number in sorted(_DETECTORS))


def natural_key(*parts: str | pl.Expr) -> pl.Expr:
    """Join the parts of a natural key, as the fingerprint does; a part that is missing is empty."""
    columns = [pl.col(part) if isinstance(part, str) else part for part in parts]
    return pl.concat_str([column.cast(pl.String).fill_null("") for column in columns], separator=KEY_SEPARATOR)
