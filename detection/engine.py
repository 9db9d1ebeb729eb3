"""Runs the rules in their order over one pool of settlements, then judges and values what stays open."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl

from detection.coverage import Coverage, Days
from detection.detectors import KEY_SEPARATOR, Detector, Losses, all_detectors
from detection.findings import Evidence, Finding, Observation, Outcome, fingerprint
from detection.marketplaces import Marketplace
from detection.matching import Matching
from detection.policy import Policy, Window
from detection.products import describe
from detection.reports import REPORT_TYPES, Input, Warned
from detection.rows import Reports
from detection.settlements import KINDS, PaidFor, Pool, is_leftover_payment, of_kind
from detection.transfers import open_transfers
from detection.valuation import Valuation, Worth

_STATUS_ORDER = {"claimable": 0, "upcoming": 1, "lapsed": 2}
# After this rule, payments that the rules about stock have left settle what those have left open (section 2.5).
_LAST_BEFORE_LEFTOVERS = 11


def run(
    given: Input,
    *,
    marketplace: Marketplace,
    policy: Policy,
    as_of: date,
    covers: Mapping[str, Sequence[Days]] | None = None,
    paid_for: Iterable[PaidFor] = (),
) -> Outcome:
    """Find every discrepancy that the rows prove on the as-of date, a day of the marketplace.

    covers: windows that somebody states a report to cover, by its short name, besides those of the files themselves.
    paid_for: payments of which somebody knows for which loss they were made; they settle that one and no other.
    The same input gives the same outcome, whatever the order of files and rows.
    """
    reports = Reports(given, marketplace, as_of, policy)
    pool = Pool(reports, paid_for)
    found = _detect(reports, pool)
    judge = _Judge(Coverage(given.deliveries, covers or {}, as_of))
    looked_at = {detector: _looked_at(detector, losses, pool, judge) for detector, losses in found.items()}
    groups = [
        g for detector, losses in found.items() for g in _open_groups(detector, losses, looked_at[detector], pool)
    ]
    findings = _Writer(reports, policy, groups).findings()
    return Outcome(
        as_of,
        tuple(sorted(findings, key=_output_order)),
        pl.concat([_candidates(detector, marketplace, rows) for detector, rows in looked_at.items()]),
        _observations(reports, found.values()),
        (*reports.warnings, *(w for losses in found.values() for w in losses.warnings), *judge.warnings(given)),
        {d.claim_type: since for d in found if (since := judge.whole_since(d)) is not None},
        {detector.claim_type: _spent(losses, pool) for detector, losses in found.items()},
    )


def _detect(reports: Reports, pool: Pool) -> dict[Detector, Losses]:
    """Run the rules in their order; what one has spent the next do not get (section 2.4)."""
    first = [detector for detector in all_detectors() if detector.number <= _LAST_BEFORE_LEFTOVERS]
    found = {detector: detector.detect(reports, pool) for detector in first}
    _settle_with_leftovers(found, pool)
    then = [detector for detector in all_detectors() if detector.number > _LAST_BEFORE_LEFTOVERS]
    return found | {detector: detector.detect(reports, pool) for detector in then}


def _settle_with_leftovers(found: Mapping[Detector, Losses], pool: Pool) -> None:
    """Let payments of other kinds settle what the rules about stock left open, in the order of rules (section 2.5)."""
    for detector, losses in found.items():
        if detector.pooled is None:
            continue
        keyed = losses.rows.filter(pl.col("open") > 0).with_columns(key=pl.col("fnsku").fill_null(""))
        matching = Matching(keyed, pool.some(is_leftover_payment(detector.pooled)))
        matching.settle()
        if detector.reaches:
            matching.settle(ahead=True)
        pool.spend(matching.all_spent())
        losses.settle(matching.all_spent())


@dataclass
class _Group:
    """The losses that share a natural key and have open units: one discrepancy, if its reports are covered."""

    detector: Detector
    key: str
    losses: list[dict[str, Any]]
    settled: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    is_late: bool

    @property
    def first(self) -> dict[str, Any]:
        """The oldest of its losses: it names the discrepancy."""
        return self.losses[0]

    @property
    def open_units(self) -> int:
        """The units that nothing has settled."""
        return sum(loss["open"] for loss in self.losses)


def _looked_at(detector: Detector, losses: Losses, pool: Pool, judge: "_Judge") -> pl.DataFrame:
    """Put the losses of a rule together by natural key and say what became of each.

    Returns `natural_key`, `date`, `lost`, `open`, `reason` (null where something is claimed), `is_covered`, `is_late`.
    """
    last = (
        _with_settlements(losses, pool)
        .join(losses.rows.select("loss", "natural_key"), on="loss")
        .sort("settlement")
        .group_by("natural_key")
        .agg(settled=of_kind("reason", pl.String).last())
    )
    groups = (
        losses.rows.sort("loss")
        .group_by("natural_key", maintain_order=True)
        .agg(pl.col("date").first(), pl.col("lost", "open").sum(), pl.col("settled_by").drop_nulls().first())
        .join(last, on="natural_key", how="left", maintain_order="left")
        .join(judge.verdicts(detector, losses.rows), on="date", how="left", maintain_order="left")
    )
    judge.count(detector, groups.filter(pl.col("open") > 0, ~pl.col("is_covered")))
    uncovered = pl.when(~pl.col("is_covered")).then(pl.lit("not_covered"))
    settled = pl.coalesce("settled", "settled_by", pl.lit("found"))
    return groups.with_columns(reason=pl.when(pl.col("open") > 0).then(uncovered).otherwise(settled))


def _open_groups(detector: Detector, losses: Losses, looked_at: pl.DataFrame, pool: Pool) -> Iterator[_Group]:
    """Return what a rule claims: the groups with open units whose reports are covered."""
    claimed = looked_at.filter(pl.col("open") > 0, pl.col("is_covered")).select("natural_key", "is_late")
    rows = losses.rows.join(claimed, on="natural_key", maintain_order="left").sort("loss")
    settled = _by_loss(_with_settlements(losses, pool).join(rows.select("loss"), on="loss", how="semi"))
    evidence = _by_loss(losses.evidence.join(rows.select("loss"), on="loss", how="semi", maintain_order="left"))
    by_key: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        by_key.setdefault(row["natural_key"], []).append(row)
    for key, members in by_key.items():
        numbers = [row["loss"] for row in members]
        yield _Group(
            detector,
            key,
            members,
            sorted((s for n in numbers for s in settled.get(n, ())), key=lambda s: s["settlement"]),
            [e for n in numbers for e in evidence.get(n, ())],
            members[0]["is_late"],
        )


def _with_settlements(losses: Losses, pool: Pool) -> pl.DataFrame:
    return losses.spent.join(pool.rows, on="settlement", how="left", maintain_order="left")


def _by_loss(rows: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        groups.setdefault(row["loss"], []).append(row)
    return groups


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the coverage of a rule's reports says about losses of one day."""

    missing: tuple[tuple[str, Days], ...]
    is_late: bool


