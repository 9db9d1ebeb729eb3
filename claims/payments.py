"""Matching the reimbursements report with the claims of an account, each day: what was paid becomes rows.

The matching itself is in `claims.matching`. It is done twice a run: before detection, so that a payment settles the
loss whose claim it paid, and after it, in the transaction that writes what detection found.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

import outbox
from claims import booking, history, matching, reimbursements
from claims.access import system_actor
from claims.booking import Booking
from claims.paid import BY_UNITS, Booked, Books, Filed, Line, Payment, Plan
from config import settings
from detection.marketplaces import marketplaces
from models import Account, Claim, ClaimStatus, Reimbursement, ReimbursementState

if TYPE_CHECKING:
    from detection.findings import Outcome
    from detection.reports import Input
    from detection.settlements import PaidFor

_WAITING = ReimbursementState.WAITING


@dataclass(frozen=True, slots=True)
class Report:
    """What the reports have that bears on our claims: their lines, and ids of reimbursements that others name."""

    lines: tuple[Line, ...] = ()
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Paid:
    """What a run booked: numbers of lines."""

    matched: int = 0
    waiting: int = 0
    reversed: int = 0
    changed: int = 0


def load_books(session: Session, account_id: int) -> Books:
    """Return the filed claims of an account, and what is booked of reimbursement lines."""
    account = session.get_one(Account, account_id)
    filed = _filed(account_id).options(selectinload(Claim.discrepancies))
    return _books(account, session.scalars(filed).all(), _rows(session, account_id))


def read_report(given: "Input", books: Books, *, as_of: date) -> Report:
    """Return what the reports of an account say that bears on its claims. Nothing where none was filed."""
    if not books.claims:
        return Report()
    wanted = reimbursements.Wanted(
        cases=frozenset(claim.case_id for claim in books.claims if claim.case_id),
        since=min(claim.filed_on for claim in books.claims),
        booked_ids=frozenset(line.reimbursement_id for line in books.lines.values()),
        fnskus=frozenset(fnsku for claim in books.claims for fnsku in claim.fnskus),
        references=frozenset(of for claim in books.claims for of in claim.orders | claim.shipments),
    )
    lines = reimbursements.read_lines(given, wanted, books.lines, as_of=as_of)
    named = {line.original_id for line in lines if line.original_id}
    return Report(tuple(lines), reimbursements.ids_reported(given, named, as_of=as_of))


def known_before(books: Books, report: Report) -> "list[PaidFor]":
    """Return for which loss payments were made, as far as they can be told without the rules of detection."""
    found = matching.match(books, report.lines, seen=report.seen).payments
    named = [payment for payment in found if payment.matched_by != BY_UNITS]
    return list(_paid_for(books, report, named))


def hints_of(outcome: "Outcome", report: Report, marketplace: str) -> dict[str, dict[str, int]]:
    """Return on which loss the rules spent which line: by line key and fingerprint, in units."""
    from detection.findings import fingerprint

    places = [(*place, line.key) for line in report.lines for place in line.places]
    hints: dict[str, dict[str, int]] = {}
    if not places:
        return hints
    ours = pl.LazyFrame(places, schema={"file": pl.String, "line": pl.Int64, "key": pl.String}, orient="row")
    for claim_type, spent in outcome.spent.items():
        found = spent.filter(pl.col("kind").is_in(["cash", "stock"])).join(ours, on=["file", "line"])
        for natural_key, key, units in found.select("natural_key", "key", "units").collect().iter_rows():
            of_line = hints.setdefault(key, {})
            name = fingerprint(claim_type, marketplace, natural_key)
            of_line[name] = of_line.get(name, 0) + units
    return hints


def units_paid(books: Books, report: Report, hints: matching.Hints) -> dict[str, int]:
    """Return by loss (fingerprint) the units that Amazon paid because we had claimed them, with what is booked next."""
    plan = matching.match(books, report.lines, hints=hints, seen=report.seen)
    units: dict[str, int] = {}
    for _, fingerprint, _, of_it in _by_loss(books, plan.payments):
        units[fingerprint] = units.get(fingerprint, 0) + of_it
    return units


def record(session: Session, account_id: int, report: Report, hints: matching.Hints, *, now: datetime) -> Paid:
    """Book what the reports say was paid for the claims of an account, or taken back, and tell of it.

    To be called in the transaction that writes what detection found. Can be repeated: what is booked stays as it is.
    """
    if not report.lines:
        return Paid()
    account = session.get_one(Account, account_id, options=[joinedload(Account.client)])
    locked = (
        _filed(account_id)
        .options(selectinload(Claim.discrepancies), selectinload(Claim.payments))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    claims = session.scalars(locked).all()
    rows = _rows(session, account_id, lock=True)
    plan = matching.match(_books(account, claims, rows), report.lines, hints=hints, seen=report.seen)
    return _Writer(Booking(session, account, system_actor(), now), claims, rows, report.lines).write(plan)


class _Writer:
    """Writes a plan. Claims are locked, their discrepancies and payments loaded.

    lines: those of the reports. A booked line that they lack, as those of an earlier day do, can be paid all the same.
    """

    def __init__(
        self, by: Booking, claims: Sequence[Claim], rows: Sequence[Reimbursement], lines: Iterable[Line]
    ) -> None:
        self._by = by
        self._claims = {claim.id: claim for claim in claims}
        self._rows = {row.line_key: row for row in rows}
        self._lines = {line.key: line for line in lines}
        self._made = {
            (row.line_key, payment.claim_id, payment.first_unit): payment for row in rows for payment in row.payments
        }

    def write(self, plan: Plan) -> Paid:
        """Write payments in their order, then what waits; return what is new."""
        waiting = {each.line_key: each.candidates for each in plan.waiting}
        paid = dict.fromkeys(payment.line_key for payment in plan.payments)
        for payment in plan.payments:
            self._book(payment)
        for key in paid:
            if key not in waiting:
                self._rows[key].state, self._rows[key].candidates = ReimbursementState.MATCHED, []
        new = [key for key, candidates in waiting.items() if self._wait(key, candidates)]
        for key in plan.not_ours:
            self._row(key, ReimbursementState.NOT_OURS)
        self._by.session.flush()
        self._tell_waiting([key for key in new if waiting[key]])
        back = sum(booking.line_of(self._rows[key]).takes_back for key in paid)
        return Paid(len(paid) - back, len(new), back, self._changed())

    def _book(self, payment: Payment) -> None:
        row = self._row(payment.line_key, ReimbursementState.MATCHED)
        reversed_ = self._made[payment.reverses] if payment.reverses else None
        claim = self._claims[payment.claim_id]
        reverses_id = reversed_.id if reversed_ else None
        self._made[payment.key] = booking.book(self._by, claim, row, payment, reverses_id=reverses_id)

    def _row(self, key: str, state: ReimbursementState) -> Reimbursement:
        if key not in self._rows:
            line = self._lines[key]
            self._rows[key] = booking.reimbursement_row(self._by.account.id, line, state, self._by.now)
            self._by.session.add(self._rows[key])
        return self._rows[key]

    def _wait(self, key: str, candidates: tuple[int, ...]) -> bool:
        """Let a line wait; False where it did already."""
        did = key in self._rows and self._rows[key].state is _WAITING
        row = self._row(key, _WAITING)
        if row.state is not _WAITING or list(row.candidates) != list(candidates):
            row.state, row.candidates = _WAITING, list(candidates)
        return not did

    def _tell_waiting(self, keys: Sequence[str]) -> None:
        if not keys or not settings().slack_is_on:
            return
        ids = sorted(self._rows[key].id for key in keys)
        account = self._by.account
        outbox.enqueue(
            self._by.session,
            outbox.CLAIM_NEWS,
            f"waiting:{account.id}:{ids[0]}",  # each is told once, so no other message has this key
            now=self._by.now,
            client_id=account.client_id,
            account_id=account.id,
            payload={"what": "waiting", "line_ids": ids},
        )

    def _changed(self) -> int:
        """Flag the booked lines of which a later report says something else; nothing is booked by it."""
        changed = 0
        for key, line in self._lines.items():
            row = self._rows.get(key)
            said = booking.what_is_paid(line.reported) if line.reported else None
            if row is None or row.later_says == said:
                continue
            row.later_says = said
            if said is not None:
                changed += 1
                self._note_change(row, said)
        return changed

    def _note_change(self, row: Reimbursement, said: str) -> None:
        booked = booking.what_is_paid(booking.line_of(row).said)
        note = f"Reimbursement {row.reimbursement_id}: {said}; booked is {booked}."
        for claim_id in dict.fromkeys(payment.claim_id for payment in row.payments):
            claim = self._claims[claim_id]
            entry = history.entry(
                actor=self._by.actor, now=self._by.now, action="payment_changed", claim_id=claim_id, note=note
            )
            history.add(self._by.session, entry)
            booking.tell(self._by, claim, "payment_changed", str(entry.id), line_id=row.id)


def _filed(account_id: int) -> Select[Claim]:
    return (
        select(Claim)
        .where(Claim.account_id == account_id, Claim.submitted_at.is_not(None), Claim.status != ClaimStatus.TO_SUBMIT)
        .order_by(Claim.id)
    )


def _rows(session: Session, account_id: int, *, lock: bool = False) -> Sequence[Reimbursement]:
    found = (
        select(Reimbursement)
        .where(Reimbursement.account_id == account_id)
        .options(selectinload(Reimbursement.payments))
        .order_by(Reimbursement.id)
        .execution_options(populate_existing=True)
    )
    return session.scalars(found.with_for_update() if lock else found).all()


def _books(account: Account, claims: Iterable[Claim], rows: Iterable[Reimbursement]) -> Books:
    rows = list(rows)
    keys = {row.id: row.line_key for row in rows}
    made = {payment.id: payment for row in rows for payment in row.payments}
    return Books(
        claims=tuple(_as_filed(claim, account) for claim in claims),
        lines={row.line_key: booking.line_of(row) for row in rows},
        booked={
            row.line_key: Booked(
                row.state,
                tuple(booking.payment_of(payment, keys, made) for payment in row.payments),
                tuple(row.candidates),
            )
            for row in rows
        },
    )


def _as_filed(claim: Claim, account: Account) -> Filed:
    filed_at: datetime = claim.submitted_at or claim.created_at
    of = claim.discrepancies

    def named(*kinds: str) -> frozenset[str]:
        return frozenset(row.reference_id for row in of if row.reference_kind in kinds)

    return Filed(
        id=claim.id,
        case_id=claim.case_id,
        units=claim.quantity,
        filed_on=marketplaces()[account.marketplace].day_of(filed_at),
        kinds=matching.kinds_of(claim.claim_type),
        fnskus=frozenset(row.fnsku for row in of if row.fnsku),
        mskus=frozenset(row.msku for row in of if row.msku),
        orders=named("order", "removal_order"),
        shipments=named("shipment"),
        reimbursements=named("reimbursement"),
        losses=tuple((row.fingerprint, row.quantity) for row in of),
        is_closed=claim.status is ClaimStatus.CLOSED,
    )


def _paid_for(books: Books, report: Report, new: Iterable[Payment]) -> "Iterator[PaidFor]":
    from detection.settlements import PaidFor

    places = {line.key: line.places for line in report.lines}
    for payment, fingerprint, kind, units in _by_loss(books, new):
        for file, line in places.get(payment.line_key, ()):
            yield PaidFor(file, line, kind, fingerprint, units)


def _by_loss(books: Books, new: Iterable[Payment]) -> Iterator[tuple[Payment, str, str, int]]:
    """Divide what claims were paid, booked or new, among their losses: payment, fingerprint, cash or stock, units.

    Money that was taken back again stays divided: the payment settled the loss all the same. What a claim got beyond
    its units is put down to its last loss, so that it settles no other.
    """
    booked = [payment for each in books.booked.values() for payment in each.payments]
    left = {fingerprint: units for claim in books.claims for fingerprint, units in claim.losses}
    losses = {claim.id: [fingerprint for fingerprint, _ in claim.losses] for claim in books.claims}
    for payment in [*booked, *new]:
        if payment.reverses is not None or not losses.get(payment.claim_id):
            continue
        *others, last = losses[payment.claim_id]
        for kind, paid in (("cash", payment.cash_units), ("stock", payment.stock_units)):
            to_divide = paid
            for fingerprint in others:
                units = min(to_divide, left[fingerprint])
                to_divide, left[fingerprint] = to_divide - units, left[fingerprint] - units
                if units:
                    yield payment, fingerprint, kind, units
            if to_divide:
                yield payment, last, kind, to_divide
