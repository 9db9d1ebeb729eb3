"""Rows and findings with good defaults, for tests of every part. Rows are written in the caller's session."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

import db
from claims.access import Actor, user_actor
from detection.findings import Evidence, Finding, Outcome, fingerprint
from models import (
    Account,
    Caveat,
    Claim,
    Client,
    ClientStatus,
    CommissionRate,
    Discrepancy,
    DiscrepancyStatus,
    EvidenceLine,
    Role,
    Through,
    User,
)

NOW = datetime(2026, 11, 23, 9, 14, tzinfo=UTC)
TODAY = date(2026, 11, 23)

_SEPARATOR = "\x1f"
_CANDIDATES = {
    "claim_type": pl.String,
    "marketplace": pl.String,
    "natural_key": pl.String,
    "lost_units": pl.Int64,
    "open_units": pl.Int64,
    "reason": pl.String,
}
_numbers = itertools.count(1)


def make_user(session: Session, *, name: str = "", role: Role = Role.CASE_MANAGER, **more: Any) -> User:
    """Return a user who is active and has no password."""
    name = name or f"Person {next(_numbers)}"
    email = f"{name.lower().replace(' ', '.')}@agency.example"
    return _added(session, User(**{"email": email, "name": name, "role": role, "created_at": NOW, **more}))


def make_client(session: Session, *, name: str = "", **more: Any) -> Client:
    """Return an active client in USD that wants to see every value, with one commission rate for all days."""
    rate = CommissionRate(valid_from=TODAY, rate=more.pop("commission_rate", Decimal("0.20")))
    values: dict[str, Any] = {
        "name": name or f"Client {next(_numbers)}",
        "email": "owner@seller.example",
        "status": ClientStatus.ACTIVE,
        "rates": [rate],
        "created_at": NOW,
    }
    return _added(session, Client(**(values | more)))


def make_account(session: Session, client: Client, **more: Any) -> Account:
    """Return an account of the client in the US."""
    values: dict[str, Any] = {"client_id": client.id, "name": f"Account {next(_numbers)}", "marketplace": "US"}
    return _added(session, Account(**(values | {"created_at": NOW} | more)))


def make_discrepancy(
    session: Session,
    account_id: int,
    *,
    status: DiscrepancyStatus = DiscrepancyStatus.OPEN,
    caveats: Sequence[str] = (),
    **more: Any,
) -> Discrepancy:
    """Return a discrepancy of 3 units worth 37.02 USD, open and not announced, with one line of evidence."""
    finding = make_finding()
    values = {name: getattr(finding, name) for name in _OF_FINDING}
    row = Discrepancy(
        **(values | {"account_id": account_id, "created_at": NOW, "updated_at": NOW} | more), status=status
    )
    row = _added(session, row)
    session.add_all(Caveat(discrepancy_id=row.id, code=code) for code in caveats)
    line = finding.evidence[0]
    session.add(
        EvidenceLine(
            discrepancy_id=row.id,
            position=0,
            role=line.role,
            report_type=line.report_type,
            file=line.file,
            line=line.line,
            quantity=line.quantity,
            header="Date\tFNSKU\tQuantity",
            text=f"10/20/2026\t{row.fnsku}\t-3",
            sha256="0" * 64,
        )
    )
    session.flush()
    return row


def make_claim(session: Session, discrepancy: Discrepancy, *, approved_by_id: int, **more: Any) -> Claim:
    """Return a claim to file, made of the discrepancy, which it leaves as it is."""
    values: dict[str, Any] = {
        "account_id": discrepancy.account_id,
        "claim_type": discrepancy.claim_type,
        "quantity": discrepancy.quantity,
        "value": discrepancy.value,
        "currency": discrepancy.currency,
        "closes_on": discrepancy.closes_on,
        "approved_by_id": approved_by_id,
        "created_at": NOW,
        "updated_at": NOW,
        "discrepancies": [discrepancy],
    }
    return _added(session, Claim(**(values | more)))


def make_finding(**more: Any) -> Finding:
    """Return a claimable loss of 3 units worth 37.02 USD; without a natural key given, one of its own."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "claim_type": "warehouse_lost",
        "natural_key": (f"REF{number}", "X001", "ABE8", "2026-10-20"),
        "status": "claimable",
        "marketplace": "US",
        "fnsku": "X001",
        "asin": "B000000001",
        "msku": "SKU-1",
        "title": "Blue mug",
        "reference_kind": "ledger",
        "reference_id": f"REF{number}",
        "fulfillment_center": "ABE8",
        "event_date": date(2026, 10, 20),
        "opens_on": date(2026, 11, 4),
        "closes_on": date(2026, 12, 19),
        "quantity": 3,
        "unit_value": Decimal("12.34"),
        "value": Decimal("37.02"),
        "currency": "USD",
        "value_basis": "manufacturing_cost",
        "policy": "us/2024-10-23",
        "policy_confirmed": True,
        "caveats": (),
        "evidence": (Evidence("GET_LEDGER_DETAIL_VIEW_DATA", "ledger.txt", number + 1, "loss", 3),),
    }
    values |= more
    key = _SEPARATOR.join(values["natural_key"])
    return Finding(**({"fingerprint": fingerprint(values["claim_type"], values["marketplace"], key)} | values))


def make_outcome(
    *findings: Finding, as_of: date = TODAY, gone: Sequence[tuple[Finding, str]] = (), **more: Any
) -> Outcome:
    """Return what a run says that found `findings`, and judged each of `gone` to have no open units for its reason."""
    looked_at = [*((finding, finding.quantity, None) for finding in findings), *((lost, 0, why) for lost, why in gone)]
    rows = [
        (lost.claim_type, lost.marketplace, _SEPARATOR.join(lost.natural_key), lost.quantity, still_open, why)
        for lost, still_open, why in looked_at
    ]
    candidates = pl.DataFrame(rows, schema=_CANDIDATES, orient="row")
    return Outcome(as_of=as_of, findings=findings, candidate_rows=candidates, **more)


@dataclass(frozen=True)
class Cast:
    """Two case managers, an admin, billing and a client's person; a client of theirs and one that is not."""

    ann: Actor
    bea: Actor
    adam: Actor
    bill: Actor
    carl: Actor
    client_id: int
    account_id: int
    other_client_id: int
    other_account_id: int


def make_cast() -> Cast:
    """Write the cast into the database of the test, in a transaction of its own."""
    with db.transaction() as session:
        client, other = make_client(session, name="Acme"), make_client(session, name="Bolt")
        account, another = make_account(session, client), make_account(session, other)

        def person(name: str, role: Role, client_id: int | None = None) -> Actor:
            slack_id = f"U0{name.upper()}"
            user = make_user(session, name=name, role=role, client_id=client_id, slack_user_id=slack_id)
            return user_actor(user, Through.CLI)

        return Cast(
            ann=person("Ann", Role.CASE_MANAGER),
            bea=person("Bea", Role.CASE_MANAGER),
            adam=person("Adam", Role.ADMIN),
            bill=person("Bill", Role.BILLING),
            carl=person("Carl", Role.CLIENT, client.id),
            client_id=client.id,
            account_id=account.id,
            other_client_id=other.id,
            other_account_id=another.id,
        )


_OF_FINDING = (
    "fingerprint",
    "claim_type",
    "marketplace",
    "fnsku",
    "asin",
    "msku",
    "title",
    "reference_kind",
    "reference_id",
    "fulfillment_center",
    "event_date",
    "opens_on",
    "closes_on",
    "quantity",
    "unit_value",
    "value",
    "currency",
    "value_basis",
    "policy",
    "policy_confirmed",
)


def _added(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row