class _Judge:
    """Says which losses may be spoken of, and keeps count of those that may not."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._unjudged: dict[str, list[tuple[str, Days]]] = {}

    def verdicts(self, detector: Detector, losses: pl.DataFrame) -> pl.DataFrame:
        """Return for each `date` of losses whether the rule `is_covered`, and `is_late`: only the last days lack."""
        days = losses.get_column("date").unique().sort().to_list()
        verdicts = [self._verdict(detector, day) for day in days]
        return pl.DataFrame(
            {
                "date": days,
                "is_covered": [not verdict.missing for verdict in verdicts],
                "is_late": [verdict.is_late for verdict in verdicts],
            },
            schema={"date": pl.Date, "is_covered": pl.Boolean, "is_late": pl.Boolean},
        )

    def count(self, detector: Detector, unjudged: pl.DataFrame) -> None:
        """Remember the losses about which nothing can be said, for the warnings."""
        for lost_on in unjudged.get_column("date"):
            for report, gap in self._verdict(detector, lost_on).missing:
                self._unjudged.setdefault(report, []).append((detector.claim_type, gap))

    def warnings(self, given: Input) -> list[Warned]:
        """Return one warning for each report that is missing, wholly or in part."""
        had = {delivery.report for delivery in given.deliveries}
        return [_coverage_warning(report, gaps, report in had) for report, gaps in sorted(self._unjudged.items())]

    def whole_since(self, detector: Detector) -> date | None:
        """Return the first day of losses for which everything the rule needs is covered, or None."""
        starts = [(self._coverage.whole_since(need.report), need.days_before) for need in detector.needs]
        if any(start is None for start, _ in starts):
            return None
        return max(start + timedelta(days=days) for start, days in starts if start)

    def _verdict(self, detector: Detector, lost_on: date) -> _Verdict:
        missing, is_late = [], False
        for need in detector.needs:
            since = lost_on - timedelta(days=need.days_before)
            gap = self._coverage.missing(need.report, since)
            if gap and self._coverage.is_only_late(need.report, since):
                is_late = True
            elif gap:
                missing.append((need.report, gap))
        return _Verdict(tuple(missing), is_late)


def _coverage_warning(report: str, gaps: list[tuple[str, Days]], had: bool) -> Warned:  # noqa: FBT001
    since, until = min(gap[0] for _, gap in gaps), max(gap[1] for _, gap in gaps)
    losses = f"{len(gaps)} losses" if len(gaps) > 1 else "1 loss"
    what = "does not cover" if had else "is missing for"
    return Warned(
        "partial_coverage" if had else "missing_report",
        f"{REPORT_TYPES[report]} {what} {since} to {until}: {losses} could not be judged.",
        {
            "report_type": REPORT_TYPES[report],
            "claim_types": sorted({claim_type for claim_type, _ in gaps}),
            "from": since,
            "to": until,
            "losses": len(gaps),
        },
    )


class _Writer:
    """Turns what stays open into findings: names, window, value, evidence."""

    def __init__(self, reports: Reports, policy: Policy, groups: Iterable[_Group]) -> None:
        self._reports = reports
        self._policy = policy
        self._open = list(groups)

    def findings(self) -> list[Finding]:
        names = self._names()
        firsts = [self._named(group.first, names) for group in self._open]
        valuation = Valuation(
            self._reports,
            self._policy,
            pl.DataFrame(
                [(loss["date"], loss["msku"], loss["fnsku"]) for loss in firsts],
                schema={"date": pl.Date, "msku": pl.String, "fnsku": pl.String},
                orient="row",
            ),
        )
        return [
            self._finding(group, loss, valuation.of(loss, group.detector.value_basis))
            for group, loss in zip(self._open, firsts, strict=True)
        ]

    def _names(self) -> dict[tuple[str, date], dict[str, Any]]:
        """Look up what the ledger calls the MSKUs of losses that do not name their product (section 8)."""
        unnamed = [
            (loss["msku"], loss["date"])
            for loss in (group.first for group in self._open)
            if loss["msku"] and not all(loss[name] for name in ("fnsku", "asin", "title"))
        ]
        wanted = pl.DataFrame(unnamed, schema={"msku": pl.String, "on": pl.Date}, orient="row")
        return {(row["msku"], row["on"]): row for row in describe(self._reports, wanted).iter_rows(named=True)}

    @cache  # noqa: B019 - a writer lives as long as its run
    def _window(self, group: str, lost_on: date) -> Window:
        return self._policy.window(group, lost_on, self._reports.as_of)

    def _named(self, loss: dict[str, Any], names: dict[tuple[str, date], dict[str, Any]]) -> dict[str, Any]:
        known = names.get((loss["msku"], loss["date"]), {})
        return loss | {name: loss[name] or known.get(name) or None for name in ("fnsku", "asin", "title")}

    def _finding(self, group: _Group, loss: dict[str, Any], worth: Worth) -> Finding:
        as_of, marketplace = self._reports.as_of, self._reports.marketplace
        window = self._window(group.detector.policy, loss["date"])
        status = "upcoming" if as_of < window.opens_on else "lapsed" if as_of > window.closes_on else "claimable"
        return Finding(
            claim_type=group.detector.claim_type,
            fingerprint=fingerprint(group.detector.claim_type, marketplace.code, group.key),
            natural_key=tuple(group.key.split(KEY_SEPARATOR)),
            status=status,
            marketplace=marketplace.code,
            fnsku=loss["fnsku"],
            asin=loss["asin"],
            msku=loss["msku"] or None,
            title=loss["title"],
            reference_kind=group.detector.reference_kind,
            reference_id=loss["reference_id"],
            fulfillment_center=loss["fulfillment_center"] or None,
            event_date=loss["date"],
            opens_on=window.opens_on,
            closes_on=window.closes_on,
            quantity=group.open_units,
            unit_value=worth.unit_value,
            value=worth.total(group.open_units),
            currency=worth.currency,
            value_basis=worth.basis,
            policy=window.policy,
            policy_confirmed=window.is_confirmed,
            caveats=_caveats(group, worth),
            evidence=_evidence(group, worth),
        )


def _caveats(group: _Group, worth: Worth) -> tuple[str, ...]:
    late = ["partial_coverage"] if group.is_late else []
    return tuple(sorted({*late, *worth.caveats, *(caveat for loss in group.losses for caveat in loss["caveats"])}))


def _evidence(group: _Group, worth: Worth) -> tuple[Evidence, ...]:
    lines = [Evidence(r["report_type"], r["file"], r["line"], "loss", r["lost"]) for r in group.losses]
    lines += [
        Evidence(e["report_type"], e["file"], e["line"], e["role"], e["quantity"], e["note"]) for e in group.evidence
    ]
    for s in group.settled:
        lines.append(Evidence(s["report_type"], s["file"], s["line"], KINDS[s["kind"]].role, s["units"]))
        if s.get("also_line") is not None:
            lines.append(Evidence(s["report_type"], s["also_file"], s["also_line"], KINDS[s["kind"]].role, s["units"]))
    return tuple(dict.fromkeys((*lines, *worth.evidence)))


def _spent(losses: Losses, pool: Pool) -> pl.LazyFrame:
    """Say what each settlement was spent on, for whoever asks why a loss is not claimed."""
    return (
        losses.spent.lazy()
        .join(pool.rows.lazy(), on="settlement", how="left", maintain_order="left")
        .join(losses.rows.lazy().select("loss", "natural_key"), on="loss", maintain_order="left")
        .select("natural_key", "kind", "report_type", "file", "line", "units")
    )


def _observations(reports: Reports, found: Iterable[Losses]) -> tuple[Observation, ...]:
    noticed = [*open_transfers(reports), *(o for losses in found for o in losses.observations)]
    return tuple(sorted(noticed, key=lambda o: (o.code, o.reference or "", o.fnsku or "")))


def _candidates(detector: Detector, marketplace: Marketplace, looked_at: pl.DataFrame) -> pl.DataFrame:
    return looked_at.select(
        claim_type=pl.lit(detector.claim_type),
        marketplace=pl.lit(marketplace.code),
        natural_key="natural_key",
        lost_units="lost",
        open_units=pl.when(pl.col("is_covered")).then("open").otherwise(0),
        reason="reason",
    )


def _output_order(finding: Finding) -> tuple[Any, ...]:
    """Claimable first, then upcoming, lapsed; by deadline, then value, largest first, then what makes it unique."""
    unknown = finding.value is None
    value = -finding.value if finding.value is not None else 0
    currency = (finding.currency is None, finding.currency or "")
    return (
        _STATUS_ORDER[finding.status], finding.closes_on, unknown, value, *currency, finding.claim_type,
    finding.natural_key, )  # fmt: skip
