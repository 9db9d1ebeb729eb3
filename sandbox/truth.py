"""What a simulated trade really holds: the mistakes that were planted, and what only looks like one."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

# The first and the last day of filing after the event, as Amazon's rules stand in the US since 2024-10-23.
WINDOWS = {
    "warehouse_lost": (15, 60),
    "warehouse_damaged": (15, 60),
    "inbound_lost": (30, 256),
    "return_not_received": (60, 120),
}
# Before this day the valuation rule or the windows were others in some part of eight months.
EARLIEST_END = date(2025, 12, 1)


@dataclass(frozen=True, slots=True)
class Planted:
    """One mistake of Amazon's.

    key: the natural key of its claim type. status: on the world's last day. value: in cents, None where the seller's
    own file has no cost.
    """

    claim_type: str
    key: tuple[str, ...]
    fingerprint: str
    quantity: int
    value: int | None
    status: str
    event_date: date
    scenario: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Something that looks like a mistake and is none."""

    claim_type: str
    reference: str
    fnsku: str
    scenario: str


@dataclass(frozen=True, slots=True)
class Truth:
    """All that an audit of the world's reports must find, and all that it must leave alone."""

    seed: int
    until: date
    marketplace: str
    planted: tuple[Planted, ...]
    silent: tuple[Silent, ...]

    def with_status(self, status: str) -> tuple[Planted, ...]:
        """Return the mistakes that stand at `status` on the last day."""
        return tuple(p for p in self.planted if p.status == status)

    def counts(self) -> dict[str, int]:
        """Return how many mistakes there are of each status."""
        return dict(Counter(p.status for p in self.planted))

    def save(self, path: Path) -> None:
        """Write it as JSON; the same truth gives the same bytes."""
        path.write_text(json.dumps(asdict(self), default=str, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            raw["seed"],
            date.fromisoformat(raw["until"]),
            raw["marketplace"],
            tuple(_planted(row) for row in raw["planted"]),
            tuple(Silent(**row) for row in raw["silent"]),
        )


def _planted(row: dict[str, Any]) -> Planted:
    event_date = date.fromisoformat(row["event_date"])
    return Planted(**{**row, "key": tuple(row["key"]), "event_date": event_date})


class TruthBook:
    """Collects the truth while the trade is made."""

    def __init__(self, until: date, marketplace: str) -> None:
        self.until = until
        self.marketplace = marketplace
        self._planted: list[Planted] = []
        self._silent: list[Silent] = []

    def expect(
        self,
        claim_type: str,
        key: Iterable[str],
        *,
        quantity: int,
        value: int | None,
        event_date: date,
        scenario: str,
    ) -> None:
        """Note a mistake of `quantity` units, worth `value` cents; one after the last day has not happened yet."""
        if event_date > self.until:
            return
        parts = tuple(key)
        self._planted.append(
            Planted(
                claim_type,
                parts,
                fingerprint(claim_type, self.marketplace, parts),
                quantity,
                value,
                status_on(self.until, claim_type, event_date),
                event_date,
                scenario,
            )
        )

    def stay_silent(self, claim_type: str, *, reference: str, fnsku: str, scenario: str) -> None:
        """Note something that must not be found."""
        self._silent.append(Silent(claim_type, reference, fnsku, scenario))

    def close(self, seed: int) -> Truth:
        """Return the whole truth, in a fixed order."""
        planted = sorted(self._planted, key=lambda p: (p.claim_type, p.key))
        silent = sorted(self._silent, key=lambda s: (s.claim_type, s.scenario, s.reference, s.fnsku))
        return Truth(seed, self.until, self.marketplace, tuple(planted), tuple(silent))


def fingerprint(claim_type: str, marketplace: str, key: Iterable[str]) -> str:
    """Return what an audit calls this discrepancy (DESIGN section 5), worked out here independently of the audit."""
    text = "\x1f".join((claim_type, marketplace, *key))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def status_on(day: date, claim_type: str, event_date: date) -> str:
    """Return whether a mistake of `event_date` may be filed on `day`: upcoming, claimable or lapsed."""
    wait, last = WINDOWS[claim_type]
    if day < event_date + timedelta(days=wait):
        return "upcoming"
    return "claimable" if day <= event_date + timedelta(days=last) else "lapsed"
