"""What the stand-in for Amazon remembers: the cases that were opened, what they ask for, and what it does by itself."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Self

Json = dict[str, Any]

FOUND, PAID = "found", "paid"


@dataclass(frozen=True, slots=True)
class Asked:
    """Units that a case asks for, as Recoup's own lists tell of them. `value` is in cents, None where not known.

    order_id: the order that the claim is about, empty for stock. since: the day on which Amazon first knew of it.
    """

    claim_id: int
    account_id: int
    claim_type: str
    msku: str
    order_id: str
    quantity: int
    value: int | None
    since: date


@dataclass(frozen=True, slots=True)
class Case:
    """One case of Seller Support. `written_on` is the day on which the seller last wrote to it again."""

    case_id: str
    opened_on: date
    text: str = ""
    asked: tuple[Asked, ...] = ()
    written_on: date | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """What Amazon makes good before anybody files it: units that it finds, or pays for without a case."""

    kind: str
    account_id: int
    fingerprint: str
    claim_type: str
    msku: str
    quantity: int
    day: date


@dataclass(slots=True)
class Memory:
    """All of it. `told` is what each day brought, in words; `up_to` the last day that passed, None before the first."""

    cases: list[Case] = field(default_factory=list)
    own: list[Own] = field(default_factory=list)
    told: list[Json] = field(default_factory=list)
    up_to: date | None = None

    def case(self, case_id: str) -> Case | None:
        """Return a case, None where there is none of that number."""
        return next((case for case in self.cases if case.case_id == case_id), None)

    def put(self, case: Case) -> None:
        """Add a case, or put it in place of the one of its number."""
        numbers = [each.case_id for each in self.cases]
        if case.case_id in numbers:
            self.cases[numbers.index(case.case_id)] = case
        else:
            self.cases.append(case)

    def learn(self, claims: Iterable[Json], discrepancies: Iterable[Json], day: date) -> None:
        """Take up what was filed, from the lists of `flask claims` and `flask discrepancies`; what is known stays."""
        known = {asked.claim_id for case in self.cases for asked in case.asked}
        about = {row["id"]: row for row in discrepancies}
        for claim in sorted(claims, key=lambda row: row["id"]):
            if not claim["case_id"] or claim["id"] in known:
                continue
            case = self.case(claim["case_id"]) or Case(claim["case_id"], day)
            self.put(replace(case, asked=(*case.asked, _asked(claim, about[claim["discrepancy_ids"][0]], day))))

    def choose_own(self, discrepancies: Sequence[Json], day: date, *, seed: int) -> None:
        """Choose, once for each account, what Amazon finds and what it pays for: two losses that nobody decided on."""
        for account_id in sorted({row["account_id"] for row in discrepancies}):
            if any(own.account_id == account_id for own in self.own):
                continue
            open_ = [row for row in discrepancies if row["account_id"] == account_id and _is_left_alone(row, day)]
            shuffled = sorted(open_, key=lambda row: _shuffled(row["fingerprint"], seed))
            for kind, row in zip((FOUND, PAID), shuffled, strict=False):
                self.own.append(_own(kind, row, day))

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        written = path.with_suffix(".new")
        written.write_text(json.dumps(asdict(self), default=str, indent=1, ensure_ascii=False), encoding="utf-8")
        written.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; without a file, nothing has happened yet."""
        if not path.exists():
            return cls()
        raw = json.loads(path.read_text(encoding="utf-8"))
        cases, own = [_case(row) for row in raw["cases"]], [_read_own(row) for row in raw["own"]]
        return cls(cases, own, raw["told"], _day(raw["up_to"]))


def cents(amount: str | None) -> int | None:
    """Return an amount such as 37.02 in cents."""
    if amount is None:
        return None
    whole, _, part = amount.lstrip("-").partition(".")
    size = int(whole) * 100 + int(part.ljust(2, "0")[:2])
    return -size if amount.startswith("-") else size


def _asked(claim: Json, about: Json, day: date) -> Asked:
    is_order = about["claim_type"] == "return_not_received"
    return Asked(
        claim["id"],
        claim["account_id"],
        claim["claim_type"],
        about["msku"],
        about["reference_id"] if is_order else "",
        claim["quantity"],
        cents(claim["value"]),
        day,
    )


def _is_left_alone(row: Json, day: date) -> bool:
    """Whether it is a loss in the warehouse that nobody has decided on and that can be filed for some days yet."""
    is_loss = row["status"] == "open" and row["claim_type"] == "warehouse_lost"
    return is_loss and date.fromisoformat(row["closes_on"]) > day


def _shuffled(fingerprint: str, seed: int) -> int:
    return (int(fingerprint, 16) * (2 * seed + 1)) % 1_000_003


def _own(kind: str, row: Json, day: date) -> Own:
    return Own(kind, row["account_id"], row["fingerprint"], row["claim_type"], row["msku"], row["quantity"], day)


def _case(row: Json) -> Case:
    asked = tuple(Asked(**{**each, "since": date.fromisoformat(each["since"])}) for each in row["asked"])
    opened_on = date.fromisoformat(row["opened_on"])
    return Case(row["case_id"], opened_on, row["text"], asked, _day(row["written_on"]))


def _read_own(row: Json) -> Own:
    return Own(**{**row, "day": date.fromisoformat(row["day"])})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
